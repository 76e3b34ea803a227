//! erofs by `mkfs.erofs`, with the compressor pinned: its own default does not compress.

use std::path::Path;

use anyhow::{Context, Result};

use super::{FilesystemPlan, directory_of};
use crate::host::Host;
use crate::root_tree::RootTree;

/// What every mkfs.erofs and every kernel with erofs can do.
const COMPRESSOR: &str = "lz4hc";

pub(super) fn create(plan: &FilesystemPlan, tree: &RootTree, output: &Path, host: &Host) -> Result<()> {
    let compressor = plan.compression.as_deref().unwrap_or(COMPRESSOR);
    let mut command = host.command("mkfs.erofs").args(["--quiet", "-U", &plan.uuid]);
    if compressor != "none" {
        command = command.arg(format!("-z{compressor}"));
    }
    // Its own time is that of the build, its files keep theirs; with -T they would not.
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
