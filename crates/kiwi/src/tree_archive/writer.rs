//! Puts entries into a tree below open directories, in the order of an archive: no path is looked up twice, and none leads
//! through a symbolic link.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path};

use anyhow::{Context, Result, bail};
use rustix::fs::{
    AtFlags, FileType, Gid, Mode, OFlags, Timespec, Timestamps, Uid, XattrFlags, chmodat, chownat, fchmod,
    fchown, fsetxattr, fstat, futimens, linkat, mkdirat, mknodat, openat, statat, symlinkat, unlinkat,
    utimensat,
};

use crate::host::device::Device;

/// What an entry has besides its content.
pub(super) struct Attributes {
    pub(super) mode: u32,
    pub(super) user: u32,
    pub(super) group: u32,
    pub(super) times: Timestamps,
    pub(super) extended: Vec<(OsString, Vec<u8>)>,
}

/// An open directory; it gets its times when nothing more is put into it.
struct Directory {
    name: OsString,
    handle: OwnedFd,
    times: Timestamps,
}

/// The directories from the root of the tree to the last entry's.
pub(super) struct TreeWriter {
    root: Directory,
    below: Vec<Directory>,
    buffer: Vec<u8>,
}

const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

impl TreeWriter {
    pub(super) fn new(root: &Path) -> Result<Self> {
        let handle = rustix::fs::open(root, DIRECTORY, Mode::empty())?;
        let times = times_of(&handle)?;
        Ok(Self {
            root: Directory { name: OsString::new(), handle, times },
            below: Vec::new(),
            buffer: vec![0; 128 << 10],
        })
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
    fn enter(&mut self, path: &Path) -> Result<()> {
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

    /// Enters the directory of `path` and takes away what has its name there, unless that is a directory to be kept.
    fn make_room(&mut self, path: &Path, keep_directory: bool) -> Result<OsString> {
        self.enter(path.parent().unwrap_or(Path::new("")))?;
        let Some(name) = path.file_name() else { bail!("the archive has an entry without a name") };
        let directory = &self.top().handle;
        if let Ok(stat) = statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory if keep_directory => {}
                FileType::Directory => unlinkat(directory, name, AtFlags::REMOVEDIR)?,
                _ => unlinkat(directory, name, AtFlags::empty())?,
            }
        }
        Ok(name.to_owned())
    }

    pub(super) fn directory(&mut self, path: &Path, attributes: &Attributes) -> Result<()> {
        if names(path)?.is_empty() {
            finish(&self.root.handle, attributes)?;
            self.root.times = attributes.times.clone();
            return Ok(());
        }
        let name = self.make_room(path, true)?;
        match mkdirat(&self.top().handle, &name, Mode::RWXU) {
            Ok(()) | Err(rustix::io::Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        self.enter(path)?;
        finish(&self.top().handle, attributes)?;
        if let Some(directory) = self.below.last_mut() {
            directory.times = attributes.times.clone();
        }
        Ok(())
    }

    pub(super) fn file(
        &mut self,
        path: &Path,
        content: &mut impl Read,
        attributes: &Attributes,
    ) -> Result<()> {
        let name = self.make_room(path, false)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file = File::from(openat(&self.top().handle, &name, flags, Mode::RUSR | Mode::WUSR)?);
        loop {
            match content.read(&mut self.buffer)? {
                0 => break,
                count => file.write_all(&self.buffer[..count])?,
            }
        }
        finish(&file, attributes)?;
        Ok(futimens(&file, &attributes.times)?)
    }

    pub(super) fn symlink(&mut self, path: &Path, target: &Path, attributes: &Attributes) -> Result<()> {
        let name = self.make_room(path, false)?;
        symlinkat(target, &self.top().handle, &name)?;
        self.finish_by_name(&name, attributes, false)
    }

    pub(super) fn fifo(&mut self, path: &Path, attributes: &Attributes) -> Result<()> {
        let name = self.make_room(path, false)?;
        mknodat(&self.top().handle, &name, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?;
        self.finish_by_name(&name, attributes, true)
    }

    pub(super) fn device(&mut self, path: &Path, device: Device, attributes: &Attributes) -> Result<()> {
        let name = self.make_room(path, false)?;
        let file = device.make(&self.top().handle, &name, 0o600)?;
        finish(&file, attributes)?;
        Ok(futimens(&file, &attributes.times)?)
    }

    /// Another name for what was put at `first` before.
    pub(super) fn link(&mut self, path: &Path, first: &Path) -> Result<()> {
        let name = self.make_room(path, false)?;
        // The directories on the way are real ones: the archive has made or passed them.
        names(first)?;
        Ok(linkat(&self.root.handle, first, &self.top().handle, &name, AtFlags::empty())?)
    }

    fn finish_by_name(&self, name: &OsStr, attributes: &Attributes, has_mode: bool) -> Result<()> {
        let directory = self.top().handle.as_fd();
        let (user, group) = (Uid::from_raw(attributes.user), Gid::from_raw(attributes.group));
        chownat(directory, name, Some(user), Some(group), AtFlags::SYMLINK_NOFOLLOW)?;
        if has_mode {
            chmodat(directory, name, Mode::from_raw_mode(attributes.mode), AtFlags::empty())?;
        }
        Ok(utimensat(directory, name, &attributes.times, AtFlags::SYMLINK_NOFOLLOW)?)
    }

    /// Gives the directories that are still open their times.
    pub(super) fn close(mut self) -> Result<()> {
        while !self.below.is_empty() {
            self.close_top()?;
        }
        Ok(futimens(&self.root.handle, &self.root.times)?)
    }
}

/// Owner before mode, which a change of owner would weaken; attributes such as capabilities last.
fn finish(file: &impl AsFd, attributes: &Attributes) -> Result<()> {
    fchown(file, Some(Uid::from_raw(attributes.user)), Some(Gid::from_raw(attributes.group)))?;
    fchmod(file, Mode::from_raw_mode(attributes.mode))?;
    for (name, value) in &attributes.extended {
        fsetxattr(file, name, value, XattrFlags::empty())
            .with_context(|| format!("setting the attribute {}", name.display()))?;
    }
    Ok(())
}

fn times_of(file: &impl AsFd) -> Result<Timestamps> {
    let stat = fstat(file)?;
    let time = Timespec { tv_sec: stat.st_mtime, tv_nsec: i64::try_from(stat.st_mtime_nsec)? };
    Ok(Timestamps { last_access: time, last_modification: time })
}

/// The names on a path, which must lead downwards only.
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
