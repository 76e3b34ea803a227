//! What is wrong with a partition table.

use std::fmt;
use std::io;

/// Why a partition table cannot be read or written.
#[derive(Debug)]
pub enum TableError {
    /// The disk cannot be read or written.
    Disk(io::Error),
    /// The disk has sectors of a size that no disk has.
    SectorSize(u64),
    /// Neither of the two tables of a GPT can be used.
    Gpt {
        /// The fault of the table at the start of the disk.
        primary: GptFault,
        /// The fault of the table at the end of the disk.
        backup: GptFault,
    },
    /// The disk has no partition table, or no longer has one.
    NoTable,
    /// The table has no partition of this number.
    NoPartition(u32),
    /// This partition has no sectors, or is outside of the usable sectors of the disk.
    OutsideDisk(u32),
    /// These two partitions have sectors in common.
    Overlap(u32, u32),
    /// Two partitions of a GPT have the same GUID.
    DuplicateGuid,
    /// The entries that are needed for new partitions are in use or missing.
    NoFreeEntries,
    /// The sectors behind the header, where the entries belong, may hold partitions.
    NoRoomForEntries,
    /// This partition starts behind, or is longer than, what the 32 bits of an MBR can express.
    BeyondMbr(u32),
    /// The disk is too small for the table.
    DiskTooSmall,
}

/// Why one of the two tables of a GPT cannot be used.
#[derive(Debug)]
pub enum GptFault {
    /// The table cannot be read.
    Disk(io::Error),
    /// The header does not start with `EFI PART`.
    Signature,
    /// The header has another revision or length than those of GPT 1.0.
    Revision,
    /// The checksum of the header or of the partition entries is wrong.
    Checksum,
    /// The header specifies another sector as its own.
    Position(u64),
    /// The header specifies this number of entries.
    EntryCount(u32),
    /// The header specifies this many bytes for an entry.
    EntrySize(u32),
    /// The header, the entries or the usable sectors are outside the disk, or overlap.
    Bounds,
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disk(error) => error.fmt(f),
            Self::SectorSize(size) => write!(f, "sectors of {size} bytes are not supported"),
            Self::Gpt { primary, backup } => {
                write!(f, "the GPT is damaged: its primary table {primary}, its backup table {backup}")
            }
            Self::NoTable => f.write_str("the disk has no partition table"),
            Self::NoPartition(number) => write!(f, "the partition table has no partition {number}"),
            Self::OutsideDisk(number) => {
                write!(f, "the partition table is wrong: partition {number} is not inside the disk")
            }
            Self::Overlap(one, other) => {
                write!(f, "the partition table is wrong: partitions {one} and {other} overlap")
            }
            Self::DuplicateGuid => {
                f.write_str("the partition table is wrong: two partitions have the same GUID")
            }
            Self::NoFreeEntries => f.write_str("the partition table has no entries left"),
            Self::NoRoomForEntries => {
                f.write_str("the partition table is wrong: partitions may start where its entries belong")
            }
            Self::BeyondMbr(number) => write!(
                f,
                "partition {number} does not fit into an MBR, which counts sectors in 32 bits (2 TiB)"
            ),
            Self::DiskTooSmall => f.write_str("the disk is too small for its partition table"),
        }
    }
}

impl fmt::Display for GptFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disk(error) => write!(f, "cannot be read ({error})"),
            Self::Signature => f.write_str("has no signature"),
            Self::Revision => f.write_str("has an unknown revision"),
            Self::Checksum => f.write_str("has a wrong checksum"),
            Self::Position(sector) => write!(f, "claims to be in sector {sector}"),
            Self::EntryCount(count) => write!(f, "claims to have {count} entries"),
            Self::EntrySize(size) => write!(f, "claims to have entries of {size} bytes"),
            Self::Bounds => f.write_str("refers to sectors that it cannot use"),
        }
    }
}

impl std::error::Error for TableError {}

impl From<io::Error> for TableError {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

impl From<TableError> for io::Error {
    fn from(error: TableError) -> Self {
        match error {
            TableError::Disk(error) => error,
            error => io::Error::new(io::ErrorKind::InvalidData, error),
        }
    }
}
