//! Partition tables: reading them, writing new ones, and growing or adding partitions at the end of a disk.
//!
//! Reading is lenient: a table with a wrong partition still names the others. Changing is strict: a table whose
//! partitions overlap or are outside the disk is an error, before anything is written.
//!
//! An MBR is one sector, which a disk writes completely or not at all; `gpt` describes how a GPT survives a power cut.

mod boot_sector;
#[cfg(test)]
mod crafted;
mod error;
mod gpt;
mod logical;
mod mbr;
#[cfg(test)]
mod tests;

use std::io::{self, Read, Seek, SeekFrom, Write};

pub use boot_sector::BootSector;
pub use error::{GptFault, TableError};
pub use gpt::Gpt;
pub use logical::{FIRST_LOGICAL, LOGICAL_GAP};
pub use mbr::{Mbr, append, partition_uuid as mbr_partition_uuid};

use crate::{Bytes, Sectors, Uuid};

/// Partitions end at a multiple of this many bytes, and do not grow by less.
const ALIGNMENT: u64 = 1 << 20;
/// Bytes of the smallest disk that can have a partition table.
const SMALLEST_DISK: u64 = 4 * ALIGNMENT;

/// The kind of a partition table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// A GUID partition table, with the boot sector that protects it.
    Gpt,
    /// The four entries of a master boot record.
    Mbr,
}

/// The purpose of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartitionType {
    /// The core of the boot loader for BIOS on a GPT.
    BiosBoot,
    /// A FAT file system that the firmware reads: an EFI system partition.
    Firmware,
    /// Swap space.
    Swap,
    /// Data of Linux.
    Linux,
    /// The number of another type in an MBR. A GPT, whose types are others, marks the partition as data of Linux.
    Other(u8),
}

impl PartitionType {
    /// Returns the type GUID in a GPT.
    pub const fn guid(self) -> Uuid {
        Uuid(
            match self {
                Self::BiosBoot => 0x2168_6148_6449_6e6f_744e_6565_6445_4649_u128,
                Self::Firmware => 0xc12a_7328_f81f_11d2_ba4b_00a0_c93e_c93b,
                Self::Swap => 0x0657_fd6d_a4ab_43c4_84e5_0933_c84b_4f4f,
                Self::Linux | Self::Other(_) => 0x0fc6_3daf_8483_4772_8e79_3d69_d847_7de4,
            }
            .to_be_bytes(),
        )
    }

    /// Returns the name in a GPT of a partition that is added behind the system.
    const fn added_name(self) -> &'static str {
        match self {
            Self::BiosBoot => "p.legacy",
            Self::Firmware => "p.UEFI",
            Self::Swap => "p.swap",
            Self::Linux | Self::Other(_) => "p.lxdata",
        }
    }

    /// Returns the type in an MBR. A partition for firmware has the type FAT32, which BIOS and UEFI accept on sticks.
    pub const fn mbr(self) -> u8 {
        match self {
            Self::Firmware => 0x0c,
            Self::Swap => 0x82,
            Self::BiosBoot | Self::Linux => 0x83,
            Self::Other(id) => id,
        }
    }
}

/// The partition table of a new disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTable {
    /// The kind of the table.
    pub scheme: Scheme,
    /// The GUID of the disk; its first four bytes are the signature of an MBR.
    pub guid: Uuid,
    /// The number of the partition that an MBR marks as active; 0: none.
    pub active: u32,
    /// The partitions.
    pub partitions: Vec<NewPartition>,
}

/// A partition of a new table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPartition {
    /// The number, counted from 1.
    pub number: u32,
    /// The purpose.
    pub partition_type: PartitionType,
    /// The first sector.
    pub start: Sectors,
    /// The number of sectors.
    pub sectors: Sectors,
    /// The GUID in a GPT.
    pub guid: Uuid,
    /// The name in a GPT.
    pub name: String,
}

impl NewTable {
    /// Writes the table to a disk with sectors of `sector_size` bytes. Of sector 0 only the table is written.
    pub fn write(&self, disk: &mut (impl Read + Write + Seek), sector_size: u64) -> Result<(), TableError> {
        self.write_durably(disk, sector_size, |_| Ok(()))
    }

    /// Like [`write`](Self::write); `flush` forces the written data to the disk, so that a power cut leaves the old table, the
    /// new one, or, on a GPT, a backup from which [`repair`] writes the new one.
    pub fn write_durably<D: Read + Write + Seek>(
        &self,
        disk: &mut D,
        sector_size: u64,
        flush: fn(&mut D) -> io::Result<()>,
    ) -> Result<(), TableError> {
        match self.scheme {
            Scheme::Gpt => gpt::create(self, disk, sector_size, flush),
            Scheme::Mbr => mbr::create(self, disk, sector_size, flush),
        }
    }
}

/// Returns the MBR signature of the disk with this GUID: its first four bytes, as they are stored.
pub fn mbr_signature(guid: Uuid) -> u32 {
    let [first, second, third, fourth, ..] = guid.0;
    u32::from_le_bytes([first, second, third, fourth])
}

/// The partition table of a disk.
#[derive(Debug)]
pub enum PartitionTable {
    /// A GPT.
    Gpt(Gpt),
    /// An MBR.
    Mbr(Mbr),
}

/// The identifiers of a partition in its table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionNames {
    /// As in `PARTUUID=`.
    pub uuid: String,
    /// As in `PARTLABEL=`.
    pub label: Option<String>,
}

/// A partition that can grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extension {
    /// The number, counted from 1.
    pub number: u32,
    /// The start.
    pub start: Bytes,
    /// The largest possible length.
    pub length: Bytes,
}

/// A partition to be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addition {
    /// The start.
    pub start: Bytes,
    /// The length.
    pub length: Bytes,
    /// The purpose.
    pub partition_type: PartitionType,
    /// The GUID in a GPT, as the sixteen bytes on disk.
    pub guid: [u8; 16],
}

/// The last partition and the space after it; both ends are greater than the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// The start of the partition.
    pub start: Bytes,
    /// The end of the partition.
    pub end: Bytes,
    /// The largest possible end; less than `end` when that is not aligned.
    pub limit: Bytes,
}

impl Room {
    /// Returns the length of the partition.
    pub fn length(&self) -> Bytes {
        self.end.saturating_sub(self.start)
    }

    /// Returns the largest possible length of the partition.
    pub fn largest(&self) -> Bytes {
        self.limit.saturating_sub(self.start)
    }

    /// Returns the room, unless its limit is not greater than its start: the last mebibyte of a disk may be incomplete.
    fn on_disk(self) -> Option<Self> {
        (self.limit > self.start).then_some(self)
    }
}

fn length(disk: &mut impl Seek) -> io::Result<u64> {
    disk.seek(SeekFrom::End(0))
}

fn read_at(disk: &mut (impl Read + Seek), at: u64, bytes: &mut [u8]) -> Result<(), TableError> {
    disk.seek(SeekFrom::Start(at))?;
    Ok(disk.read_exact(bytes)?)
}

fn write_at(disk: &mut (impl Write + Seek), at: u64, bytes: &[u8]) -> Result<(), TableError> {
    disk.seek(SeekFrom::Start(at))?;
    Ok(disk.write_all(bytes)?)
}

/// Returns the largest multiple of the alignment that is not greater than `bytes`.
fn aligned(bytes: u64) -> u64 {
    bytes / ALIGNMENT * ALIGNMENT
}

impl PartitionTable {
    /// Reads the table of a disk with sectors of `sector_size` bytes. Returns none for a disk without a table.
    pub fn read(disk: &mut (impl Read + Seek), sector_size: u64) -> Result<Option<Self>, TableError> {
        if !matches!(sector_size, 512 | 1024 | 2048 | 4096) {
            return Err(TableError::SectorSize(sector_size));
        }
        if length(disk)? < SMALLEST_DISK {
            return Ok(None);
        }
        let mut sector = [0; 512];
        read_at(disk, 0, &mut sector)?;
        if !boot_sector::is_boot_sector(&sector) {
            return Ok(None);
        }
        if mbr::protective_entry(&sector).is_none() {
            return Ok(Mbr::parse(&sector, sector_size).map(Self::Mbr));
        }
        if !gpt::has_signature(disk, sector_size)? {
            return Ok(None);
        }
        Gpt::read(disk, sector_size).map(|gpt| Some(Self::Gpt(gpt)))
    }

    /// Returns whether it has a partition that UEFI starts from.
    pub fn has_firmware_partition(&self) -> bool {
        match self {
            Self::Gpt(gpt) => gpt.has_type(PartitionType::Firmware.guid()),
            Self::Mbr(mbr) => mbr.has_type(&[0xef, PartitionType::Firmware.mbr()]),
        }
    }

    /// Returns the identifiers of partition `number`. Logical partitions of an MBR (5 and up) have identifiers, too.
    pub fn names(&self, number: u32) -> Option<PartitionNames> {
        match self {
            Self::Gpt(gpt) => gpt.names(number),
            Self::Mbr(mbr) => {
                Some(PartitionNames { uuid: mbr::partition_uuid(mbr.signature, number), label: None })
            }
        }
    }

    /// Returns how far partition `number` can grow on a disk of this size; none when another one follows it, or
    /// when it already fills the disk.
    pub fn extension(&self, number: u32, disk: Bytes) -> Result<Option<Extension>, TableError> {
        let worthwhile = |room: &Room| room.limit >= room.end.saturating_add(Bytes(ALIGNMENT));
        let room = self.room(number, disk)?.filter(worthwhile);
        Ok(room.map(|room| Extension { number, start: room.start, length: room.largest() }))
    }

    /// Returns the room behind partition `number` on a disk of this size; none when another one follows it.
    pub fn room(&self, number: u32, disk: Bytes) -> Result<Option<Room>, TableError> {
        match self {
            Self::Gpt(gpt) => gpt.room(number, disk),
            Self::Mbr(mbr) => mbr.room(number, disk),
        }
    }

    /// Returns whether the table has free entries for `count` partitions after `number`.
    pub fn has_free_entries(&self, number: u32, count: usize) -> bool {
        match self {
            Self::Gpt(gpt) => gpt.has_free_entries(number, count),
            Self::Mbr(mbr) => mbr.has_free_entries(number, count),
        }
    }

    /// Returns the `PARTUUID=` of a new partition `number` that gets `guid` when the table has GUIDs.
    pub fn future_uuid(&self, number: u32, guid: [u8; 16]) -> String {
        match self {
            Self::Gpt(_) => Uuid::from_gpt(guid).to_string(),
            Self::Mbr(mbr) => mbr::partition_uuid(mbr.signature, number),
        }
    }

    /// Writes the table with the new length of partition `system` and the partitions `added`, numbered from its number on.
    /// `flush` forces the written data to the disk.
    pub fn repartition<D: Read + Write + Seek>(
        &self,
        disk: &mut D,
        system: Extension,
        added: &[Addition],
        flush: fn(&mut D) -> io::Result<()>,
    ) -> Result<(), TableError> {
        if !added.is_empty() && !self.has_free_entries(system.number, added.len()) {
            return Err(TableError::NoFreeEntries);
        }
        match self {
            Self::Gpt(gpt) => gpt.repartition(disk, system, added, flush),
            Self::Mbr(mbr) => mbr.repartition(disk, system, added, flush),
        }
    }

    /// Writes the table with the longer partition. `flush` forces the written data to the disk.
    pub fn extend<D: Read + Write + Seek>(
        &self,
        disk: &mut D,
        extension: Extension,
        flush: fn(&mut D) -> io::Result<()>,
    ) -> Result<(), TableError> {
        self.repartition(disk, extension, &[], flush)
    }
}

/// Writes the primary table of a GPT from its backup when only the backup is intact. Returns whether it did.
pub fn repair<D: Read + Write + Seek>(
    disk: &mut D,
    sector_size: u64,
    flush: fn(&mut D) -> io::Result<()>,
) -> Result<bool, TableError> {
    match PartitionTable::read(disk, sector_size)? {
        Some(PartitionTable::Gpt(gpt)) if !gpt.is_primary() => gpt.restore(disk, flush).map(|()| true),
        Some(PartitionTable::Gpt(_) | PartitionTable::Mbr(_)) | None => Ok(false),
    }
}
