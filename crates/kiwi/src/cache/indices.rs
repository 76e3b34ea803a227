//! What repositories said last: the files an index update left, and what a package manager decided from them.
//!
//! ```text
//! indices/DIGEST/                index files, by the repositories they are of
//! indices/DIGEST/.digests.json   what they are, byte by byte
//! resolutions/DIGEST.json        which packages to install, by everything that decides it; before it its own digest
//! ```
//!
//! Neither is the last keyword: indices are the start of an update that asks each repository for what is new, and a
//! resolution is found by the digest of what that update gave. What was damaged is not there.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Serialize, de::DeserializeOwned};

use super::digest::{self, copy};
use crate::host::{Host, Warning};
use crate::stage::Digest;

pub(super) const INDICES: &str = "indices";
pub(super) const RESOLUTIONS: &str = "resolutions";
const DIGESTS: &str = ".digests.json";

/// The directories of indices and resolutions.
#[derive(Debug, Clone)]
pub struct Indices {
    indices: PathBuf,
    resolutions: PathBuf,
}

impl Indices {
    pub(super) fn new(cache: &Path) -> Self {
        Self { indices: cache.join(INDICES), resolutions: cache.join(RESOLUTIONS) }
    }

    /// Copies the files that were kept for these repositories into `directory`, which exists.
    pub fn restore(&self, repositories: &Digest, directory: &Path, host: &Host) -> Result<()> {
        let location = self.indices.join(repositories.as_str());
        let Some(_held) = host.hold_directory(&location) else { return Ok(()) };
        // Its time is that of its last use; who may not write here uses it all the same.
        let _ = host.touch(&location);
        let digests = digests(&location).unwrap_or_default();
        for (name, digest) in &digests {
            let (from, to) = (location.join(name), directory.join(name));
            if !matches!(copy(&from, &to, host), Ok((found, _)) if found == *digest) {
                host.check_interrupt()?;
                host.warn(Warning::Cache, &format!("{} was damaged and is fetched again", from.display()));
                for name in digests.keys().filter(|name| directory.join(name).exists()) {
                    host.remove_file(&directory.join(name))?;
                }
                return Ok(());
            }
            let modified = from.metadata()?.modified()?;
            host.open_file(&to)?.set_modified(modified)?;
        }
        Ok(())
    }

    /// Keeps the files of `directory` for the next update.
    pub fn save(&self, repositories: &Digest, directory: &Path, host: &Host) -> Result<()> {
        host.create_directories(&self.indices)
            .with_context(|| format!("creating {}", self.indices.display()))?;
        let work = host.work_directory(&self.indices).context("keeping the indices of the repositories")?;
        let mut digests = BTreeMap::new();
        for name in files(directory)? {
            let (from, to) = (directory.join(&name), work.path().join(&name));
            let (digest, _) = copy(&from, &to, host)?;
            host.open_file(&to)?.set_modified(from.metadata()?.modified()?)?;
            digests.insert(name, digest);
        }
        host.write_file(&work.path().join(DIGESTS), serde_json::to_vec(&digests)?)?;
        let location = self.indices.join(repositories.as_str());
        // A build that reads the old ones just now keeps them; the next one tries again.
        if host.remove_directory_unless_held(&location, &self.indices)? {
            work.publish(&location)?;
        }
        Ok(())
    }

    /// What was decided from these inputs before.
    pub fn resolution<T: DeserializeOwned>(&self, inputs: &Digest, host: &Host) -> Option<T> {
        let location = self.resolutions.join(format!("{inputs}.json"));
        let answer = read_resolution(&location)?;
        // Its time is that of its last use; who may not write here uses it all the same.
        let _ = host.touch(&location);
        serde_json::from_value(answer).ok()
    }

    /// Keeps what was decided.
    pub fn save_resolution(&self, inputs: &Digest, resolution: &impl Serialize, host: &Host) -> Result<()> {
        host.create_directories(&self.resolutions)?;
        let unfinished = host.unfinished_file(&self.resolutions)?;
        let text = serde_json::to_string(resolution)?;
        host.write_file(&unfinished, format!("{}\n{text}", Digest::of(&text)))?;
        Ok(host.rename(&unfinished, &self.resolutions.join(format!("{inputs}.json")))?)
    }
}

/// Whether the directory `path` of `INDICES` holds what was kept.
pub(super) fn are_intact(path: &Path, host: &Host) -> Result<bool> {
    let Some(digests) = digests(path) else { return Ok(false) };
    for (name, digest) in digests {
        let found = File::open(path.join(name)).map_err(anyhow::Error::from);
        if !matches!(found.and_then(|file| digest::read(&file, None, host)), Ok((found, _)) if found == digest)
        {
            host.check_interrupt()?;
            return Ok(false);
        }
    }
    Ok(true)
}

/// What a file of `RESOLUTIONS` says; none when it is not what was written.
pub(super) fn read_resolution(path: &Path) -> Option<serde_json::Value> {
    let text = std::fs::read_to_string(path).ok()?;
    let (digest, text) = text.split_once('\n')?;
    (Digest::of(text).as_str() == digest).then_some(())?;
    serde_json::from_str(text).ok()
}

/// The digests that were written beside the indices of this directory.
fn digests(directory: &Path) -> Option<BTreeMap<String, Digest>> {
    serde_json::from_slice(&std::fs::read(directory.join(DIGESTS)).ok()?).ok()
}

/// The names of the plain files of a directory that are not a lock; what apt names can be written as text.
fn files(directory: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in directory.read_dir().with_context(|| format!("reading {}", directory.display()))? {
        let entry = entry?;
        let name = entry.file_name().into_string();
        if let Ok(name) = name
            && entry.file_type()?.is_file()
            && !name.ends_with("lock")
        {
            names.push(name);
        }
    }
    Ok(names)
}
