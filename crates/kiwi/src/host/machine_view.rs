//! The file systems of the machine for a kiwi that root starts and that is not root of the machine.
//!
//! ```text
//! on the disk      0 .. 65535, others
//!                  |           |         mounts with the mapping of kiwi's user namespace (MOUNT_ATTR_IDMAP)
//! of the machine   a range     the same
//!                  |           |         the user namespace
//! in kiwi          0 .. 65535, others
//! ```
//!
//! uid 0 in kiwi's user namespace is an id of the machine that nobody has (`foreign_ids`). So that kiwi can use root's files
//! nevertheless, every file system is mounted once more with the same mapping: a file that belongs to root on the disk belongs to
//! uid 0 here, and what uid 0 writes here belongs to root on the disk. Only root of the machine can make such mounts, before it
//! enters the user namespace.
//!
//! The kernel's own file systems (`/proc`, `/sys`, `/dev`) cannot be mapped, nor can network file systems and some others. They
//! stay as they are: kiwi can use there what everybody can use. If the user names a path there, kiwi remains root of the machine.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, FileType};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, StatxFlags, statx};
use rustix::io::Errno;
use rustix::mount::{MoveMountFlags, OpenTreeFlags, move_mount, open_tree};
use rustix::process::{chdir, fchdir};

use super::namespace_error::NamespaceError;
use super::{for_sandboxes, mount_table, sandbox};

/// The first Linux that mounts an overlay over mapped mounts.
const MAPS_LAYERS: (u32, u32) = (5, 19);
/// Directories in which kiwi and the programs that it runs read and write without being told to.
const USED: [&str; 5] = ["/", "/etc", "/tmp", "/usr", "/var/tmp"];
/// Variables that contain a directory or a file.
const VARIABLES: [&str; 7] =
    ["HOME", "KIWI_CACHE", "KIWI_CONFIG", "KIWI_SHARE", "TMPDIR", "XDG_CACHE_HOME", "XDG_DATA_HOME"];

/// Why kiwi remains root of the machine.
#[derive(Debug)]
pub(super) enum Obstacle {
    /// The kernel is too old.
    Kernel,
    /// This user namespace has too few ids.
    Ids,
    /// A file system that is needed cannot be mapped.
    FileSystem { path: PathBuf, filesystem: String },
    /// Only some users may use a device that is needed.
    Device(String),
    /// There is no user namespace for it.
    Users(NamespaceError),
    /// Anything else.
    Io(io::Error),
}

impl fmt::Display for Obstacle {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kernel => write!(to, "Linux is older than {}.{}", MAPS_LAYERS.0, MAPS_LAYERS.1),
            Self::Ids => write!(to, "there are no unused ids here"),
            Self::FileSystem { path, filesystem } => {
                write!(to, "the owners of {} ({filesystem}) cannot be mapped", path.display())
            }
            Self::Device(path) => write!(to, "not everybody may use {path}"),
            Self::Users(error) => write!(to, "{error}"),
            Self::Io(error) => write!(to, "the owners of files cannot be mapped: {error}"),
        }
    }
}

impl From<NamespaceError> for Obstacle {
    fn from(error: NamespaceError) -> Self {
        Self::Users(error)
    }
}

impl From<io::Error> for Obstacle {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Errno> for Obstacle {
    fn from(error: Errno) -> Self {
        Self::Io(error.into())
    }
}

/// The mounts, which nobody sees yet.
pub(super) struct MachineView {
    /// With their paths; that of the root is the first.
    mounts: Vec<(PathBuf, OwnedFd)>,
    /// The working directory.
    directory: PathBuf,
}

impl MachineView {
    /// Makes the mounts with the mapping of a user namespace. Must be called by root. `devices` are those that kiwi opens.
    pub(super) fn make(users: BorrowedFd<'_>, devices: &[&str]) -> Result<Self, Obstacle> {
        if !for_sandboxes::is_linux_since(MAPS_LAYERS) {
            return Err(Obstacle::Kernel);
        }
        if let Some(device) = devices.iter().find(|device| is_for_some_users(Path::new(device))) {
            return Err(Obstacle::Device((*device).to_owned()));
        }
        let (mut mounts, mut unmapped) = (Vec::new(), HashMap::new());
        for mount in seen(mount_table::parse(&fs::read("/proc/self/mountinfo")?)) {
            let flags = OpenTreeFlags::OPEN_TREE_CLONE
                | OpenTreeFlags::OPEN_TREE_CLOEXEC
                | OpenTreeFlags::AT_NO_AUTOMOUNT;
            let copy = open_tree(CWD, &mount.path, flags)?;
            if sandbox::map_mount(copy.as_fd(), users).is_err() {
                unmapped.insert(mount.id, mount.clone());
            }
            sandbox::make_private(copy.as_fd())?;
            mounts.push((mount.path, copy));
        }
        let directory = std::env::current_dir()?;
        for path in used_paths(&directory) {
            if let Some(mount) = unmapped.get(&mount_of(&path, AtFlags::empty())?) {
                let (path, filesystem) = (mount.path.clone(), mount.filesystem.clone());
                return Err(Obstacle::FileSystem { path, filesystem });
            }
        }
        Ok(Self { mounts, directory })
    }

    /// Makes the mounts the view of this process.
    pub(super) fn enter(self) -> io::Result<()> {
        sandbox::unshare(libc::CLONE_NEWNS)?;
        sandbox::mount(None, c"/", None, libc::MS_REC | libc::MS_PRIVATE, None)?;
        let mut mounts = self.mounts.into_iter();
        let (_, root) = mounts.next().ok_or(io::ErrorKind::NotFound)?;
        let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
        move_mount(&root, "", CWD, "/", flags)?;
        for (path, mount) in mounts {
            move_mount(&mount, "", &root, path.strip_prefix("/").unwrap_or(&path), flags)?;
        }
        fchdir(&root)?;
        sandbox::change_root(c".")?;
        Ok(chdir(&self.directory)?)
    }
}

/// Returns whether a device exists that not everybody may read and write.
fn is_for_some_users(device: &Path) -> bool {
    fs::metadata(device).is_ok_and(|facts| facts.mode() & 0o006 != 0o006)
}

/// Returns the mounts that paths lead to, each behind the one that it is mounted on.
fn seen(mut mounts: Vec<mount_table::Mount>) -> Vec<mount_table::Mount> {
    mounts.retain(|mount| match mount_of(&mount.path, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(id) => id == mount.id,
        // A file system may hide itself from root.
        Err(error) => !matches!(error, Errno::NOENT | Errno::NOTDIR),
    });
    mounts.sort_by(|one, other| one.path.cmp(&other.path));
    mounts
}

/// Returns the number of the mount on which a file is.
fn mount_of(path: &Path, flags: AtFlags) -> Result<u64, Errno> {
    let flags = flags | AtFlags::NO_AUTOMOUNT | AtFlags::STATX_DONT_SYNC;
    Ok(statx(CWD, path, flags, StatxFlags::MNT_ID)?.stx_mnt_id)
}

/// Returns the files and directories that kiwi needs as root, as far as they are known now.
fn used_paths(directory: &Path) -> Vec<PathBuf> {
    // What follows is a command for a tree.
    let arguments: Vec<_> = std::env::args_os().skip(1).take_while(|argument| argument != "--").collect();
    let named = arguments.iter().flat_map(|argument| paths_in(argument));
    let variables = VARIABLES.iter().filter_map(std::env::var_os).map(PathBuf::from);
    let used = USED.iter().map(PathBuf::from).chain(std::env::current_exe()).chain([directory.to_owned()]);
    used.chain(variables).chain(named).filter_map(|path| existing(&path)).collect()
}

/// Returns what an argument may name: itself, its value, the path in a URL.
fn paths_in(argument: &OsStr) -> Vec<PathBuf> {
    let bytes = argument.as_bytes();
    let behind = |separator: u8, skipped| {
        let location = bytes.iter().position(|byte| *byte == separator)?;
        Some(&bytes[location + skipped..])
    };
    let found = [Some(bytes), behind(b'=', 1), behind(b'/', 0)];
    found.into_iter().flatten().map(|path| PathBuf::from(OsStr::from_bytes(path))).collect()
}

/// Returns the file of this path, or the directory in which it can be created. A terminal or a pipe is a
/// log, which was opened before.
fn existing(path: &Path) -> Option<PathBuf> {
    let is_stream = |kind: FileType| kind.is_char_device() || kind.is_fifo() || kind.is_socket();
    if fs::metadata(path).is_ok_and(|facts| is_stream(facts.file_type())) {
        return None;
    }
    path.ancestors().find_map(|path| path.canonicalize().ok())
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;

    use super::*;

    #[test]
    fn paths_of_arguments_are_found() {
        for (argument, expected) in [
            ("--root", &["--root"][..]),
            ("--root=tree", &["--root=tree", "tree"]),
            ("--root=/a/b", &["--root=/a/b", "/a/b", "/a/b"]),
            ("dir:///srv/a=b", &["dir:///srv/a=b", "b", "///srv/a=b"]),
        ] {
            let expected: Vec<_> = expected.iter().map(PathBuf::from).collect();
            assert_eq!(paths_in(OsStr::new(argument)), expected, "{argument}");
        }
    }

    #[test]
    fn a_new_file_is_on_the_mount_of_its_directory() {
        let directory = tempfile::tempdir().unwrap();
        let real = directory.path().canonicalize().unwrap();
        assert_eq!(existing(&directory.path().join("new/tree")), Some(real));
        let (_reader, pipe) = io::pipe().unwrap();
        let pipe = format!("/proc/self/fd/{}", pipe.as_raw_fd());
        assert_eq!((existing(Path::new("/dev/null")), existing(Path::new(&pipe))), (None, None));
        assert_eq!(existing(Path::new("--root")), None);
    }

    #[test]
    fn a_device_for_some_users_is_found() {
        assert!(!is_for_some_users(Path::new("/dev/null")) && !is_for_some_users(Path::new("/dev/missing")));
        assert!(is_for_some_users(tempfile::NamedTempFile::new().unwrap().path()));
    }

    #[test]
    fn the_root_is_seen_first() {
        let mounts = seen(mount_table::parse(&fs::read("/proc/self/mountinfo").unwrap()));
        assert_eq!(mounts[0].path, Path::new("/"));
        let proc = mounts.iter().find(|mount| mount.path == Path::new("/proc")).unwrap();
        assert_eq!(mount_of(Path::new("/proc/self/status"), AtFlags::empty()).unwrap(), proc.id);
    }
}
