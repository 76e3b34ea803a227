//! The file systems that the attributes of descriptions can name, derived from those that exist.

use ondisk::Filesystem;

use super::{Keyword, keyword};
use crate::SchemaVersion::{V2_0, V6_9};

/// How many file systems there are.
const COUNT: usize = Filesystem::ALL.len();

/// The file systems of `filesystem=`.
pub(super) const FILESYSTEMS: &[Keyword] = &{
    let clicfs = keyword("clicfs").since(V2_0).until(V6_9).unsupported();
    let mut keywords = [clicfs; COUNT + 1];
    let mut at = 0;
    while at < COUNT {
        keywords[at] = type_keyword(Filesystem::ALL[at]);
        at += 1;
    }
    keywords
};

/// Returns the keyword of a file system as that of an image type.
const fn type_keyword(filesystem: Filesystem) -> Keyword {
    let known = keyword(filesystem.keyword());
    match filesystem {
        Filesystem::Erofs => known.since(V2_0),
        Filesystem::Reiserfs | Filesystem::Cramfs => known.own(),
        Filesystem::Ext2
        | Filesystem::Ext3
        | Filesystem::Ext4
        | Filesystem::Xfs
        | Filesystem::Btrfs
        | Filesystem::Squashfs => known,
    }
}

/// Returns whether the schema of KIWI NG allows the file system for data besides the system.
const fn is_for_data(filesystem: Filesystem) -> bool {
    match filesystem {
        Filesystem::Btrfs | Filesystem::Ext2 | Filesystem::Ext3 | Filesystem::Ext4 | Filesystem::Xfs => true,
        Filesystem::Reiserfs | Filesystem::Squashfs | Filesystem::Erofs | Filesystem::Cramfs => false,
    }
}

/// Returns whether `<partition>` can have the file system.
const fn is_for_partition(filesystem: Filesystem) -> bool {
    matches!(filesystem, Filesystem::Squashfs) || is_for_data(filesystem)
}

/// Returns whether a machine can make the file system for persistent data.
const fn is_for_persistence(filesystem: Filesystem) -> bool {
    filesystem.maker().is_some()
}

/// Declares the list of the file systems with a property, followed by other keywords.
macro_rules! filesystems_that {
    ($(#[doc = $doc:literal] $name:ident = $is:ident $(, $other:expr)*;)*) => {
        $(#[doc = $doc]
        pub(super) const $name: &[Keyword] = &{
            const OTHERS: &[Keyword] = &[$($other),*];
            const CHOSEN: usize = {
                let (mut count, mut at) = (0, 0);
                while at < COUNT {
                    if $is(Filesystem::ALL[at]) {
                        count += 1;
                    }
                    at += 1;
                }
                count
            };
            let mut keywords = [keyword(""); CHOSEN + OTHERS.len()];
            let (mut end, mut at) = (0, 0);
            while at < COUNT {
                if $is(Filesystem::ALL[at]) {
                    keywords[end] = keyword(Filesystem::ALL[at].keyword());
                    end += 1;
                }
                at += 1;
            }
            at = 0;
            while at < OTHERS.len() {
                keywords[end + at] = OTHERS[at];
                at += 1;
            }
            keywords
        };)*
    };
}

filesystems_that! {
    /// File systems of a spare partition.
    SPARE_FILESYSTEMS = is_for_data;
    /// File systems of the partition for `/boot`.
    BOOT_FILESYSTEMS = is_for_data, keyword("fat32").unsupported(), keyword("fat16").unsupported();
    /// File systems of `<partition>`.
    PARTITION_FILESYSTEMS = is_for_partition, keyword("fat32").unsupported(), keyword("fat16").unsupported();
    /// File systems for persistent data.
    PERSISTENT_FILESYSTEMS = is_for_persistence;
}
