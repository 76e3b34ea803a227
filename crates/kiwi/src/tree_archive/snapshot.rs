//! What a tree held at one moment, so that later changes can be told.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::root_tree::RootTree;

/// A moment as file systems count it: seconds and nanoseconds.
pub type Moment = (i64, i64);

/// The entries of a tree at one moment.
///
/// A change is told by the time of the last change of an inode, which no program can set; what has another inode
/// number, or was not there, is new. Both can only err on the safe side.
#[derive(Debug)]
pub struct Snapshot {
    moment: Moment,
    /// Inode numbers by path; to compare names as bytes is much cheaper than as paths.
    entries: HashMap<OsString, u64>,
}

impl Snapshot {
    /// Notes what is there now, without what the directories `but` hold.
    pub fn take(tree: &RootTree, but: &[&str]) -> Result<Self> {
        let moment = now(tree)?;
        let mut entries = HashMap::new();
        let walk = walkdir::WalkDir::new(tree.path()).min_depth(1);
        for entry in walk.into_iter().filter_entry(|entry| !is_inside(entry.path(), but, tree)) {
            let entry = entry.context("looking at the tree")?;
            let metadata = entry.metadata().context("looking at the tree")?;
            entries.insert(entry.path().strip_prefix(tree.path())?.as_os_str().to_owned(), metadata.ino());
        }
        Ok(Self { moment, entries })
    }

    /// Whether what is at `path` now is what was there then.
    pub(super) fn has(&self, path: &Path, metadata: &std::fs::Metadata) -> bool {
        (metadata.ctime(), metadata.ctime_nsec()) < self.moment
            && (path.as_os_str().is_empty() || self.entries.get(path.as_os_str()) == Some(&metadata.ino()))
    }

    /// What was there and is not in `present` any more, sorted.
    pub(super) fn gone(&self, present: &HashSet<OsString>) -> Vec<PathBuf> {
        let gone = self.entries.keys().filter(|path| !present.contains(*path));
        let mut gone: Vec<PathBuf> = gone.map(PathBuf::from).collect();
        gone.sort();
        gone
    }
}

/// Whether a path lies directly in one of the directories `but` of the tree.
pub(super) fn is_inside(path: &Path, but: &[&str], tree: &RootTree) -> bool {
    let parent = path.parent().and_then(|parent| parent.strip_prefix(tree.path()).ok());
    parent.is_some_and(|parent| but.iter().any(|directory| parent == Path::new(directory)))
}

/// The tree's own clock: what is changed from now on has this time or a later one.
pub fn now(tree: &RootTree) -> Result<Moment> {
    const PROBE: &str = ".kiwi-clock";
    tree.write(PROBE, "", 0o600)?;
    let metadata = tree.metadata(PROBE)?;
    tree.remove(PROBE)?;
    Ok((metadata.ctime(), metadata.ctime_nsec()))
}
