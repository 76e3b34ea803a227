//! Downloaded packages by the digest of their bytes.
//!
//! ```text
//! packages/sha256/DIGEST   as they were fetched
//! packages/zstd/DIGEST     the same packages, packed so that they are read quickly; behind each its own digest
//! packages/.kiwi.XXXXXX/   those on their way here
//! ```
//!
//! The time of a file is that of its last use; who may not write here uses it all the same.

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
/// Characters of a digest.
const DIGITS: u64 = 64;

impl Packages {
    pub(super) fn new(cache: &Path) -> Self {
        Self { directory: cache.join(FETCHED), repacked: cache.join(REPACKED) }
    }

    /// The package with this SHA-256 (lower-case hex), when it is there.
    pub fn find(&self, digest: &str) -> Option<PathBuf> {
        let path = self.location(digest);
        path.is_file().then_some(path)
    }

    /// As `find`, as it was fetched or packed anew; what is there was not read.
    pub fn find_any(&self, digest: &str) -> Option<PathBuf> {
        let repacked = self.repacked.join(digest);
        if repacked.is_file() { Some(repacked) } else { self.find(digest) }
    }

    /// As `find`, after comparing the bytes with the digest: a package that was spoilt is removed and not there.
    pub fn find_intact(&self, digest: &str, host: &Host) -> Result<Option<PathBuf>> {
        let Some(path) = self.find(digest) else { return Ok(None) };
        if digest_of(&path)? == digest {
            let _ = host.touch(&path);
            return Ok(Some(path));
        }
        host.warn(Warning::Cache, &format!("{} was damaged and is fetched again", path.display()));
        host.remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
        Ok(None)
    }

    /// A directory for packages on their way here.
    pub fn arriving(&self, host: &Host) -> Result<WorkDirectory> {
        let parent = self.directory.parent().unwrap_or(&self.directory);
        host.work_directory(parent)
            .with_context(|| format!("writing to the package cache {}", self.directory.display()))
    }

    /// Takes in a file of `arriving` if it has this digest; tells whether it has.
    pub fn adopt(&self, digest: &str, file: &Path, host: &Host) -> Result<bool> {
        if digest_of(file)? != digest {
            return Ok(false);
        }
        let location = self.location(digest);
        host.rename(file, &location).with_context(|| format!("writing {}", location.display()))?;
        Ok(true)
    }

    /// Keeps a copy of `file` if it has this digest; tells whether it has.
    pub fn save(&self, digest: &str, file: &Path, host: &Host) -> Result<bool> {
        if digest_of(file)? != digest {
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

    /// The package with this SHA-256, packed anew, when it is there and intact; a damaged one is removed.
    pub fn find_repacked(&self, digest: &str, host: &Host) -> Result<Option<PathBuf>> {
        let path = self.repacked.join(digest);
        let Ok(file) = File::open(&path) else { return Ok(None) };
        if is_intact(file).with_context(|| format!("reading {}", path.display()))? {
            let _ = host.touch(&path);
            return Ok(Some(path));
        }
        host.warn(Warning::Cache, &format!("{} was damaged and is made again", path.display()));
        host.remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
        Ok(None)
    }

    /// Takes in a file of `arriving` that is the package with this digest, packed anew.
    pub fn adopt_repacked(&self, digest: &str, file: &Path, host: &Host) -> Result<()> {
        let writing = || format!("writing {}", file.display());
        let mut open = host.open_file(file).with_context(writing)?;
        let own = digest_of_reader(&mut open).with_context(writing)?;
        open.write_all(own.as_bytes()).with_context(writing)?;
        let location = self.repacked.join(digest);
        host.rename(file, &location).with_context(|| format!("writing {}", location.display()))
    }

    fn location(&self, digest: &str) -> PathBuf {
        self.directory.join(digest)
    }

    /// Whether the file `path` of `FETCHED` is the package of its name.
    pub(super) fn is_fetched_intact(path: &Path) -> Result<bool> {
        let digest = digest_of(path)?;
        Ok(path.file_name().is_some_and(|name| name == digest.as_str()))
    }

    /// Whether the file `path` of `REPACKED` is what was written.
    pub(super) fn is_repacked_intact(path: &Path) -> Result<bool> {
        let reading = || format!("reading {}", path.display());
        is_intact(File::open(path).with_context(reading)?).with_context(reading)
    }
}

/// Whether a file has its own digest at its end.
fn is_intact(mut file: File) -> std::io::Result<bool> {
    let size = file.metadata()?.len().saturating_sub(DIGITS);
    let found = digest_of_reader(&mut (&mut file).take(size))?;
    let mut expected = String::new();
    Ok(file.read_to_string(&mut expected).is_ok() && found == expected)
}
