//! The master boot record: four entries of sixteen bytes in sector 0, read and changed in place. Everything else in the
//! sector belongs to the boot loader and stays as it is.

use std::io::{Read, Seek, Write};

use super::boot_sector::{
    BEYOND_GEOMETRY, BootSector, ENTRIES, ENTRY, MARK, checked_u32, is_boot_sector, put_entry,
};
use super::logical::{self, FIRST_LOGICAL};
use super::{Addition, Extension, NewTable, PartitionType, Room, TableError, aligned, read_at, write_at};
use crate::{Bytes, Sectors, Uuid};

/// The offset of the disk's signature in bytes.
const SIGNATURE: usize = 440;
/// The type of the protective entry, which covers a GPT.
const PROTECTIVE: u8 = 0xee;

/// The master boot record of a disk.
#[derive(Debug)]
pub struct Mbr {
    pub(super) signature: u32,
    entries: [Entry; 4],
    sector_size: u64,
}

/// One of the four entries. Addresses in cylinders, heads and sectors are not read: nothing uses them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    system: u8,
    start: u32,
    sectors: u32,
}

impl Entry {
    fn read(sector: &BootSector, index: usize) -> Self {
        let entry = &sector[ENTRIES + index * ENTRY..][..ENTRY];
        let number = |at: usize| u32::from_le_bytes([entry[at], entry[at + 1], entry[at + 2], entry[at + 3]]);
        Self { system: entry[4], start: number(8), sectors: number(12) }
    }

    fn is_used(self) -> bool {
        self.system != 0 && self.sectors != 0
    }

    /// Returns whether the entry is an extended partition, which contains the logical ones.
    fn is_container(self) -> bool {
        matches!(self.system, 0x05 | 0x0f | 0x85)
    }

    /// Returns the first sector after the partition.
    fn end(self) -> u64 {
        if self.is_used() { u64::from(self.start) + u64::from(self.sectors) } else { 0 }
    }
}

/// Returns the index of the protective entry, if the sector has one.
pub(super) fn protective_entry(sector: &BootSector) -> Option<usize> {
    (0..4).find(|index| sector[ENTRIES + index * ENTRY + 4] == PROTECTIVE)
}

/// Lets the protective entry span the disk, whose last sector is `last`.
pub(super) fn cover_disk(disk: &mut (impl Read + Write + Seek), last: u64) -> Result<(), TableError> {
    let mut sector = [0; 512];
    read_at(disk, 0, &mut sector)?;
    let Some(index) = protective_entry(&sector) else { return Ok(()) };
    let sectors = u32::try_from(last).unwrap_or(u32::MAX);
    write_at(disk, (ENTRIES + index * ENTRY + 12) as u64, &sectors.to_le_bytes())
}

/// Returns the index of partition `number`, which has to be a primary one.
fn index_of(number: u32) -> Result<usize, TableError> {
    match number {
        1..=4 => Ok(number as usize - 1),
        _ => Err(TableError::NoPartition(number)),
    }
}

/// Writes the entry of a new partition into the sector. `address` is its CHS address.
fn put(
    sector: &mut BootSector,
    number: u32,
    system: u8,
    extent: (u64, u64),
    address: [u8; 3],
) -> Result<(), TableError> {
    put_entry(sector, index_of(number)?, number, system, extent, address)
}

/// Adds the Linux partition `number` to the MBR in `sector`, unless that sector is not an MBR or the entries from
/// this one on are in use.
pub fn append(
    sector: &mut BootSector,
    number: u32,
    start: Sectors,
    sectors: Sectors,
) -> Result<(), TableError> {
    let first = ENTRIES + index_of(number)? * ENTRY;
    if !is_boot_sector(sector) {
        return Err(TableError::NoTable);
    }
    if sector[first..510].iter().any(|byte| *byte != 0) {
        return Err(TableError::NoFreeEntries);
    }
    put(sector, number, PartitionType::Linux.mbr(), (start.0, sectors.0), BEYOND_GEOMETRY)
}

/// Writes a new table. The boot loader in the sector stays as it is. The sector is written last, so that a power cut leaves
/// the old table or the new one.
pub(super) fn create<D: Read + Write + Seek>(
    table: &NewTable,
    disk: &mut D,
    sector_size: u64,
    flush: fn(&mut D) -> std::io::Result<()>,
) -> Result<(), TableError> {
    let (primary, logical): (Vec<_>, Vec<_>) =
        table.partitions.iter().partition(|partition| partition.number < FIRST_LOGICAL);
    if !logical.is_empty() && primary.iter().any(|partition| partition.number == logical::SLOT) {
        return Err(TableError::NoPartition(FIRST_LOGICAL));
    }
    let extended = logical::create(&logical, disk, sector_size)?;
    flush(disk)?;
    let mut sector = [0; 512];
    read_at(disk, 0, &mut sector)?;
    let Uuid(guid) = table.guid;
    sector[SIGNATURE..SIGNATURE + 4].copy_from_slice(&guid[..4]);
    sector[SIGNATURE + 4..510].fill(0);
    sector[510..].copy_from_slice(&MARK);
    if let Some(extent) = extended {
        put(&mut sector, logical::SLOT, logical::EXTENDED, extent, BEYOND_GEOMETRY)?;
    }
    for partition in primary {
        let extent = (partition.start.0, partition.sectors.0);
        put(&mut sector, partition.number, partition.partition_type.mbr(), extent, [0; 3])?;
        if partition.number == table.active {
            sector[ENTRIES + index_of(partition.number)? * ENTRY] = 0x80;
        }
    }
    write_at(disk, 0, &sector)?;
    Ok(flush(disk)?)
}

/// Returns the `PARTUUID=` of partition `number` on the disk with this signature.
pub fn partition_uuid(signature: u32, number: u32) -> String {
    format!("{signature:08x}-{number:02x}")
}

impl Mbr {
    /// Returns whether a primary partition has one of these types.
    pub(super) fn has_type(&self, types: &[u8]) -> bool {
        self.entries.iter().any(|entry| entry.is_used() && types.contains(&entry.system))
    }

    /// Reads the entries of a boot sector. A file system on an unpartitioned disk has a boot sector with the same mark; it is
    /// distinguished by the flags of the entries, which are code in such a sector.
    pub(super) fn parse(sector: &BootSector, sector_size: u64) -> Option<Self> {
        let entries = [0, 1, 2, 3].map(|index| Entry::read(sector, index));
        let flags_are_valid = (0..4).all(|index| matches!(sector[ENTRIES + index * ENTRY], 0 | 0x80));
        let signature = &sector[SIGNATURE..SIGNATURE + 4];
        let signature = u32::from_le_bytes([signature[0], signature[1], signature[2], signature[3]]);
        (flags_are_valid && entries.iter().any(|entry| entry.system != 0)).then_some(Self {
            signature,
            entries,
            sector_size,
        })
    }

    /// Fails unless every partition is inside the disk and none overlap.
    fn check(&self, disk_sectors: u64) -> Result<(), TableError> {
        let used = || (1..).zip(self.entries).filter(|(_, entry)| entry.is_used());
        for (number, entry) in used() {
            if entry.start == 0 || entry.end() > disk_sectors {
                return Err(TableError::OutsideDisk(number));
            }
            let overlaps =
                |other: Entry| u64::from(entry.start) < other.end() && u64::from(other.start) < entry.end();
            if let Some((other, _)) = used().find(|(other, entry)| *other > number && overlaps(*entry)) {
                return Err(TableError::Overlap(number, other));
            }
        }
        Ok(())
    }

    pub(super) fn room(&self, number: u32, disk: Bytes) -> Result<Option<Room>, TableError> {
        self.check(disk.0 / self.sector_size)?;
        let Ok(index) = index_of(number) else { return Ok(None) };
        let entry = self.entries[index];
        let last = self.entries.iter().map(|other| other.end()).max().unwrap_or(0);
        if !entry.is_used() || entry.is_container() || entry.end() < last {
            return Ok(None);
        }
        // Sector sizes are small and sectors have 32 bits: no product overflows.
        let bytes = |sectors: u64| sectors * self.sector_size;
        let start = u64::from(entry.start);
        let limit = disk.0.min(bytes(start + u64::from(u32::MAX)));
        let (start, end) = (Bytes(bytes(start)), Bytes(bytes(entry.end())));
        Ok(Room { start, end, limit: Bytes(aligned(limit)) }.on_disk())
    }

    pub(super) fn has_free_entries(&self, number: u32, count: usize) -> bool {
        let first = number as usize;
        let wanted = first.checked_add(count).and_then(|end| self.entries.get(first..end));
        wanted.is_some_and(|wanted| wanted.iter().all(|entry| entry.system == 0))
    }

    /// Writes partition `system` with a new length and adds the partitions `added`, numbered from its number on. The sector is
    /// written once, so that a power cut leaves the old table or the new one.
    pub(super) fn repartition<D: Read + Write + Seek>(
        &self,
        disk: &mut D,
        system: Extension,
        added: &[Addition],
        flush: fn(&mut D) -> std::io::Result<()>,
    ) -> Result<(), TableError> {
        let disk_sectors = super::length(disk)? / self.sector_size;
        self.check(disk_sectors)?;
        let mut sector = [0; 512];
        read_at(disk, 0, &mut sector)?;
        let index = index_of(system.number)?;
        let in_sectors = |bytes: Bytes| bytes.0 / self.sector_size;
        let entry = &mut sector[ENTRIES + index * ENTRY..][..ENTRY];
        // The CHS address of the old end is replaced by the one that stands for any sector.
        entry[5..8].copy_from_slice(&BEYOND_GEOMETRY);
        entry[12..16].copy_from_slice(&checked_u32(system.number, in_sectors(system.length))?);
        for (number, addition) in (system.number + 1..).zip(added) {
            let extent = (in_sectors(addition.start), in_sectors(addition.length));
            put(&mut sector, number, addition.partition_type.mbr(), extent, BEYOND_GEOMETRY)?;
        }
        Self::parse(&sector, self.sector_size).ok_or(TableError::NoTable)?.check(disk_sectors)?;
        write_at(disk, 0, &sector)?;
        Ok(flush(disk)?)
    }
}
