//! File systems, written from a tree into a file, without a mount or a loop device.

mod btrfs;
mod btrfs_identity;
mod btrfs_item;
mod cramfs;
mod erofs;
mod ext;
mod ext_times;
mod facts;
pub mod fat;
mod helper;
mod reiserfs;
mod squashfs;
pub mod xfs;

use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use ondisk::{Bytes, Filesystem};

use crate::host::{Host, RunningStage, sparse};
use crate::root_tree::{Measure, RootTree};
use crate::workspace::Workspace;

pub use facts::{grub_module, mounted_with, programs, refuse_to_start};
pub use helper::Helper;

/// The properties of a file system to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilesystemPlan {
    /// The kind.
    pub filesystem: Filesystem,
    /// Its size; a compressed one uses what it needs.
    pub size: Bytes,
    /// Its UUID.
    pub uuid: String,
    /// Its label.
    pub label: Option<String>,
    /// Options for its mkfs program, from the description.
    pub options: Vec<String>,
    /// Compressor of a squashfs, from the description.
    pub compression: Option<String>,
    /// Number of entries of the tree.
    pub entries: u64,
    /// Time of creation, seconds since 1970.
    pub epoch: u64,
}

/// Returns the size that a tree needs on a file system: its content and the overhead of the file system.
pub fn needed(filesystem: Filesystem, measure: &Measure) -> Bytes {
    match filesystem {
        Filesystem::Ext2 | Filesystem::Ext3 | Filesystem::Ext4 => ext::needed(filesystem, measure),
        Filesystem::Xfs => xfs::needed(measure),
        Filesystem::Btrfs => btrfs::needed(measure),
        Filesystem::Reiserfs => reiserfs::needed(measure),
        Filesystem::Squashfs | Filesystem::Erofs | Filesystem::Cramfs => Bytes(measure.bytes),
    }
}

/// Returns the size that a tree needs on a partition, whose file system cannot become larger than planned.
pub fn needed_in_partition(filesystem: Filesystem, measure: &Measure) -> Bytes {
    let needed = needed(filesystem, measure);
    match filesystem {
        Filesystem::Btrfs => needed.max(btrfs::least(measure)),
        Filesystem::Ext2
        | Filesystem::Ext3
        | Filesystem::Ext4
        | Filesystem::Xfs
        | Filesystem::Squashfs
        | Filesystem::Erofs
        | Filesystem::Cramfs
        | Filesystem::Reiserfs => needed,
    }
}

/// A file system to write.
#[derive(Clone, Copy)]
pub struct FilesystemJob<'a> {
    /// What it is.
    pub plan: &'a FilesystemPlan,
    /// Its content.
    pub tree: &'a RootTree,
    /// Where temporary files are.
    pub workspace: &'a Workspace,
    /// The host.
    pub host: &'a Host,
    /// The kernel that fills it, for those that no program fills.
    pub helper: Option<&'a Helper>,
    /// The stage that writes it.
    pub stage: &'a RunningStage<'a>,
}

impl FilesystemJob<'_> {
    /// Writes it to the new file `output`.
    pub fn create(self, output: &Path) -> Result<()> {
        match self.plan.filesystem {
            Filesystem::Ext2 | Filesystem::Ext3 | Filesystem::Ext4 => {
                empty_file(self, output)?;
                self.create_ext(output, 0)
            }
            Filesystem::Xfs => self.growing(output, || xfs::create(self, output)),
            Filesystem::Btrfs => self.growing(output, || btrfs::create(self, output)),
            Filesystem::Reiserfs => self.growing(output, || reiserfs::create(self, output)),
            Filesystem::Squashfs => squashfs::create(self, output, 0),
            Filesystem::Erofs => erofs::create(self, output),
            // mkfs.cramfs maps the files that it compresses: neither its reading nor the size of the result tells how far it is.
            Filesystem::Cramfs => self.stage.while_growing(output, 0, || cramfs::create(self, output)),
        }
    }

    fn create_ext(self, output: &Path, offset: u64) -> Result<()> {
        self.growing(output, || ext::create(self, output, offset))
    }

    /// Reports how much is written to `output` while `work` writes the tree without compression.
    fn growing(self, output: &Path, work: impl FnOnce() -> Result<()>) -> Result<()> {
        self.stage.while_growing(output, self.tree.last_measure()?.bytes, work)
    }

    /// Writes it to the existing disk file `disk` at byte `offset`: directly if its program can do that, otherwise through a
    /// temporary file.
    pub fn create_inside(self, disk: &Path, offset: u64) -> Result<()> {
        match self.plan.filesystem {
            Filesystem::Ext2 | Filesystem::Ext3 | Filesystem::Ext4 => self.create_ext(disk, offset),
            Filesystem::Xfs
            | Filesystem::Btrfs
            | Filesystem::Squashfs
            | Filesystem::Erofs
            | Filesystem::Reiserfs
            | Filesystem::Cramfs => {
                // Beside the disk, so that its blocks can be shared instead of copied where the file system allows it.
                let file = disk.with_extension("system");
                let target =
                    self.host.open_file(disk).with_context(|| format!("opening {}", disk.display()))?;
                let (size, most) = (self.create_apart(&file, (&target, offset))?, self.plan.size.0);
                ensure!(size <= most, "the file system has {size} bytes and its partition {most}");
                Ok(())
            }
        }
    }

    /// Writes it to the new file `output` behind a hole of `offset` bytes: directly if its program can do that, otherwise
    /// through a temporary file.
    pub fn create_behind(self, output: &Path, offset: u64) -> Result<()> {
        match self.plan.filesystem {
            Filesystem::Squashfs => squashfs::create(self, output, offset),
            Filesystem::Ext2
            | Filesystem::Ext3
            | Filesystem::Ext4
            | Filesystem::Xfs
            | Filesystem::Btrfs
            | Filesystem::Erofs
            | Filesystem::Reiserfs
            | Filesystem::Cramfs => {
                let creating = || format!("creating {}", output.display());
                let target = self.host.create_file(output).with_context(creating)?;
                let file = self.workspace.scratch_file("file-system");
                let size = self.create_apart(&file, (&target, offset))?;
                target.set_len(offset + size).with_context(creating)
            }
        }
    }

    /// Writes it to `file`, copies it to an offset of `target` and removes `file`; returns its size.
    fn create_apart(self, file: &Path, (target, offset): (&File, u64)) -> Result<u64> {
        self.create(file)?;
        let size = file.metadata().with_context(|| format!("reading {}", file.display()))?.len();
        sparse::copy(file, target, offset)?;
        self.host.remove_file(file).context("removing the temporary file of the file system")?;
        Ok(size)
    }
}

/// Returns the options that leave out these names at the top of the tree.
pub fn exclude_options(filesystem: Filesystem, names: &[String]) -> Result<Vec<String>> {
    match filesystem {
        Filesystem::Erofs => Ok(names.iter().map(|name| format!("--exclude-path={name}")).collect()),
        // mksquashfs requires the list as its last option.
        Filesystem::Squashfs => Ok(std::iter::once("-e".to_owned()).chain(names.iter().cloned()).collect()),
        Filesystem::Ext2
        | Filesystem::Ext3
        | Filesystem::Ext4
        | Filesystem::Reiserfs
        | Filesystem::Xfs
        | Filesystem::Btrfs
        | Filesystem::Cramfs => bail!("a part of a tree cannot be written as {}", filesystem.keyword()),
    }
}

/// Creates the file with its full size, as a single hole.
fn empty_file(job: FilesystemJob<'_>, output: &Path) -> Result<File> {
    let FilesystemJob { plan, host, .. } = job;
    let creating = || format!("creating {} with {} bytes", output.display(), plan.size.0);
    let file = host.create_file(output).with_context(creating)?;
    file.set_len(plan.size.0).with_context(creating)?;
    Ok(file)
}

/// Returns the directory that a mkfs program may write to.
fn directory_of(output: &Path) -> &Path {
    output.parent().unwrap_or(Path::new("/"))
}
