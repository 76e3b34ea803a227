//! The Linux file systems of a disk: the size of each, and the part of the tree that it contains.

use std::path::Path;

use anyhow::{Context, Result};
use bootconfig::{Content, Table};
use description::Disk;
use ondisk::{Bytes, Mebibytes};

use super::{BootImageFiles, ImageContext, TreeFacts, size};
use crate::bootloader::selected;
use crate::disk::DiskLayout;
use crate::failure::fail;
use crate::filesystem::{self, FilesystemJob, FilesystemPlan};
use crate::host::StageTask;
use crate::root_tree::{Measure, RootTree};

/// Default size of the partition for `/boot`; it is larger when its content needs more.
const BOOT: Mebibytes = Mebibytes(300);

/// One file system to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct VolumePlan {
    /// The number of the partition.
    number: u32,
    /// The mount point in the system; without one the file system is empty.
    path: Option<String>,
    content: FilesystemPlan,
}

/// Decides the size of every file system and of its partition. Children precede parents; the system is last.
pub(super) fn plan(
    table: &mut Table,
    disk: &Disk,
    facts: &TreeFacts,
    boot: &BootImageFiles,
    epoch: u64,
) -> Result<Vec<VolumePlan>> {
    let initrd = boot.initrd.metadata().with_context(|| format!("reading {}", boot.initrd.display()))?;
    let with_boot =
        table.containing(selected::directory(disk.bootloader.name)).map(|(partition, _)| partition.number);
    let mut volumes = Vec::new();
    for partition in &mut table.partitions {
        let Content::Filesystem(volume) = &partition.content else { continue };
        let path = volume.mount.as_ref().map(|mount| mount.path.clone());
        let is_system = path.as_deref() == Some("/");
        let mut measure = match &path {
            Some(_) if is_system => facts.measure,
            Some(path) => facts.parts.get(path).copied().unwrap_or_default(),
            None => Measure::default(),
        };
        if with_boot == Some(partition.number) {
            // The initrd and GRUB's menu.
            measure.bytes += initrd.len() + (1 << 20);
        }
        let filesystem = volume.kind;
        let needed = filesystem::needed_in_partition(filesystem, &measure);
        let least = needed.to_mebibytes_up();
        let mebibytes = match partition.size {
            _ if is_system => size::decide(needed, disk.size)?,
            Some(size) => size,
            None => least.max(BOOT),
        };
        if mebibytes < least {
            fail!(
                InvalidDescription,
                "the partition {}{} has {mebibytes} and its {} needs {least}; give it a size of at least {}",
                partition.name,
                path.as_ref().map(|path| format!(" for {path}")).unwrap_or_default(),
                filesystem.keyword(),
                least.0
            );
        }
        partition.size = Some(mebibytes);
        let content = FilesystemPlan {
            filesystem,
            size: Bytes::from(mebibytes),
            uuid: volume.uuid.clone().unwrap_or_default(),
            label: volume.label.clone(),
            options: if is_system { disk.create_options.clone() } else { Vec::new() },
            compression: None,
            entries: measure.entries,
            epoch,
        };
        volumes.push(VolumePlan { number: partition.number, path, content });
    }
    let depth = |volume: &VolumePlan| match volume.path.as_deref() {
        Some("/") => (true, 0),
        path => (false, usize::MAX - path.map_or(0, str::len)),
    };
    volumes.sort_by_key(depth);
    Ok(volumes)
}

/// Writes the file systems to their offsets in the disk file at `path`. The content of a mount point is removed from the
/// tree, which is a layer, after its file system is written, so that its parent does not contain it, too.
pub(super) fn create(
    volumes: &[VolumePlan],
    layout: &DiskLayout,
    path: &Path,
    context: ImageContext<'_>,
) -> Result<()> {
    let ImageContext { tree, workspace, host, helper } = context;
    let mut is_whole = true;
    for volume in volumes {
        let content = &volume.content;
        let (_, extent) = layout
            .partitions()
            .find(|(partition, _)| partition.number == volume.number)
            .context("a file system has no partition")?;
        let offset = extent.offset().0;
        let keyword = content.filesystem.keyword();
        let writing = match volume.path.as_deref() {
            Some("/") => format!("Writing the {keyword} file system"),
            Some(mount) => format!("Writing the {keyword} file system of {mount}"),
            None => format!("Writing the empty {keyword} file system"),
        };
        let stage = host.stage(StageTask::WriteFilesystem, writing);
        let job = |tree| FilesystemJob { plan: content, tree, workspace, host, helper, stage: &stage };
        match volume.path.as_deref() {
            Some("/") => {
                if !is_whole {
                    // The cached listing of the layer is no longer valid.
                    tree.measure()?;
                    tree.clamp_times(content.epoch)?;
                }
                job(tree).create_inside(path, offset)?;
            }
            Some(mount) => {
                let part = tree.subtree(mount)?;
                part.clamp_times(content.epoch)?;
                job(&part).create_inside(path, offset)?;
                drop(part);
                tree.empty_dir(mount)?;
                is_whole = false;
            }
            None => {
                let empty = workspace.scratch_file(&format!("volume-{}", volume.number));
                let empty = RootTree::create(host, &empty)?;
                empty.clamp_times(content.epoch)?;
                job(&empty).create_inside(path, offset)?;
            }
        }
        stage.finish();
    }
    Ok(())
}
