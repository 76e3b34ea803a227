//! Downloaded packages by the digest of their bytes.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::digest_of;
use crate::host::Host;
use crate::host::file::WorkFolder;

/// The folder of downloaded packages.
#[derive(Debug, Clone)]
pub struct Packages {
    folder: PathBuf,
}

impl Packages {
    pub(super) fn open(store: &Path, host: &Host) -> io::Result<Self> {
        let folder = store.join("packages/sha256");
        host.create_folders(&folder)?;
        Ok(Self { folder })
    }

    /// The package with this SHA-256 (lower-case hex), when it is there.
    pub fn find(&self, digest: &str) -> Option<PathBuf> {
        let path = self.place(digest);
        path.is_file().then_some(path)
    }

    /// As `find`, after comparing the bytes with the digest: a package that was spoilt is removed and not there.
    pub fn find_intact(&self, digest: &str, host: &Host) -> Result<Option<PathBuf>> {
        let Some(path) = self.find(digest) else { return Ok(None) };
        if digest_of(&path)? == digest {
            return Ok(Some(path));
        }
        host.warn(&format!("{} was damaged and is fetched again", path.display()));
        host.remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
        Ok(None)
    }

    /// A folder for packages on their way here.
    pub fn arriving(&self, host: &Host) -> Result<WorkFolder> {
        let parent = self.folder.parent().unwrap_or(&self.folder);
        host.work_folder(parent)
            .with_context(|| format!("writing to the package store {}", self.folder.display()))
    }

    /// Takes in a file of `arriving` if it has this digest; tells whether it has.
    pub fn adopt(&self, digest: &str, file: &Path, host: &Host) -> Result<bool> {
        if digest_of(file)? != digest {
            return Ok(false);
        }
        let place = self.place(digest);
        host.rename(file, &place).with_context(|| format!("writing {}", place.display()))?;
        Ok(true)
    }

    /// Keeps a copy of `file` if it has this digest; tells whether it has.
    pub fn keep(&self, digest: &str, file: &Path, host: &Host) -> Result<bool> {
        if digest_of(file)? != digest {
            return Ok(false);
        }
        let place = self.place(digest);
        if place.is_file() {
            return Ok(true);
        }
        let unfinished = host
            .unfinished_file(&self.folder)
            .with_context(|| format!("writing to the package store {}", self.folder.display()))?;
        host.copy_file(file, &unfinished)
            .and_then(|_| host.rename(&unfinished, &place))
            .with_context(|| format!("writing {}", place.display()))?;
        Ok(true)
    }

    fn place(&self, digest: &str) -> PathBuf {
        self.folder.join(digest)
    }
}
