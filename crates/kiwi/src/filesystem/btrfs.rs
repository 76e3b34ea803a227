//! Btrfs by `mkfs.btrfs --rootdir`.

use std::path::Path;

use anyhow::{Context, Result};

use super::{FilesystemPlan, folder_of};
use crate::host::Host;
use crate::root_tree::{Measure, RootTree};

/// The smallest Btrfs that can be made with room to work in.
const SMALLEST: u64 = 256 << 20;

/// Content, doubled metadata and the chunks Btrfs hands out.
pub(super) fn needed(measure: &Measure) -> u64 {
    (measure.bytes + measure.bytes / 10 + measure.entries * 4096 + (64 << 20)).max(SMALLEST)
}

pub(super) fn create(plan: &FilesystemPlan, tree: &RootTree, output: &Path, host: &Host) -> Result<()> {
    let file = host.create_file(output).with_context(|| format!("creating {}", output.display()))?;
    file.set_len(plan.size).with_context(|| format!("sizing {}", output.display()))?;
    drop(file);
    let mut command = host
        .command("mkfs.btrfs")
        .args(["--quiet", "--force", "--uuid", &plan.uuid, "--rootdir"])
        .arg(tree.path())
        .env("SOURCE_DATE_EPOCH", plan.epoch.to_string())
        .writable(folder_of(output));
    if let Some(label) = &plan.label {
        command = command.args(["--label", label]);
    }
    command.args(&plan.options).arg(output).run().context("writing the file system")
}
