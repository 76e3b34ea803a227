//! An EFI system partition: a FAT file system with GRUB, or with shim that starts it, at the path that every firmware looks for.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
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

/// A partition as a file of a system, as large as its files need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EspFile {
    /// The volume id.
    pub id: u32,
    /// The time of its files, in seconds since 1970.
    pub epoch: u64,
}

/// The path of the program that every firmware starts.
pub const PROGRAM: &str = "EFI/BOOT/BOOTX64.EFI";

/// Returns the size for files of this size in total: a quarter more for the file system, in whole MiB.
pub fn size_for(Bytes(core): Bytes) -> Bytes {
    Bytes((core + core / 4).next_multiple_of(1 << 20))
}

/// Writes the partition to the new file `image`, with these files at their paths.
pub fn create(
    plan: &EspPlan,
    files: &[(PathBuf, String)],
    image: &Path,
    workspace: &Workspace,
    host: &Host,
) -> Result<()> {
    let fat = FatPlan { size: plan.size, label: "EFI", id: plan.id, epoch: plan.epoch };
    let mut directories = Vec::new();
    for (_, path) in files {
        let parents = path.match_indices('/').map(|(end, _)| &path[..end]);
        for directory in parents {
            if !directories.contains(&directory) {
                directories.push(directory);
            }
        }
    }
    let files: Vec<(PathBuf, &str)> =
        files.iter().map(|(file, path)| (file.clone(), path.as_str())).collect();
    fat::create(&fat, &directories, &files, image, workspace, host)
}

impl EspFile {
    /// Writes the partition with these files at their paths; returns its path in the scratch space.
    pub fn create(self, files: &[(PathBuf, String)], workspace: &Workspace, host: &Host) -> Result<PathBuf> {
        let mut length = 0;
        for (file, _) in files {
            length += file.metadata().with_context(|| format!("reading {}", file.display()))?.len();
        }
        let plan = EspPlan { size: size_for(Bytes(length)), id: self.id, epoch: self.epoch };
        let image = workspace.scratch_file("esp.img");
        create(&plan, files, &image, workspace, host)?;
        Ok(image)
    }
}
