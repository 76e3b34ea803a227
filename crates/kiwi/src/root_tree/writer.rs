//! Writes entries into a tree: by name in an open directory, never by a path that a symbolic link could redirect.
//!
//! Two policies exist, one for each kind of input:
//!
//! | | [`TreeWriter::of_packages`] | [`TreeWriter::of_archive`] |
//! |---|---|---|
//! | order of entries | any, from several threads with a writer each | that of an archive |
//! | links among the parents | followed inside the tree: a package may ship `lib/x` where `lib` is a link | an error |
//! | missing parents | created | an error |
//! | an existing entry | replaced by one rename; a directory stays | removed first; a directory stays for a directory |
//! | time of a directory | set by [`TreeWriter::date_directory`] | set when the last entry in it was written |

mod parents;

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileExt;
use std::path::Path;

use anyhow::{Context, Result, bail};
use rustix::fs::{
    AtFlags, FileType, Gid, Mode, OFlags, Timespec, Timestamps, Uid, XattrFlags, chmodat, chownat, fchmod,
    fchown, fsetxattr, futimens, linkat, mkdirat, mknodat, openat, renameat, statat, symlinkat, unlinkat,
    utimensat,
};
use rustix::io::Errno;

use super::RootTree;
use crate::host::device::Device;
use parents::{ArchiveParents, PackageParents};

/// Size in bytes of the copy buffer.
const BLOCK: usize = 1 << 18;
/// Size in bytes of the smallest hole.
const PAGE: usize = 4096;
const NEW_FILE: OFlags =
    OFlags::WRONLY.union(OFlags::CREATE).union(OFlags::EXCL).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// The properties of an entry besides its content.
#[derive(Debug, Clone)]
pub struct Attributes {
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub user: u32,
    /// Owning group.
    pub group: u32,
    /// Times of access and modification.
    pub times: Timestamps,
    /// Names and values of extended attributes.
    pub extended: Vec<(OsString, Vec<u8>)>,
}

/// The result of creating an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// No entry of that name existed.
    New,
    /// It replaced another entry.
    Replaced,
    /// A directory existed and was kept.
    Kept,
}

/// Writes entries into one tree.
pub struct TreeWriter<'a> {
    parents: Parents<'a>,
    block: Vec<u8>,
}

/// The policy for the directories of entries.
enum Parents<'a> {
    Packages(PackageParents<'a>),
    Archive(ArchiveParents),
}

impl<'a> TreeWriter<'a> {
    /// Returns a writer for the files of packages.
    pub fn of_packages(tree: &'a RootTree) -> Self {
        Self { parents: Parents::Packages(PackageParents::new(tree)), block: vec![0; BLOCK] }
    }

    /// Returns a writer for the entries of an archive, or of a walk in the same order; `root` is the directory of the
    /// tree. [`TreeWriter::close`] completes it.
    pub fn of_archive(root: &Path) -> Result<Self> {
        Ok(Self { parents: Parents::Archive(ArchiveParents::new(root)?), block: vec![0; BLOCK] })
    }

    /// Creates an entry with `create`, completes it with `finish` and gives it its name according to the policy.
    fn put<T>(
        parents: &mut Parents<'_>,
        path: &Path,
        mut create: impl FnMut(BorrowedFd<'_>, &OsStr) -> Result<T, Errno>,
        finish: impl FnOnce(T, BorrowedFd<'_>, &OsStr) -> Result<()>,
    ) -> Result<Made> {
        match parents {
            Parents::Archive(parents) => {
                let (parent, name) = parents.enter(path)?;
                let mut created = create(parent, name);
                if matches!(created, Err(Errno::EXIST)) {
                    make_room(parent, name)?;
                    created = create(parent, name);
                }
                finish(created?, parent, name).map(|()| Made::New)
            }
            Parents::Packages(parents) => {
                let (parent, name) = parents.open(path)?;
                match create(parent, name) {
                    Ok(created) => finish(created, parent, name).map(|()| Made::New),
                    Err(Errno::EXIST) => {
                        let aside = aside(name);
                        finish(create(parent, &aside)?, parent, &aside)?;
                        renameat(parent, &aside, parent, name)?;
                        Ok(Made::Replaced)
                    }
                    Err(error) => Err(error.into()),
                }
            }
        }
    }

    /// Writes a file with the bytes of `content`.
    pub fn file(&mut self, path: &Path, content: &mut dyn Read, attributes: &Attributes) -> Result<()> {
        self.fill(path, content, attributes, copy)
    }

    /// Like [`TreeWriter::file`]; blocks that contain only zeros become holes.
    pub fn sparse_file(
        &mut self,
        path: &Path,
        content: &mut dyn Read,
        attributes: &Attributes,
    ) -> Result<()> {
        self.fill(path, content, attributes, copy_sparsely)
    }

    fn fill(
        &mut self,
        path: &Path,
        content: &mut dyn Read,
        attributes: &Attributes,
        copy: impl Fn(&mut dyn Read, &mut File, &mut [u8]) -> Result<()>,
    ) -> Result<()> {
        let block = &mut self.block;
        Self::put(
            &mut self.parents,
            path,
            |parent, name| openat(parent, name, NEW_FILE, Mode::RUSR | Mode::WUSR).map(File::from),
            |mut file, _, _| {
                copy(content, &mut file, block)?;
                complete(&file, attributes)
            },
        )
        .map(drop)
    }

    /// Writes a symbolic link. For packages, an existing directory of that name is kept.
    pub fn link(&mut self, path: &Path, target: &Path, attributes: &Attributes) -> Result<Made> {
        if let Parents::Packages(parents) = &mut self.parents {
            let (parent, name) = parents.open(path)?;
            if kind_of(parent, name)? == Some(FileType::Directory) {
                return Ok(Made::Kept);
            }
        }
        Self::put(
            &mut self.parents,
            path,
            |parent, name| symlinkat(target, parent, name),
            |(), parent, name| complete_by_name(parent, name, attributes, false),
        )
    }

    /// Writes another name for the file at `first`.
    pub fn hard_link(&mut self, path: &Path, first: &Path) -> Result<()> {
        let (first_parent, first_name) = match &self.parents {
            Parents::Packages(parents) => parents.resolve(first)?,
            Parents::Archive(parents) => parents.open_exact(first)?,
        };
        let made = Self::put(
            &mut self.parents,
            path,
            |parent, name| linkat(&first_parent, first_name, parent, name, AtFlags::empty()),
            |(), _, _| Ok(()),
        )?;
        if let (Made::Replaced, Parents::Packages(parents)) = (made, &mut self.parents) {
            // If both names already referred to the same file, the rename has no effect.
            let (parent, name) = parents.open(path)?;
            match unlinkat(parent, aside(name), AtFlags::empty()) {
                Err(Errno::NOENT) | Ok(()) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Writes a named pipe.
    pub fn fifo(&mut self, path: &Path, attributes: &Attributes) -> Result<()> {
        Self::put(
            &mut self.parents,
            path,
            |parent, name| mknodat(parent, name, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0),
            |(), parent, name| complete_by_name(parent, name, attributes, true),
        )
        .map(drop)
    }

    /// Writes the marker file of a device node.
    pub fn device(&mut self, path: &Path, device: Device, attributes: &Attributes) -> Result<()> {
        Self::put(
            &mut self.parents,
            path,
            |parent, name| device.make(parent, name, 0o600),
            |file, _, _| complete(&file, attributes),
        )
        .map(drop)
    }

    /// Writes a directory. For packages, an existing directory, or a link to one, is kept; for an archive, an existing
    /// directory gets the attributes.
    pub fn directory(&mut self, path: &Path, attributes: &Attributes) -> Result<Made> {
        match &mut self.parents {
            Parents::Archive(parents) => parents.directory(path, attributes),
            Parents::Packages(parents) => {
                let (parent, name) = parents.open(path)?;
                match mkdirat(parent, name, Mode::RWXU) {
                    Ok(()) => {
                        set_owner_and_mode(parent, name, attributes)?;
                        if !attributes.extended.is_empty() {
                            set_extended(
                                &openat(parent, name, parents::DIRECTORY, Mode::empty())?,
                                attributes,
                            )?;
                        }
                        Ok(Made::New)
                    }
                    Err(Errno::EXIST) if parents.tree().metadata(path)?.is_dir() => Ok(Made::Kept),
                    Err(Errno::EXIST) => {
                        bail!("it is a directory, but the tree has a file of that name")
                    }
                    Err(error) => Err(error.into()),
                }
            }
        }
    }

    /// Returns the kind of the entry at `path`, of a link itself; `None` if it does not exist.
    pub fn kind(&mut self, path: &Path) -> Result<Option<FileType>> {
        let (parent, name) = self.parents.open(path)?;
        kind_of(parent, name)
    }

    /// Sets owner and mode of an existing directory.
    pub fn describe_directory(&mut self, path: &Path, attributes: &Attributes) -> Result<()> {
        let (parent, name) = self.parents.open(path)?;
        set_owner_and_mode(parent, name, attributes)
    }

    /// Sets the time of an existing directory into which nothing more will be written.
    pub fn date_directory(&mut self, path: &Path, seconds: i64) -> Result<()> {
        let (parent, name) = self.parents.open(path)?;
        Ok(utimensat(parent, name, &times(seconds), AtFlags::SYMLINK_NOFOLLOW)?)
    }

    /// Sets the times of the directories that are still open.
    pub fn close(self) -> Result<()> {
        match self.parents {
            Parents::Packages(_) => Ok(()),
            Parents::Archive(parents) => parents.close(),
        }
    }
}

impl Parents<'_> {
    /// Returns the open directory that contains `path`, and the last component.
    fn open<'p>(&mut self, path: &'p Path) -> Result<(BorrowedFd<'_>, &'p OsStr)> {
        match self {
            Self::Packages(parents) => parents.open(path),
            Self::Archive(parents) => parents.enter(path),
        }
    }
}

/// Returns times of access and modification in whole seconds.
pub fn times(seconds: i64) -> Timestamps {
    let time = Timespec { tv_sec: seconds, tv_nsec: 0 };
    Timestamps { last_access: time, last_modification: time }
}

/// Copies all bytes; the context of an error shows whether the input or the tree failed.
fn copy(content: &mut dyn Read, file: &mut File, block: &mut [u8]) -> Result<()> {
    loop {
        match content.read(block) {
            Ok(0) => return Ok(()),
            Ok(count) => file.write_all(&block[..count])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error).context("reading the content"),
        }
    }
}

/// Copies all bytes and leaves holes where a whole page contains only zeros.
fn copy_sparsely(content: &mut dyn Read, file: &mut File, block: &mut [u8]) -> Result<()> {
    let mut position = 0;
    loop {
        let mut count = 0;
        while count < block.len() {
            match content.read(&mut block[count..]) {
                Ok(0) => break,
                Ok(more) => count += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error).context("reading the content"),
            }
        }
        if count == 0 {
            return Ok(file.set_len(position)?);
        }
        for page in block[..count].chunks(PAGE) {
            if page.iter().any(|byte| *byte != 0) {
                file.write_all_at(page, position)?;
            }
            position += page.len() as u64;
        }
    }
}

/// Sets everything except the content of an open file.
fn complete(file: &impl AsFd, attributes: &Attributes) -> Result<()> {
    set_attributes(file, attributes)?;
    Ok(futimens(file, &attributes.times)?)
}

/// Sets the owner before the mode, because a change of owner clears mode bits, and attributes such as capabilities
/// last.
fn set_attributes(file: &impl AsFd, attributes: &Attributes) -> Result<()> {
    fchown(file, Some(Uid::from_raw(attributes.user)), Some(Gid::from_raw(attributes.group)))?;
    fchmod(file, Mode::from_raw_mode(attributes.mode))?;
    set_extended(file, attributes)
}

fn set_extended(file: &impl AsFd, attributes: &Attributes) -> Result<()> {
    for (name, value) in &attributes.extended {
        fsetxattr(file, name, value, XattrFlags::empty())
            .with_context(|| format!("setting the attribute {}", name.display()))?;
    }
    Ok(())
}

/// Sets the owner, the mode (if it has one) and the times of an entry that cannot be opened.
fn complete_by_name(
    parent: BorrowedFd<'_>,
    name: &OsStr,
    attributes: &Attributes,
    has_mode: bool,
) -> Result<()> {
    if has_mode {
        set_owner_and_mode(parent, name, attributes)?;
    } else {
        set_owner(parent, name, attributes)?;
    }
    Ok(utimensat(parent, name, &attributes.times, AtFlags::SYMLINK_NOFOLLOW)?)
}

fn set_owner_and_mode(parent: BorrowedFd<'_>, name: &OsStr, attributes: &Attributes) -> Result<()> {
    set_owner(parent, name, attributes)?;
    Ok(chmodat(parent, name, Mode::from_raw_mode(attributes.mode), AtFlags::empty())?)
}

fn set_owner(parent: BorrowedFd<'_>, name: &OsStr, attributes: &Attributes) -> Result<()> {
    let (user, group) = (Uid::from_raw(attributes.user), Gid::from_raw(attributes.group));
    Ok(chownat(parent, name, Some(user), Some(group), AtFlags::SYMLINK_NOFOLLOW)?)
}

/// Removes the entry with this name; a directory only if it is empty.
fn make_room(parent: BorrowedFd<'_>, name: &OsStr) -> Result<()> {
    match unlinkat(parent, name, AtFlags::empty()) {
        Err(Errno::ISDIR) => Ok(unlinkat(parent, name, AtFlags::REMOVEDIR)?),
        removed => Ok(removed?),
    }
}

/// Returns the kind of an entry; `None` if it does not exist.
fn kind_of(parent: BorrowedFd<'_>, name: &OsStr) -> Result<Option<FileType>> {
    match statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(FileType::from_raw_mode(stat.st_mode))),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Returns the temporary name of an entry that will replace another one.
fn aside(name: &OsStr) -> OsString {
    let mut aside = name.to_owned();
    aside.push(".kiwi-new");
    aside
}

#[cfg(test)]
mod tests;
