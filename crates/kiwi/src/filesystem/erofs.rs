//! erofs by `mkfs.erofs`, with the compressor pinned: its own default does not compress.

use std::path::Path;

use anyhow::{Context, Result};

use super::{FilesystemPlan, directory_of};
use crate::host::Host;
use crate::root_tree::RootTree;

/// Options that every mkfs.erofs and every kernel with erofs support.
const COMPRESSOR: &str = "lz4hc";

pub(super) fn create(plan: &FilesystemPlan, tree: &RootTree, output: &Path, host: &Host) -> Result<()> {
    let compressor = plan.compression.as_deref().unwrap_or(COMPRESSOR);
    let mut command = host.command("mkfs.erofs").args(["--quiet", "-U", &plan.uuid]);
    if compressor != "none" {
        command = command.arg(format!("-z{compressor}"));
    }
    // SOURCE_DATE_EPOCH sets the time of the file system only; -T would also set the time of every file.
    command
        .env("SOURCE_DATE_EPOCH", plan.epoch.to_string())
        .args(&plan.options)
        .arg(output)
        .arg(tree.path())
        .writable(directory_of(output))
        .shows_devices(tree.devices()?)
        .run()
        .context("writing the erofs")
}
