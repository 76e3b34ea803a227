//! An EFI system partition: a FAT file system with GRUB where every firmware looks for it.

use std::path::Path;

use anyhow::{Context, Result};

use crate::host::Host;
use crate::workspace::Workspace;

/// The partition to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EspPlan {
    /// Bytes it gets.
    pub size: u64,
    /// The volume id.
    pub id: u32,
    /// The time of its files, seconds since 1970.
    pub epoch: u64,
}

/// Bytes that hold GRUB's core image of `core` bytes: it, and a quarter for the file system, in whole MiB.
pub fn size_for(core: u64) -> u64 {
    (core + core / 4).next_multiple_of(1 << 20)
}

/// Writes the partition into the file `image`, which is made, with the core image `core` as its boot program.
pub fn create(plan: &EspPlan, core: &Path, image: &Path, workspace: &Workspace, host: &Host) -> Result<()> {
    host.create_file(image)
        .and_then(|file| file.set_len(plan.size))
        .context("creating the EFI system partition")?;
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(plan.epoch);
    host.open_file(core)
        .and_then(|file| file.set_times(std::fs::FileTimes::new().set_modified(time).set_accessed(time)))
        .context("setting GRUB's time")?;
    let epoch = plan.epoch.to_string();
    // FAT32 wants 65525 clusters, FAT16 4085: a sector each up to 256 MiB.
    let fat = match plan.size >> 20 {
        0..3 => "12",
        3..33 => "16",
        33.. => "32",
    };
    let tool = |name: &str| {
        host.command(name)
            .env("SOURCE_DATE_EPOCH", &epoch)
            .env("TZ", "UTC")
            .env("MTOOLS_SKIP_CHECK", "1")
            .writable(workspace.scratch())
    };
    tool("mkfs.vfat")
        .args(["--invariant", "-F", fat, "-n", "EFI", "-i", &format!("{:08X}", plan.id)])
        .arg(image)
        .run()
        .context("making the EFI system partition")?;
    tool("mmd")
        .arg("-i")
        .arg(image)
        .args(["::/EFI", "::/EFI/BOOT"])
        .run()
        .context("making folders on the ESP")?;
    tool("mcopy")
        .args(["-m", "-i"])
        .arg(image)
        .arg(core)
        .arg("::/EFI/BOOT/BOOTX64.EFI")
        .run()
        .context("copying GRUB to the EFI system partition")
}
