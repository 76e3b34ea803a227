//! Directories that several builds share: used under a shared lock, removed under an exclusive one.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use rustix::fs::{FlockOperation, Timespec, Timestamps, UTIME_NOW, flock};

use super::Host;
use super::file::{LOCK, WorkDirectory};

/// The owner that the kernel reports for ids without a counterpart in the namespace.
const UNMAPPED: u32 = 65_534;

/// Current access and modification times.
const PRESENT: Timestamps = {
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    Timestamps { last_access: now, last_modification: now }
};

/// A directory in use: nobody removes it while the value lives.
#[derive(Debug)]
pub struct Held {
    lock: fs::File,
}

impl Held {
    /// Tries to lock the directory exclusively until `share` is called; returns false if somebody else uses it.
    pub fn alone(&self) -> io::Result<bool> {
        match flock(&self.lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::WOULDBLOCK) => self.share().map(|()| false),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the seconds since 1970 by the clock that sets the times of the directory's files: that of the kernel or of a
    /// file server, which may differ from the clock of this process.
    pub fn now(&self) -> io::Result<u64> {
        rustix::fs::futimens(&self.lock, &PRESENT)?;
        Ok(u64::try_from(rustix::fs::fstat(&self.lock)?.st_mtime).unwrap_or(0))
    }

    /// Allows shared use again.
    pub fn share(&self) -> io::Result<()> {
        Ok(flock(&self.lock, FlockOperation::LockShared)?)
    }
}

impl Host {
    /// Locks a directory of kiwi, after waiting for an exclusive user.
    pub fn share_directory(&self, directory: &Path) -> io::Result<Held> {
        let lock = fs::OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(directory.join(LOCK))?;
        flock(&lock, FlockOperation::LockShared)?;
        Ok(Held { lock })
    }

    /// Locks a published directory; none if it does not exist, or is just being created or removed.
    pub fn hold_directory(&self, directory: &Path) -> Option<Held> {
        let lock = fs::File::open(directory.join(LOCK)).ok()?;
        flock(&lock, FlockOperation::NonBlockingLockShared).ok()?;
        // It may have been removed between opening and locking.
        directory.join(LOCK).exists().then_some(Held { lock })
    }

    /// Removes a published directory unless somebody uses it, after renaming it to a unique name in `aside`: a kill leaves
    /// either all of it or something that counts as abandoned. A missing directory is fine.
    pub fn remove_directory_unless_held(&self, directory: &Path, aside: &Path) -> io::Result<bool> {
        let lock = match fs::File::open(directory.join(LOCK)) {
            Ok(lock) => Some(lock),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        if let Some(lock) = &lock
            && flock(lock, FlockOperation::NonBlockingLockExclusive).is_err()
        {
            return Ok(false);
        }
        if directory.symlink_metadata().is_err() {
            return Ok(true);
        }
        let work = self.work_directory(aside)?;
        fs::rename(directory, work.path().join("removed"))?;
        work.close()?;
        Ok(true)
    }

    /// Records the use of a file.
    pub fn touch(&self, path: &Path) -> io::Result<()> {
        Ok(rustix::fs::futimens(fs::File::open(path)?, &PRESENT)?)
    }

    /// Closes a directory of this user to everybody else.
    ///
    /// # Errors
    ///
    /// The directory, or the link at its path, belongs to somebody else, who could then choose what this program reads.
    pub fn close_own_directory(&self, path: &Path) -> io::Result<()> {
        let own = rustix::process::geteuid().as_raw();
        let directory = path.metadata()?;
        for owner in [path.symlink_metadata()?.uid(), directory.uid()] {
            if owner != own {
                let owner =
                    if owner == UNMAPPED { "another user".to_owned() } else { format!("user {owner}") };
                let why = format!("it belongs to {owner}, not to the user who runs kiwi");
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
            }
        }
        if directory.mode() & 0o077 != 0 {
            fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
        }
        Ok(())
    }

    /// Returns whether the first existing directory of a path and its parents belongs to this user, or to one who has no id
    /// in the namespace of this program, such as root for an ordinary user.
    pub fn is_own_or_unmapped(&self, path: &Path) -> bool {
        let own = rustix::process::geteuid().as_raw();
        let owner = path.ancestors().find_map(|path| path.symlink_metadata().ok()).map(|found| found.uid());
        owner.is_none_or(|owner| owner == own || owner == UNMAPPED)
    }

    /// Creates a directory that is closed to everybody else, and its parents.
    pub fn create_private_directory(&self, path: &Path) -> io::Result<()> {
        use std::os::unix::fs::DirBuilderExt;
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
    }
}

impl WorkDirectory {
    /// Gives the directory its final name, under which its lock file locks it. Returns false if another build was faster: its
    /// directory stays and this one is removed.
    pub fn publish(self, location: &Path) -> io::Result<bool> {
        match fs::rename(self.path(), location) {
            Ok(()) => Ok(true),
            Err(error) if location.is_dir() && error.raw_os_error() == Some(libc::ENOTEMPTY) => {
                self.close().map(|()| false)
            }
            Err(error) => Err(error),
        }
    }
}
