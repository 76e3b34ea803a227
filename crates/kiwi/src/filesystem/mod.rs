//! File systems, written from a tree into a file, without a mount or a loop device.

mod btrfs;
mod btrfs_identity;
mod btrfs_item;
mod erofs;
mod ext;
mod ext_times;
mod facts;
pub mod fat;
mod squashfs;
mod xfs;

use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use ondisk::Filesystem;

use crate::host::{Host, sparse};
use crate::root_tree::{Measure, RootTree};
use crate::workspace::Workspace;

pub use facts::{grub_module, programs, refuse};

/// A file system to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilesystemPlan {
    /// The kind.
    pub filesystem: Filesystem,
    /// Its size in bytes; a compressed one uses what it needs.
    pub size: u64,
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
pub fn needed(filesystem: Filesystem, measure: &Measure) -> u64 {
    match filesystem {
        Filesystem::Ext2 | Filesystem::Ext3 | Filesystem::Ext4 => ext::needed(filesystem, measure),
        Filesystem::Xfs => xfs::needed(measure),
        Filesystem::Btrfs => btrfs::needed(measure),
        Filesystem::Squashfs | Filesystem::Erofs | Filesystem::Cramfs | Filesystem::Reiserfs => measure.bytes,
    }
}

/// Returns the size that a tree needs on a partition, whose file system cannot become larger than planned.
pub fn needed_in_partition(filesystem: Filesystem, measure: &Measure) -> u64 {
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

/// Writes the tree as a file system to the new file `output`.
pub fn create(
    plan: &FilesystemPlan,
    tree: &RootTree,
    output: &Path,
    workspace: &Workspace,
    host: &Host,
) -> Result<()> {
    match plan.filesystem {
        Filesystem::Ext2 | Filesystem::Ext3 | Filesystem::Ext4 => {
            empty_file(plan, output, host)?;
            ext::create(plan, tree, output, 0, workspace, host)
        }
        Filesystem::Xfs => xfs::create(plan, tree, output, workspace, host),
        Filesystem::Btrfs => btrfs::create(plan, tree, output, workspace, host),
        Filesystem::Squashfs => squashfs::create(plan, tree, output, 0, host),
        Filesystem::Erofs => erofs::create(plan, tree, output, host),
        Filesystem::Reiserfs | Filesystem::Cramfs => refuse(plan.filesystem),
    }
}

/// Writes the tree as a file system to the existing disk file `disk` at byte `offset`: directly if its program can do
/// that, otherwise through a temporary file.
pub fn create_inside(
    plan: &FilesystemPlan,
    tree: &RootTree,
    disk: &Path,
    offset: u64,
    workspace: &Workspace,
    host: &Host,
) -> Result<()> {
    match plan.filesystem {
        Filesystem::Ext2 | Filesystem::Ext3 | Filesystem::Ext4 => {
            ext::create(plan, tree, disk, offset, workspace, host)
        }
        Filesystem::Xfs
        | Filesystem::Btrfs
        | Filesystem::Squashfs
        | Filesystem::Erofs
        | Filesystem::Reiserfs
        | Filesystem::Cramfs => {
            // Beside the disk, so that its blocks can be shared instead of copied where the file system allows it.
            let file = disk.with_extension("system");
            let target = host.open_file(disk).with_context(|| format!("opening {}", disk.display()))?;
            let size = create_apart(plan, tree, &file, (&target, offset), workspace, host)?;
            ensure!(size <= plan.size, "the file system has {size} bytes and its partition {}", plan.size);
            Ok(())
        }
    }
}

/// Writes the tree as a file system to the new file `output` behind a hole of `offset` bytes: directly if its program can
/// do that, otherwise through a temporary file.
pub fn create_behind(
    plan: &FilesystemPlan,
    tree: &RootTree,
    output: &Path,
    offset: u64,
    workspace: &Workspace,
    host: &Host,
) -> Result<()> {
    match plan.filesystem {
        Filesystem::Squashfs => squashfs::create(plan, tree, output, offset, host),
        Filesystem::Ext2
        | Filesystem::Ext3
        | Filesystem::Ext4
        | Filesystem::Xfs
        | Filesystem::Btrfs
        | Filesystem::Erofs
        | Filesystem::Reiserfs
        | Filesystem::Cramfs => {
            let creating = || format!("creating {}", output.display());
            let target = host.create_file(output).with_context(creating)?;
            let file = workspace.scratch_file("file-system");
            let size = create_apart(plan, tree, &file, (&target, offset), workspace, host)?;
            target.set_len(offset + size).with_context(creating)
        }
    }
}

/// Writes the file system to `file`, copies it to an offset of `target` and removes `file`; returns its size.
fn create_apart(
    plan: &FilesystemPlan,
    tree: &RootTree,
    file: &Path,
    (target, offset): (&File, u64),
    workspace: &Workspace,
    host: &Host,
) -> Result<u64> {
    create(plan, tree, file, workspace, host)?;
    let size = file.metadata().with_context(|| format!("reading {}", file.display()))?.len();
    sparse::copy(file, target, offset)?;
    host.remove_file(file).context("removing the temporary file of the file system")?;
    Ok(size)
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
fn empty_file(plan: &FilesystemPlan, output: &Path, host: &Host) -> Result<File> {
    let creating = || format!("creating {} with {} bytes", output.display(), plan.size);
    let file = host.create_file(output).with_context(creating)?;
    file.set_len(plan.size).with_context(creating)?;
    Ok(file)
}

/// Returns the directory that a mkfs program may write to.
fn directory_of(output: &Path) -> &Path {
    output.parent().unwrap_or(Path::new("/"))
}
