//! Sizes with their unit in the type.

use std::fmt;

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Bytes(pub u64);

/// A number of mebibytes (2^20 bytes), the unit of `<size>` and of partition sizes in descriptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Mebibytes(pub u64);

/// A number of sectors, or a sector number, on a disk whose sector size the context specifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Sectors(pub u64);

impl From<Mebibytes> for Bytes {
    /// Saturates at the largest number of bytes.
    fn from(size: Mebibytes) -> Self {
        Bytes(size.0.saturating_mul(1 << 20))
    }
}

impl Bytes {
    /// Returns the whole mebibytes in this many bytes, rounded down.
    pub fn to_mebibytes(self) -> Mebibytes {
        Mebibytes(self.0 >> 20)
    }

    /// Returns the sum, or the largest number of bytes.
    #[must_use]
    pub fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Returns the difference, or no bytes when `other` is larger.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// Returns the whole mebibytes that hold this many bytes, rounded up.
    pub fn to_mebibytes_up(self) -> Mebibytes {
        Mebibytes(self.0.div_ceil(1 << 20))
    }
}

impl Sectors {
    /// Returns the bytes of this many sectors of `sector_size` bytes, unless 64 bits cannot hold the number.
    pub fn to_bytes(self, sector_size: u64) -> Option<Bytes> {
        self.0.checked_mul(sector_size).map(Bytes)
    }
}

impl fmt::Display for Mebibytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} MB", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversions_do_not_overflow() {
        assert_eq!(Bytes::from(Mebibytes(3)), Bytes(3 << 20));
        assert_eq!(Bytes::from(Mebibytes(u64::MAX)), Bytes(u64::MAX));
        assert_eq!(Bytes((1 << 20) + 1).to_mebibytes_up(), Mebibytes(2));
        assert_eq!(Sectors(8).to_bytes(512), Some(Bytes(4096)));
        assert_eq!(Sectors(u64::MAX).to_bytes(512), None);
    }
}
