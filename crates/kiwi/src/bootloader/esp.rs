//! An EFI system partition: a FAT file system with GRUB where every firmware looks for it.

use std::path::Path;

use anyhow::Result;

use crate::filesystem::fat::{self, FatPlan};
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
    let fat = FatPlan { size: plan.size, label: "EFI", id: plan.id, epoch: plan.epoch };
    let files = [(core.to_owned(), "EFI/BOOT/BOOTX64.EFI")];
    fat::create(&fat, &["EFI", "EFI/BOOT"], &files, image, workspace, host)
}
