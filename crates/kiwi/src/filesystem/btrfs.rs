//! Btrfs by `mkfs.btrfs --rootdir`, from a copy of the tree in memory.
//!
//! mkfs.btrfs takes the order of entries and the numbers of inodes from the file system the tree lies on, where they come
//! by chance. On one made for it alone, filled in the order of names, they are the same in every build. What else
//! differs is settled afterwards (`btrfs_identity`).

use std::path::Path;

use anyhow::{Context, Result};

use super::{FilesystemPlan, btrfs_identity, empty_file, folder_of};
use crate::host::Host;
use crate::root_tree::{Measure, RootTree};
use crate::tree_archive;
use crate::workspace::Workspace;

/// The smallest Btrfs that can be made with room to work in.
const SMALLEST: u64 = 256 << 20;

/// Content, doubled metadata and the chunks Btrfs hands out.
pub(super) fn needed(measure: &Measure) -> u64 {
    (measure.bytes + measure.bytes / 10 + measure.entries * 4096 + (64 << 20)).max(SMALLEST)
}

pub(super) fn create(
    plan: &FilesystemPlan,
    tree: &RootTree,
    output: &Path,
    workspace: &Workspace,
    host: &Host,
) -> Result<()> {
    let file = empty_file(plan, output, host)?;
    // No tree is larger than the file system it is to fill.
    if host.available_memory() > plan.size {
        let folder = workspace.scratch_file("btrfs.tree");
        host.create_folders(&folder).with_context(|| format!("creating {}", folder.display()))?;
        host.mount_memory(&folder, plan.size).context("making room in memory for the tree")?;
        let made = tree_archive::copy(tree, &folder, host).and_then(|()| make(plan, &folder, output, host));
        host.unmount(&folder).context("taking the copy of the tree out of memory")?;
        made?;
    } else {
        host.warn(
            "the Btrfs is not reproducible: there is not enough memory for a second copy of the tree, from which \
             mkfs.btrfs would take the files in a fixed order",
        );
        make(plan, tree.path(), output, host)?;
    }
    btrfs_identity::settle(&file, &plan.uuid, plan.epoch).context("settling times and ids of the file system")
}

fn make(plan: &FilesystemPlan, tree: &Path, output: &Path, host: &Host) -> Result<()> {
    let mut command = host
        .command("mkfs.btrfs")
        .args(["--quiet", "--force", "--uuid", &plan.uuid, "--rootdir"])
        .arg(tree)
        .env("SOURCE_DATE_EPOCH", plan.epoch.to_string())
        .writable(folder_of(output));
    if let Some(label) = &plan.label {
        command = command.args(["--label", label]);
    }
    command.args(&plan.options).arg(output).run().context("writing the file system")
}
