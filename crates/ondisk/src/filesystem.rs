//! The file systems an image can have, and the facts about them that the builder and the boot program share.

use crate::Bytes;

/// Declares [`Filesystem`] from one row per file system: its variant, keyword, facts and documentation.
macro_rules! filesystems {
    ($($variant:ident $keyword:literal $facts:ident $doc:literal;)*) => {
        /// A file system. The order of the variants is the order in which users see them listed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize))]
        pub enum Filesystem {
            $(#[doc = $doc] $variant,)*
        }

        impl Filesystem {
            /// Every file system.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Returns the name that the kernel, descriptions, `/kiwi.boot` and `rootfstype=` use.
            pub const fn keyword(self) -> &'static str {
                match self {
                    $(Self::$variant => $keyword,)*
                }
            }

            const fn facts(self) -> &'static Facts {
                match self {
                    $(Self::$variant => &$facts,)*
                }
            }
        }
    };
}

filesystems! {
    Ext2     "ext2"     EXT      "ext2, mounted by the driver of ext4, which can grow it while it is mounted";
    Ext3     "ext3"     EXT      "ext3, mounted by the driver of ext4, which can grow it while it is mounted";
    Ext4     "ext4"     EXT4     "ext4";
    Reiserfs "reiserfs" REISERFS "ReiserFS, which current kernels no longer have";
    Xfs      "xfs"      XFS      "XFS";
    Btrfs    "btrfs"    BTRFS    "Btrfs";
    Squashfs "squashfs" SQUASHFS "squashfs, compressed";
    Erofs    "erofs"    EROFS    "EROFS, compressed";
    Cramfs   "cramfs"   CRAMFS   "cramfs, compressed, at most 272 MiB";
}

const EXT: Facts = Facts {
    access: Access::ReadWrite,
    modules: &["ext4", "crc32c_generic", "crc32c_intel"],
    max_label_length: Some(16),
    has_chosen_uuid: true,
    checker: Some(Checker { program: "e2fsck", arguments: &["-p"] }),
    maker: None,
};

const EXT4: Facts = Facts {
    maker: Some(Maker {
        programs: &["mke2fs", "mkfs.ext4"],
        arguments: &["-q", "-F", "-t", "ext4"],
        least: Bytes(64 << 20),
        package: "e2fsprogs",
    }),
    ..EXT
};

const REISERFS: Facts = Facts {
    access: Access::ReadWrite,
    modules: &["reiserfs"],
    max_label_length: Some(16),
    has_chosen_uuid: true,
    checker: None,
    maker: None,
};

const XFS: Facts = Facts {
    access: Access::ReadWrite,
    modules: &["xfs", "crc32c_generic", "crc32c_intel"],
    max_label_length: Some(12),
    has_chosen_uuid: true,
    // It repairs itself when it is mounted, and so does Btrfs.
    checker: None,
    maker: Some(Maker {
        programs: &["mkfs.xfs"],
        arguments: &["-q", "-f"],
        least: Bytes(300 << 20),
        package: "xfsprogs",
    }),
};

const BTRFS: Facts = Facts {
    access: Access::ReadWrite,
    modules: &["btrfs", "crc32c_generic", "crc32c_intel", "xxhash_generic", "blake2b_generic"],
    max_label_length: Some(255),
    has_chosen_uuid: true,
    checker: None,
    maker: None,
};

/// A file system that never changes after it was created.
const READ_ONLY: Facts = Facts {
    access: Access::ReadOnly,
    modules: &[],
    max_label_length: None,
    has_chosen_uuid: false,
    checker: None,
    maker: None,
};
const SQUASHFS: Facts = Facts { modules: &["squashfs", "overlay", "loop"], ..READ_ONLY };
const EROFS: Facts = Facts { modules: &["erofs", "overlay", "loop"], ..READ_ONLY };
const CRAMFS: Facts = Facts { modules: &["cramfs"], ..READ_ONLY };

/// The facts of one file system.
struct Facts {
    access: Access,
    /// The kernel module that mounts it, then those that it uses without naming them.
    modules: &'static [&'static str],
    /// The most bytes that a label has; none where the file system has no label.
    max_label_length: Option<usize>,
    /// Whether the creator of the file system chooses its UUID.
    has_chosen_uuid: bool,
    /// How it is checked at each boot.
    checker: Option<Checker>,
    /// How a running machine creates it on a partition; none where no machine needs to.
    maker: Option<Maker>,
}

/// Whether a file system can be changed after it was created.
#[derive(PartialEq, Eq)]
enum Access {
    ReadWrite,
    ReadOnly,
}

/// How a file system is checked before it is mounted. Its program has the exit codes of fsck(8).
#[derive(Debug, PartialEq, Eq)]
pub struct Checker {
    /// The name of the program.
    pub program: &'static str,
    /// Its arguments for repairs without questions, to which the device is added.
    pub arguments: &'static [&'static str],
}

/// How a running machine creates a file system on a partition.
#[derive(Debug, PartialEq, Eq)]
pub struct Maker {
    /// The names of the program; the first one that exists is used.
    pub programs: &'static [&'static str],
    /// Its arguments, to which `-L LABEL` and the device are added.
    pub arguments: &'static [&'static str],
    /// The smallest useful partition.
    pub least: Bytes,
    /// The package of Debian that has the program.
    pub package: &'static str,
}

impl Filesystem {
    /// Returns the name of the kernel module that mounts the file system.
    pub const fn module(self) -> &'static str {
        self.facts().modules[0]
    }

    /// Returns the kernel modules that the file system needs, starting with the one that mounts it. A kernel may have some of
    /// them built in, or not at all.
    pub const fn modules(self) -> &'static [&'static str] {
        self.facts().modules
    }

    /// Returns whether the file system cannot be written to once it is created.
    pub fn is_read_only(self) -> bool {
        self.facts().access == Access::ReadOnly
    }

    /// Returns the most bytes that a label has; none where the file system has no label.
    pub const fn max_label_length(self) -> Option<usize> {
        self.facts().max_label_length
    }

    /// Returns whether the creator of the file system chooses its UUID.
    pub const fn has_chosen_uuid(self) -> bool {
        self.facts().has_chosen_uuid
    }

    /// Returns how the file system is checked at each boot. XFS and Btrfs repair themselves when they are mounted,
    /// and a read-only file system never changes.
    pub const fn checker(self) -> Option<&'static Checker> {
        self.facts().checker.as_ref()
    }

    /// Returns how a running machine creates the file system; none for those that no machine needs to create.
    pub const fn maker(self) -> Option<&'static Maker> {
        self.facts().maker.as_ref()
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

    #[test]
    fn every_file_system_has_a_driver() {
        for filesystem in Filesystem::ALL {
            assert!(!filesystem.module().is_empty(), "{filesystem:?}");
        }
        assert_eq!(Filesystem::Ext2.module(), "ext4");
    }
}
