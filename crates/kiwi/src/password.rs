//! Password hashes as `/etc/shadow` takes them.

use anyhow::{Result, anyhow};
use sha_crypt::{PasswordHasher, ShaCrypt};

/// The SHA-512 crypt hash of `password`, with a random salt of its own.
pub(crate) fn hash(password: &str) -> Result<String> {
    let hash = ShaCrypt::default().hash_password(password.as_bytes());
    Ok(hash.map_err(|error| anyhow!("hashing the password: {error}"))?.to_string())
}
