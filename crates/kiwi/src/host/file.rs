//! Output files and directories: the only code that changes files outside a root tree.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::leftovers::Leftovers;
use super::{Host, mount_table, namespace};

/// A directory of kiwi below `parent`, named `.kiwi.XXXXXX`: unfinished files are there, on the file system of the final
/// ones, so that publishing is a rename. It is locked: the next build removes what a killed build left.
#[derive(Debug)]
pub struct WorkDirectory {
    path: PathBuf,
    _lock: fs::File,
    leftovers: Leftovers,
}

const PREFIX: &str = ".kiwi.";
/// The lock file in a work directory.
pub(super) const LOCK: &str = ".lock";

impl Host {
    /// Creates a work directory below `parent`, after removing those of builds that no longer run.
    pub fn work_directory(&self, parent: &Path) -> io::Result<WorkDirectory> {
        self.remove_abandoned(parent)?;
        loop {
            let path = {
                // Not between the creation of the directory and the note that it must be removed.
                let _whole = self.leftovers.whole();
                let path = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?.keep();
                self.leftovers.note(&path);
                path
            };
            let lock = match fs::File::create(path.join(LOCK)) {
                // Another build took the empty directory for one that a killed build left.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                lock => lock?,
            };
            match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) if path.join(LOCK).exists() => {
                    return Ok(WorkDirectory { path, _lock: lock, leftovers: self.leftovers.clone() });
                }
                // The same, between the creation of the lock file and now.
                Ok(()) | Err(Errno::WOULDBLOCK) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Removes the work directories below `parent` of builds that no longer run.
    pub fn remove_abandoned(&self, parent: &Path) -> io::Result<()> {
        for entry in fs::read_dir(parent)? {
            let path = entry?.path();
            if is_unfinished(&path) && belongs_to_us(&path) && is_abandoned(&path) {
                remove_tree(&path)?;
            }
        }
        Ok(())
    }

    /// Creates a work directory among the temporary files (`TMPDIR`, or `/tmp`). In a read-only container the empty temporary
    /// directory gets a tmpfs that only this build sees.
    pub fn temporary_work_directory(&self) -> anyhow::Result<WorkDirectory> {
        let parent = std::env::temp_dir();
        let made = match self.work_directory(&parent) {
            Err(error)
                if error.kind() == io::ErrorKind::ReadOnlyFilesystem
                    && fs::read_dir(&parent)?.next().is_none() =>
            {
                self.mount_memory(&parent, self.available_memory() / 2)?;
                self.work_directory(&parent)
            }
            made => made,
        };
        made.with_context(|| {
            format!(
                "creating a directory for temporary files in {}; TMPDIR specifies another location",
                parent.display()
            )
        })
    }

    /// Creates a directory with a unique name among the temporary files.
    pub fn temporary_directory(&self, prefix: &str) -> io::Result<PathBuf> {
        Ok(tempfile::Builder::new().prefix(prefix).tempdir()?.keep())
    }

    /// Creates an empty file in `directory` that gets its name later, by `rename`.
    pub fn unfinished_file(&self, directory: &Path) -> io::Result<PathBuf> {
        let _whole = self.leftovers.whole();
        let (_, path) = tempfile::Builder::new().prefix(PREFIX).tempfile_in(directory)?.keep()?;
        self.leftovers.note(&path);
        Ok(path)
    }

    /// Creates `path` and its parents.
    pub fn create_directories(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    /// Writes an output file.
    pub fn write_file(&self, path: &Path, contents: impl AsRef<[u8]>) -> io::Result<()> {
        fs::write(path, contents)
    }

    /// Writes an output file at a path of the user: a new file that replaces an existing one, or a link, when it is complete.
    pub fn write_output(&self, path: &Path, contents: impl AsRef<[u8]>) -> io::Result<()> {
        let directory =
            path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let unfinished = self.unfinished_file(directory)?;
        fs::write(&unfinished, contents)?;
        fs::set_permissions(&unfinished, fs::Permissions::from_mode(0o644))?;
        self.rename(&unfinished, path)
    }

    /// Makes an output file executable.
    pub fn make_executable(&self, path: &Path) -> io::Result<()> {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))
    }

    /// Sets the mode of an output file or directory.
    pub fn set_mode(&self, path: &Path, mode: fs::Permissions) -> io::Result<()> {
        fs::set_permissions(path, mode)
    }

    /// Writes a file that must not exist yet.
    pub fn write_new_file(&self, path: &Path, contents: impl AsRef<[u8]>) -> io::Result<()> {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).open(path)?;
        io::Write::write_all(&mut file, contents.as_ref())
    }

    /// Replaces the contents of a user's file atomically and keeps its mode.
    pub fn replace_file(&self, path: &Path, contents: impl AsRef<[u8]>) -> io::Result<()> {
        let path = path.canonicalize()?;
        let directory = path.parent().unwrap_or(Path::new("/"));
        let mut unfinished = tempfile::Builder::new().prefix(PREFIX).tempfile_in(directory)?;
        io::Write::write_all(&mut unfinished, contents.as_ref())?;
        unfinished.as_file().set_permissions(fs::metadata(&path)?.permissions())?;
        unfinished.as_file().sync_all()?;
        unfinished.persist(&path)?;
        Ok(())
    }

    /// Creates or truncates an output file.
    pub fn create_file(&self, path: &Path) -> io::Result<fs::File> {
        fs::OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)
    }

    /// Opens an output file for reading and writing.
    pub fn open_file(&self, path: &Path) -> io::Result<fs::File> {
        fs::OpenOptions::new().read(true).write(true).open(path)
    }

    /// Creates a symbolic link to `target`.
    pub fn link(&self, target: impl AsRef<Path>, path: &Path) -> io::Result<()> {
        std::os::unix::fs::symlink(target, path)
    }

    /// Gives a file its final name, replacing an existing file.
    pub fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)?;
        self.leftovers.forget(from);
        Ok(())
    }

    /// Gives a directory its final name; an existing empty directory of that name is replaced.
    pub fn rename_directory(&self, from: &Path, to: &Path) -> io::Result<()> {
        match fs::remove_dir(to) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => fs::rename(from, to),
        }
    }

    /// Removes one output file.
    pub fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    /// Removes an output directory with its contents, but nothing that is mounted in it.
    pub fn remove_tree(&self, path: &Path) -> io::Result<()> {
        remove_tree(path)
    }

    /// Copies a file, sharing blocks where the file system can.
    pub fn copy_file(&self, from: &Path, to: &Path) -> io::Result<u64> {
        let source = fs::File::open(from)?;
        let target = self.create_file(to)?;
        if rustix::fs::ioctl_ficlone(&target, &source).is_ok() {
            return Ok(source.metadata()?.len());
        }
        fs::copy(from, to)
    }

    /// Mounts a tmpfs of at most `size` bytes at `directory`; only this build sees it.
    pub fn mount_memory(&self, directory: &Path, size: u64) -> io::Result<()> {
        namespace::mount_tmpfs(directory, size)
    }

    /// Changes the maximum size of a tmpfs of this build.
    pub fn resize_memory(&self, directory: &Path, size: u64) -> io::Result<()> {
        namespace::resize_tmpfs(directory, size)
    }

    /// Mounts `lower` with a writable layer (`upper`, with `work` on the same file system) at `merged`.
    pub fn mount_overlay(&self, lower: &Path, upper: &Path, work: &Path, merged: &Path) -> io::Result<()> {
        namespace::mount_overlay(lower, upper, work, merged)
    }

    /// Unmounts it.
    pub fn unmount(&self, directory: &Path) -> io::Result<()> {
        Ok(rustix::mount::unmount(directory, rustix::mount::UnmountFlags::DETACH)?)
    }
}

impl WorkDirectory {
    /// Returns its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it with its contents.
    pub fn close(self) -> io::Result<()> {
        self.remove()
    }

    fn remove(&self) -> io::Result<()> {
        let _whole = self.leftovers.whole();
        remove_tree(&self.path)?;
        self.leftovers.forget(&self.path);
        Ok(())
    }
}

impl Drop for WorkDirectory {
    fn drop(&mut self) {
        // For errors; the next build removes a directory that stays.
        let _ = self.remove();
    }
}

/// Whether this is the name of an unfinished file or directory of kiwi.
pub fn is_unfinished(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(PREFIX.as_bytes()))
}

/// Whether it is a directory (not a link) of this user: temporary directories are shared by all users.
fn belongs_to_us(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let owner = rustix::process::geteuid().as_raw();
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir() && metadata.uid() == owner)
}

/// Whether nobody holds the lock of this work directory (or it never got one).
fn is_abandoned(directory: &Path) -> bool {
    match fs::File::open(directory.join(LOCK)) {
        Ok(lock) => flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok(),
        // A kill right after a directory was created, or before it is removed, leaves an empty one. A build that is just
        // creating it notices the removal.
        Err(_) if fs::remove_dir(directory).is_ok() => true,
        Err(_) => fs::metadata(directory)
            .and_then(|metadata| metadata.modified())
            .is_ok_and(|time| time.elapsed().is_ok_and(|age| age.as_secs() > 60)),
    }
}

pub(super) fn remove_tree(path: &Path) -> io::Result<()> {
    // A mount of this build below the directory would lose its contents: unmount it first.
    let mounts = mount_table::parse(&fs::read("/proc/self/mountinfo").unwrap_or_default());
    let points = mounts.into_iter().map(|mount| mount.path);
    let mut points: Vec<PathBuf> = points.filter(|point| point.starts_with(path)).collect();
    points.sort();
    for point in points.iter().rev() {
        rustix::mount::unmount(point, rustix::mount::UnmountFlags::DETACH)?;
    }
    // The lock is removed last: it tells the next build that a kill at this moment left the directory.
    let gone = |result: io::Result<()>| match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    };
    if path.join(LOCK).exists() {
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            match entry.file_type()?.is_dir() {
                true => gone(fs::remove_dir_all(entry.path()))?,
                false if entry.file_name() == LOCK => {}
                false => gone(fs::remove_file(entry.path()))?,
            }
        }
    }
    gone(fs::remove_dir_all(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Output;

    #[test]
    fn directories_of_killed_builds_are_removed_and_those_in_use_stay() {
        let parent = tempfile::tempdir().unwrap();
        let host = Host::new(Output::Quiet);
        let used = host.work_directory(parent.path()).unwrap();
        fs::create_dir(parent.path().join(".kiwi.empty")).unwrap();
        fs::create_dir(parent.path().join(".kiwi.killed")).unwrap();
        fs::write(parent.path().join(".kiwi.killed").join(LOCK), "").unwrap();
        fs::write(parent.path().join(".kiwi.killed/file"), "").unwrap();
        let other = host.work_directory(parent.path()).unwrap();
        let mut left: Vec<_> =
            fs::read_dir(parent.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        let mut expected = vec![used.path().to_owned(), other.path().to_owned()];
        left.sort();
        expected.sort();
        assert_eq!(left, expected);
    }
}
