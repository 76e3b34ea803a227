//! A lock on the results with one name in a directory: two builds must not write the same files at once.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::leftovers::Leftovers;
use super::{Host, namespace};

/// The lock; its file `.kiwi.NAME.lock` contains the process id of the holder and is removed with the value.
#[derive(Debug)]
pub struct NameLock {
    path: PathBuf,
    _file: File,
    leftovers: Leftovers,
}

/// Why a lock was not obtained.
#[derive(Debug, thiserror::Error)]
pub enum NameLockError {
    /// Another process holds it.
    #[error("another kiwi{} is writing to {} (it holds {})", holder(*pid), directory(path), path.display())]
    Held {
        /// The lock file.
        path: PathBuf,
        /// The process, if the lock file names it.
        pid: Option<u32>,
    },
    /// Anything else.
    #[error("locking {}: {error}", path.display())]
    Io {
        /// The lock file.
        path: PathBuf,
        /// The cause.
        error: io::Error,
    },
}

fn holder(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
}

fn directory(path: &Path) -> String {
    path.parent().unwrap_or(path).display().to_string()
}

impl Host {
    /// Locks the results called `name` in `directory` without waiting.
    pub fn lock_name(&self, directory: &Path, name: &str) -> Result<NameLock, NameLockError> {
        let path = directory.join(format!(".kiwi.{name}.lock"));
        let failed = |error: io::Error| NameLockError::Io { path: path.clone(), error };
        loop {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false);
            options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
            let mut file = options.open(&path).map_err(failed)?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(Errno::WOULDBLOCK) => {
                    return Err(NameLockError::Held { pid: written_pid(&file), path });
                }
                Err(error) => return Err(failed(error.into())),
            }
            // The holder may have removed the file between opening and locking.
            let is_same = |named: fs::Metadata, open: &fs::Metadata| {
                (named.dev(), named.ino()) == (open.dev(), open.ino())
            };
            let open = file.metadata().map_err(failed)?;
            if !path.symlink_metadata().is_ok_and(|named| is_same(named, &open)) {
                continue;
            }
            self.leftovers.note(&path);
            file.set_len(0).and_then(|()| writeln!(file, "{}", namespace::outer_pid())).map_err(failed)?;
            return Ok(NameLock { path, _file: file, leftovers: self.leftovers.clone() });
        }
    }
}

fn written_pid(file: &File) -> Option<u32> {
    let mut text = String::new();
    file.take(20).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

impl Drop for NameLock {
    fn drop(&mut self) {
        // While the lock is held, so that no other process gets a lock on a removed file unnoticed.
        let _ = fs::remove_file(&self.path);
        self.leftovers.forget(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Output;

    #[test]
    fn one_process_at_a_time_has_a_name() {
        let directory = tempfile::tempdir().unwrap();
        let host = Host::new(Output::Quiet);
        let lock = host.lock_name(directory.path(), "image").unwrap();
        match host.lock_name(directory.path(), "image").unwrap_err() {
            NameLockError::Held { pid, .. } => assert_eq!(pid, Some(std::process::id())),
            NameLockError::Io { error, .. } => panic!("{error}"),
        }
        host.lock_name(directory.path(), "another").unwrap();
        drop(lock);
        assert!(directory.path().read_dir().unwrap().next().is_none(), "the lock file remains");
        // What a killed process left does not lock.
        fs::write(directory.path().join(".kiwi.image.lock"), "1\n").unwrap();
        host.lock_name(directory.path(), "image").unwrap();
    }

    #[test]
    fn a_link_in_place_of_the_lock_is_not_followed() {
        let directory = tempfile::tempdir().unwrap();
        let canary = directory.path().join("canary");
        fs::write(&canary, "whole").unwrap();
        std::os::unix::fs::symlink(&canary, directory.path().join(".kiwi.image.lock")).unwrap();
        let host = Host::new(Output::Quiet);
        assert!(matches!(host.lock_name(directory.path(), "image"), Err(NameLockError::Io { .. })));
        assert_eq!(fs::read_to_string(&canary).unwrap(), "whole");
    }
}
