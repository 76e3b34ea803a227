//! All entries of the cache, of every kind.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::indices::{INDICES, RESOLUTIONS};
use super::packages::{FETCHED, REPACKED};
use super::stages::entry;
use super::{Cache, Contents};
use crate::host::file::is_unfinished;
use crate::stage::Stage;

/// Directories with unfinished entries.
pub(super) const WORKPLACES: [&str; 6] = ["stages", "packages", FETCHED, REPACKED, INDICES, RESOLUTIONS];

/// The kind of an entry of the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A finished stage.
    Stage(Stage),
    /// A package as it was fetched.
    Fetched,
    /// A package that was recompressed.
    Repacked,
    /// The index files of some repositories.
    Indices,
    /// A list of packages to install.
    Resolution,
    /// An unfinished entry, of a running build or of one that was killed.
    Unfinished,
}

impl Kind {
    /// Returns its name in JSON.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Stage(_) => "stage",
            Self::Fetched => "package",
            Self::Repacked => "recompressed-package",
            Self::Indices => "indices",
            Self::Resolution => "resolution",
            Self::Unfinished => "unfinished",
        }
    }

    /// Returns its title, in the plural.
    pub fn title(self) -> &'static str {
        match self {
            Self::Stage(_) => "stages",
            Self::Fetched => "packages",
            Self::Repacked => "recompressed packages",
            Self::Indices => "indices of repositories",
            Self::Resolution => "resolutions",
            Self::Unfinished => "unfinished",
        }
    }

    /// Returns the divisor of the time since the last use when two kinds are compared. Stages and recompressed packages
    /// can be made again from other entries; a package must be fetched, and may no longer be in its repository; indices
    /// and resolutions are small, and every build begins with them.
    pub(super) fn worth(self) -> u64 {
        match self {
            Self::Stage(_) | Self::Repacked | Self::Unfinished => 1,
            Self::Fetched => 2,
            Self::Indices | Self::Resolution => 4,
        }
    }

    /// Returns whether it is a directory that a build holds with a lock.
    pub(super) fn is_directory(self) -> bool {
        matches!(self, Self::Stage(_) | Self::Indices)
    }
}

/// An entry of the cache.
#[derive(Debug, Clone)]
pub struct Item {
    /// Its kind.
    pub kind: Kind,
    /// Its path.
    pub path: PathBuf,
    /// Its size on the disk in bytes.
    pub size: u64,
    /// The time of its last use, in seconds since 1970.
    pub used: u64,
    /// The metadata of a stage; `None` if that is damaged.
    pub contents: Option<Contents>,
}

impl Cache {
    /// Returns all entries, sorted by kind, the most recently used first.
    pub fn items(&self) -> Vec<Item> {
        let mut items: Vec<Item> = Stage::ALL
            .iter()
            .flat_map(|stage| {
                self.stages().locations(*stage).into_iter().map(|path| (Kind::Stage(*stage), path))
            })
            .chain(self.unfinished_and(&[
                (FETCHED, Kind::Fetched),
                (REPACKED, Kind::Repacked),
                (INDICES, Kind::Indices),
                (RESOLUTIONS, Kind::Resolution),
            ]))
            .filter_map(|(kind, path)| item(kind, path))
            .collect();
        items.sort_by(|one, other| {
            one.kind.cmp(&other.kind).then(other.used.cmp(&one.used)).then_with(|| one.path.cmp(&other.path))
        });
        items
    }

    /// Returns the entries of these directories, and the unfinished entries of all directories.
    fn unfinished_and(&self, directories: &[(&str, Kind)]) -> Vec<(Kind, PathBuf)> {
        let mut found = Vec::new();
        for name in WORKPLACES {
            let kind = directories.iter().find(|(directory, _)| *directory == name).map(|(_, kind)| *kind);
            for entry in self.directory().join(name).read_dir().into_iter().flatten().flatten() {
                let path = entry.path();
                let kind = if is_unfinished(&path) { Some(Kind::Unfinished) } else { kind };
                found.extend(kind.map(|kind| (kind, path)));
            }
        }
        found
    }
}

/// Returns `None` if it no longer exists.
fn item(kind: Kind, path: PathBuf) -> Option<Item> {
    let metadata = path.symlink_metadata().ok()?;
    let (contents, used) = match kind {
        Kind::Stage(_) => entry(&path).unzip(),
        Kind::Fetched | Kind::Repacked | Kind::Indices | Kind::Resolution | Kind::Unfinished => (None, None),
    };
    let used = match used {
        Some(used) => used,
        None => metadata.modified().ok()?,
    };
    Some(Item { kind, size: size(&path), used: seconds(used), contents, path })
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

/// Returns the size of a file, or of everything in a directory, on the disk in bytes; holes do not count.
fn size(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => {
            path.read_dir().into_iter().flatten().flatten().map(|entry| size(&entry.path())).sum()
        }
        Ok(metadata) => metadata.blocks() * 512,
        Err(_) => 0,
    }
}
