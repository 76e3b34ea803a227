//! The interface between the two halves of kiwi: a root tree with its `image/config.xml`.
//!
//! Every path is relative to the tree (a leading `/` is the root of the tree). It is resolved inside the tree: neither
//! `..` nor an absolute or hostile symbolic link leads outside. `prepare` creates a tree, all other operations open
//! one; a tree is locked as long as the value lives.

mod attributes;
mod links;
#[cfg(test)]
mod listing;
mod lower_dir;
mod walk;
mod writer;

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result, bail};
use pathrs::flags::OpenFlags;
use pathrs::{InodeType, Root};
use rustix::fs::{AtFlags, FlockOperation, flock};
use std::fs::Permissions;

use attributes::Special;
pub use attributes::{extended_attributes, warn_of_lost};
#[cfg(test)]
pub(crate) use listing::listing;
pub use lower_dir::LowerDir;
pub use writer::{Attributes, Made, TreeWriter, times};

use crate::failure::fail;
use crate::host::device::Device;
use crate::host::{Command, Host};

/// The directory of the description inside a tree.
pub const DESCRIPTION: &str = "image";

/// A locked root tree.
#[derive(Debug)]
pub struct RootTree {
    path: PathBuf,
    root: Root,
    layer: Option<Layer>,
    is_subtree: bool,
    _lock: File,
}

/// The writable layer of an overlay over an unchanged tree.
#[derive(Debug)]
struct Layer {
    lower: PathBuf,
    upper: PathBuf,
    seen: Mutex<Option<Seen>>,
}

/// The results of the last measurement of a layered tree.
#[derive(Debug)]
struct Seen {
    measure: Measure,
    /// The latest modification time.
    newest: walk::Time,
    special: Special,
}

impl Layer {
    fn seen(&self) -> MutexGuard<'_, Option<Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The size of a tree, for the size rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Measure {
    /// Size in bytes of all regular files, each counted once and rounded up to blocks of 4096.
    pub bytes: u64,
    /// The same without rounding: what a program reads that packs the tree.
    pub content: u64,
    /// Number of files, directories, links and other entries.
    pub entries: u64,
}

impl Measure {
    /// Returns the size without `part`.
    pub fn without(self, part: &Self) -> Self {
        Self {
            bytes: self.bytes.saturating_sub(part.bytes),
            content: self.content.saturating_sub(part.content),
            entries: self.entries.saturating_sub(part.entries),
        }
    }
}

impl RootTree {
    /// Creates a tree at `path`, which must be missing or an empty directory.
    pub fn create(host: &Host, path: &Path) -> Result<Self> {
        match path.read_dir() {
            Ok(mut entries) => {
                if entries.next().is_some() {
                    fail!(
                        Exists,
                        "the root directory {} is not empty; remove it or specify another one with --root",
                        path.display()
                    );
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => host
                .create_directories(path)
                .with_context(|| format!("creating the root directory {}", path.display()))?,
            Err(error) => {
                return Err(error).with_context(|| format!("opening the root directory {}", path.display()));
            }
        }
        Self::hold(path)
    }

    /// Opens a prepared tree.
    pub fn open(path: &Path) -> Result<Self> {
        let tree = Self::hold(path)?;
        if !["config.xml"].iter().any(|name| tree.exists(format!("{DESCRIPTION}/{name}"))) {
            fail!(
                Damaged,
                "{} is not a root tree made by kiwi: it has no image/config.xml; create one with 'kiwi prepare'",
                path.display()
            );
        }
        Ok(tree)
    }

    /// Opens the merged view of an overlay (see `Host::mount_overlay`) as a separate tree.
    pub fn merged(path: &Path) -> Result<Self> {
        Self::hold(path)
    }

    /// Opens a tree that is only read, and that others may use at the same time: the host's own.
    pub fn unlocked(path: &Path) -> Result<Self> {
        let opening = || format!("opening the root tree {}", path.display());
        let path = path.canonicalize().with_context(opening)?;
        let lock = File::open(&path).with_context(opening)?;
        let root = Root::open(&path).with_context(opening)?;
        Ok(Self { path, root, layer: None, is_subtree: false, _lock: lock })
    }

    /// Opens the merged view of `lower` with the writable layer `upper`, so that changes are found without a complete
    /// walk.
    pub fn layered(path: &Path, lower: &Path, upper: &Path) -> Result<Self> {
        let layer = Layer { lower: lower.to_owned(), upper: upper.to_owned(), seen: Mutex::default() };
        Ok(Self { layer: Some(layer), ..Self::hold(path)? })
    }

    fn hold(path: &Path) -> Result<Self> {
        let path =
            path.canonicalize().with_context(|| format!("opening the root tree {}", path.display()))?;
        let lock = File::open(&path).with_context(|| format!("opening the root tree {}", path.display()))?;
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            bail!("the root tree {} is in use by another kiwi", path.display());
        }
        let root = Root::open(&path).with_context(|| format!("opening the root tree {}", path.display()))?;
        Ok(Self { path, root, layer: None, is_subtree: false, _lock: lock })
    }

    /// Opens the directory `path` as a separate tree, for a file system that is mounted there.
    ///
    /// # Errors
    ///
    /// `path` or a parent of it is not a directory: behind a link, the file system would be mounted elsewhere.
    pub fn subtree(&self, path: &str) -> Result<Self> {
        let relative = path.trim_start_matches('/');
        let ends = relative.match_indices('/').map(|(end, _)| end).chain([relative.len()]);
        for parent in ends.map(|end| &relative[..end]) {
            let handle =
                self.root.resolve_nofollow(parent).with_context(|| format!("opening {path} in the tree"))?;
            let metadata = File::from(std::os::fd::OwnedFd::from(handle)).metadata()?;
            if !metadata.is_dir() {
                bail!(
                    "the mount point {path} requires the directory /{parent}, which is not a directory in the tree"
                );
            }
        }
        Ok(Self { is_subtree: true, ..Self::hold(&self.path.join(relative))? })
    }

    /// Returns whether it is part of another tree.
    pub fn is_subtree(&self) -> bool {
        self.is_subtree
    }

    /// Removes everything in the directory `path`.
    pub fn empty_dir(&self, path: &str) -> Result<()> {
        let path = Path::new(path);
        self.list(path)?.into_iter().try_for_each(|name| self.remove(path.join(name)))
    }

    /// Returns its path on the host.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the handle for operations that have no method here.
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// Returns a command that sees the tree as `/`, with `/` as its working directory.
    pub fn command<'h>(&self, host: &'h Host, program: &str) -> Command<'h> {
        host.command(program).in_root(&self.path)
    }

    /// Returns whether `path` exists; links are followed inside the tree.
    pub fn exists(&self, path: impl AsRef<Path>) -> bool {
        self.root.resolve(path).is_ok()
    }

    /// Returns whether `path` is an executable file.
    pub fn is_executable(&self, path: impl AsRef<Path>) -> bool {
        self.metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.mode() & 0o111 != 0)
    }

    /// Returns owner, mode and times of `path`; links are followed.
    pub fn metadata(&self, path: impl AsRef<Path>) -> Result<std::fs::Metadata> {
        let path = path.as_ref();
        let handle =
            self.root.resolve(path).with_context(|| format!("looking up {} in the tree", path.display()))?;
        Ok(File::from(std::os::fd::OwnedFd::from(handle)).metadata()?)
    }

    /// Opens a file for reading.
    pub fn open_file(&self, path: impl AsRef<Path>) -> Result<File> {
        let path = path.as_ref();
        self.root
            .open_subpath(path, OpenFlags::O_RDONLY)
            .with_context(|| format!("opening {} in the tree", path.display()))
    }

    /// Returns the content of a file.
    pub fn read(&self, path: impl AsRef<Path>) -> Result<Vec<u8>> {
        let path = path.as_ref();
        let mut bytes = Vec::new();
        self.open_file(path)?
            .read_to_end(&mut bytes)
            .with_context(|| format!("reading {} in the tree", path.display()))?;
        Ok(bytes)
    }

    /// Returns the text of a file; bytes that are not UTF-8 are replaced.
    pub fn read_text(&self, path: impl AsRef<Path>) -> Result<String> {
        Ok(String::from_utf8_lossy(&self.read(path)?).into_owned())
    }

    /// Writes a file with `mode` and creates its directories; an existing file is replaced, a link is followed inside
    /// the tree, also one whose target does not exist yet.
    pub fn write(&self, path: impl AsRef<Path>, contents: impl AsRef<[u8]>, mode: u32) -> Result<()> {
        self.write_with(path, mode, |file| Ok(file.write_all(contents.as_ref())?))
    }

    /// Like `write`; `fill` writes the content.
    pub fn write_with(
        &self,
        path: impl AsRef<Path>,
        mode: u32,
        fill: impl FnOnce(&mut File) -> Result<()>,
    ) -> Result<()> {
        let path = path.as_ref();
        let what = || format!("writing {} in the tree", path.display());
        self.create_parent(path)?;
        let flags = OpenFlags::O_WRONLY | OpenFlags::O_TRUNC;
        let mut file = match self.root.open_subpath(path, flags) {
            Ok(file) => file,
            Err(_) => {
                let target = self.target(path).with_context(what)?;
                self.create_parent(&target)?;
                self.root.create_file(&target, flags, &Permissions::from_mode(mode)).with_context(what)?
            }
        };
        fill(&mut file).with_context(what)?;
        file.set_permissions(Permissions::from_mode(mode)).with_context(what)
    }

    /// Appends to an existing file.
    pub fn append(&self, path: impl AsRef<Path>, contents: impl AsRef<[u8]>) -> Result<()> {
        let path = path.as_ref();
        let what = || format!("writing {} in the tree", path.display());
        let flags = OpenFlags::O_WRONLY | OpenFlags::O_APPEND;
        self.root
            .open_subpath(path, flags)
            .with_context(what)?
            .write_all(contents.as_ref())
            .with_context(what)
    }

    /// Creates a directory and its parents; an existing one keeps its mode.
    pub fn create_dir(&self, path: impl AsRef<Path>, mode: u32) -> Result<()> {
        let path = path.as_ref();
        self.root
            .mkdir_all(path, &Permissions::from_mode(mode))
            .with_context(|| format!("creating the directory {} in the tree", path.display()))?;
        Ok(())
    }

    fn create_parent(&self, path: &Path) -> Result<()> {
        match path.parent() {
            Some(parent) if parent.components().count() > 0 && !self.exists(parent) => {
                self.create_dir(parent, 0o755)
            }
            _ => Ok(()),
        }
    }

    /// Creates a symbolic link, replacing a file or link of that name; the target is stored unchanged.
    pub fn symlink(&self, path: impl AsRef<Path>, target: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        self.create_parent(path)?;
        if self.root.resolve_nofollow(path).is_ok() {
            self.remove(path)?;
        }
        self.root
            .create(path, &InodeType::Symlink(target.as_ref().to_owned()))
            .with_context(|| format!("creating the link {} in the tree", path.display()))
    }

    /// Creates the marker file of a device node, replacing a file or link of that name; returns the open file.
    pub fn make_device(&self, path: impl AsRef<Path>, device: Device, mode: u32) -> Result<File> {
        let path = path.as_ref();
        let what = || format!("creating the device node {} in the tree", path.display());
        self.create_parent(path)?;
        self.remove(path)?;
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let directory = self.root.resolve(parent).with_context(what)?;
        let name = path.file_name().context("it has no name").with_context(what)?;
        let file = device.make(directory.as_fd(), name, mode).with_context(what)?;
        file.set_permissions(Permissions::from_mode(mode)).with_context(what)?;
        Ok(file)
    }

    /// Removes a file, or a directory with its content; does nothing if it is missing. A link is removed, not followed.
    pub fn remove(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        if self.root.resolve_nofollow(path).is_err() {
            return Ok(());
        }
        self.root.remove_all(path).with_context(|| format!("removing {} in the tree", path.display()))
    }

    /// Removes everything in a directory, but not the directory itself.
    pub fn clear_dir(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        self.list(path)?.iter().try_for_each(|name| self.remove(path.join(name)))
    }

    /// Changes the mode of `path`.
    pub fn set_mode(&self, path: impl AsRef<Path>, mode: u32) -> Result<()> {
        let path = path.as_ref();
        let file = self.open_file(path)?;
        file.set_permissions(Permissions::from_mode(mode))
            .with_context(|| format!("changing the mode of {} in the tree", path.display()))
    }

    /// Changes the owner of `path`.
    pub fn set_owner(&self, path: impl AsRef<Path>, user: u32, group: u32) -> Result<()> {
        let path = path.as_ref();
        let handle =
            self.root.resolve(path).with_context(|| format!("looking up {} in the tree", path.display()))?;
        let (user, group) = (rustix::fs::Uid::from_raw(user), rustix::fs::Gid::from_raw(group));
        rustix::fs::chownat(handle.as_fd(), "", Some(user), Some(group), AtFlags::EMPTY_PATH)
            .with_context(|| format!("changing the owner of {} in the tree", path.display()))
    }

    /// Returns the names in a directory, sorted; none if it does not exist.
    pub fn list(&self, path: impl AsRef<Path>) -> Result<Vec<String>> {
        let path = path.as_ref();
        let Ok(directory) = self.root.open_subpath(path, OpenFlags::O_RDONLY | OpenFlags::O_DIRECTORY) else {
            return Ok(Vec::new());
        };
        let entries = rustix::fs::Dir::read_from(&directory)
            .with_context(|| format!("reading the directory {} in the tree", path.display()))?;
        let mut names = Vec::new();
        for entry in entries {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name != "." && name != ".." {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }
}
