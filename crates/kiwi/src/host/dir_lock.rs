//! Directories that several builds share: used under a shared lock, taken away under an exclusive one.

use std::fs;
use std::io;
use std::path::Path;

use rustix::fs::{FlockOperation, Timespec, Timestamps, UTIME_NOW, flock};

use super::Host;
use super::file::{LOCK, WorkDirectory, remove_tree};

/// The times of a file that was used just now.
const PRESENT: Timestamps = {
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    Timestamps { last_access: now, last_modification: now }
};

/// A directory that is in use: nobody takes it away as long as the value lives.
#[derive(Debug)]
pub struct Held {
    lock: fs::File,
}

impl Held {
    /// Whether nobody else holds the directory, who then has to wait until `share` is called; else it is shared as before.
    pub fn alone(&self) -> io::Result<bool> {
        match flock(&self.lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::WOULDBLOCK) => self.share().map(|()| false),
            Err(error) => Err(error.into()),
        }
    }

    /// Seconds since 1970 by the clock that gives the directory's files their times: that of the kernel or of a file server,
    /// which need not be the clock of this process.
    pub fn now(&self) -> io::Result<u64> {
        rustix::fs::futimens(&self.lock, &PRESENT)?;
        Ok(u64::try_from(rustix::fs::fstat(&self.lock)?.st_mtime).unwrap_or(0))
    }

    /// Lets others hold the directory again.
    pub fn share(&self) -> io::Result<()> {
        Ok(flock(&self.lock, FlockOperation::LockShared)?)
    }
}

impl Host {
    /// Holds a directory of ours, after those who are `alone` with it.
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

    /// Holds a directory that was published; none when it is not there, or somebody is just making or removing it.
    pub fn hold_directory(&self, directory: &Path) -> Option<Held> {
        let lock = fs::File::open(directory.join(LOCK)).ok()?;
        flock(&lock, FlockOperation::NonBlockingLockShared).ok()?;
        // Between opening and locking it may have been taken away.
        directory.join(LOCK).exists().then_some(Held { lock })
    }

    /// Takes a published directory away unless somebody holds it, by way of a name of its own in `aside`: a kill leaves
    /// either all of it or something that counts as abandoned. Nothing there is fine.
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

    /// Notes that a file of ours was used just now.
    pub fn touch(&self, path: &Path) -> io::Result<()> {
        Ok(rustix::fs::futimens(fs::File::open(path)?, &PRESENT)?)
    }

    /// Makes a directory that is closed to everybody else, and its parents.
    pub fn create_private_directory(&self, path: &Path) -> io::Result<()> {
        use std::os::unix::fs::DirBuilderExt;
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
    }
}

impl WorkDirectory {
    /// Gives the directory its final name, under which it is held by its lock file. False: another build was faster, its
    /// directory stays and this one goes.
    pub fn publish(self, location: &Path) -> io::Result<bool> {
        match fs::rename(self.path(), location) {
            Ok(()) => Ok(true),
            Err(error) if location.is_dir() && error.raw_os_error() == Some(libc::ENOTEMPTY) => {
                remove_tree(self.path()).map(|()| false)
            }
            Err(error) => Err(error),
        }
    }
}
