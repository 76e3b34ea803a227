//! The master boot record. It is read and changed here: a primary partition is sixteen bytes of one sector, and what a
//! crate would write besides (signature, loader, logical partitions) is exactly what must stay as it is.

use std::io::{self, Read, Seek, SeekFrom, Write};

use super::{Addition, Extension, MBR_ENTRY, MBR_TABLE, write_at};

/// The master boot record, as far as growing needs it.
#[derive(Debug)]
pub(crate) struct Mbr {
    pub(super) signature: u32,
    pub(super) entries: [MbrEntry; 4],
    pub(super) sector_size: u64,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct MbrEntry {
    pub(super) system: u8,
    pub(super) start: u32,
    sectors: u32,
}

impl MbrEntry {
    pub(super) fn is_container(self) -> bool {
        matches!(self.system, 0x05 | 0x0f | 0x85)
    }

    pub(super) fn end(self) -> u64 {
        if self.system == 0 { 0 } else { u64::from(self.start) + u64::from(self.sectors) }
    }
}

impl Mbr {
    pub(super) fn parse(sector: &[u8; 512], sector_size: u64) -> Option<Self> {
        let number =
            |at: usize| u32::from_le_bytes([sector[at], sector[at + 1], sector[at + 2], sector[at + 3]]);
        let entries = [0, 1, 2, 3].map(|n| {
            let at = MBR_TABLE as usize + n * MBR_ENTRY as usize;
            MbrEntry { system: sector[at + 4], start: number(at + 8), sectors: number(at + 12) }
        });
        // A file system on the bare disk has a boot sector that ends in the same two bytes.
        let flags = [0, 1, 2, 3].map(|n| sector[MBR_TABLE as usize + n * MBR_ENTRY as usize]);
        (flags.iter().all(|flag| matches!(flag, 0 | 0x80)) && entries.iter().any(|entry| entry.system != 0))
            .then(|| Self { signature: number(440), entries, sector_size })
    }

    pub(super) fn extend<D: Read + Write + Seek>(
        &self,
        disk: &mut D,
        extension: Extension,
        flush: fn(&mut D) -> io::Result<()>,
    ) -> io::Result<()> {
        let at = MBR_TABLE + u64::from(extension.number - 1) * MBR_ENTRY;
        let sectors = u32::try_from(extension.length / self.sector_size)
            .map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        // The old address of the end is marked as beyond what it can say; everybody uses the sectors.
        write_at(disk, at + 5, &[0xfe, 0xff, 0xff])?;
        write_at(disk, at + 12, &sectors.to_le_bytes())?;
        flush(disk)
    }
}
impl Mbr {
    /// The sector is written once, so that a power cut leaves the old table or the new one.
    pub(super) fn repartition<D: Read + Write + Seek>(
        &self,
        disk: &mut D,
        system: Extension,
        added: &[Addition],
        flush: fn(&mut D) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut sector = [0; 512];
        disk.seek(SeekFrom::Start(0))?;
        disk.read_exact(&mut sector)?;
        let beyond_geometry = [0xfe, 0xff, 0xff];
        let in_sectors = |bytes: u64| {
            u32::try_from(bytes / self.sector_size).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))
        };
        let at = |number: usize| MBR_TABLE as usize + (number - 1) * MBR_ENTRY as usize;
        let first = at(system.number as usize);
        sector[first + 5..first + 8].copy_from_slice(&beyond_geometry);
        sector[first + 12..first + 16].copy_from_slice(&in_sectors(system.length)?.to_le_bytes());
        for (number, addition) in (system.number as usize + 1..).zip(added) {
            let entry = &mut sector[at(number)..at(number) + MBR_ENTRY as usize];
            entry[1..4].copy_from_slice(&beyond_geometry);
            entry[4] = if addition.swap { 0x82 } else { 0x83 };
            entry[5..8].copy_from_slice(&beyond_geometry);
            entry[8..12].copy_from_slice(&in_sectors(addition.start)?.to_le_bytes());
            entry[12..16].copy_from_slice(&in_sectors(addition.length)?.to_le_bytes());
        }
        write_at(disk, 0, &sector)?;
        flush(disk)
    }
}
