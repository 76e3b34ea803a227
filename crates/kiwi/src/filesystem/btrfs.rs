//! Btrfs by `mkfs.btrfs --rootdir`, from a copy of the tree in memory.
//!
//! mkfs.btrfs takes the order of entries and the inode numbers from the file system that holds the tree, where they are
//! arbitrary. A tmpfs made for this purpose and filled in the order of names gives the same numbers in every build.
//! `btrfs_identity` then overwrites everything else that differs between builds.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use ondisk::Bytes;
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_OMIT, utimensat};

use super::{FilesystemJob, FilesystemPlan, btrfs_identity, btrfs_item, directory_of, empty_file};
use crate::failure::fail;
use crate::host::device::stands_for;
use crate::host::{Host, Warning};
use crate::root_tree::Measure;
use crate::tree_archive;

/// The smallest Btrfs with enough free space to be usable.
const SMALLEST: u64 = 256 << 20;

/// Returns the size for content, duplicated metadata and the chunks that Btrfs allocates.
pub(super) fn needed(measure: &Measure) -> Bytes {
    Bytes((measure.bytes + measure.bytes / 10 + measure.entries * 4096 + (64 << 20)).max(SMALLEST))
}

/// Returns an upper bound of the size below which mkfs.btrfs makes the file system larger than its file: for each inode it
/// reserves three names of the longest length and a sector of metadata, twice because metadata is duplicated.
pub(super) fn least(measure: &Measure) -> Bytes {
    const RESERVED: u64 = 2 * (3 * 4096 + 4096);
    Bytes(measure.bytes + measure.bytes / 10 + measure.entries * RESERVED + (192 << 20))
}

pub(super) fn create(job: FilesystemJob<'_>, output: &Path) -> Result<()> {
    let FilesystemJob { plan, tree, workspace, host, helper: _, stage: _ } = job;
    let file = empty_file(job, output)?;
    let devices = tree.devices()?;
    // The copy never needs more space than the file system it is for.
    if host.available_memory() > plan.size.0 {
        let directory = workspace.scratch_file("btrfs.tree");
        host.create_directories(&directory).with_context(|| format!("creating {}", directory.display()))?;
        host.mount_memory(&directory, plan.size.0).context("allocating memory for a copy of the tree")?;
        let made = tree_archive::copy(tree, &directory, host)
            .and_then(|()| hand_over(&devices, &directory))
            .and_then(|()| make(plan, &directory, devices, output, host));
        host.unmount(&directory).context("releasing the copy of the tree in memory")?;
        made?;
    } else {
        if !devices.is_empty() {
            fail!(
                NoSpace,
                "a Btrfs with device nodes needs memory for a second copy of the tree: {} MiB; use another file system, or \
             let the system make the nodes at boot (tmpfiles.d)",
                plan.size.to_mebibytes().0
            );
        }
        host.warn(Warning::Attributes,
            "the Btrfs is not reproducible: there is not enough memory for a second copy of the tree, from which \
             mkfs.btrfs would take the files in a fixed order",
        );
        make(plan, tree.path(), devices, output, host)?;
    }
    btrfs_identity::finish(&file, &plan.uuid, plan.epoch)
        .context("setting the times and ids of the file system")
}

/// Stores the numbers of the copy's device nodes in their access times: mkfs.btrfs copies the access time, which is
/// overwritten later, but not the device number.
fn hand_over(devices: &[PathBuf], copy: &Path) -> Result<()> {
    for path in devices {
        let location = copy.join(path.strip_prefix("/")?);
        let device =
            stands_for(&location, false)?.with_context(|| format!("{} is not a device", path.display()))?;
        let time = |tv_sec, tv_nsec| Timespec { tv_sec, tv_nsec };
        let number = i64::try_from(btrfs_item::number_of(device))?;
        let times = Timestamps { last_access: time(number, 0), last_modification: time(0, UTIME_OMIT) };
        utimensat(CWD, &location, &times, AtFlags::SYMLINK_NOFOLLOW)
            .with_context(|| format!("storing the number of the device node {}", path.display()))?;
    }
    Ok(())
}

fn make(plan: &FilesystemPlan, tree: &Path, devices: Vec<PathBuf>, output: &Path, host: &Host) -> Result<()> {
    let mut command = host
        .command("mkfs.btrfs")
        .args(["--quiet", "--force", "--uuid", &plan.uuid, "--rootdir"])
        .arg(tree)
        .env("SOURCE_DATE_EPOCH", plan.epoch.to_string())
        .writable(directory_of(output))
        .shows_devices(devices);
    if let Some(label) = &plan.label {
        command = command.args(["--label", label]);
    }
    command.args(&plan.options).arg(output).run().context("writing the file system")
}
