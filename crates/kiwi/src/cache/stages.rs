//! Finished stages: one directory each, named by the key of the stage.
//!
//! ```text
//! stages/STAGE/DIGEST/entry.json      inputs, files with sizes and digests; its modification time is the last use
//! stages/STAGE/DIGEST/FILE ...        a packed tree, or the files of an image
//! stages/.kiwi.XXXXXX/                an entry that is being created or removed
//! ```
//!
//! An entry is created in a work directory and gets its name by one rename. A reader holds a shared lock on the entry,
//! a process that removes it an exclusive one. Data is checked against its digest while it is read; a damaged entry is
//! removed and created again.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::SystemTime;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::digest::{self, Digesting, copy};
use crate::checked;
use crate::host::Host;
use crate::host::dir_lock::Held;
use crate::host::file::WorkDirectory;
use crate::stage::{Digest, Inputs, Key, Stage};

/// Format of `entry.json`; entries of another format are not read. Independent of [`Stage::format`].
const FORMAT: u32 = 2;
const DESCRIPTION: &str = "entry.json";
/// The most bytes of that file.
const LARGEST: u64 = 256 << 20;

/// The directory of finished stages.
#[derive(Debug, Clone)]
pub struct Stages {
    directory: PathBuf,
}

/// A file of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stored {
    size: u64,
    digest: Digest,
}

/// The entry that another entry is based on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// The key of the parent.
    pub key: Key,
    /// The digest of the parent's archive, because the same stage may be built again with other bytes.
    pub file: Digest,
}

/// The metadata of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    format: u32,
    /// All inputs of the stage.
    pub inputs: Inputs,
    /// The name of the image it was built for.
    pub image: String,
    /// The time of its creation in seconds since 1970.
    pub made: u64,
    /// The duration of the work that it saves, in milliseconds.
    pub milliseconds: u64,
    files: BTreeMap<String, Stored>,
    /// Symbolic links by name.
    links: BTreeMap<String, String>,
    /// The entry it is based on.
    pub parent: Option<Parent>,
    /// Values that the stage needs when it is restored.
    pub notes: BTreeMap<String, String>,
}

impl Contents {
    /// Returns whether files and links are names without directory; they become paths when the entry is restored.
    fn stays_in_its_directory(&self) -> bool {
        let names = self.files.keys().chain(self.links.keys()).chain(self.links.values());
        names.into_iter().all(|name| checked::is_file_name(name))
    }

    /// Returns the digest of one of its files.
    pub fn digest(&self, name: &str) -> Option<&Digest> {
        self.files.get(name).map(|file| &file.digest)
    }

    /// Returns the size of one of its files in bytes; 0 if it has no such file.
    pub fn size(&self, name: &str) -> u64 {
        self.files.get(name).map_or(0, |file| file.size)
    }
}

/// A finished stage in use, which cannot be removed.
pub struct Entry {
    directory: PathBuf,
    contents: Contents,
    /// `check_all` has read all of it.
    checked: OnceLock<()>,
    _held: Held,
}

/// An entry that is being created.
pub struct Making {
    directory: WorkDirectory,
    contents: Contents,
}

/// A stored file differs from what was written.
#[derive(Debug, thiserror::Error)]
#[error("{} is damaged", path.display())]
pub struct Damaged {
    path: PathBuf,
}

impl Stages {
    pub(super) fn new(cache: &Path) -> Self {
        Self { directory: cache.join("stages") }
    }

    fn location(&self, key: &Key) -> PathBuf {
        self.directory.join(key.stage.keyword()).join(key.digest.as_str())
    }

    /// Returns the finished stage with this key and records its use.
    pub fn find(&self, key: &Key, host: &Host) -> Option<Entry> {
        let directory = self.location(key);
        let held = host.hold_directory(&directory)?;
        let contents = read(&directory).filter(|contents| contents.inputs.key() == *key)?;
        host.touch(&directory.join(DESCRIPTION)).ok()?;
        Some(Entry { directory, contents, checked: OnceLock::new(), _held: held })
    }

    /// Returns the finished stage with this key and all its parents, the first stage first; `None` if one of them is
    /// missing or was replaced.
    pub fn find_whole(&self, key: &Key, host: &Host) -> Option<Vec<Entry>> {
        let mut entries = vec![self.find(key, host)?];
        while let Some(parent) = entries.last().and_then(|entry| entry.contents.parent.clone()) {
            let entry = self.find(&parent.key, host)?;
            // A stage is based on earlier stages only, so there is no cycle.
            let is_right = parent.key.stage < entries.last()?.contents.inputs.stage()
                && entry.contents.files.values().any(|file| file.digest == parent.file);
            entries.push(entry);
            if !is_right {
                return None;
            }
        }
        entries.reverse();
        Some(entries)
    }

    /// Starts an entry for the stage with these inputs.
    pub fn make(&self, inputs: &Inputs, image: &str, host: &Host) -> Result<Making> {
        host.create_private_directory(&self.directory)
            .and_then(|()| host.create_directories(&self.directory.join(inputs.stage().keyword())))
            .with_context(|| format!("creating the cache {}", self.directory.display()))?;
        let directory = host
            .work_directory(&self.directory)
            .with_context(|| format!("writing to the cache {}", self.directory.display()))?;
        let contents = Contents {
            format: FORMAT,
            inputs: inputs.clone(),
            image: image.to_owned(),
            made: host.now(),
            milliseconds: 0,
            files: BTreeMap::new(),
            links: BTreeMap::new(),
            parent: None,
            notes: BTreeMap::new(),
        };
        Ok(Making { directory, contents })
    }

    /// Gives the entry its name. Returns false if another build has created it in the meantime and that one is kept. It
    /// is equivalent, but may have other bytes.
    pub fn finish(&self, making: Making, host: &Host) -> Result<bool> {
        let Making { directory, contents } = making;
        let location = self.location(&contents.inputs.key());
        let text = serde_json::to_string_pretty(&contents)? + "\n";
        host.write_file(&directory.path().join(DESCRIPTION), text)
            .and_then(|()| directory.publish(&location))
            .with_context(|| format!("writing {}", location.display()))
    }

    /// Returns the paths of all entries of a stage, intact or damaged.
    pub(super) fn locations(&self, stage: Stage) -> Vec<PathBuf> {
        let entries = self.directory.join(stage.keyword()).read_dir().into_iter().flatten();
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_dir()).collect()
    }

    /// Returns every entry of a stage, the most recently used first.
    pub fn list(&self, stage: Stage) -> Vec<(Key, Contents)> {
        let mut found: Vec<(Contents, SystemTime)> =
            self.locations(stage).iter().filter_map(|location| entry(location)).collect();
        found.sort_by_key(|(_, used)| std::cmp::Reverse(*used));
        found.into_iter().map(|(contents, _)| (contents.inputs.key(), contents)).collect()
    }

    /// Returns the finished stage of the same format whose inputs differ least from these; does not record a use.
    pub fn previous_build(&self, inputs: &Inputs, host: &Host) -> Option<Entry> {
        let same_format = |(_, contents): &(Key, Contents)| inputs.has_format_of(&contents.inputs);
        let known = self.list(inputs.stage()).into_iter().filter(same_format);
        let (key, contents) =
            known.min_by_key(|(_, contents)| inputs.changes_since(&contents.inputs).len())?;
        let directory = self.location(&key);
        let held = host.hold_directory(&directory)?;
        Some(Entry { directory, contents, checked: OnceLock::new(), _held: held })
    }

    /// Removes an entry, intact or damaged; returns false if a build is using it.
    pub fn remove(&self, key: &Key, host: &Host) -> Result<bool> {
        self.remove_location(&self.location(key), host)
    }

    /// Like `remove`, by path.
    pub(super) fn remove_location(&self, location: &Path, host: &Host) -> Result<bool> {
        host.remove_directory_unless_held(location, &self.directory)
            .with_context(|| format!("removing {}", location.display()))
    }

    /// Returns the first damaged file of an entry.
    pub(super) fn damaged(directory: &Path, host: &Host) -> Result<Option<PathBuf>> {
        let name = directory.file_name().unwrap_or_default();
        let right = |contents: &Contents| contents.inputs.key().digest.as_str() == name;
        let Some(contents) = read(directory).filter(right) else {
            return Ok(Some(directory.join(DESCRIPTION)));
        };
        for (name, stored) in &contents.files {
            let path = directory.join(name);
            let found = File::open(&path)
                .map_err(anyhow::Error::from)
                .and_then(|file| digest::read(&file, None, host));
            match found {
                Ok((digest, size)) if digest == stored.digest && size == stored.size => {}
                Ok(_) | Err(_) => {
                    host.check_interrupt()?;
                    return Ok(Some(path));
                }
            }
        }
        Ok(None)
    }
}

/// Returns the metadata of an entry and the time of its last use; `None` if it cannot be read.
pub(super) fn entry(directory: &Path) -> Option<(Contents, SystemTime)> {
    let used = directory.join(DESCRIPTION).metadata().ok()?.modified().ok()?;
    Some((read(directory)?, used))
}

fn read(directory: &Path) -> Option<Contents> {
    let text = checked::read(&directory.join(DESCRIPTION), LARGEST).ok()?;
    serde_json::from_slice(&text)
        .ok()
        .filter(|contents: &Contents| contents.format == FORMAT && contents.stays_in_its_directory())
}

impl Making {
    /// Returns the metadata so far.
    pub fn contents(&self) -> &Contents {
        &self.contents
    }

    /// Adds a value that the stage needs when it is restored.
    pub fn note(&mut self, name: &str, value: impl Into<String>) {
        self.contents.notes.insert(name.to_owned(), value.into());
    }

    /// Sets the entry that this one is based on.
    pub fn set_parent(&mut self, parent: Parent) {
        self.contents.parent = Some(parent);
    }

    /// Sets the duration of the work.
    pub fn took(&mut self, time: std::time::Duration) {
        self.contents.milliseconds = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    }

    /// Writes a file of the entry and returns the result of `write`.
    pub fn write<T>(
        &mut self,
        name: &str,
        host: &Host,
        write: impl FnOnce(&mut dyn Write) -> Result<T>,
    ) -> Result<T> {
        let path = self.directory.path().join(name);
        let file = host.create_file(&path).with_context(|| format!("writing {}", path.display()))?;
        let mut output = Digesting::new(std::io::BufWriter::with_capacity(1 << 20, file));
        let result = write(&mut output)?;
        output.flush().with_context(|| format!("writing {}", path.display()))?;
        let (digest, size) = output.finish();
        self.contents.files.insert(name.to_owned(), Stored { size, digest });
        Ok(result)
    }

    /// Copies a file, or a symbolic link as a link, into the entry.
    pub fn copy(&mut self, name: &str, source: &Path, host: &Host) -> Result<()> {
        if let Ok(target) = std::fs::read_link(source) {
            self.contents.links.insert(name.to_owned(), target.to_string_lossy().into_owned());
            return Ok(());
        }
        let (digest, size) = copy(source, &self.directory.path().join(name), host)?;
        self.contents.files.insert(name.to_owned(), Stored { size, digest });
        Ok(())
    }
}

impl Entry {
    /// Returns its metadata.
    pub fn contents(&self) -> &Contents {
        &self.contents
    }

    /// Returns its directory; files that are read there directly are not checked.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Passes the bytes of a file to `read`, which must read all of them, and checks them.
    pub fn read<T>(
        &self,
        name: &str,
        read: impl FnOnce(&mut (dyn std::io::Read + Send)) -> Result<T>,
    ) -> Result<T> {
        let path = self.directory.join(name);
        let damaged = || Damaged { path: path.clone() };
        let mut file =
            File::open(&path).map(|file| BufReader::with_capacity(1 << 20, file)).map_err(|_| damaged())?;
        if self.checked.get().is_some() && self.contents.files.contains_key(name) {
            return read(&mut file);
        }
        let mut input = Digesting::new(file);
        let result = read(&mut input);
        if result.is_err() {
            // The digest of the whole file shows damage; every other failure keeps its own error.
            std::io::copy(&mut input, &mut std::io::sink()).map_err(|_| damaged())?;
        }
        self.check(name, input.finish(), &path)?;
        result
    }

    /// Reads and checks all its files; they are not checked again while this entry is held.
    pub fn check_all(&self, host: &Host) -> Result<()> {
        for name in self.contents.files.keys() {
            host.check_interrupt()?;
            self.read(name, |input| Ok(std::io::copy(input, &mut std::io::sink()).map(drop)?))?;
        }
        let _ = self.checked.set(());
        Ok(())
    }

    /// Copies a file or link of the entry to `target` and checks it at the same time.
    pub fn copy(&self, name: &str, target: &Path, host: &Host) -> Result<()> {
        if let Some(link) = self.contents.links.get(name) {
            return host
                .link(link, target)
                .with_context(|| format!("creating the link {}", target.display()));
        }
        let path = self.directory.join(name);
        self.check(name, copy(&path, target, host)?, &path)
    }

    fn check(&self, name: &str, found: (Digest, u64), path: &Path) -> Result<()> {
        let Some(stored) = self.contents.files.get(name) else { bail!("the entry has no file {name}") };
        if (&found.0, found.1) == (&stored.digest, stored.size) {
            return Ok(());
        }
        Err(Damaged { path: path.to_owned() }.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Cache;
    use crate::host::Output;

    #[test]
    fn the_first_of_two_builds_of_a_stage_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let location = directory.path().display().to_string();
        let host = Host::new(Output::Quiet).with_variables(vec![("KIWI_CACHE", location)]);
        let cache = Cache::open(&host).unwrap();
        let inputs = Inputs::new(Stage::Packages);
        let make = |content: &str| {
            let mut making = cache.stages().make(&inputs, "image", &host).unwrap();
            making.write("file", &host, |output| Ok(output.write_all(content.as_bytes())?)).unwrap();
            making
        };
        let (one, other) = (make("one"), make("other"));
        assert!(cache.stages().finish(one, &host).unwrap());
        assert!(!cache.stages().finish(other, &host).unwrap(), "the second build replaced the first");
        let entry = cache.stages().find(&inputs.key(), &host).unwrap();
        let mut text = String::new();
        entry.read("file", |input| Ok(input.read_to_string(&mut text)?)).unwrap();
        assert_eq!(text, "one");
    }
}
