//! An EFI system partition: a FAT file system with GRUB at the path that every firmware looks for.

use std::path::Path;

use anyhow::Result;
use ondisk::Bytes;

use crate::filesystem::fat::{self, FatPlan};
use crate::host::Host;
use crate::workspace::Workspace;

/// The partition to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EspPlan {
    /// Its size.
    pub size: Bytes,
    /// The volume id.
    pub id: u32,
    /// The time of its files, in seconds since 1970.
    pub epoch: u64,
}

/// Returns the size for a boot program of this size: a quarter more for the file system, in whole MiB.
pub fn size_for(Bytes(core): Bytes) -> Bytes {
    Bytes((core + core / 4).next_multiple_of(1 << 20))
}

/// Writes the partition to the new file `image`, with the core image `core` as its boot program.
pub fn create(plan: &EspPlan, core: &Path, image: &Path, workspace: &Workspace, host: &Host) -> Result<()> {
    let fat = FatPlan { size: plan.size, label: "EFI", id: plan.id, epoch: plan.epoch };
    let files = [(core.to_owned(), "EFI/BOOT/BOOTX64.EFI")];
    fat::create(&fat, &["EFI", "EFI/BOOT"], &files, image, workspace, host)
}
