//! Walks over every entry of a tree, directory by directory: a name is looked up in an open directory, never by its
//! path.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::ffi::{CStr, OsStr};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use pathrs::flags::OpenFlags;
use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Gid, Mode, OFlags, Stat, Timespec, Timestamps, Uid, XattrFlags, chownat,
    fchmod, fchown, fgetxattr, fsetxattr, linkat, openat, statat, unlinkat, utimensat,
};
use rustix::io::Errno;

use super::attributes::Special;
use super::{Measure, RootTree, Seen};
use crate::host::device::Device;

/// The extended attribute with the capabilities of a file.
const CAPABILITY: &str = "security.capability";

const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Seconds and nanoseconds of a modification time.
pub(super) type Time = (i64, i64);

impl RootTree {
    /// Measures the content of the tree. For a layered tree, also remembers times, attributes and devices.
    pub fn measure(&self) -> Result<Measure> {
        let seen = self.look().context("measuring the root tree")?;
        let measure = seen.measure;
        if let Some(layer) = &self.layer {
            *layer.seen() = Some(seen);
        }
        Ok(measure)
    }

    /// Returns the last measurement of a layered tree, to which kiwi's own later changes add little; measures another tree.
    pub fn last_measure(&self) -> Result<Measure> {
        let last = self.layer.as_ref().and_then(|layer| layer.seen().as_ref().map(|seen| seen.measure));
        last.map_or_else(|| self.measure(), Ok)
    }

    /// Returns the paths of device nodes and of their marker files, sorted.
    pub fn devices(&self) -> Result<Vec<PathBuf>> {
        self.with_special(|special| special.devices.clone())
    }

    /// Calls `tell` with the special entries, which for a layered tree are those of the last measurement: kiwi's own
    /// later changes have none.
    pub(super) fn with_special<T>(&self, tell: impl FnOnce(&Special) -> T) -> Result<T> {
        if let Some(layer) = &self.layer
            && let Some(seen) = layer.seen().as_ref()
        {
            return Ok(tell(&seen.special));
        }
        let seen = self.look().context("searching for extended attributes and device nodes")?;
        Ok(tell(&seen.special))
    }

    fn look(&self) -> Result<Seen> {
        let mut measure = Measure::default();
        let mut linked = HashSet::new();
        let mut newest = (i64::MIN, 0);
        let mut special = Special::default();
        let below = self.below()?;
        every_entry(below.path, &below.removed, &mut |directory, name, stat| {
            newest = newest.max(time_of(stat));
            let kind = FileType::from_raw_mode(stat.st_mode);
            special.look_at(directory.path.join(OsStr::from_bytes(name.to_bytes())), kind)?;
            measure.entries += 1;
            match kind {
                FileType::Directory => measure.bytes += 4096,
                FileType::RegularFile if stat.st_nlink < 2 || linked.insert((stat.st_dev, stat.st_ino)) => {
                    let bytes = u64::try_from(stat.st_size).unwrap_or(0);
                    measure.content += bytes;
                    measure.bytes += bytes.next_multiple_of(4096);
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(Seen { measure, newest, special: special.inside(below.path) })
    }

    /// Calls `work` with the path inside the tree and the `stat` of every entry in no certain order; that of the tree itself is
    /// empty.
    pub fn each_entry(&self, work: &mut dyn FnMut(PathBuf, &Stat) -> Result<()>) -> Result<()> {
        let root = openat(CWD, &self.path, DIRECTORY, Mode::empty())?;
        every_entry_from(root.as_fd(), Path::new(""), &[], &mut |directory, name, stat| {
            let path = match name.to_bytes() {
                b"." => PathBuf::new(),
                name => directory.path.join(OsStr::from_bytes(name)),
            };
            work(path, stat)
        })
    }

    /// Removes sockets, whose processes no longer exist.
    pub fn remove_sockets(&self) -> Result<()> {
        every_entry(&self.path, &[], &mut |directory, name, stat| {
            if FileType::from_raw_mode(stat.st_mode) == FileType::Socket {
                unlinkat(directory.open, name, AtFlags::empty())?;
            }
            Ok(())
        })
        .context("removing sockets")
    }

    /// Gives a directory and everything in it to an account, as `chown --recursive` does; set-id bits and capabilities
    /// stay. Links are not followed.
    pub fn give(&self, path: impl AsRef<Path>, user: u32, group: u32) -> Result<()> {
        let path = path.as_ref();
        let giving = || format!("changing the owner of {} in the tree", path.display());
        let top = self
            .root
            .open_subpath(path, OpenFlags::O_RDONLY | OpenFlags::O_DIRECTORY)
            .with_context(giving)?;
        let owner = (Uid::from_raw(user), Gid::from_raw(group));
        every_entry_from(top.as_fd(), path, &[], &mut |directory, name, stat| {
            give_entry(directory.open, name, stat, owner)
        })
        .with_context(giving)
    }

    /// Sets every time of a file, directory or link that is later than `epoch` (seconds since 1970) to `epoch`.
    ///
    /// In a layered tree that was measured without later times, only entries written since are examined.
    pub fn clamp_times(&self, epoch: u64) -> Result<()> {
        let limit = (i64::try_from(epoch).unwrap_or(i64::MAX), 0);
        let changed = self
            .layer
            .as_ref()
            .filter(|layer| layer.seen().as_ref().is_some_and(|seen| seen.newest <= limit));
        match changed {
            Some(layer) => clamp_changed(&self.path, &layer.upper, limit),
            None => {
                let mut linked = Linked::new();
                every_entry(&self.path, &[], &mut |directory, name, stat| {
                    if time_of(stat) > limit {
                        clamp(directory, name, stat, limit, &mut linked)
                    } else {
                        Ok(())
                    }
                })
            }
        }
        .context("clamping times")
    }
}

/// Clamps the entries that the upper directory contains; it must not be changed directly while it is mounted.
fn clamp_changed(tree: &Path, upper: &Path, limit: Time) -> Result<()> {
    for entry in walkdir::WalkDir::new(upper).contents_first(true) {
        let entry = entry?;
        let location = tree.join(entry.path().strip_prefix(upper)?);
        match rustix::fs::lstat(&location) {
            Ok(stat) if time_of(&stat) > limit => {
                utimensat(CWD, &location, &times(limit), AtFlags::SYMLINK_NOFOLLOW)
                    .with_context(|| format!("clamping the time of {}", location.display()))?;
            }
            Ok(_) => {}
            // A removed name is an entry of the upper directory, too.
            Err(Errno::NOENT) => {}
            Err(error) => return Err(error).with_context(|| format!("reading {}", location.display())),
        }
    }
    Ok(())
}

/// Changes the owner of one entry; a change of owner clears set-id bits and capabilities, which are set again.
fn give_entry(directory: BorrowedFd<'_>, name: &CStr, stat: &Stat, (user, group): (Uid, Gid)) -> Result<()> {
    let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    let file = match is_file {
        true => {
            Some(openat(directory, name, OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?)
        }
        false => None,
    };
    let mut value = [0; 64];
    let capability = match &file {
        Some(file) => match fgetxattr(file, CAPABILITY, &mut value[..]) {
            Ok(length) => Some(&value[..length]),
            Err(Errno::NODATA | Errno::OPNOTSUPP) => None,
            Err(error) => return Err(error.into()),
        },
        None => None,
    };
    chownat(directory, name, Some(user), Some(group), AtFlags::SYMLINK_NOFOLLOW)?;
    if let Some(file) = &file {
        if stat.st_mode & 0o6000 != 0 {
            fchmod(file, Mode::from_raw_mode(stat.st_mode & 0o7777))?;
        }
        if let Some(capability) = capability {
            fsetxattr(file, CAPABILITY, capability, XattrFlags::empty())?;
        }
    }
    Ok(())
}

fn time_of(stat: &Stat) -> Time {
    (stat.st_mtime, i64::try_from(stat.st_mtime_nsec).unwrap_or(0))
}

fn times((seconds, _): Time) -> Timestamps {
    let time = Timespec { tv_sec: seconds, tv_nsec: 0 };
    Timestamps { last_access: time, last_modification: time }
}

fn set_time(directory: BorrowedFd<'_>, name: &CStr, limit: Time) -> Result<()> {
    Ok(utimensat(directory, name, &times(limit), AtFlags::SYMLINK_NOFOLLOW)?)
}

/// The first name of each file with several names whose time was set, by its number.
type Linked = HashMap<(u64, u64), PathBuf>;

/// Sets the time of an entry. A layer gets a copy of a file that is changed under one of its names, so the others are linked again.
fn clamp(directory: Directory<'_>, name: &CStr, stat: &Stat, limit: Time, linked: &mut Linked) -> Result<()> {
    let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    if is_file && stat.st_nlink > 1 {
        match linked.entry((stat.st_dev, stat.st_ino)) {
            Entry::Occupied(first) => {
                unlinkat(directory.open, name, AtFlags::empty())?;
                return Ok(linkat(CWD, first.get(), directory.open, name, AtFlags::empty())?);
            }
            Entry::Vacant(first) => {
                first.insert(directory.path.join(OsStr::from_bytes(name.to_bytes())));
            }
        }
    }
    let set = utimensat(directory.open, name, &times(limit), AtFlags::SYMLINK_NOFOLLOW);
    match (set, device_of(stat)) {
        (Err(Errno::PERM), Some(device)) => mark(device, directory.open, name, stat, limit),
        (set, _) => Ok(set?),
    }
}

/// Returns the device of a real node, which others than kiwi created in the tree.
fn device_of(stat: &Stat) -> Option<Device> {
    Device::new(FileType::from_raw_mode(stat.st_mode), stat.st_rdev)
}

/// Replaces a device node by its marker: an overlay of a user namespace cannot copy the node to its layer to change it.
fn mark(device: Device, directory: BorrowedFd<'_>, name: &CStr, stat: &Stat, limit: Time) -> Result<()> {
    unlinkat(directory, name, AtFlags::empty())?;
    let file = device.make(directory, OsStr::from_bytes(name.to_bytes()), 0o600)?;
    fchown(&file, Some(Uid::from_raw(stat.st_uid)), Some(Gid::from_raw(stat.st_gid)))?;
    fchmod(&file, Mode::from_raw_mode(stat.st_mode & 0o7777))?;
    set_time(directory, name, limit)
}

/// An open directory of the walk.
#[derive(Clone, Copy)]
struct Directory<'a> {
    open: BorrowedFd<'a>,
    /// Its path on the host.
    path: &'a Path,
}

/// A function that is called with the directory of an entry, its name and its `stat`.
type Work<'w> = dyn FnMut(Directory<'_>, &CStr, &Stat) -> Result<()> + 'w;

/// Calls `work` for every entry below `tree` and then for the directory that contains it, the tree itself last, so that
/// times that `work` sets remain. Names at the top in `but` are ignored.
fn every_entry(tree: &Path, but: &[String], work: &mut Work<'_>) -> Result<()> {
    let root = openat(CWD, tree, DIRECTORY, Mode::empty())?;
    every_entry_from(root.as_fd(), tree, but, work)
}

/// Like [`every_entry`], from an open directory.
fn every_entry_from(open: BorrowedFd<'_>, path: &Path, but: &[String], work: &mut Work<'_>) -> Result<()> {
    let stat = rustix::fs::fstat(open)?;
    let directory = Directory { open, path };
    every_entry_of(directory, but, work)?;
    work(directory, c".", &stat)
}

fn every_entry_of(directory: Directory<'_>, but: &[String], work: &mut Work<'_>) -> Result<()> {
    let reading = || format!("reading {}", directory.path.display());
    for entry in Dir::read_from(directory.open).with_context(reading)? {
        let entry = entry.with_context(reading)?;
        let name = entry.file_name();
        if [c".", c".."].contains(&name) || but.iter().any(|but| but.as_bytes() == name.to_bytes()) {
            continue;
        }
        let stat = statat(directory.open, name, AtFlags::SYMLINK_NOFOLLOW).with_context(reading)?;
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
            let inner = openat(directory.open, name, DIRECTORY, Mode::empty()).with_context(reading)?;
            let path = directory.path.join(OsStr::from_bytes(name.to_bytes()));
            every_entry_of(Directory { open: inner.as_fd(), path: &path }, &[], work)?;
        }
        work(directory, name, &stat).with_context(|| format!("in {}", directory.path.display()))?;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "the test creates its own tree")]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use rustix::fs::makedev;

    use super::*;

    #[test]
    fn clamps_times_and_counts_contents_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        std::fs::create_dir_all(path.join("a/b")).unwrap();
        std::fs::write(path.join("a/b/file"), [0; 5000]).unwrap();
        std::fs::hard_link(path.join("a/b/file"), path.join("a/again")).unwrap();
        std::os::unix::fs::symlink("nowhere", path.join("link")).unwrap();
        std::os::unix::net::UnixListener::bind(path.join("a/socket")).unwrap();
        let tree = RootTree::merged(path).unwrap();
        tree.remove_sockets().unwrap();
        let measure = tree.measure().unwrap();
        assert_eq!((measure.bytes, measure.entries), (3 * 4096 + 8192, 6));
        tree.clamp_times(1_000_000_000).unwrap();
        for name in [".", "a", "a/b", "a/b/file", "link"] {
            assert_eq!(path.join(name).symlink_metadata().unwrap().mtime(), 1_000_000_000, "{name}");
        }
    }

    #[test]
    fn a_node_that_cannot_be_changed_becomes_a_marker() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("node");
        std::fs::write(&path, "").unwrap();
        let open = std::fs::File::open(directory.path()).unwrap();
        let mut stat = statat(&open, c"node", AtFlags::SYMLINK_NOFOLLOW).unwrap();
        assert_eq!(device_of(&stat), None);
        stat.st_mode = FileType::BlockDevice.as_raw_mode() | 0o640;
        stat.st_rdev = makedev(7, 70000);
        let device = device_of(&stat).unwrap();
        mark(device, open.as_fd(), c"node", &stat, (1_000_000_000, 0)).unwrap();
        let metadata = path.symlink_metadata().unwrap();
        assert_eq!((metadata.mode() & 0o7777, metadata.mtime()), (0o640, 1_000_000_000));
        let expected = Device { is_block: true, major: 7, minor: 70000 };
        assert_eq!(Device::of(&path, &metadata).unwrap(), Some(expected));
    }

    #[test]
    fn a_name_that_a_layer_separated_is_linked_again() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["first", "second"] {
            std::fs::write(directory.path().join(name), name).unwrap();
        }
        let open = std::fs::File::open(directory.path()).unwrap();
        let mut stat = statat(&open, c"first", AtFlags::SYMLINK_NOFOLLOW).unwrap();
        stat.st_nlink = 2;
        let inside = Directory { open: open.as_fd(), path: directory.path() };
        let mut linked = Linked::new();
        for name in [c"first", c"second"] {
            clamp(inside, name, &stat, (1_000_000_000, 0), &mut linked).unwrap();
        }
        let metadata = directory.path().join("second").metadata().unwrap();
        assert_eq!((metadata.nlink(), metadata.mtime()), (2, 1_000_000_000));
    }
}
