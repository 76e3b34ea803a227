//! The last known state of repositories: the files of an index update, and the packages that a package manager
//! selected.
//!
//! ```text
//! indices/DIGEST/                index files, also in directories, by the digest of the repositories they belong to
//! indices/DIGEST/.digests.json   the digest of each index file
//! resolutions/DIGEST.json        the packages to install, by the digest of all inputs; preceded by its own digest
//! ```
//!
//! Neither replaces a question to the repositories: an update starts from the saved indices and asks each repository
//! for changes, and a resolution is found by the digest of the updated indices. A damaged file is treated as missing.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Component, Path, PathBuf};

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

    /// Copies the files that were saved for these repositories into the existing `directory`.
    pub fn restore(&self, repositories: &Digest, directory: &Path, host: &Host) -> Result<()> {
        let location = self.indices.join(repositories.as_str());
        let Some(_held) = host.hold_directory(&location) else { return Ok(()) };
        // The modification time records the last use; a user who may not write here can still use the file.
        let _ = host.touch(&location);
        let digests = digests(&location).unwrap_or_default();
        for (name, digest) in &digests {
            let (from, to) = (location.join(name), directory.join(name));
            create_parent(name, directory, host)?;
            if !matches!(copy(&from, &to, host), Ok((found, _)) if found == *digest) {
                host.check_interrupt()?;
                host.warn(Warning::Cache, &format!("{} is damaged; fetching it again", from.display()));
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

    /// Saves the files of `directory` for the next update.
    pub fn save(&self, repositories: &Digest, directory: &Path, host: &Host) -> Result<()> {
        self.save_files(repositories, directory, &files(directory)?, host)
    }

    /// Saves these files for the next update; their names are relative to `directory`.
    pub fn save_files(
        &self,
        repositories: &Digest,
        directory: &Path,
        names: &[String],
        host: &Host,
    ) -> Result<()> {
        host.create_directories(&self.indices)
            .with_context(|| format!("creating {}", self.indices.display()))?;
        let work = host.work_directory(&self.indices).context("saving the indices of the repositories")?;
        let mut digests = BTreeMap::new();
        for name in names {
            let (from, to) = (directory.join(name), work.path().join(name));
            create_parent(name, work.path(), host)?;
            let (digest, _) = copy(&from, &to, host)?;
            host.open_file(&to)?.set_modified(from.metadata()?.modified()?)?;
            digests.insert(name.clone(), digest);
        }
        host.write_file(&work.path().join(DIGESTS), serde_json::to_vec(&digests)?)?;
        let location = self.indices.join(repositories.as_str());
        // A build that is reading the old files keeps them; the next build tries again.
        if host.remove_directory_unless_held(&location, &self.indices)? {
            work.publish(&location)?;
        }
        Ok(())
    }

    /// Returns the resolution that was saved for these inputs.
    pub fn resolution<T: DeserializeOwned>(&self, inputs: &Digest, host: &Host) -> Option<T> {
        let location = self.resolutions.join(format!("{inputs}.json"));
        let answer = read_resolution(&location)?;
        // The modification time records the last use; a user who may not write here can still use the file.
        let _ = host.touch(&location);
        serde_json::from_value(answer).ok()
    }

    /// Saves a resolution.
    pub fn save_resolution(&self, inputs: &Digest, resolution: &impl Serialize, host: &Host) -> Result<()> {
        host.create_directories(&self.resolutions)?;
        let unfinished = host.unfinished_file(&self.resolutions)?;
        let text = serde_json::to_string(resolution)?;
        host.write_file(&unfinished, format!("{}\n{text}", Digest::of(&text)))?;
        Ok(host.rename(&unfinished, &self.resolutions.join(format!("{inputs}.json")))?)
    }
}

/// Returns whether the directory `path` of `INDICES` contains exactly the saved files.
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

/// Returns the content of a file of `RESOLUTIONS`; `None` if it differs from what was written.
pub(super) fn read_resolution(path: &Path) -> Option<serde_json::Value> {
    let text = std::fs::read_to_string(path).ok()?;
    let (digest, text) = text.split_once('\n')?;
    (Digest::of(text).as_str() == digest).then_some(())?;
    serde_json::from_str(text).ok()
}

/// Creates the directory of a file in `directory`.
fn create_parent(name: &str, directory: &Path, host: &Host) -> Result<()> {
    let Some((parent, _)) = name.rsplit_once('/') else { return Ok(()) };
    let parent = directory.join(parent);
    host.create_directories(&parent).with_context(|| format!("creating {}", parent.display()))
}

/// Returns the digests that were written beside the indices in this directory.
fn digests(directory: &Path) -> Option<BTreeMap<String, Digest>> {
    let digests: BTreeMap<String, Digest> =
        serde_json::from_slice(&std::fs::read(directory.join(DIGESTS)).ok()?).ok()?;
    let is_inside =
        |name: &String| Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    digests.keys().all(is_inside).then_some(digests)
}

/// Returns the names of the regular files in a directory except lock files; apt uses only names that are UTF-8.
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
