//! The file systems an image can have.

/// Declares [`Filesystem`] from one line per file system: its variant, keyword, access, the kernel module that mounts
/// it, and its documentation.
macro_rules! filesystems {
    ($($variant:ident $keyword:literal $access:ident $module:literal $doc:literal;)*) => {
        /// A file system. The order of the variants is the order in which users see them listed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize))]
        pub enum Filesystem {
            $(#[doc = $doc] $variant,)*
        }

        impl Filesystem {
            /// Every file system.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            const fn row(self) -> Row {
                match self {
                    $(Self::$variant => Row { keyword: $keyword, access: Access::$access, module: $module },)*
                }
            }
        }
    };
}

filesystems! {
    Ext2     "ext2"     ReadWrite "ext4"     "ext2, mounted by the driver of ext4, which can grow it while it is mounted";
    Ext3     "ext3"     ReadWrite "ext4"     "ext3, mounted by the driver of ext4, which can grow it while it is mounted";
    Ext4     "ext4"     ReadWrite "ext4"     "ext4";
    Reiserfs "reiserfs" ReadWrite "reiserfs" "ReiserFS, which current kernels no longer have";
    Xfs      "xfs"      ReadWrite "xfs"      "XFS";
    Btrfs    "btrfs"    ReadWrite "btrfs"    "Btrfs";
    Squashfs "squashfs" ReadOnly  "squashfs" "squashfs, compressed";
    Erofs    "erofs"    ReadOnly  "erofs"    "EROFS, compressed";
    Cramfs   "cramfs"   ReadOnly  "cramfs"   "cramfs, compressed, at most 272 MiB";
}

/// The facts of one file system.
struct Row {
    keyword: &'static str,
    access: Access,
    module: &'static str,
}

/// Whether a file system can be changed after it was created.
#[derive(PartialEq, Eq)]
enum Access {
    ReadWrite,
    ReadOnly,
}

impl Filesystem {
    /// Returns the name that the kernel, descriptions, `/kiwi.boot` and `rootfstype=` use.
    pub const fn keyword(self) -> &'static str {
        self.row().keyword
    }

    /// Returns the name of the kernel module that mounts the file system.
    pub const fn module(self) -> &'static str {
        self.row().module
    }

    /// Returns whether the file system cannot be written to once it is created.
    pub fn is_read_only(self) -> bool {
        self.row().access == Access::ReadOnly
    }

    /// Returns the most bytes that a label has; none where the file system has no label.
    pub const fn max_label_length(self) -> Option<usize> {
        match self {
            Self::Ext2 | Self::Ext3 | Self::Ext4 | Self::Reiserfs => Some(16),
            Self::Xfs => Some(12),
            Self::Btrfs => Some(255),
            Self::Squashfs | Self::Erofs | Self::Cramfs => None,
        }
    }

    /// Returns whether the file system is checked at each boot. XFS and Btrfs repair themselves when they are mounted, and a
    /// read-only file system never changes.
    pub const fn checks_at_boot(self) -> bool {
        match self {
            Self::Ext2 | Self::Ext3 | Self::Ext4 => true,
            Self::Reiserfs | Self::Xfs | Self::Btrfs | Self::Squashfs | Self::Erofs | Self::Cramfs => false,
        }
    }

    /// Returns the file system with this keyword.
    pub fn parse(keyword: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|filesystem| filesystem.keyword() == keyword)
    }

    /// Returns the keywords of all file systems, separated by commas, for messages.
    pub fn expected() -> String {
        Self::ALL.iter().map(|filesystem| filesystem.keyword()).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_keyword_is_unique() {
        for filesystem in Filesystem::ALL {
            assert_eq!(Filesystem::parse(filesystem.keyword()), Some(*filesystem));
        }
        assert_eq!(Filesystem::parse("ext5"), None);
        assert_eq!(Filesystem::expected(), "ext2, ext3, ext4, reiserfs, xfs, btrfs, squashfs, erofs, cramfs");
    }
}
