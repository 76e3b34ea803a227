//! Where the partitions of `PART=` go on a disk (docs/formats/client-configuration.md).
//!
//! Partitions start at whole mebibytes. With more than four of them, an MBR holds all but three inside an extended partition,
//! which takes number 4; a GPT leaves that number out, so that a configuration names the same devices on every disk. On a GPT
//! the boot loader gets a partition of its own, with the last number: for BIOS in the first mebibyte, for UEFI an EFI system
//! partition behind it, unless `PART=` has one.

use std::fmt;

use bootconfig::{Deployed, DeployedSize};
use ondisk::partition_table::{
    FIRST_LOGICAL, LOGICAL_GAP, NewPartition, NewTable, PartitionTable, PartitionType, Scheme,
};
use ondisk::{Bytes, Sectors, Uuid};

/// Alignment of partitions, and the space in front of the first one.
const ALIGNMENT: u64 = 1 << 20;
/// The number of the partition of the boot loader.
pub(crate) const BOOT_CODE: u32 = 128;
/// The size of an EFI system partition that `PART=` does not have.
const ESP: Bytes = Bytes(16 << 20);
/// The space that the entries of a GPT take.
const GPT_ENTRIES: u64 = 16 << 10;

/// The disk to partition.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Disk {
    pub(crate) bytes: Bytes,
    pub(crate) sector_size: u64,
    pub(crate) scheme: Scheme,
    /// Whether the machine was started by UEFI.
    pub(crate) uefi: bool,
}

/// The partitions of a disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) scheme: Scheme,
    pub(crate) sector_size: u64,
    pub(crate) partitions: Vec<Placed>,
}

/// A partition of a layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) number: u32,
    pub(crate) partition_type: PartitionType,
    pub(crate) start: Bytes,
    pub(crate) length: Bytes,
    /// The mount point in the system.
    pub(crate) mount: Option<String>,
}

/// Why a disk cannot be partitioned as configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LayoutError {
    /// These partitions need more than the disk has.
    DiskTooSmall { needed: Bytes, disk: Bytes },
    /// More than one partition has the rest of the disk.
    TwoRests,
    /// The size of this partition is 0.
    Empty(u32),
    /// This partition has the size of its image, but no image is written to it.
    NoImage(u32),
    /// The image for this partition is larger than the partition.
    ImageTooLarge { number: u32, image: Bytes, partition: Bytes },
    /// This partition is for LVM, which the boot image does not include.
    Lvm(u32),
    /// This partition is an extended one; these are made where they are needed.
    Extended(u32),
    /// This partition has an unknown type.
    Type(u32, String),
}

impl fmt::Display for LayoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mebibytes = |bytes: &Bytes| bytes.to_mebibytes_up().0;
        match self {
            Self::DiskTooSmall { needed, disk } => write!(
                f,
                "the partitions need {} MiB, but the disk has {} MiB",
                mebibytes(needed),
                disk.to_mebibytes().0
            ),
            Self::TwoRests => f.write_str("more than one partition has the size x, the rest of the disk"),
            Self::Empty(number) => write!(f, "partition {number} has the size 0"),
            Self::NoImage(number) => {
                write!(f, "partition {number} has the size of its image, but IMAGE writes none to it")
            }
            Self::ImageTooLarge { number, image, partition } => write!(
                f,
                "the image for partition {number} has {} MiB, but the partition has {} MiB",
                mebibytes(image),
                partition.to_mebibytes().0
            ),
            Self::Lvm(number) => {
                write!(f, "partition {number} is for LVM, which this boot image does not include")
            }
            Self::Extended(number) => write!(
                f,
                "partition {number} is an extended one; with more than four partitions it is added automatically"
            ),
            Self::Type(number, text) => {
                write!(
                    f,
                    "partition {number} has the unknown type \"{text}\": expected S, L, U or two hexadecimal digits"
                )
            }
        }
    }
}

/// Returns the kind of table for a disk: a GPT where the disk has one, is too large for an MBR or belongs to UEFI, otherwise an
/// MBR as in KIWI 1.x.
pub(crate) fn scheme(bytes: Bytes, sector_size: u64, present: Option<&PartitionTable>, uefi: bool) -> Scheme {
    let is_large = bytes.0 / sector_size.max(1) > u64::from(u32::MAX);
    match present {
        _ if is_large || uefi => Scheme::Gpt,
        Some(PartitionTable::Gpt(_)) => Scheme::Gpt,
        Some(PartitionTable::Mbr(_)) | None => Scheme::Mbr,
    }
}

/// Returns the type of a partition; `number` is for messages.
fn partition_type(number: u32, text: &str) -> Result<PartitionType, LayoutError> {
    let unknown = || LayoutError::Type(number, text.to_owned());
    match text.to_ascii_lowercase().as_str() {
        "s" | "82" => Ok(PartitionType::Swap),
        text if text.contains("swap") => Ok(PartitionType::Swap),
        "l" | "83" | "" => Ok(PartitionType::Linux),
        "u" | "ef" => Ok(PartitionType::Firmware),
        "v" | "8e" => Err(LayoutError::Lvm(number)),
        "e" | "x" | "5" | "05" | "f" | "0f" | "85" => Err(LayoutError::Extended(number)),
        digits => {
            let digits = digits.strip_prefix("0x").unwrap_or(digits);
            let id = u8::from_str_radix(digits, 16).ok().filter(|id| *id != 0 && digits.len() <= 2);
            Ok(PartitionType::Other(id.ok_or_else(unknown)?))
        }
    }
}

/// Places the partitions. `image` returns the size of the image that is written to a partition.
pub(crate) fn plan(
    deployed: &Deployed,
    disk: &Disk,
    image: impl Fn(u32) -> Option<Bytes>,
) -> Result<Layout, LayoutError> {
    let numbers: Vec<u32> = (0..deployed.partitions.len()).map(|index| deployed.number(index)).collect();
    let mut lengths = Vec::new();
    for (part, number) in deployed.partitions.iter().zip(&numbers) {
        lengths.push(match part.size {
            DeployedSize::Fixed(size) if size.0 == 0 => return Err(LayoutError::Empty(*number)),
            DeployedSize::Fixed(size) => Some(Bytes::from(size)),
            DeployedSize::Image => {
                let bytes = image(*number).ok_or(LayoutError::NoImage(*number))?;
                Some(bytes.to_mebibytes_up().into())
            }
            DeployedSize::Rest => None,
        });
    }
    if lengths.iter().filter(|length| length.is_none()).count() > 1 {
        return Err(LayoutError::TwoRests);
    }
    let mut types = Vec::new();
    for (part, number) in deployed.partitions.iter().zip(&numbers) {
        types.push(partition_type(*number, &part.kind)?);
    }
    let own = boot_code(disk, &types);
    let first = own.as_ref().map_or(Bytes(0), Placed::end).max(Bytes(ALIGNMENT));
    let gap = |number: u32| if number >= FIRST_LOGICAL { LOGICAL_GAP } else { Bytes(0) };
    let gaps = numbers.iter().fold(first, |sum, number| sum.saturating_add(gap(*number)));
    let fixed = lengths.iter().flatten().fold(gaps, |sum, length| sum.saturating_add(*length));
    let end = match disk.scheme {
        // The backup of a GPT is at the end of the disk.
        Scheme::Gpt => disk.bytes.saturating_sub(Bytes(GPT_ENTRIES + 2 * disk.sector_size)),
        Scheme::Mbr => disk.bytes.min(Bytes(u64::from(u32::MAX).saturating_mul(disk.sector_size))),
    };
    let end = Bytes(end.0 / ALIGNMENT * ALIGNMENT);
    let least = if lengths.contains(&None) { Bytes(ALIGNMENT) } else { Bytes(0) };
    let needed = fixed.saturating_add(least);
    if needed > end {
        return Err(LayoutError::DiskTooSmall { needed, disk: disk.bytes });
    }
    let rest = end.saturating_sub(fixed);
    let mut start = first;
    let mut partitions = Vec::new();
    let parts = deployed.partitions.iter().zip(types);
    for (((part, partition_type), number), length) in parts.zip(numbers).zip(lengths) {
        start = start.saturating_add(gap(number));
        let length = length.unwrap_or(rest);
        if let Some(image) = image(number).filter(|image| *image > length) {
            return Err(LayoutError::ImageTooLarge { number, image, partition: length });
        }
        partitions.push(Placed { number, partition_type, start, length, mount: part.mountpoint.clone() });
        start = start.saturating_add(length);
    }
    partitions.extend(own);
    Ok(Layout { scheme: disk.scheme, sector_size: disk.sector_size, partitions })
}

/// Returns the partition of the boot loader, if it gets one.
fn boot_code(disk: &Disk, types: &[PartitionType]) -> Option<Placed> {
    if disk.scheme != Scheme::Gpt {
        return None;
    }
    let (partition_type, start, length) = if disk.uefi {
        if types.contains(&PartitionType::Firmware) {
            return None;
        }
        (PartitionType::Firmware, Bytes(ALIGNMENT), ESP)
    } else {
        let start = Bytes(GPT_ENTRIES + 2 * disk.sector_size);
        (PartitionType::BiosBoot, start, Bytes(ALIGNMENT).saturating_sub(start))
    };
    Some(Placed { number: BOOT_CODE, partition_type, start, length, mount: None })
}

impl Layout {
    /// Returns the EFI system partition.
    pub(crate) fn esp(&self) -> Option<&Placed> {
        self.partitions.iter().find(|placed| placed.partition_type == PartitionType::Firmware)
    }

    /// Returns the table; `guid` returns a new GUID at each call.
    pub(crate) fn table<E>(&self, mut guid: impl FnMut() -> Result<Uuid, E>) -> Result<NewTable, E> {
        let sectors = |bytes: Bytes| Sectors(bytes.0 / self.sector_size);
        let disk_guid = guid()?;
        let mut partitions = Vec::new();
        for placed in &self.partitions {
            partitions.push(NewPartition {
                number: placed.number,
                partition_type: placed.partition_type,
                start: sectors(placed.start),
                sectors: sectors(placed.length),
                guid: guid()?,
                name: placed.name(),
            });
        }
        let is_system = |placed: &&Placed| {
            placed.number < FIRST_LOGICAL
                && !matches!(placed.partition_type, PartitionType::Swap | PartitionType::BiosBoot)
        };
        let active = self.partitions.iter().find(is_system).map_or(0, |placed| placed.number);
        Ok(NewTable { scheme: self.scheme, guid: disk_guid, active, partitions })
    }
}

impl Placed {
    fn end(&self) -> Bytes {
        self.start.saturating_add(self.length)
    }

    /// Whether it is swap space.
    pub(crate) fn is_swap(&self) -> bool {
        self.partition_type == PartitionType::Swap
    }

    /// Returns its name in a GPT.
    fn name(&self) -> String {
        match self.partition_type {
            PartitionType::BiosBoot => "p.legacy".to_owned(),
            PartitionType::Firmware => "p.UEFI".to_owned(),
            PartitionType::Swap => "p.swap".to_owned(),
            PartitionType::Linux | PartitionType::Other(_) => format!("p.lx{}", self.number),
        }
    }
}

#[cfg(test)]
mod tests;
