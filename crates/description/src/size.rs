//! Sizes with their unit in the type.

use std::fmt;

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Bytes(pub u64);

/// A number of mebibytes (2^20 bytes), the unit of the chapter's `<size>` and of partition sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Mebibytes(pub u64);

impl From<Mebibytes> for Bytes {
    fn from(size: Mebibytes) -> Self {
        Bytes(size.0 << 20)
    }
}

impl Bytes {
    /// The whole mebibytes that hold this many bytes, rounded up.
    pub fn to_mebibytes_up(self) -> Mebibytes {
        Mebibytes(self.0.div_ceil(1 << 20))
    }
}

impl fmt::Display for Mebibytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} MB", self.0)
    }
}

/// What `<size>` asks for: `unit` M or G and, in today's keywords, `additive`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SizeRule {
    /// The number, already converted to mebibytes.
    pub size: Mebibytes,
    /// `additive="true"`: the size is added to what the tree needs instead of replacing it.
    pub additive: bool,
    /// `unpartitioned`: this much of the disk is left without a partition.
    pub unpartitioned: Mebibytes,
}
