//! Everything that lies in the cache, of whatever kind.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::indices::{INDICES, RESOLUTIONS};
use super::packages::{FETCHED, REPACKED};
use super::stages::entry;
use super::{Cache, Contents};
use crate::host::file::is_unfinished;
use crate::stage::Stage;

/// Where builds keep what is on its way into the cache.
pub(super) const WORKPLACES: [&str; 6] = ["stages", "packages", FETCHED, REPACKED, INDICES, RESOLUTIONS];

/// What something in the cache is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A finished stage.
    Stage(Stage),
    /// A package as it was fetched.
    Fetched,
    /// A package that was packed anew.
    Repacked,
    /// The index files of some repositories.
    Indices,
    /// Which packages to install.
    Resolution,
    /// Something on its way here, or what a killed build left of it.
    Unfinished,
}

impl Kind {
    /// Its name in documents for programs.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Stage(_) => "stage",
            Self::Fetched => "package",
            Self::Repacked => "package-packed-anew",
            Self::Indices => "indices",
            Self::Resolution => "resolution",
            Self::Unfinished => "unfinished",
        }
    }

    /// What several of them are, for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Stage(_) => "stages",
            Self::Fetched => "packages",
            Self::Repacked => "packages packed anew",
            Self::Indices => "indices of repositories",
            Self::Resolution => "resolutions",
            Self::Unfinished => "unfinished",
        }
    }

    /// By what the time without use is divided before two kinds are compared. Stages and what was packed anew can be
    /// made again from the rest; a package must be fetched, and may be gone from its repository; indices and
    /// resolutions are small, and every build begins with them.
    pub(super) fn worth(self) -> u64 {
        match self {
            Self::Stage(_) | Self::Repacked | Self::Unfinished => 1,
            Self::Fetched => 2,
            Self::Indices | Self::Resolution => 4,
        }
    }

    /// Whether it is a directory that its users hold.
    pub(super) fn is_directory(self) -> bool {
        matches!(self, Self::Stage(_) | Self::Indices)
    }
}

/// Something in the cache.
#[derive(Debug, Clone)]
pub struct Item {
    /// What it is.
    pub kind: Kind,
    /// Where it is.
    pub path: PathBuf,
    /// Bytes that it takes.
    pub size: u64,
    /// When it was used last, in seconds since 1970.
    pub used: u64,
    /// What a stage says of itself; none when that was damaged.
    pub contents: Option<Contents>,
}

impl Cache {
    /// Everything that is there, sorted by kind, the most recently used first.
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

    /// What lies in these directories, and what in any is on its way.
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

/// None when it went away just now.
fn item(kind: Kind, path: PathBuf) -> Option<Item> {
    let metadata = path.symlink_metadata().ok()?;
    let (contents, used) = match kind {
        Kind::Stage(_) => entry(&path).unzip(),
        _ => (None, None),
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

/// Bytes that a file or everything in a directory takes on the disk: holes of images are none.
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
