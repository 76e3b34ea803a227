//! The facts about file systems that only the builder needs. Those that the boot program needs, too, are in
//! [`ondisk::Filesystem`].

use anyhow::Result;
use ondisk::Filesystem;

use crate::failure::{Failure, Kind};

/// The facts of one file system.
struct Facts {
    /// The host programs that write it.
    programs: &'static [&'static str],
    /// The module with which GRUB reads it; none: GRUB cannot.
    grub_module: Option<&'static str>,
    /// The options with which a kernel mounts it to fill it with all attributes; none: a program fills it.
    mounted_with: Option<&'static str>,
}

/// A file system that one program writes and fills.
const BY_PROGRAM: Facts = Facts { programs: &[], grub_module: None, mounted_with: None };

fn facts(filesystem: Filesystem) -> Facts {
    match filesystem {
        Filesystem::Ext2 | Filesystem::Ext3 | Filesystem::Ext4 => {
            Facts { programs: &["mke2fs"], grub_module: Some("ext2"), ..BY_PROGRAM }
        }
        Filesystem::Xfs => Facts { programs: &["mkfs.xfs"], grub_module: Some("xfs"), ..BY_PROGRAM },
        Filesystem::Btrfs => Facts { programs: &["mkfs.btrfs"], grub_module: Some("btrfs"), ..BY_PROGRAM },
        Filesystem::Squashfs => {
            Facts { programs: &["mksquashfs"], grub_module: Some("squash4"), ..BY_PROGRAM }
        }
        Filesystem::Erofs => Facts { programs: &["mkfs.erofs"], ..BY_PROGRAM },
        Filesystem::Reiserfs => Facts {
            programs: &["mkreiserfs", "tar", "timeout", "qemu-system-x86_64"],
            grub_module: Some("reiserfs"),
            mounted_with: Some("user_xattr,acl"),
        },
        Filesystem::Cramfs => Facts { programs: &["mkfs.cramfs"], ..BY_PROGRAM },
    }
}

/// Returns the host programs that write it.
pub fn programs(filesystem: Filesystem) -> &'static [&'static str] {
    facts(filesystem).programs
}

/// Returns the module with which GRUB reads it.
pub fn grub_module(filesystem: Filesystem) -> Option<&'static str> {
    facts(filesystem).grub_module
}

/// Returns the options with which a kernel mounts it to fill it; none for those that a program fills.
pub fn mounted_with(filesystem: Filesystem) -> Option<&'static str> {
    facts(filesystem).mounted_with
}

/// Refuses file systems from which no boot image starts a system; also called while planning.
pub fn refuse_to_start(filesystem: Filesystem) -> Result<()> {
    if filesystem.is_recognised() {
        return Ok(());
    }
    let message = format!(
        "no boot image of this version of kiwi starts a system on {}; use one of {}",
        filesystem.keyword(),
        Filesystem::recognised()
    );
    Err(Failure::new(Kind::NotBuilt, message).into())
}
