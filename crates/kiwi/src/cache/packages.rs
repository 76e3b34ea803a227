//! Downloaded packages by the digest of their bytes.
//!
//! ```text
//! packages/sha256/DIGEST   as they were fetched
//! packages/zstd/DIGEST     the same packages, recompressed for fast reading; each ends in its own digest
//! packages/.kiwi.XXXXXX/   unfinished packages
//! ```
//!
//! The modification time of a file records its last use; a user who may not write here can still use the file.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{digest_of, digest_of_reader};
use crate::host::file::WorkDirectory;
use crate::host::{Host, Warning};

/// The directory of downloaded packages.
#[derive(Debug, Clone)]
pub struct Packages {
    directory: PathBuf,
    repacked: PathBuf,
}

pub(super) const FETCHED: &str = "packages/sha256";
pub(super) const REPACKED: &str = "packages/zstd";
/// Length of a digest in characters.
const DIGITS: u64 = 64;

impl Packages {
    pub(super) fn new(cache: &Path) -> Self {
        Self { directory: cache.join(FETCHED), repacked: cache.join(REPACKED) }
    }

    /// Returns the path of the package with this SHA-256 (lower-case hex), if it exists.
    pub fn find(&self, digest: &str) -> Option<PathBuf> {
        let path = self.location(digest);
        path.is_file().then_some(path)
    }

    /// Like `find`, for a fetched or a recompressed package; its content is not checked.
    pub fn find_any(&self, digest: &str) -> Option<PathBuf> {
        let repacked = self.repacked.join(digest);
        if repacked.is_file() { Some(repacked) } else { self.find(digest) }
    }

    /// Like `find`, after checking the digest; a damaged package is removed.
    pub fn find_intact(&self, digest: &str, host: &Host) -> Result<Option<PathBuf>> {
        let Some(path) = self.find(digest) else { return Ok(None) };
        if digest_of(&path, host)? == digest {
            let _ = host.touch(&path);
            return Ok(Some(path));
        }
        host.warn(Warning::Cache, &format!("{} is damaged; fetching it again", path.display()));
        host.remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
        Ok(None)
    }

    /// Creates a directory for packages that are being fetched.
    pub fn arriving(&self, host: &Host) -> Result<WorkDirectory> {
        let parent = self.directory.parent().unwrap_or(&self.directory);
        host.work_directory(parent)
            .with_context(|| format!("writing to the package cache {}", self.directory.display()))
    }

    /// Moves a file of `arriving` into the cache if it has this digest; returns whether it has.
    pub fn adopt(&self, digest: &str, file: &Path, host: &Host) -> Result<bool> {
        if digest_of(file, host)? != digest {
            return Ok(false);
        }
        let location = self.location(digest);
        host.rename(file, &location).with_context(|| format!("writing {}", location.display()))?;
        Ok(true)
    }

    /// Saves a copy of `file` if it has this digest; returns whether it has.
    pub fn save(&self, digest: &str, file: &Path, host: &Host) -> Result<bool> {
        if digest_of(file, host)? != digest {
            return Ok(false);
        }
        let location = self.location(digest);
        if location.is_file() {
            return Ok(true);
        }
        let unfinished = host
            .unfinished_file(&self.directory)
            .with_context(|| format!("writing to the package cache {}", self.directory.display()))?;
        host.copy_file(file, &unfinished)
            .and_then(|_| host.rename(&unfinished, &location))
            .with_context(|| format!("writing {}", location.display()))?;
        Ok(true)
    }

    /// Returns the path of the recompressed package with this SHA-256 if it exists and is intact; removes a damaged
    /// one.
    pub fn find_repacked(&self, digest: &str, host: &Host) -> Result<Option<PathBuf>> {
        let path = self.repacked.join(digest);
        let Ok(file) = File::open(&path) else { return Ok(None) };
        if is_intact(file, host).with_context(|| format!("reading {}", path.display()))? {
            let _ = host.touch(&path);
            return Ok(Some(path));
        }
        host.warn(Warning::Cache, &format!("{} is damaged; creating it again", path.display()));
        host.remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
        Ok(None)
    }

    /// Moves a file of `arriving`, the recompressed package with this digest, into the cache.
    pub fn adopt_repacked(&self, digest: &str, file: &Path, host: &Host) -> Result<()> {
        let writing = || format!("writing {}", file.display());
        let mut open = host.open_file(file).with_context(writing)?;
        let own = digest_of_reader(&mut open, host).with_context(writing)?;
        open.write_all(own.as_bytes()).with_context(writing)?;
        let location = self.repacked.join(digest);
        host.rename(file, &location).with_context(|| format!("writing {}", location.display()))
    }

    fn location(&self, digest: &str) -> PathBuf {
        self.directory.join(digest)
    }

    /// Returns whether the file `path` of `FETCHED` has the digest in its name.
    pub(super) fn is_fetched_intact(path: &Path, host: &Host) -> Result<bool> {
        let digest = digest_of(path, host)?;
        Ok(path.file_name().is_some_and(|name| name == digest.as_str()))
    }

    /// Returns whether the file `path` of `REPACKED` is intact.
    pub(super) fn is_repacked_intact(path: &Path, host: &Host) -> Result<bool> {
        let reading = || format!("reading {}", path.display());
        is_intact(File::open(path).with_context(reading)?, host).with_context(reading)
    }
}

/// Returns whether a file ends in its own digest.
fn is_intact(mut file: File, host: &Host) -> Result<bool> {
    let size = file.metadata()?.len().saturating_sub(DIGITS);
    let found = digest_of_reader(&mut (&mut file).take(size), host)?;
    let mut expected = String::new();
    Ok(file.read_to_string(&mut expected).is_ok() && found == expected)
}
