//! Logical partitions of an MBR, numbered from 5 on.
//!
//! An extended partition in the fourth entry contains them. Each has a boot sector of its own in front of it, with two
//! entries: the partition, relative to this boot sector, and the boot sector of the next one, relative to the extended
//! partition. Nothing refers to these sectors before the MBR is written.

use std::io::{Read, Seek, Write};

use super::boot_sector::{BEYOND_GEOMETRY, BootSector, MARK, put_entry};
use super::{NewPartition, TableError, write_at};
use crate::Bytes;

/// The number of the first logical partition.
pub const FIRST_LOGICAL: u32 = 5;
/// The space in front of a logical partition, which holds its boot sector and keeps it aligned.
pub const LOGICAL_GAP: Bytes = Bytes(1 << 20);
/// The type of an extended partition.
pub(super) const EXTENDED: u8 = 0x05;
/// The number of the extended partition.
pub(super) const SLOT: u32 = 4;

/// Writes the boot sectors of the logical partitions, which are in order. Returns start and length of the extended partition;
/// none without logical partitions.
pub(super) fn create(
    partitions: &[&NewPartition],
    disk: &mut (impl Read + Write + Seek),
    sector_size: u64,
) -> Result<Option<(u64, u64)>, TableError> {
    let gap = LOGICAL_GAP.0 / sector_size;
    let mut placed: Vec<(u64, u64)> = Vec::new();
    for (partition, expected) in partitions.iter().zip(FIRST_LOGICAL..) {
        let number = partition.number;
        let own = partition.start.0.checked_sub(gap).ok_or(TableError::OutsideDisk(number))?;
        let end =
            partition.start.0.checked_add(partition.sectors.0).ok_or(TableError::OutsideDisk(number))?;
        if number != expected {
            return Err(TableError::NoPartition(expected));
        }
        if placed.last().is_some_and(|(_, before)| *before > own) {
            return Err(TableError::Overlap(number - 1, number));
        }
        placed.push((own, end));
    }
    let (Some((start, _)), Some((_, end))) = (placed.first().copied(), placed.last().copied()) else {
        return Ok(None);
    };
    for (index, (partition, (own, _))) in partitions.iter().zip(&placed).enumerate() {
        let mut sector: BootSector = [0; 512];
        let number = partition.number;
        let system = partition.partition_type.mbr();
        put_entry(&mut sector, 0, number, system, (gap, partition.sectors.0), BEYOND_GEOMETRY)?;
        if let Some((next, next_end)) = placed.get(index + 1) {
            let extent = (next - start, next_end - next);
            put_entry(&mut sector, 1, number, EXTENDED, extent, BEYOND_GEOMETRY)?;
        }
        sector[510..].copy_from_slice(&MARK);
        let offset = own.checked_mul(sector_size).ok_or(TableError::OutsideDisk(number))?;
        write_at(disk, offset, &sector)?;
    }
    Ok(Some((start, end - start)))
}
