//! Every path below the destination directory and the scratch space of a build; nothing else joins such paths.
//!
//! ```text
//! DESTDIR/.kiwi.XXXXXX/out/      unfinished files, on the file system of the final ones
//! DESTDIR/.kiwi.XXXXXX/scratch/  trees and layers: memory when there is enough, else the disk
//! ```

use std::cell::Cell;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::host::Host;
use crate::host::file::WorkFolder;
use crate::root_tree::RootTree;

/// Below this much free memory a build works on the disk.
const MEMORY_NEEDED: u64 = 4 << 30;

/// The places of one build.
pub struct Workspace {
    destdir: PathBuf,
    out: PathBuf,
    scratch: PathBuf,
    layers: Cell<u32>,
    /// None for the workspace of a boot image, which lies in that of its system.
    folder: Option<WorkFolder>,
}

impl Workspace {
    /// Makes the places below `destdir`, after removing what killed builds left there.
    pub fn open(destdir: &Path, host: &Host) -> Result<Self> {
        let folder = host
            .work_folder(destdir)
            .with_context(|| format!("creating a work folder in {}", destdir.display()))?;
        let scratch = folder.path().join("scratch");
        let workspace = Self {
            destdir: destdir.to_owned(),
            out: folder.path().join("out"),
            scratch,
            layers: Cell::new(0),
            folder: Some(folder),
        };
        workspace.make(host)?;
        let memory = host.available_memory();
        if memory >= MEMORY_NEEDED && host.variable("KIWI_SCRATCH").as_deref() != Some("disk") {
            host.mount_memory(&workspace.scratch, memory / 10 * 8)
                .context("making room in memory for the build")?;
        }
        Ok(workspace)
    }

    fn make(&self, host: &Host) -> Result<()> {
        for folder in [&self.out, &self.scratch] {
            host.create_folders(folder).with_context(|| format!("creating {}", folder.display()))?;
        }
        Ok(())
    }

    /// A workspace of its own for the boot image; its results are published with the system's.
    pub fn boot_image(&self, host: &Host) -> Result<Self> {
        let workspace = Self {
            destdir: self.destdir.clone(),
            out: self.out.join("boot"),
            scratch: self.scratch.join("boot"),
            layers: Cell::new(0),
            folder: None,
        };
        workspace.make(host)?;
        Ok(workspace)
    }

    /// Where the root tree of this build grows.
    pub fn root_tree(&self) -> PathBuf {
        self.scratch.join("root")
    }

    /// The tree under a new writable layer: what is changed there is gone with the workspace.
    pub fn layered(&self, tree: &RootTree, host: &Host) -> Result<RootTree> {
        let number = self.layers.replace(self.layers.get() + 1);
        let layer = self.scratch.join(format!("layer-{number}"));
        let [upper, work, merged] = ["upper", "work", "merged"].map(|name| layer.join(name));
        for folder in [&upper, &work, &merged] {
            host.create_folders(folder).with_context(|| format!("creating {}", folder.display()))?;
        }
        host.mount_overlay(tree.path(), &upper, &work, &merged)
            .with_context(|| format!("laying a writable layer over {}", tree.path().display()))?;
        RootTree::layered(&merged, &upper)
    }

    /// The boot image while it is made.
    pub fn initrd(&self) -> PathBuf {
        self.scratch.join("initrd")
    }

    /// A file that is only needed during the build.
    pub fn scratch_file(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }

    /// A file of up to `size` bytes that is read once more and then gone: in memory when that leaves room, else
    /// beside the outputs.
    pub fn passing_file(&self, name: &str, size: u64) -> PathBuf {
        let free = rustix::fs::statvfs(&self.scratch).map_or(0, |room| room.f_bavail * room.f_frsize);
        if free > size * 2 { self.scratch.join(name) } else { self.out.join(name) }
    }

    /// The folder of such files.
    pub fn scratch(&self) -> &Path {
        &self.scratch
    }

    /// An output before it has its final place.
    pub fn unfinished(&self, name: &str) -> PathBuf {
        self.out.join(name)
    }

    /// The folder of unfinished outputs.
    pub fn out(&self) -> &Path {
        &self.out
    }

    /// The destination directory.
    pub fn destdir(&self) -> &Path {
        &self.destdir
    }

    /// Where an output ends up.
    pub fn published(&self, name: &str) -> PathBuf {
        self.destdir.join(name)
    }

    /// Removes everything that was not published.
    pub fn close(self) -> Result<()> {
        match self.folder {
            Some(folder) => folder.close().context("removing the work folder"),
            None => Ok(()),
        }
    }
}
