//! The facts about file systems that only the builder needs. Those that the boot program needs, too, are in
//! [`ondisk::Filesystem`].

use anyhow::Result;
use ondisk::Filesystem;

use crate::failure::{Failure, Kind};

/// The facts of one file system.
struct Facts {
    /// The host programs that write it; none: this version of kiwi does not write it.
    programs: Option<&'static [&'static str]>,
    /// The module with which GRUB reads it; none: GRUB cannot.
    grub_module: Option<&'static str>,
}

fn facts(filesystem: Filesystem) -> Facts {
    match filesystem {
        Filesystem::Ext2 | Filesystem::Ext3 | Filesystem::Ext4 => {
            Facts { programs: Some(&["mke2fs"]), grub_module: Some("ext2") }
        }
        Filesystem::Xfs => Facts { programs: Some(&["mkfs.xfs"]), grub_module: Some("xfs") },
        Filesystem::Btrfs => Facts { programs: Some(&["mkfs.btrfs"]), grub_module: Some("btrfs") },
        Filesystem::Squashfs => Facts { programs: Some(&["mksquashfs"]), grub_module: Some("squash4") },
        Filesystem::Erofs => Facts { programs: Some(&["mkfs.erofs"]), grub_module: None },
        Filesystem::Reiserfs => Facts { programs: None, grub_module: Some("reiserfs") },
        Filesystem::Cramfs => Facts { programs: None, grub_module: None },
    }
}

/// Returns the host programs that write it.
pub fn programs(filesystem: Filesystem) -> &'static [&'static str] {
    facts(filesystem).programs.unwrap_or_default()
}

/// Returns the module with which GRUB reads it.
pub fn grub_module(filesystem: Filesystem) -> Option<&'static str> {
    facts(filesystem).grub_module
}

/// Refuses file systems that this version does not write; also called while planning.
pub fn refuse(filesystem: Filesystem) -> Result<()> {
    let is_built = |kind: &Filesystem| facts(*kind).programs.is_some();
    if is_built(&filesystem) {
        return Ok(());
    }
    let built: Vec<&str> =
        Filesystem::ALL.iter().filter(|kind| is_built(kind)).map(|kind| kind.keyword()).collect();
    let message = format!(
        "the file system {} is not built by this version of kiwi yet; it builds {}",
        filesystem.keyword(),
        built.join(", ")
    );
    Err(Failure::new(Kind::NotBuilt, message).into())
}
