//! The file systems an image can have.

/// A file system, by the keyword of the description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Filesystem {
    /// ext2
    Ext2,
    /// ext3
    Ext3,
    /// ext4 (an extension to schema 1.4)
    Ext4,
    /// reiserfs, of the chapter's time
    Reiserfs,
    /// XFS (an extension to schema 1.4)
    Xfs,
    /// Btrfs (an extension to schema 1.4)
    Btrfs,
    /// squashfs, compressed and read-only
    Squashfs,
    /// erofs, compressed and read-only
    Erofs,
    /// cramfs, the read-only part of split images
    Cramfs,
}

impl Filesystem {
    /// Every file system, in the order they are listed to users.
    pub const ALL: [Filesystem; 9] = [
        Self::Ext2,
        Self::Ext3,
        Self::Ext4,
        Self::Reiserfs,
        Self::Xfs,
        Self::Btrfs,
        Self::Squashfs,
        Self::Erofs,
        Self::Cramfs,
    ];

    /// The file system a keyword names.
    pub fn parse(keyword: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|filesystem| filesystem.keyword() == keyword)
    }

    /// The keyword used in descriptions, which is also the kernel's name of the type.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Ext2 => "ext2",
            Self::Ext3 => "ext3",
            Self::Ext4 => "ext4",
            Self::Reiserfs => "reiserfs",
            Self::Xfs => "xfs",
            Self::Btrfs => "btrfs",
            Self::Squashfs => "squashfs",
            Self::Erofs => "erofs",
            Self::Cramfs => "cramfs",
        }
    }

    /// Whether the file system can only be read once it is made.
    pub fn is_read_only(self) -> bool {
        matches!(self, Self::Squashfs | Self::Erofs | Self::Cramfs)
    }
}

/// The two parts of a split image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SplitFilesystems {
    /// Of the part that is written to.
    pub read_write: Filesystem,
    /// Of the part that is only read.
    pub read_only: Filesystem,
}
