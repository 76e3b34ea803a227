//! erofs by `mkfs.erofs`, with the compressor pinned: its own default does not compress.

use std::path::Path;

use anyhow::{Context, Result};

use super::{FilesystemJob, directory_of};

/// Options that every mkfs.erofs and every kernel with erofs support.
const COMPRESSOR: &str = "lz4hc";

pub(super) fn create(job: FilesystemJob<'_>, output: &Path) -> Result<()> {
    let FilesystemJob { plan, tree, host, workspace: _, helper: _, stage } = job;
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
        // It reports nothing itself. What does not become smaller it reads twice, so it can be at 100 % early.
        .reports_reading("mkfs.erofs", tree.last_measure()?.content, stage)
        .run()
        .context("writing the erofs")
}
