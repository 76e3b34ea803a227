//! Password hashes as `/etc/shadow` takes them.

use anyhow::{Result, anyhow};
use sha_crypt::{PasswordHasher, ShaCrypt};
use sha2::{Digest, Sha256};

/// Bytes of a salt: 16 letters, all that crypt(3) looks at.
const SALT: usize = 12;

/// The SHA-512 crypt hash of `password`, with a random salt of its own.
pub(crate) fn hash(password: &str) -> Result<String> {
    let mut salt = [0; SALT];
    rustix::rand::getrandom(&mut salt, rustix::rand::GetRandomFlags::empty())?;
    with_salt(password, &salt)
}

/// The hash with a salt that depends on `location` (image and user) only, so that two builds agree.
pub(crate) fn hash_for(password: &str, location: &str) -> Result<String> {
    let digest = Sha256::digest(format!("kiwi {location}"));
    with_salt(password, &digest[..SALT])
}

fn with_salt(password: &str, salt: &[u8]) -> Result<String> {
    let hash = ShaCrypt::default().hash_password_with_salt(password.as_bytes(), salt);
    Ok(hash.map_err(|error| anyhow!("hashing the password: {error}"))?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Judged by crypt(3) of the C library: it gives the same for this salt.
    #[test]
    fn crypt_agrees() {
        let hash = hash_for("kiwi", "image:tux").unwrap();
        let salt = hash.split('$').nth(3).unwrap();
        assert_eq!(salt.len(), 16);
        assert_eq!(hash, EXPECTED);
    }

    const EXPECTED: &str = "$6$rounds=5000$/BNJNCdhRiil08Jp$rfRT5yNGoP92OwgRJXpe1ggAd8U3chUrPZuexGHm6gsF/vvjZ2J8EMjcIEK6cSOPf/uktOKrOd2zC2.os0DML1";
}
