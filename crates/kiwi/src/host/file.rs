//! Output files and directories: the only location that changes what lies on a disk outside a root tree.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;
use rustix::fs::{FlockOperation, flock};

use super::{Host, namespace};

/// A directory of our own below `parent`, named `.kiwi.XXXXXX`: unfinished files live there, on the file system of the
/// final ones, so that publishing is a rename. Held by a lock: what a killed build left is removed by the next one.
#[derive(Debug)]
pub struct WorkDirectory {
    path: PathBuf,
    _lock: fs::File,
}

const PREFIX: &str = ".kiwi.";
/// The file in a directory of ours that its lock is on.
pub(super) const LOCK: &str = ".lock";

impl Host {
    /// Makes a work directory below `parent`, after removing those of builds that no longer run.
    pub fn work_directory(&self, parent: &Path) -> io::Result<WorkDirectory> {
        self.remove_abandoned(parent)?;
        let path = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?.keep();
        let lock = fs::File::create(path.join(LOCK))?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
        Ok(WorkDirectory { path, _lock: lock })
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

    /// A work directory among the temporary files (`TMPDIR`, else `/tmp`). In a container that is read-only throughout, the
    /// empty directory for them gets a tmpfs that only this build sees.
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
                "making a directory for temporary files in {}; TMPDIR names another location",
                parent.display()
            )
        })
    }

    /// A new directory with a name of its own among the temporary files.
    pub fn temporary_directory(&self, prefix: &str) -> io::Result<PathBuf> {
        Ok(tempfile::Builder::new().prefix(prefix).tempdir()?.keep())
    }

    /// A new empty file in `directory` that gets its name later, by `rename`.
    pub fn unfinished_file(&self, directory: &Path) -> io::Result<PathBuf> {
        let (_, path) = tempfile::Builder::new().prefix(PREFIX).tempfile_in(directory)?.keep()?;
        Ok(path)
    }

    /// Makes `path` and its parents.
    pub fn create_directories(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    /// Writes a file of ours.
    pub fn write_file(&self, path: &Path, contents: impl AsRef<[u8]>) -> io::Result<()> {
        fs::write(path, contents)
    }

    /// Lets everybody execute a file of ours.
    pub fn make_executable(&self, path: &Path) -> io::Result<()> {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))
    }

    /// Writes a file that must not exist yet.
    pub fn write_new_file(&self, path: &Path, contents: impl AsRef<[u8]>) -> io::Result<()> {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).open(path)?;
        io::Write::write_all(&mut file, contents.as_ref())
    }

    /// Gives a file of the user's new contents at once, its mode kept: whatever happens it is the old or the new one.
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

    /// Creates (or empties) a file of ours.
    pub fn create_file(&self, path: &Path) -> io::Result<fs::File> {
        fs::OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)
    }

    /// Opens a file of ours for reading and writing.
    pub fn open_file(&self, path: &Path) -> io::Result<fs::File> {
        fs::OpenOptions::new().read(true).write(true).open(path)
    }

    /// Makes a symbolic link with `target` as its text.
    pub fn link(&self, target: impl AsRef<Path>, path: &Path) -> io::Result<()> {
        std::os::unix::fs::symlink(target, path)
    }

    /// Gives a file its final name, replacing what had it.
    pub fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    /// Gives a directory its final name; an existing empty directory of that name is replaced.
    pub fn rename_directory(&self, from: &Path, to: &Path) -> io::Result<()> {
        match fs::remove_dir(to) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => fs::rename(from, to),
        }
    }

    /// Removes one file of ours.
    pub fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    /// Removes a directory of ours with all it holds, but never what is mounted in it.
    pub fn remove_tree(&self, path: &Path) -> io::Result<()> {
        remove_tree(path)
    }

    /// Copies a file's bytes, sharing them where the file system can.
    pub fn copy_file(&self, from: &Path, to: &Path) -> io::Result<u64> {
        let source = fs::File::open(from)?;
        let target = self.create_file(to)?;
        if rustix::fs::ioctl_ficlone(&target, &source).is_ok() {
            return Ok(source.metadata()?.len());
        }
        fs::copy(from, to)
    }

    /// Puts a tmpfs of at most `size` bytes at `directory`; only this build sees it.
    pub fn mount_memory(&self, directory: &Path, size: u64) -> io::Result<()> {
        namespace::mount_tmpfs(directory, size)
    }

    /// Shows `lower` with a writable layer (`upper`, with `work` beside it on one file system) at `merged`.
    pub fn mount_overlay(&self, lower: &Path, upper: &Path, work: &Path, merged: &Path) -> io::Result<()> {
        namespace::mount_overlay(lower, upper, work, merged)
    }

    /// Takes a mount of ours away.
    pub fn unmount(&self, directory: &Path) -> io::Result<()> {
        Ok(rustix::mount::unmount(directory, rustix::mount::UnmountFlags::DETACH)?)
    }
}

impl WorkDirectory {
    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it with all that is still in it.
    pub fn close(self) -> io::Result<()> {
        remove_tree(&self.path)
    }
}

impl Drop for WorkDirectory {
    fn drop(&mut self) {
        // The net for errors; a directory that stays is removed by the next build.
        let _ = remove_tree(&self.path);
    }
}

/// Whether this is the name of a file or directory of ours that has not got its own yet.
pub fn is_unfinished(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(PREFIX.as_bytes()))
}

/// A directory, no link to one, that no other user made: among temporary files are those of everybody.
fn belongs_to_us(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let owner = rustix::process::geteuid().as_raw();
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir() && metadata.uid() == owner)
}

/// Nobody holds the lock of this work directory (or it never got one).
fn is_abandoned(directory: &Path) -> bool {
    match fs::File::open(directory.join(LOCK)) {
        Ok(lock) => flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok(),
        // Just being made by somebody else, or left over from a kill at that very moment: a minute tells which.
        Err(_) => fs::metadata(directory)
            .and_then(|metadata| metadata.modified())
            .is_ok_and(|time| time.elapsed().is_ok_and(|age| age.as_secs() > 60)),
    }
}

pub(super) fn remove_tree(path: &Path) -> io::Result<()> {
    // A mount of this build below the directory would lose its content: take it away first.
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let mut points: Vec<PathBuf> = mounts
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .map(|point| PathBuf::from(point.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")))
        .filter(|point| point.starts_with(path))
        .collect();
    points.sort();
    for point in points.iter().rev() {
        rustix::mount::unmount(point, rustix::mount::UnmountFlags::DETACH)?;
    }
    // The lock goes last: by it the next build knows what a kill at this moment leaves.
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
