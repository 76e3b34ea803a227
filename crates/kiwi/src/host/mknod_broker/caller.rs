//! The caller: information in `/proc` about a thread, its memory, and its view of the file system.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, Stat, fstat, openat, statat};
use rustix::io::Errno;
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen};
use rustix::process::{Pid, PidfdFlags, chroot, fchdir, pidfd_open};

use super::super::for_sandboxes;

/// Maximum length of a path in the kernel, with its terminator.
const LONGEST_PATH: usize = 4096;
/// Size of the smallest memory page in bytes.
const PAGE: usize = 4096;

/// `/proc`, for information about callers.
pub(super) struct Processes {
    directory: OwnedFd,
    /// Its process numbers are those of this process's pid namespace.
    is_ours: bool,
    /// The user namespaces of this process and of programs of a tree.
    users: [(u64, u64); 2],
}

impl Processes {
    /// Mounts one for this pid namespace without a mount point; in a container with a masked `/proc`, uses that one.
    pub(super) fn find() -> Result<Self, Errno> {
        let new = || -> Result<OwnedFd, Errno> {
            let context = fsopen("proc", FsOpenFlags::FSOPEN_CLOEXEC)?;
            fsconfig_create(&context)?;
            fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())
        };
        let others = Self::of_others()?;
        Ok(match new() {
            Ok(directory) => Self { directory, is_ours: true, ..others },
            Err(_) => others,
        })
    }

    /// Opens the mounted one.
    fn of_others() -> Result<Self, Errno> {
        let directory = open_directory(CWD, "/proc")?;
        let own = users(&open_directory(&directory, "self")?)?;
        let of_trees = match for_sandboxes::known_users() {
            Some(users) => identity(&fstat(users)?),
            None => own,
        };
        Ok(Self { directory, is_ours: false, users: [own, of_trees] })
    }

    /// Whether the capabilities of a thread apply here: a thread that created a user namespace has all of them, there.
    pub(super) fn are_of_our_users(&self, caller: &Caller) -> Result<bool, Errno> {
        Ok(self.users.contains(&users(&caller.directory)?))
    }

    /// Returns the directory of a thread.
    fn open(&self, thread: u32) -> Result<OwnedFd, Errno> {
        if self.is_ours {
            return open_directory(&self.directory, &thread.to_string());
        }
        // A file of a process contains the numbers of the `/proc` it is read in.
        let pid = Pid::from_raw(thread.cast_signed()).ok_or(Errno::SRCH)?;
        let handle = pidfd_open(pid, PidfdFlags::empty())?;
        let text = read(&self.directory, &format!("self/fdinfo/{}", handle.as_raw_fd()))?;
        open_directory(&self.directory, field(&text, "Pid:").ok_or(Errno::SRCH)?)
    }
}

/// Returns the user namespace of a thread.
fn users(thread: &OwnedFd) -> Result<(u64, u64), Errno> {
    Ok(identity(&statat(thread, "ns/user", AtFlags::empty())?))
}

fn identity(stat: &Stat) -> (u64, u64) {
    (stat.st_dev, stat.st_ino)
}

/// A calling thread.
pub(super) struct Caller {
    pub(super) thread: u32,
    /// Its directory in `/proc`.
    directory: OwnedFd,
    memory: File,
}

/// The values that affect files it creates.
pub(super) struct Facts {
    pub(super) user: u32,
    pub(super) group: u32,
    pub(super) capabilities: u64,
    pub(super) umask: u32,
}

impl Caller {
    pub(super) fn open(thread: u32, processes: &Processes) -> Result<Self, Errno> {
        let directory = processes.open(thread)?;
        let memory = openat(&directory, "mem", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?.into();
        Ok(Self { thread, directory, memory })
    }

    /// Returns the string at an address of its memory.
    pub(super) fn text(&self, location: u64) -> Result<PathBuf, Errno> {
        let mut text = vec![0; LONGEST_PATH];
        let mut count = 0;
        // One page at a time, because the page behind the end of the string may not exist.
        while count < text.len() {
            let location = location.wrapping_add(count as u64);
            let end = text.len().min(count + PAGE - (location % PAGE as u64) as usize);
            let more = self.memory.read_at(&mut text[count..end], location).map_err(|_| Errno::FAULT)?;
            if let Some(end) = text[count..count + more].iter().position(|byte| *byte == 0) {
                text.truncate(count + end);
                return Ok(PathBuf::from(OsString::from_vec(text)));
            }
            if more == 0 {
                return Err(Errno::FAULT);
            }
            count += more;
        }
        Err(Errno::NAMETOOLONG)
    }

    /// Writes to its memory.
    pub(super) fn write(&self, location: u64, bytes: &[u8]) -> Result<(), Errno> {
        self.memory.write_all_at(bytes, location).map_err(|_| Errno::FAULT)
    }

    pub(super) fn facts(&self) -> Result<Facts, Errno> {
        let text = read(&self.directory, "status")?;
        // Real, effective, saved, and the one for files.
        let id = |name| field(&text, name)?.split_whitespace().nth(3)?.parse().ok();
        let facts = || {
            Some(Facts {
                user: id("Uid:")?,
                group: id("Gid:")?,
                capabilities: u64::from_str_radix(field(&text, "CapEff:")?, 16).ok()?,
                umask: u32::from_str_radix(field(&text, "Umask:")?, 8).ok()?,
            })
        };
        facts().ok_or(Errno::PERM)
    }

    /// Resolves paths from its root from now on.
    pub(super) fn enter_root(&self) -> Result<(), Errno> {
        fchdir(open_directory(&self.directory, "root")?)?;
        chroot(".")
    }

    /// Resolves paths from the directory that is open as `base` from now on; returns the path relative to it.
    pub(super) fn enter(&self, base: i32, path: PathBuf) -> Result<PathBuf, Errno> {
        let (base, path) = match own_file(&path) {
            // For this thread that would be a file of kiwi.
            Some((file, path)) => (file, path.to_owned()),
            None if path.is_absolute() => return Ok(path),
            None => (base, path),
        };
        let directory = match base {
            libc::AT_FDCWD => "cwd".to_owned(),
            base => format!("fd/{base}"),
        };
        fchdir(open_directory(&self.directory, &directory)?)?;
        Ok(path)
    }
}

/// Returns the number of an open file through which a path leads, and the rest of the path: the C library replaces calls
/// that the kernel does not have in this way.
fn own_file(path: &Path) -> Option<(i32, &Path)> {
    let mut parts = path.strip_prefix("/proc/self/fd").ok()?.components();
    let file = parts.next()?.as_os_str().to_str()?.parse().ok()?;
    Some((file, parts.as_path()))
}

fn open_directory(base: impl AsFd, path: &str) -> Result<OwnedFd, Errno> {
    openat(base, path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

fn read(base: impl AsFd, path: &str) -> Result<String, Errno> {
    let mut file = File::from(openat(base, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?);
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(|_| Errno::SRCH)?;
    Ok(text)
}

/// Returns the value of a line that begins with `name`.
fn field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_by_an_open_file_is_taken_from_there() {
        for (path, expected) in [
            ("/proc/self/fd/7/etc/tty", Some((7, "etc/tty"))),
            ("/proc/self/fd/7", Some((7, ""))),
            ("/proc/self/fd/x/etc", None),
            ("/proc/self/fdinfo/7", None),
            ("/proc/1/fd/7/etc", None),
        ] {
            let expected = expected.map(|(file, path)| (file, Path::new(path)));
            assert_eq!(own_file(Path::new(path)), expected, "{path}");
        }
    }

    #[test]
    fn a_thread_is_found_in_a_proc_of_another_pid_namespace_too() {
        let own = rustix::process::getpid().as_raw_nonzero().get().cast_unsigned();
        for processes in [Processes::find().unwrap(), Processes::of_others().unwrap()] {
            let text = read(processes.open(own).unwrap(), "status").unwrap();
            assert_eq!(field(&text, "Pid:"), Some(own.to_string().as_str()));
        }
    }
}
