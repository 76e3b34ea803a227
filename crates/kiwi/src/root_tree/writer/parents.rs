//! The open directories into which entries are written.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail};
use rustix::fs::{FileType, Mode, OFlags, Timespec, Timestamps, fstat, futimens, mkdirat, openat};
use rustix::io::Errno;

use super::{Attributes, Made, kind_of, make_room, set_attributes};
use crate::root_tree::RootTree;

/// Maximum number of directories that are kept open.
const KEPT: usize = 128;
pub(super) const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Directories of packages: links are followed inside the tree, missing directories are created.
pub(super) struct PackageParents<'a> {
    tree: &'a RootTree,
    open: HashMap<PathBuf, OwnedFd>,
}

impl<'a> PackageParents<'a> {
    pub(super) fn new(tree: &'a RootTree) -> Self {
        Self { tree, open: HashMap::new() }
    }

    pub(super) fn tree(&self) -> &'a RootTree {
        self.tree
    }

    /// Returns the open directory that contains `path`, and the last component.
    pub(super) fn open<'p>(&mut self, path: &'p Path) -> Result<(BorrowedFd<'_>, &'p OsStr)> {
        let parent = path.parent().unwrap_or(Path::new(""));
        if !self.open.contains_key(parent) {
            if self.open.len() >= KEPT {
                self.open.clear();
            }
            let (directory, _) = self.resolve(path)?;
            self.open.insert(parent.to_owned(), directory);
        }
        let name = path.file_name().context("it has no name")?;
        Ok((self.open.get(parent).context("opening its directory")?.as_fd(), name))
    }

    /// Like [`PackageParents::open`], for a directory that is not kept open.
    pub(super) fn resolve<'p>(&self, path: &'p Path) -> Result<(OwnedFd, &'p OsStr)> {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let directory = match self.tree.root().resolve(parent) {
            Ok(directory) => directory,
            Err(_) => {
                self.tree.create_dir(parent, 0o755)?;
                self.tree.root().resolve(parent).context("opening its directory")?
            }
        };
        Ok((directory.into(), path.file_name().context("it has no name")?))
    }
}

/// Directories of an archive: all from the root of the tree to that of the last entry; none may be a link.
pub(super) struct ArchiveParents {
    root: Directory,
    below: Vec<Directory>,
}

/// An open directory, which gets its times when nothing more is written into it.
struct Directory {
    name: OsString,
    handle: OwnedFd,
    times: Timestamps,
}

impl ArchiveParents {
    pub(super) fn new(root: &Path) -> Result<Self> {
        let handle = rustix::fs::open(root, DIRECTORY, Mode::empty())?;
        let times = times_of(&handle)?;
        Ok(Self { root: Directory { name: OsString::new(), handle, times }, below: Vec::new() })
    }

    fn top(&self) -> &Directory {
        self.below.last().unwrap_or(&self.root)
    }

    fn close_top(&mut self) -> Result<()> {
        if let Some(directory) = self.below.pop() {
            futimens(&directory.handle, &directory.times).context("setting the times of a directory")?;
        }
        Ok(())
    }

    /// Makes `path` the innermost open directory.
    fn open_directory(&mut self, path: &Path) -> Result<()> {
        let names: Vec<&OsStr> = names(path)?;
        let known =
            self.below.iter().zip(&names).take_while(|(directory, name)| directory.name == **name).count();
        while self.below.len() > known {
            self.close_top()?;
        }
        for name in &names[known..] {
            let handle = openat(&self.top().handle, *name, DIRECTORY, Mode::empty())
                .with_context(|| format!("opening the directory {}", path.display()))?;
            let times = times_of(&handle)?;
            self.below.push(Directory { name: (*name).to_owned(), handle, times });
        }
        Ok(())
    }

    /// Returns the open directory that contains `path`, and the last component.
    pub(super) fn enter<'p>(&mut self, path: &'p Path) -> Result<(BorrowedFd<'_>, &'p OsStr)> {
        self.open_directory(path.parent().unwrap_or(Path::new("")))?;
        let Some(name) = path.file_name() else { bail!("the archive has an entry without a name") };
        Ok((self.top().handle.as_fd(), name))
    }

    /// Like [`ArchiveParents::enter`], without changing the set of open directories.
    pub(super) fn open_exact<'p>(&self, path: &'p Path) -> Result<(OwnedFd, &'p OsStr)> {
        let names = names(path)?;
        let Some((name, parents)) = names.split_last() else {
            bail!("the archive has a link to an entry without a name")
        };
        let mut directory = self.root.handle.try_clone()?;
        for parent in parents {
            directory = openat(&directory, *parent, DIRECTORY, Mode::empty())
                .with_context(|| format!("opening the directory of {}", path.display()))?;
        }
        Ok((directory, name))
    }

    /// Creates a directory, or uses the existing one, and sets its attributes.
    pub(super) fn directory(&mut self, path: &Path, attributes: &Attributes) -> Result<Made> {
        if names(path)?.is_empty() {
            set_attributes(&self.root.handle, attributes)?;
            self.root.times = attributes.times.clone();
            return Ok(Made::Kept);
        }
        let (parent, name) = self.enter(path)?;
        let made = match mkdirat(parent, name, Mode::RWXU) {
            Ok(()) => Made::New,
            Err(Errno::EXIST) if kind_of(parent, name)? == Some(FileType::Directory) => Made::Kept,
            Err(Errno::EXIST) => {
                make_room(parent, name)?;
                mkdirat(parent, name, Mode::RWXU)?;
                Made::New
            }
            Err(error) => return Err(error.into()),
        };
        self.open_directory(path)?;
        set_attributes(&self.top().handle, attributes)?;
        if let Some(directory) = self.below.last_mut() {
            directory.times = attributes.times.clone();
        }
        Ok(made)
    }

    /// Sets the times of the directories that are still open.
    pub(super) fn close(mut self) -> Result<()> {
        while !self.below.is_empty() {
            self.close_top()?;
        }
        Ok(futimens(&self.root.handle, &self.root.times)?)
    }
}

fn times_of(file: &impl AsFd) -> Result<Timestamps> {
    let stat = fstat(file)?;
    let time = Timespec { tv_sec: stat.st_mtime, tv_nsec: i64::try_from(stat.st_mtime_nsec)? };
    Ok(Timestamps { last_access: time, last_modification: time })
}

/// Returns the components of a path, which must not lead upwards.
fn names(path: &Path) -> Result<Vec<&OsStr>> {
    let mut names = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => names.push(name),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                bail!("the archive has the path {}, which leads out of the tree", path.display())
            }
        }
    }
    Ok(names)
}
