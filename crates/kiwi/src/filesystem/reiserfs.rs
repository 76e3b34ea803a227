//! ReiserFS: made by `mkreiserfs`, and filled by a kernel that has its driver.

use std::path::Path;

use anyhow::{Context, Result};
use ondisk::Bytes;

use super::{FilesystemJob, directory_of, empty_file, helper};
use crate::host::Warning;
use crate::root_tree::Measure;

/// Bytes of the journal and of the first blocks.
const JOURNAL: u64 = 34 << 20;
/// Bytes that an entry needs besides its content.
const ENTRY: u64 = 512;

/// Returns the size that a tree needs.
pub(super) fn needed(measure: &Measure) -> Bytes {
    Bytes(measure.bytes + measure.entries * ENTRY + JOURNAL)
}

pub(super) fn create(job: FilesystemJob<'_>, output: &Path) -> Result<()> {
    let FilesystemJob { plan, host, .. } = job;
    host.warn(
        Warning::Kernel,
        "Linux 6.13 and later cannot mount reiserfs, and few kernels before it are built with its driver; ext4 replaces it",
    );
    empty_file(job, output)?;
    let label = plan.label.iter().flat_map(|label| ["--label", label]);
    host.command("mkreiserfs")
        .args(["-q", "-f", "-f", "--block-size", "4096", "--uuid", &plan.uuid])
        .args(label)
        .args(&plan.options)
        .arg(output)
        .writable(directory_of(output))
        .run()
        .context("cannot make the reiserfs")?;
    helper::fill(job, output)
}
