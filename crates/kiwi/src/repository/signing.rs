//! The keys that sign repositories, as a description names them.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use description::Repository;

use super::SigningKey;
use crate::failure::fail;
use crate::source::{Files, real};

/// Returns the keys of a repository whose files do not exist on this machine.
pub fn missing_keys<'r>(repository: &'r Repository, description: &Files) -> Vec<&'r str> {
    let is_missing = |key: &&String| match key_path(key, description) {
        Ok(Some(path)) => !path.is_file(),
        // A link that leads out of the description has an error of its own.
        Ok(None) | Err(_) => false,
    };
    repository.signing_keys.iter().filter(is_missing).map(String::as_str).collect()
}

/// Returns the sources of the signing keys in the description.
pub(super) fn signing_keys(repository: &Repository, description: &Files) -> Result<Vec<SigningKey>> {
    repository.signing_keys.iter().map(|key| signing_key(key, description)).collect()
}

/// Returns the source of a signing key.
fn signing_key(key: &str, description: &Files) -> Result<SigningKey> {
    let Some(path) = key_path(key, description)? else { return Ok(SigningKey::Url(key.to_owned())) };
    if !path.is_file() {
        fail!(File, "the signing key {key} does not exist: {} is missing", path.display());
    }
    let real = path.canonicalize().with_context(|| format!("reading the signing key {}", path.display()))?;
    Ok(SigningKey::File(real))
}

/// Returns the path of the file of a signing key; none for a URL.
fn key_path(key: &str, description: &Files) -> Result<Option<PathBuf>> {
    let path = if let Some(path) = key.strip_prefix("this://").or_else(|| key.strip_prefix("this:")) {
        let path = path.trim_start_matches('/');
        description.find(path)?.unwrap_or_else(|| description.directory().join(path))
    } else if let Some(path) = key.strip_prefix("file://").or_else(|| key.strip_prefix("file:")) {
        PathBuf::from(path)
    } else if key.starts_with('/') {
        PathBuf::from(key)
    } else if ["http://", "https://", "ftp://"].iter().any(|scheme| key.starts_with(scheme)) {
        return Ok(None);
    } else {
        fail!(
            InvalidDescription,
            "the signing key {key} is neither a path nor a URL: expected file:/PATH, this://PATH, https://... or http://..."
        );
    };
    Ok(Some(path))
}

/// Returns the bytes of [`SigningKey::File`].
pub fn read_key(path: &Path) -> Result<Vec<u8>> {
    real::read(path).with_context(|| format!("reading the signing key {}", path.display()))
}
