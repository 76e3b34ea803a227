//! Password hashes for `/etc/shadow`.

use anyhow::{Result, anyhow};
use ondisk::digest::{Digest, Sha256};
use sha_crypt::{PasswordHasher, ShaCrypt};

/// Bytes of a salt: 16 letters, the maximum that crypt(3) uses.
const SALT: usize = 12;

/// Returns the SHA-512 crypt hash of `password` with a random salt.
pub(crate) fn hash(password: &str) -> Result<String> {
    let mut salt = [0; SALT];
    rustix::rand::getrandom(&mut salt, rustix::rand::GetRandomFlags::empty())?;
    with_salt(password, &salt)
}

/// Returns the hash with a salt that depends only on `location` (image and user), so that two builds agree.
pub(crate) fn hash_for(password: &str, location: &str) -> Result<String> {
    let digest = Sha256::digest(format!("kiwi {location}"));
    with_salt(password, &digest[..SALT])
}

/// Returns whether a text is a password as in `/etc/shadow`: a hash in one of the forms of crypt(5), a locked account, or none.
pub(crate) fn is_hash(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"./".contains(&byte);
    let hash = text.trim_start_matches('!');
    match hash.as_bytes() {
        [] | [b'*', ..] => true,
        [b'x'] => true,
        [b'$', rest @ ..] => rest.iter().filter(|byte| **byte == b'$').count() >= 2 || rest.starts_with(b"2"),
        [b'_', rest @ ..] => rest.len() == 19 && rest.iter().all(|byte| is_letter(*byte)),
        rest => rest.len() == 13 && rest.iter().all(|byte| is_letter(*byte)),
    }
}

fn with_salt(password: &str, salt: &[u8]) -> Result<String> {
    let hash = ShaCrypt::default().hash_password_with_salt(password.as_bytes(), salt);
    Ok(hash.map_err(|error| anyhow!("hashing the password: {error}"))?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares with crypt(3) of the C library for the same salt.
    #[test]
    fn crypt_agrees() {
        let hash = hash_for("kiwi", "image:tux").unwrap();
        let salt = hash.split('$').nth(3).unwrap();
        assert_eq!(salt.len(), 16);
        assert_eq!(hash, EXPECTED);
    }

    #[test]
    fn plain_text_is_no_hash() {
        for hash in [
            EXPECTED,
            "*",
            "!",
            "",
            "!$1$a$b",
            "$1$wYJUgpM5$RXMMeASDc035eX.NbYWFl0",
            "$2a$10$x",
            "ab01FAX.bQRSU",
            "x",
        ] {
            assert!(is_hash(hash), "{hash}");
        }
        for text in ["linux", "kiwi", "$ecret", "a b"] {
            assert!(!is_hash(text), "{text}");
        }
    }

    const EXPECTED: &str = "$6$rounds=5000$/BNJNCdhRiil08Jp$rfRT5yNGoP92OwgRJXpe1ggAd8U3chUrPZuexGHm6gsF/vvjZ2J8EMjcIEK6cSOPf/uktOKrOd2zC2.os0DML1";
}
