//! What repositories said last: the files an index update left, and what a package manager decided from them.
//!
//! ```text
//! indices/DIGEST/          index files, by the repositories they are of
//! resolutions/DIGEST.json  which packages to install, by everything that decides it
//! ```
//!
//! Neither is believed: indices are the start of an update that asks each repository for what is new, and a resolution
//! is found by the digest of what that update gave.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Serialize, de::DeserializeOwned};

use crate::host::Host;
use crate::stage::Digest;

/// The folders of indices and resolutions.
#[derive(Debug, Clone)]
pub struct Indices {
    indices: PathBuf,
    resolutions: PathBuf,
}

impl Indices {
    pub(super) fn new(store: &Path) -> Self {
        Self { indices: store.join("indices"), resolutions: store.join("resolutions") }
    }

    /// Copies the files that were kept for these repositories into `folder`, which exists.
    pub fn take(&self, repositories: &Digest, folder: &Path, host: &Host) -> Result<()> {
        let place = self.indices.join(repositories.as_str());
        let Some(_held) = host.hold_folder(&place) else { return Ok(()) };
        // Its time is that of its last use; who may not write here uses it all the same.
        let _ = host.touch(&place);
        for name in files(&place)? {
            let (from, to) = (place.join(&name), folder.join(&name));
            host.copy_file(&from, &to).with_context(|| format!("copying {}", from.display()))?;
            let modified = from.metadata()?.modified()?;
            host.open_file(&to)?.set_modified(modified)?;
        }
        Ok(())
    }

    /// Keeps the files of `folder` for the next update.
    pub fn keep(&self, repositories: &Digest, folder: &Path, host: &Host) -> Result<()> {
        host.create_folders(&self.indices).with_context(|| format!("creating {}", self.indices.display()))?;
        let work = host.work_folder(&self.indices).context("keeping the indices of the repositories")?;
        for name in files(folder)? {
            let (from, to) = (folder.join(&name), work.path().join(&name));
            host.copy_file(&from, &to).with_context(|| format!("copying {}", from.display()))?;
            host.open_file(&to)?.set_modified(from.metadata()?.modified()?)?;
        }
        let place = self.indices.join(repositories.as_str());
        // A build that reads the old ones just now keeps them; the next one tries again.
        if host.remove_folder_unless_held(&place, &self.indices)? {
            work.publish(&place)?;
        }
        Ok(())
    }

    /// What was decided from these inputs before.
    pub fn resolution<T: DeserializeOwned>(&self, inputs: &Digest, host: &Host) -> Option<T> {
        let place = self.resolutions.join(format!("{inputs}.json"));
        let text = std::fs::read(&place).ok()?;
        // Its time is that of its last use; who may not write here uses it all the same.
        let _ = host.touch(&place);
        serde_json::from_slice(&text).ok()
    }

    /// Keeps what was decided.
    pub fn keep_resolution(&self, inputs: &Digest, resolution: &impl Serialize, host: &Host) -> Result<()> {
        host.create_folders(&self.resolutions)?;
        let unfinished = host.unfinished_file(&self.resolutions)?;
        host.write_file(&unfinished, serde_json::to_vec(resolution)?)?;
        Ok(host.rename(&unfinished, &self.resolutions.join(format!("{inputs}.json")))?)
    }
}

/// The plain files of a folder that are not a lock.
fn files(folder: &Path) -> Result<Vec<std::ffi::OsString>> {
    let mut names = Vec::new();
    for entry in folder.read_dir().with_context(|| format!("reading {}", folder.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_file() && !entry.file_name().as_encoded_bytes().ends_with(b"lock") {
            names.push(entry.file_name());
        }
    }
    names.sort();
    Ok(names)
}
