//! Puts one entry of an archive into the tree: by name in an open directory, never by a path that a link could bend.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use rustix::fs::{
    AtFlags, FileType, Gid, Mode, OFlags, Timespec, Timestamps, Uid, chownat, fchmod, fchown, futimens,
    linkat, mkdirat, mknodat, openat, renameat, statat, symlinkat, unlinkat, utimensat,
};
use rustix::io::Errno;

use super::rules::Attributes;
use crate::host::device::Device;
use crate::root_tree::RootTree;

/// Open directories that are kept.
const KEPT: usize = 128;
/// Bytes copied at once.
const BLOCK: usize = 1 << 18;

/// Puts entries into one tree; each thread has its own.
pub(super) struct TreeWriter<'a> {
    tree: &'a RootTree,
    directories: HashMap<PathBuf, OwnedFd>,
    block: Vec<u8>,
}

/// Why an entry stands aside: something else has its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Made {
    /// It was made.
    New,
    /// A directory was there.
    Kept,
}

impl<'a> TreeWriter<'a> {
    pub(super) fn new(tree: &'a RootTree) -> Self {
        Self { tree, directories: HashMap::new(), block: vec![0; BLOCK] }
    }

    /// A file with what `content` gives. One that is there is replaced as a whole.
    pub(super) fn file(
        &mut self,
        path: &Path,
        content: &mut dyn Read,
        attributes: Attributes,
        time: i64,
    ) -> Result<()> {
        let (parent, name) = open_parent(&mut self.directories, self.tree, path)?;
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let create = |name: &OsStr| openat(parent, name, flags, Mode::RUSR | Mode::WUSR);
        match create(name) {
            Ok(file) => fill(file.into(), &mut self.block, content, attributes, time),
            Err(Errno::EXIST) => {
                let aside = aside(name);
                let file = create(&aside)?;
                fill(file.into(), &mut self.block, content, attributes, time)?;
                Ok(renameat(parent, &aside, parent, name)?)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A symbolic link. A directory or an equal link of that name stays.
    pub(super) fn link(
        &mut self,
        path: &Path,
        target: &Path,
        attributes: Attributes,
        time: i64,
    ) -> Result<Made> {
        let (parent, name) = open_parent(&mut self.directories, self.tree, path)?;
        let make = |name: &OsStr| -> Result<(), Errno> {
            symlinkat(target, parent, name)?;
            own(parent, name, attributes)?;
            utimensat(parent, name, &times(time), AtFlags::SYMLINK_NOFOLLOW)
        };
        match make(name) {
            Ok(()) => Ok(Made::New),
            Err(Errno::EXIST) if kind_of(parent, name)? == FileType::Directory => Ok(Made::Kept),
            Err(Errno::EXIST) => {
                let aside = aside(name);
                make(&aside)?;
                renameat(parent, &aside, parent, name)?;
                Ok(Made::New)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Another name for the file at `target`.
    pub(super) fn hard_link(&mut self, path: &Path, target: &Path) -> Result<()> {
        // The directory of the target is opened for this call only: two borrows of the kept ones are not to be had.
        let (target_parent, target_name) = resolve_parent(self.tree, target)?;
        let (parent, name) = open_parent(&mut self.directories, self.tree, path)?;
        let make = |name: &OsStr| linkat(&target_parent, target_name, parent, name, AtFlags::empty());
        match make(name) {
            Err(Errno::EXIST) => {
                let aside = aside(name);
                make(&aside)?;
                renameat(parent, &aside, parent, name)?;
                // Both names were one file already: then the rename did nothing.
                match unlinkat(parent, &aside, AtFlags::empty()) {
                    Err(Errno::NOENT) | Ok(()) => Ok(()),
                    Err(error) => Err(error.into()),
                }
            }
            made => Ok(made?),
        }
    }

    /// A named pipe.
    pub(super) fn fifo(&mut self, path: &Path, attributes: Attributes, time: i64) -> Result<()> {
        let (parent, name) = open_parent(&mut self.directories, self.tree, path)?;
        mknodat(parent, name, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?;
        own(parent, name, attributes)?;
        rustix::fs::chmodat(parent, name, Mode::from_raw_mode(attributes.mode), AtFlags::empty())?;
        Ok(utimensat(parent, name, &times(time), AtFlags::SYMLINK_NOFOLLOW)?)
    }

    /// What stands in for a device node; another file of that name is replaced.
    pub(super) fn device(
        &mut self,
        path: &Path,
        device: Device,
        attributes: Attributes,
        time: i64,
    ) -> Result<()> {
        let (parent, name) = open_parent(&mut self.directories, self.tree, path)?;
        let make = |name: &OsStr| device.make(parent, name, 0o600);
        match make(name) {
            Ok(file) => finish(&file, attributes, time),
            Err(Errno::EXIST) => {
                let aside = aside(name);
                finish(&make(&aside)?, attributes, time)?;
                Ok(renameat(parent, &aside, parent, name)?)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A directory; one that is there, or a link to one, stays as it is.
    pub(super) fn directory(&mut self, path: &Path, attributes: Attributes) -> Result<Made> {
        let (parent, name) = open_parent(&mut self.directories, self.tree, path)?;
        match mkdirat(parent, name, Mode::RWXU) {
            Ok(()) => {
                self.describe_directory(path, attributes)?;
                Ok(Made::New)
            }
            Err(Errno::EXIST) => {
                if !self.tree.metadata(path)?.is_dir() {
                    bail!("it is a directory, but in the tree there is a file of that name");
                }
                Ok(Made::Kept)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Owner and mode of a directory of ours.
    pub(super) fn describe_directory(&mut self, path: &Path, attributes: Attributes) -> Result<()> {
        let (parent, name) = open_parent(&mut self.directories, self.tree, path)?;
        own(parent, name, attributes)?;
        Ok(rustix::fs::chmodat(parent, name, Mode::from_raw_mode(attributes.mode), AtFlags::empty())?)
    }

    /// Time of a directory that nothing was put into.
    pub(super) fn date_directory(&mut self, path: &Path, time: i64) -> Result<()> {
        let (parent, name) = open_parent(&mut self.directories, self.tree, path)?;
        Ok(utimensat(parent, name, &times(time), AtFlags::SYMLINK_NOFOLLOW)?)
    }
}

/// The open directory that `path` lies in, and its last part.
fn open_parent<'f, 'p>(
    directories: &'f mut HashMap<PathBuf, OwnedFd>,
    tree: &RootTree,
    path: &'p Path,
) -> Result<(&'f OwnedFd, &'p OsStr)> {
    let parent = path.parent().unwrap_or(Path::new(""));
    if !directories.contains_key(parent) {
        if directories.len() >= KEPT {
            directories.clear();
        }
        let (directory, _) = resolve_parent(tree, path)?;
        directories.insert(parent.to_owned(), directory);
    }
    let name = path.file_name().context("it has no name")?;
    Ok((directories.get(parent).context("opening its directory")?, name))
}

/// Opens the directory of `path` inside the tree, making it where the package forgot it.
fn resolve_parent<'p>(tree: &RootTree, path: &'p Path) -> Result<(OwnedFd, &'p OsStr)> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let directory = match tree.root().resolve(parent) {
        Ok(directory) => directory,
        Err(_) => {
            tree.create_dir(parent, 0o755)?;
            tree.root().resolve(parent).context("opening its directory")?
        }
    };
    Ok((directory.into(), path.file_name().context("it has no name")?))
}

fn fill(
    mut file: File,
    block: &mut [u8],
    content: &mut dyn Read,
    attributes: Attributes,
    time: i64,
) -> Result<()> {
    loop {
        match content.read(block) {
            Ok(0) => break,
            Ok(count) => file.write_all(&block[..count])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error).context("reading the package"),
        }
    }
    finish(&file, attributes, time)
}

fn finish(file: &File, attributes: Attributes, time: i64) -> Result<()> {
    fchown(file, Some(Uid::from_raw(attributes.user)), Some(Gid::from_raw(attributes.group)))?;
    fchmod(file, Mode::from_raw_mode(attributes.mode))?;
    Ok(futimens(file, &times(time))?)
}

fn own(parent: impl AsFd, name: &OsStr, attributes: Attributes) -> Result<(), Errno> {
    let (user, group) = (Uid::from_raw(attributes.user), Gid::from_raw(attributes.group));
    chownat(parent, name, Some(user), Some(group), AtFlags::SYMLINK_NOFOLLOW)
}

fn kind_of(parent: impl AsFd, name: &OsStr) -> Result<FileType, Errno> {
    Ok(FileType::from_raw_mode(statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?.st_mode))
}

/// The name of a file until it replaces another one.
fn aside(name: &OsStr) -> OsString {
    let mut aside = name.to_owned();
    aside.push(".kiwi-new");
    aside
}

fn times(seconds: i64) -> Timestamps {
    let time = Timespec { tv_sec: seconds, tv_nsec: 0 };
    Timestamps { last_access: time, last_modification: time }
}
