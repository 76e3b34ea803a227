//! The size of an image.

use ondisk::Mebibytes;

/// `<size>`: its `unit` M or G and, in current schemas, `additive`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct SizeRule {
    /// The number, converted to mebibytes.
    pub size: Mebibytes,
    /// `additive="true"`: the size is added to what the tree needs instead of replacing it.
    pub additive: bool,
    /// `unpartitioned`: mebibytes of the disk that are left without a partition.
    pub unpartitioned: Mebibytes,
}
