//! The entries of a tree at one moment, from which later changes are detected.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use anyhow::{Context, Result};
use rustix::fs::Stat;

use crate::root_tree::RootTree;

/// A time stamp of a file system: seconds and nanoseconds.
pub type Moment = (i64, i64);

/// The entries of a tree at one moment.
///
/// A change is detected by the change time of an inode, which no program can set; an entry with another inode number is
/// new. Both tests can only report too many changes.
#[derive(Debug)]
pub struct Snapshot {
    moment: Moment,
    /// Inode numbers by path; comparing names as bytes is much cheaper than as paths.
    entries: HashMap<OsString, u64>,
}

impl Snapshot {
    /// Takes a snapshot of the tree.
    pub fn take(tree: &RootTree) -> Result<Self> {
        let moment = now(tree)?;
        let mut entries = HashMap::new();
        tree.each_entry(&mut |path, stat| {
            entries.insert(path.into_os_string(), stat.st_ino);
            Ok(())
        })
        .context("reading the tree")?;
        Ok(Self { moment, entries })
    }

    /// Returns whether the entry at `path` is unchanged.
    pub(super) fn has(&self, path: &OsStr, stat: &Stat) -> bool {
        let changed = (stat.st_ctime, i64::try_from(stat.st_ctime_nsec).unwrap_or(i64::MAX));
        changed < self.moment && self.entries.get(path) == Some(&stat.st_ino)
    }

    /// Returns the paths of the snapshot that are missing in `present`, sorted.
    pub(super) fn gone(&self, present: &HashSet<OsString>) -> Vec<PathBuf> {
        let gone = self.entries.keys().filter(|path| !present.contains(*path));
        let mut gone: Vec<PathBuf> = gone.map(PathBuf::from).collect();
        gone.sort();
        gone
    }
}

/// Returns the current time of the tree's file system: later changes have this time or a later one.
pub fn now(tree: &RootTree) -> Result<Moment> {
    const PROBE: &str = ".kiwi-clock";
    tree.write(PROBE, "", 0o600)?;
    let metadata = tree.metadata(PROBE)?;
    tree.remove(PROBE)?;
    Ok((metadata.ctime(), metadata.ctime_nsec()))
}
