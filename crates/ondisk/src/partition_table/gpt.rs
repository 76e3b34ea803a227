//! The GUID partition table. gptman encodes it and computes its checksums; it trusts the numbers of a header, so
//! every header is checked here before gptman reads what the header refers to.
//!
//! # A power cut at any moment
//!
//! The new backup is written to the end of the disk first, and is on the disk before the primary table is touched. Until
//! then the old primary table is complete, and the next boot starts again. A cut while the primary table is written may
//! damage it; then the kernel finds no partitions, [`repair`](super::repair) finds the backup at the end of the disk and
//! writes the primary table from it. UEFI firmware does the same, and GRUB ignores the checksums.

use std::io::{self, Read, Seek, SeekFrom, Write};

use gptman::{GPT, GPTHeader, GPTPartitionEntry};

use super::{
    Addition, Extension, GptFault, NewTable, PartitionNames, Room, TableError, aligned, length, mbr,
};
use crate::{Bytes, Uuid};

/// Bytes of an entry. The specification allows other sizes, which no known program uses.
const ENTRY: u32 = 128;
/// Numbers of entries that are accepted. Partitioning programs write 128.
const ENTRIES: std::ops::RangeInclusive<u32> = 4..=1024;

/// A GUID partition table whose header was checked.
#[derive(Debug)]
pub struct Gpt {
    header: GPTHeader,
    entries: Vec<GPTPartitionEntry>,
    sector_size: u64,
}

/// Returns whether one of the two locations of a header has its signature.
pub(super) fn has_signature(disk: &mut (impl Read + Seek), sector_size: u64) -> Result<bool, TableError> {
    let last = last_sector(disk, sector_size)?;
    let has = |disk: &mut _, sector: u64| {
        let mut signature = [0; 8];
        super::read_at(disk, sector * sector_size, &mut signature).is_ok() && signature == *b"EFI PART"
    };
    Ok(has(disk, 1) || has(disk, last))
}

/// Returns the last sector of the disk. Its number times the size of a sector does not overflow.
fn last_sector(disk: &mut impl Seek, sector_size: u64) -> Result<u64, TableError> {
    (length(disk)? / sector_size).checked_sub(1).ok_or(TableError::DiskTooSmall)
}

fn sectors_of_entries(header: &GPTHeader, sector_size: u64) -> u64 {
    (u64::from(header.number_of_partition_entries) * u64::from(ENTRY)).div_ceil(sector_size)
}

fn fault(error: gptman::Error) -> GptFault {
    use gptman::Error;
    match error {
        Error::Io(error) => GptFault::Disk(error),
        Error::InvalidSignature => GptFault::Signature,
        Error::InvalidRevision | Error::InvalidHeaderSize => GptFault::Revision,
        Error::InvalidChecksum(..) | Error::InvalidPartitionEntryArrayChecksum(..) => GptFault::Checksum,
        // The other errors are those of functions that are not called here.
        error => GptFault::Disk(io::Error::other(error)),
    }
}

/// Fails unless the header in `sector` is possible on a disk whose last sector is `last`.
fn check_header(header: &GPTHeader, sector: u64, last: u64, sector_size: u64) -> Result<(), GptFault> {
    if header.primary_lba != sector {
        return Err(GptFault::Position(header.primary_lba));
    }
    if header.size_of_partition_entry != ENTRY {
        return Err(GptFault::EntrySize(header.size_of_partition_entry));
    }
    if !ENTRIES.contains(&header.number_of_partition_entries) {
        return Err(GptFault::EntryCount(header.number_of_partition_entries));
    }
    let entries = header.partition_entry_lba;
    let behind = entries.checked_add(sectors_of_entries(header, sector_size)).ok_or(GptFault::Bounds)?;
    let apart = |first: u64, end: u64| end <= entries || behind <= first;
    let usable = (header.first_usable_lba, header.last_usable_lba);
    if entries < 2 || behind > last + 1 || usable.0 < 2 || usable.1 > last || usable.0 > usable.1 {
        return Err(GptFault::Bounds);
    }
    let disjoint = apart(sector, sector + 1) && apart(usable.0, usable.1 + 1);
    if disjoint { Ok(()) } else { Err(GptFault::Bounds) }
}

fn read_one(
    disk: &mut (impl Read + Seek),
    sector: u64,
    last: u64,
    sector_size: u64,
) -> Result<Gpt, GptFault> {
    disk.seek(SeekFrom::Start(sector * sector_size)).map_err(GptFault::Disk)?;
    let header = GPTHeader::read_from(disk).map_err(fault)?;
    check_header(&header, sector, last, sector_size)?;
    let entries = header.read_partitions(disk, sector_size).map_err(fault)?;
    Ok(Gpt { header, entries, sector_size })
}

/// Writes a new table, with the boot sector that protects it, to a disk.
pub(super) fn create<D: Read + Write + Seek>(
    table: &NewTable,
    disk: &mut D,
    sector_size: u64,
    flush: fn(&mut D) -> io::Result<()>,
) -> Result<(), TableError> {
    let written = |error: gptman::Error| match error {
        gptman::Error::Io(error) => TableError::Disk(error),
        error => TableError::Disk(io::Error::other(error)),
    };
    // gptman computes the last usable sector without a check.
    if length(disk)? < super::SMALLEST_DISK {
        return Err(TableError::DiskTooSmall);
    }
    GPT::write_protective_mbr_into(disk, sector_size).map_err(written)?;
    let header = GPTHeader::new_from(disk, sector_size, table.guid.to_gpt()).map_err(written)?;
    let mut entries = vec![GPTPartitionEntry::empty(); header.number_of_partition_entries as usize];
    for partition in &table.partitions {
        let last = partition.start.0.checked_add(partition.sectors.0).and_then(|end| end.checked_sub(1));
        let index = (partition.number as usize).checked_sub(1);
        let entry = index.and_then(|index| entries.get_mut(index));
        *entry.ok_or(TableError::NoPartition(partition.number))? = GPTPartitionEntry {
            partition_type_guid: partition.partition_type.guid().to_gpt(),
            unique_partition_guid: partition.guid.to_gpt(),
            starting_lba: partition.start.0,
            ending_lba: last.ok_or(TableError::OutsideDisk(partition.number))?,
            attribute_bits: 0,
            partition_name: partition.name.as_str().into(),
        };
    }
    let mut guids: Vec<_> = table.partitions.iter().map(|partition| partition.guid).collect();
    guids.sort_unstable();
    if guids.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(TableError::DuplicateGuid);
    }
    Gpt { header, entries, sector_size }.write(disk, flush)
}

impl Gpt {
    /// Returns whether a partition has this type.
    pub(super) fn has_type(&self, guid: Uuid) -> bool {
        self.entries.iter().any(|entry| entry.partition_type_guid == guid.to_gpt())
    }

    /// Reads the primary table or, if that is damaged, the backup at the end of the disk.
    pub(super) fn read(disk: &mut (impl Read + Seek), sector_size: u64) -> Result<Self, TableError> {
        let last = last_sector(disk, sector_size)?;
        read_one(disk, 1, last, sector_size).or_else(|primary| {
            read_one(disk, last, last, sector_size).map_err(|backup| TableError::Gpt { primary, backup })
        })
    }

    /// Returns whether it was read from the start of the disk.
    pub(super) fn is_primary(&self) -> bool {
        self.header.is_primary()
    }

    fn used(&self) -> impl Iterator<Item = (u32, &GPTPartitionEntry)> {
        (1..).zip(&self.entries).filter(|(_, entry)| entry.is_used())
    }

    fn entry(&self, number: u32) -> Option<&GPTPartitionEntry> {
        self.used().find(|(n, _)| *n == number).map(|(_, entry)| entry)
    }

    pub(super) fn names(&self, number: u32) -> Option<PartitionNames> {
        let entry = self.entry(number)?;
        let label = entry.partition_name.as_str();
        Some(PartitionNames {
            uuid: Uuid::from_gpt(entry.unique_partition_guid).to_string(),
            label: (!label.is_empty()).then(|| label.to_owned()),
        })
    }

    /// Fails unless every partition is inside the usable sectors and none overlap.
    fn check(&self) -> Result<(), TableError> {
        // When the table is written, its entries go behind the primary header.
        if self.header.first_usable_lba < 2 + sectors_of_entries(&self.header, self.sector_size) {
            return Err(TableError::NoRoomForEntries);
        }
        let mut sorted: Vec<_> = self.used().collect();
        for (number, entry) in &sorted {
            let usable = self.header.first_usable_lba <= entry.starting_lba
                && entry.starting_lba <= entry.ending_lba
                && entry.ending_lba <= self.header.last_usable_lba;
            if !usable {
                return Err(TableError::OutsideDisk(*number));
            }
        }
        sorted.sort_by_key(|(_, entry)| entry.starting_lba);
        for pair in sorted.windows(2) {
            let [(one, before), (other, after)] = pair else { continue };
            if before.ending_lba >= after.starting_lba {
                return Err(TableError::Overlap(*one, *other));
            }
        }
        Ok(())
    }

    pub(super) fn room(&self, number: u32, disk: Bytes) -> Result<Option<Room>, TableError> {
        self.check()?;
        let Some(entry) = self.entry(number) else { return Ok(None) };
        if self.used().any(|(_, other)| other.starting_lba > entry.starting_lba) {
            return Ok(None);
        }
        let size = self.sector_size;
        let behind = (disk.0 / size).checked_sub(1 + sectors_of_entries(&self.header, size));
        let limit = behind.ok_or(TableError::DiskTooSmall)? * size;
        // The partition lies inside the disk that was read: no product overflows.
        let (start, end) = (Bytes(entry.starting_lba * size), Bytes((entry.ending_lba + 1) * size));
        Ok(Room { start, end, limit: Bytes(aligned(limit)) }.on_disk())
    }

    pub(super) fn has_free_entries(&self, number: u32, count: usize) -> bool {
        let first = number as usize;
        let wanted = first.checked_add(count).and_then(|end| self.entries.get(first..end));
        wanted.is_some_and(|wanted| wanted.iter().all(GPTPartitionEntry::is_unused))
    }

    pub(super) fn repartition<D: Read + Write + Seek>(
        &self,
        disk: &mut D,
        system: Extension,
        added: &[Addition],
        flush: fn(&mut D) -> io::Result<()>,
    ) -> Result<(), TableError> {
        self.check()?;
        let number = system.number;
        let last_of = |start: Bytes, length: Bytes, number: u32| {
            let end = start.0.checked_add(length.0).ok_or(TableError::OutsideDisk(number))?;
            (end / self.sector_size).checked_sub(1).ok_or(TableError::OutsideDisk(number))
        };
        let mut entries = self.entries.clone();
        let changed = (number as usize).checked_sub(1).and_then(|index| entries.get_mut(index..));
        let Some([own, behind @ ..]) = changed else { return Err(TableError::NoPartition(number)) };
        own.ending_lba = last_of(system.start, system.length, number)?;
        for ((entry, addition), number) in behind.iter_mut().zip(added).zip(number + 1..) {
            *entry = GPTPartitionEntry {
                partition_type_guid: addition.partition_type.guid().to_gpt(),
                unique_partition_guid: addition.guid,
                starting_lba: addition.start.0 / self.sector_size,
                ending_lba: last_of(addition.start, addition.length, number)?,
                attribute_bits: 0,
                partition_name: addition.partition_type.added_name().into(),
            };
        }
        Self { header: self.header.clone(), entries, sector_size: self.sector_size }.write(disk, flush)
    }

    /// Writes both tables, for the current size of the disk: first the backup, to the last sectors.
    fn write<D: Read + Write + Seek>(
        mut self,
        disk: &mut D,
        flush: fn(&mut D) -> io::Result<()>,
    ) -> Result<(), TableError> {
        let last = last_sector(disk, self.sector_size)?;
        let mut backup = self.fit(last)?;
        self.check()?;
        self.put(&mut backup, disk)?;
        flush(disk)?;
        mbr::cover_disk(disk, last)?;
        let mut primary = self.header.clone();
        self.put(&mut primary, disk)?;
        Ok(flush(disk)?)
    }

    /// Writes the primary table only, from this backup of it.
    pub(super) fn restore<D: Read + Write + Seek>(
        mut self,
        disk: &mut D,
        flush: fn(&mut D) -> io::Result<()>,
    ) -> Result<(), TableError> {
        let last = last_sector(disk, self.sector_size)?;
        self.fit(last)?;
        self.check()?;
        let mut primary = self.header.clone();
        self.put(&mut primary, disk)?;
        Ok(flush(disk)?)
    }

    /// Makes the header that of a primary table on a disk whose last sector is `last`, and returns that of its backup.
    fn fit(&mut self, last: u64) -> Result<GPTHeader, TableError> {
        let sectors = sectors_of_entries(&self.header, self.sector_size);
        let primary = &mut self.header;
        primary.primary_lba = 1;
        primary.backup_lba = last;
        primary.partition_entry_lba = 2;
        primary.last_usable_lba = last.checked_sub(sectors + 1).ok_or(TableError::DiskTooSmall)?;
        if primary.last_usable_lba < primary.first_usable_lba {
            return Err(TableError::DiskTooSmall);
        }
        let mut backup = primary.clone();
        (backup.primary_lba, backup.backup_lba) = (last, 1);
        backup.partition_entry_lba = last - sectors;
        Ok(backup)
    }

    fn put(&self, header: &mut GPTHeader, disk: &mut (impl Write + Seek)) -> Result<(), TableError> {
        header.write_into(disk, self.sector_size, &self.entries).map_err(|error| match error {
            gptman::Error::Io(error) => TableError::Disk(error),
            error => TableError::Disk(io::Error::other(error)),
        })
    }
}
