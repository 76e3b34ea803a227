//! The form that the master boot record and the boot sectors of logical partitions share: entries of sixteen bytes, and a mark.

use super::TableError;

/// The first sector of a disk, as far as an MBR defines it.
pub type BootSector = [u8; 512];

/// The offset of the entries in bytes.
pub(super) const ENTRIES: usize = 446;
/// Bytes of an entry.
pub(super) const ENTRY: usize = 16;
/// The last two bytes of a boot sector.
pub(super) const MARK: [u8; 2] = [0x55, 0xaa];
/// The CHS address for a sector that has none.
pub(super) const BEYOND_GEOMETRY: [u8; 3] = [0xfe, 0xff, 0xff];

/// Returns whether the sector has the mark of a boot sector.
pub(super) fn is_boot_sector(sector: &BootSector) -> bool {
    sector[510..] == MARK
}

pub(super) fn checked_u32(number: u32, sectors: u64) -> Result<[u8; 4], TableError> {
    Ok(u32::try_from(sectors).map_err(|_| TableError::BeyondMbr(number))?.to_le_bytes())
}

/// Writes entry `index` (0 to 3), which belongs to partition `number`. `address` is its CHS address.
pub(super) fn put_entry(
    sector: &mut BootSector,
    index: usize,
    number: u32,
    system: u8,
    (start, sectors): (u64, u64),
    address: [u8; 3],
) -> Result<(), TableError> {
    let (start, sectors) = (checked_u32(number, start)?, checked_u32(number, sectors)?);
    let entry = &mut sector[ENTRIES + index * ENTRY..][..ENTRY];
    entry[1..4].copy_from_slice(&address);
    entry[4] = system;
    entry[5..8].copy_from_slice(&address);
    entry[8..12].copy_from_slice(&start);
    entry[12..16].copy_from_slice(&sectors);
    Ok(())
}
