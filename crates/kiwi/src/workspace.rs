//! All paths below the destination directory and in the scratch space of a build; no other module joins such paths.
//!
//! ```text
//! DESTDIR/.kiwi.XXXXXX/out/      unfinished files, on the file system of the final ones
//! DESTDIR/.kiwi.XXXXXX/scratch/  trees and layers: in memory if there is enough, else on the disk
//! ```

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, bail};
use ondisk::Bytes;

use crate::host::Host;
use crate::host::file::WorkDirectory;
use crate::root_tree::RootTree;

/// With less free memory than this a build uses the disk.
const MEMORY_NEEDED: u64 = 4 << 30;

/// The paths of one build.
pub struct Workspace {
    destdir: PathBuf,
    out: PathBuf,
    scratch: PathBuf,
    layers: AtomicU32,
    earlier: OnceLock<PathBuf>,
    /// `None` for a workspace inside another one.
    directory: Option<WorkDirectory>,
}

impl Workspace {
    /// Creates the directories below `destdir`, after removing those of killed builds.
    pub fn open(destdir: &Path, host: &Host) -> Result<Self> {
        let directory = host
            .work_directory(destdir)
            .with_context(|| format!("creating a work directory in {}", destdir.display()))?;
        let scratch = directory.path().join("scratch");
        let workspace = Self {
            destdir: destdir.to_owned(),
            out: directory.path().join("out"),
            scratch,
            layers: AtomicU32::new(0),
            earlier: OnceLock::new(),
            directory: Some(directory),
        };
        workspace.make(host)?;
        let memory = host.available_memory();
        if memory >= MEMORY_NEEDED && host.variable("KIWI_SCRATCH").as_deref() != Some("disk") {
            host.mount_memory(&workspace.scratch, memory / 10 * 8)
                .context("mounting a memory file system for the build")?;
        }
        Ok(workspace)
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
        self.inside("boot", self.destdir.clone(), host)
    }

    /// Returns a workspace for one of several types, whose results go to a directory with its name.
    pub fn of_type(&self, keyword: &str, host: &Host) -> Result<Self> {
        let destdir = self.destdir.join(keyword);
        host.create_directories(&destdir).with_context(|| format!("creating {}", destdir.display()))?;
        if let Ok(target) = destdir.read_link() {
            bail!(
                "{} is a symbolic link to {}, which is not followed; remove it, or name its target with --destdir",
                destdir.display(),
                target.display()
            );
        }
        self.inside(keyword, destdir, host)
    }

    fn inside(&self, name: &str, destdir: PathBuf, host: &Host) -> Result<Self> {
        let workspace = Self {
            destdir,
            out: self.out.join(name),
            scratch: self.scratch.join(name),
            layers: AtomicU32::new(0),
            earlier: OnceLock::new(),
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
        &self.destdir
    }

    /// Returns the final path of an output.
    pub fn published(&self, name: &str) -> PathBuf {
        self.destdir.join(name)
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
