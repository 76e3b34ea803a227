//! All paths below the destination directory and in the scratch space of a build; no other module joins such paths.
//!
//! ```text
//! DESTDIR/.kiwi.XXXXXX/out/      unfinished files, on the file system of the final ones
//! DESTDIR/.kiwi.XXXXXX/scratch/  trees and layers: in memory if there is enough, else on the disk
//! ```

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::{Context, Result, bail};
use ondisk::Bytes;

use crate::host::file::WorkDirectory;
use crate::host::{Destination, Host, Reservation};
use crate::root_tree::RootTree;

/// With less free memory than this a build uses the disk.
const MEMORY_NEEDED: u64 = 4 << 30;
/// Memory for everything beside the trees: indices of repositories, boot images, archives of parts.
const BESIDE: u64 = 1 << 30;
/// A tmpfs with less free space than this counts as full.
const FULL: u64 = 16 << 20;

/// Where the scratch files of a build are.
#[derive(Debug, Clone, Copy)]
pub enum Scratch<'a> {
    /// In memory if they fit; builds note in this directory how much they reserved.
    Memory(&'a Path),
    /// On the disk.
    Disk,
}

/// The paths of one build.
pub struct Workspace {
    destination: Destination,
    out: PathBuf,
    scratch: PathBuf,
    layers: AtomicU32,
    earlier: OnceLock<PathBuf>,
    /// The memory of the scratch files; `None` on the disk and for a workspace inside another one.
    memory: Mutex<Option<(u64, Reservation)>>,
    /// Where the results of several types are recorded together, and the name of the directory of this type there.
    collection: Option<(Destination, String)>,
    /// `None` for a workspace inside another one.
    directory: Option<WorkDirectory>,
}

impl Workspace {
    /// Creates the directories below `destdir`, after removing those of killed builds.
    pub fn open(destdir: &Path, scratch_in: Scratch<'_>, host: &Host) -> Result<Self> {
        let destination =
            host.destination(destdir).with_context(|| format!("opening {}", destdir.display()))?;
        let directory = host
            .work_directory(destdir)
            .with_context(|| format!("creating a work directory in {}", destdir.display()))?;
        let scratch = directory.path().join("scratch");
        let workspace = Self {
            destination,
            out: directory.path().join("out"),
            scratch,
            layers: AtomicU32::new(0),
            earlier: OnceLock::new(),
            memory: Mutex::new(None),
            collection: None,
            directory: Some(directory),
        };
        workspace.make(host)?;
        if let Scratch::Memory(reservations) = scratch_in
            && host.variable("KIWI_SCRATCH").as_deref() != Some("disk")
        {
            workspace.use_memory(reservations, host)?;
        }
        Ok(workspace)
    }

    /// Mounts a memory file system of half of the free memory, which [`Workspace::expect`] corrects.
    fn use_memory(&self, reservations: &Path, host: &Host) -> Result<()> {
        let half = |free: u64| match free {
            MEMORY_NEEDED.. => (free / 10 * 8).min((free / 2).max(MEMORY_NEEDED / 10 * 8)),
            _ => 0,
        };
        // Without a place for its note a build cannot share, and uses the disk.
        let Ok((size, Some(reservation))) = host.reserve_memory(reservations, half) else { return Ok(()) };
        host.mount_memory(&self.scratch, size).context("mounting a memory file system for the build")?;
        *self.memory() = Some((size, reservation));
        Ok(())
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, Option<(u64, Reservation)>> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether the scratch files are on the disk.
    pub fn is_on_disk(&self) -> bool {
        self.memory().is_none()
    }

    /// Adapts the memory of the scratch files to trees of this size in bytes, before they are made. Returns whether they
    /// fit; if not, the build needs a workspace on the disk.
    pub fn expect(&self, trees: u64, host: &Host) -> Result<bool> {
        let mut memory = self.memory();
        let Some((size, reservation)) = memory.as_mut() else { return Ok(true) };
        // Scripts write files, too.
        let needed = trees.saturating_add(trees / 2).saturating_add(BESIDE);
        // The files of the package manager are already there.
        let used = rustix::fs::statvfs(&self.scratch)
            .map_or(0, |room| (room.f_blocks - room.f_bfree) * room.f_frsize);
        if needed > *size && needed.saturating_sub(used) > host.available_memory() / 10 * 8 {
            return Ok(false);
        }
        let resizing = || format!("resizing the memory file system {}", self.scratch.display());
        host.resize_memory(&self.scratch, needed).with_context(resizing)?;
        reservation.set(needed).with_context(resizing)?;
        *size = needed;
        Ok(true)
    }

    /// Returns whether the scratch files are in memory and have filled it: a build that failed now, or even one whose
    /// scripts ignored an error, can succeed on the disk.
    pub fn memory_is_full(&self) -> bool {
        let memory = self.memory();
        let Some((size, _)) = memory.as_ref() else { return false };
        let free = rustix::fs::statvfs(&self.scratch).map_or(u64::MAX, |room| room.f_bavail * room.f_frsize);
        free < FULL.max(size / 64)
    }

    fn make(&self, host: &Host) -> Result<()> {
        for directory in [&self.out, &self.scratch] {
            host.create_directories(directory)
                .with_context(|| format!("creating {}", directory.display()))?;
        }
        Ok(())
    }

    /// Returns a workspace for the boot image, whose results are published with the system's.
    pub fn boot_image(&self, host: &Host) -> Result<Self> {
        let destination = self.destination.again().context("opening the destination again")?;
        self.inside("boot", destination, host)
    }

    /// Returns a workspace for one of several types, whose results go to a directory with its name. `part` distinguishes
    /// builds of one type.
    pub fn of_type(&self, keyword: &str, part: Option<&str>, host: &Host) -> Result<Self> {
        let path = self.destdir().join(keyword);
        if let Ok(target) = path.read_link() {
            bail!(
                "{} is a symbolic link to {}, which is not followed; remove it, or name its target with --destdir",
                path.display(),
                target.display()
            );
        }
        let destination =
            self.destination.inside(keyword).with_context(|| format!("creating {}", path.display()))?;
        let name = [keyword].into_iter().chain(part).collect::<Vec<_>>().join("-");
        let together = self.destination.again().context("opening the destination again")?;
        let inside = self.inside(&name, destination, host)?;
        Ok(Self { collection: Some((together, keyword.to_owned())), ..inside })
    }

    fn inside(&self, name: &str, destination: Destination, host: &Host) -> Result<Self> {
        let workspace = Self {
            destination,
            out: self.out.join(name),
            scratch: self.scratch.join(name),
            layers: AtomicU32::new(0),
            earlier: OnceLock::new(),
            memory: Mutex::new(None),
            collection: None,
            directory: None,
        };
        workspace.make(host)?;
        Ok(workspace)
    }

    /// Returns the path of this build's root tree.
    pub fn root_tree(&self) -> PathBuf {
        self.numbered_root_tree(0)
    }

    /// Returns the directory for several root trees.
    pub fn numbered_root_tree(&self, number: usize) -> PathBuf {
        self.scratch.join(if number == 0 { "root".to_owned() } else { format!("root-{number}") })
    }

    /// Puts a new writable layer over the tree; changes in it are lost with the workspace.
    pub fn layered(&self, tree: &RootTree, host: &Host) -> Result<RootTree> {
        let number = self.layers.fetch_add(1, Ordering::Relaxed);
        let layer = self.scratch.join(format!("layer-{number}"));
        let [upper, work, merged] = ["upper", "work", "merged"].map(|name| layer.join(name));
        for directory in [&upper, &work, &merged] {
            host.create_directories(directory)
                .with_context(|| format!("creating {}", directory.display()))?;
        }
        resemble(&upper, tree.path()).with_context(|| format!("preparing {}", upper.display()))?;
        host.mount_overlay(tree.path(), &upper, &work, &merged)
            .with_context(|| format!("mounting a writable layer over {}", tree.path().display()))?;
        RootTree::layered(&merged, tree.path(), &upper)
    }

    /// Returns the path of the boot image's tree.
    pub fn initrd(&self) -> PathBuf {
        self.scratch.join("initrd")
    }

    /// Returns the path of a file that is needed only during the build.
    pub fn scratch_file(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }

    /// Returns the path of a file of up to this size that is read once and then removed: in memory if that leaves room,
    /// else beside the outputs.
    pub fn passing_file(&self, name: &str, Bytes(size): Bytes) -> PathBuf {
        let free = rustix::fs::statvfs(&self.scratch).map_or(0, |room| room.f_bavail * room.f_frsize);
        if free / 2 > size { self.scratch.join(name) } else { self.out.join(name) }
    }

    /// Returns the directory of such files.
    pub fn scratch(&self) -> &Path {
        &self.scratch
    }

    /// Returns the path of an output before it is published.
    pub fn unfinished(&self, name: &str) -> PathBuf {
        self.out.join(name)
    }

    /// Records where an earlier build of this image has its files.
    pub fn set_previous_build(&self, directory: &Path) {
        // The first call wins.
        self.earlier.get_or_init(|| directory.to_owned());
    }

    /// Returns the file of this output from an earlier build, if known, read-only.
    pub fn earlier(&self, name: &str) -> Option<PathBuf> {
        self.earlier.get().map(|directory| directory.join(name)).filter(|path| path.is_file())
    }

    /// Returns the directory of unfinished outputs.
    pub fn out(&self) -> &Path {
        &self.out
    }

    /// Returns the destination directory.
    pub fn destdir(&self) -> &Path {
        self.destination.path()
    }

    /// Gives an output its final name, replacing an existing file; returns its path.
    pub fn publish(&self, unfinished: &Path, name: &str, host: &Host) -> std::io::Result<PathBuf> {
        host.publish(unfinished, name, &self.destination)
    }

    /// Returns the directory in which the results of several types are recorded together, and the name of this type's
    /// directory in it.
    pub fn collection(&self) -> Option<(&Path, &str)> {
        self.collection.as_ref().map(|(destination, name)| (destination.path(), name.as_str()))
    }

    /// Like [`Self::publish`], in the directory of [`Self::collection`].
    pub fn publish_together(&self, unfinished: &Path, name: &str, host: &Host) -> std::io::Result<()> {
        match &self.collection {
            Some((destination, _)) => host.publish(unfinished, name, destination).map(drop),
            None => Ok(()),
        }
    }

    /// Removes everything that was not published.
    pub fn close(self) -> Result<()> {
        match self.directory {
            Some(directory) => directory.close().context("removing the work directory"),
            None => Ok(()),
        }
    }
}
/// Copies mode, owner and times of the tree to the top directory of a layer above it, which hides those of the tree.
fn resemble(upper: &Path, lower: &Path) -> std::io::Result<()> {
    let (directory, model) = (std::fs::File::open(upper)?, lower.metadata()?);
    directory.set_permissions(model.permissions())?;
    std::os::unix::fs::fchown(&directory, Some(model.uid()), Some(model.gid()))?;
    directory
        .set_times(std::fs::FileTimes::new().set_accessed(model.accessed()?).set_modified(model.modified()?))
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "the test makes directories of its own")]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_top_of_a_layer_has_the_attributes_of_its_tree() {
        let directory = tempfile::tempdir().unwrap();
        let [upper, lower] = ["upper", "lower"].map(|name| directory.path().join(name));
        for path in [&upper, &lower] {
            std::fs::create_dir(path).unwrap();
        }
        std::fs::set_permissions(&lower, std::fs::Permissions::from_mode(0o711)).unwrap();
        let past = std::time::UNIX_EPOCH + std::time::Duration::new(1_000_000_000, 7);
        std::fs::File::open(&lower).unwrap().set_times(std::fs::FileTimes::new().set_modified(past)).unwrap();
        resemble(&upper, &lower).unwrap();
        let facts = |path: &Path| {
            let top = path.metadata().unwrap();
            (top.mode(), top.uid(), top.gid(), top.mtime(), top.mtime_nsec())
        };
        assert_eq!(facts(&upper), facts(&lower));
    }
}
