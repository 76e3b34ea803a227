//! The file systems a boot image can start a system from.

/// A file system linuxrc recognises, checks, mounts and (when it can) grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filesystem {
    /// ext2
    Ext2,
    /// ext3
    Ext3,
    /// ext4
    Ext4,
    /// XFS
    Xfs,
    /// Btrfs
    Btrfs,
    /// squashfs, read-only
    Squashfs,
}

impl Filesystem {
    /// Every file system.
    pub const ALL: [Filesystem; 6] =
        [Self::Ext2, Self::Ext3, Self::Ext4, Self::Xfs, Self::Btrfs, Self::Squashfs];

    /// The kernel's name of the type, also the keyword of descriptions, `/kiwi.boot` and `rootfstype=`.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Ext2 => "ext2",
            Self::Ext3 => "ext3",
            Self::Ext4 => "ext4",
            Self::Xfs => "xfs",
            Self::Btrfs => "btrfs",
            Self::Squashfs => "squashfs",
        }
    }

    /// The file system of this keyword.
    pub fn parse(keyword: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|filesystem| filesystem.keyword() == keyword)
    }

    /// The kernel module that mounts it. ext2 and ext3 are mounted by ext4's driver, which grows them online.
    pub fn module(self) -> &'static str {
        match self {
            Self::Ext2 | Self::Ext3 | Self::Ext4 => "ext4",
            Self::Xfs => "xfs",
            Self::Btrfs => "btrfs",
            Self::Squashfs => "squashfs",
        }
    }
}
