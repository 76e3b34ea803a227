//! No partition table makes reading or changing it panic, take much memory, or write outside the tables.
//!
//! An input is a byte of options (the size of a sector, whether the checksums are corrected, the numbers of two partitions),
//! the four entries of an MBR, the two headers of a GPT and its first entries, for a disk that is zero elsewhere. Random
//! changes would never correct a checksum. A table has at most 16 entries: one of 128 takes fifty times as long.
#![no_main]

use std::io::{self, Read, Seek, SeekFrom, Write};

use libfuzzer_sys::fuzz_target;
use ondisk::partition_table::{Addition, Extension, PartitionTable, PartitionType, append, repair};
use ondisk::{Bytes, Sectors};

/// Bytes of the disk.
const DISK: u64 = 64 << 20;
/// Bytes at either end of the disk that tables take at most: a boot sector and a header of 4096 bytes, 1024 entries.
const TABLES: u64 = 2 * 4096 + 1024 * 128;
/// The numbers of partitions that are asked for.
const NUMBERS: [u32; 8] = [0, 1, 2, 3, 4, 5, 128, u32::MAX];

/// A disk that keeps what was written at its start and at its end, and is zero elsewhere.
#[derive(Clone, Default)]
struct Disk {
    /// The first bytes.
    head: Vec<u8>,
    /// The last bytes.
    tail: Vec<u8>,
    position: u64,
}

impl Disk {
    fn put(&mut self, at: u64, bytes: &[u8]) {
        self.position = at;
        self.write_all(bytes).unwrap();
    }

    /// Copies the part of an area that overlaps with a buffer for the present position; the area starts at `start`.
    fn copy(&self, area: &[u8], start: u64, buffer: &mut [u8]) {
        let from = self.position.max(start);
        let end = (self.position + buffer.len() as u64).min(start + area.len() as u64);
        if from < end {
            let (of_buffer, of_area) = ((from - self.position) as usize, (from - start) as usize);
            let count = (end - from) as usize;
            buffer[of_buffer..of_buffer + count].copy_from_slice(&area[of_area..of_area + count]);
        }
    }
}

impl Read for Disk {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = (buffer.len() as u64).min(DISK.saturating_sub(self.position)) as usize;
        let buffer = &mut buffer[..count];
        buffer.fill(0);
        self.copy(&self.head, 0, buffer);
        self.copy(&self.tail, DISK - self.tail.len() as u64, buffer);
        self.position += count as u64;
        Ok(count)
    }
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (start, end) = (self.position, self.position + bytes.len() as u64);
        assert!(end <= TABLES || start >= DISK - TABLES && end <= DISK, "written at {start}");
        if end <= TABLES {
            self.head.resize(self.head.len().max(end as usize), 0);
            self.head[start as usize..end as usize].copy_from_slice(bytes);
        } else {
            let known = DISK - self.tail.len() as u64;
            if start < known {
                let mut longer = vec![0; (known - start) as usize];
                longer.extend_from_slice(&self.tail);
                self.tail = longer;
            }
            let offset = (start - known.min(start)) as usize;
            self.tail[offset..offset + bytes.len()].copy_from_slice(bytes);
        }
        self.position = end;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Disk {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::End(0) => DISK,
            _ => unreachable!("nothing else is asked for"),
        };
        Ok(self.position)
    }
}

/// The CRC-32 of every byte, so that a checksum costs one step per byte.
const CRC: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = crc >> 1 ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc: u32, byte| CRC[usize::from(crc as u8 ^ byte)] ^ crc >> 8)
}

/// Corrects both checksums of a header whose first entries are `entries` and whose others are empty.
fn correct(header: &mut [u8; 92], entries: &[u8]) {
    let count = u32::from_le_bytes([header[80], header[81], header[82], header[83]]);
    let mut all = entries.to_vec();
    // A table of more entries is refused, whatever its checksums.
    all.resize(if count <= 1024 { count as usize * 128 } else { 0 }, 0);
    header[88..].copy_from_slice(&crc32(&all).to_le_bytes());
    header[16..20].fill(0);
    let sum = crc32(header);
    header[16..20].copy_from_slice(&sum.to_le_bytes());
}

/// Makes a table of many entries one of a few.
fn make_small(header: &mut [u8; 92]) {
    let count = u32::from_le_bytes([header[80], header[81], header[82], header[83]]);
    if (17..=1024).contains(&count) {
        header[80..84].copy_from_slice(&(4 + count % 13).to_le_bytes());
    }
}

fn take<const N: usize>(input: &mut &[u8]) -> [u8; N] {
    let mut taken = [0; N];
    let (first, rest) = input.split_at(N.min(input.len()));
    taken[..first.len()].copy_from_slice(first);
    *input = rest;
    taken
}

fuzz_target!(|input: &[u8]| {
    let mut rest = input;
    let [options] = take(&mut rest);
    let sector_size = if options & 1 == 0 { 512 } else { 4096 };
    let last = DISK / sector_size - 1;
    let mut boot = [0; 512];
    boot[446..510].copy_from_slice(&take::<64>(&mut rest));
    boot[510..].copy_from_slice(&[0x55, 0xaa]);
    let mut headers: [[u8; 92]; 2] = [take(&mut rest), take(&mut rest)];
    let entries = &rest[..rest.len().min(4 * 128) / 128 * 128];
    headers.iter_mut().for_each(make_small);
    if options & 2 == 0 {
        headers.iter_mut().for_each(|header| correct(header, entries));
    }
    let mut disk = Disk::default();
    let sectors = (128 * 128u64).div_ceil(sector_size);
    for at in [2, last - sectors] {
        disk.put(at * sector_size, entries);
    }
    disk.put(0, &boot);
    disk.put(sector_size, &headers[0]);
    disk.put(last * sector_size, &headers[1]);

    let _ = append(&mut boot, u32::from(options >> 2), Sectors(2048), Sectors(2048));
    let _ = repair(&mut disk.clone(), sector_size, |_| Ok(()));
    let Ok(Some(table)) = PartitionTable::read(&mut disk, sector_size) else { return };
    for number in [options >> 2 & 7, options >> 5].map(|index| NUMBERS[usize::from(index)]) {
        let names = table.names(number);
        let _ = table.future_uuid(number, [1; 16]);
        let _ = table.has_free_entries(number, 3);
        let Ok(Some(room)) = table.room(number, Bytes(DISK)) else { continue };
        assert!(room.start < room.end && room.start < room.limit);
        assert!(room.end <= Bytes(DISK) && room.limit <= Bytes(DISK));
        let mut changed = disk.clone();
        if let Ok(Some(extension)) = table.extension(number, Bytes(DISK)) {
            table.extend(&mut changed, extension, |_| Ok(())).expect("a table that was checked");
            let again = PartitionTable::read(&mut changed, sector_size).unwrap().expect("a table");
            assert_eq!(again.names(number), names);
            assert_eq!(again.extension(number, Bytes(DISK)).unwrap(), None);
        }
        let system = Extension { number, start: room.start, length: room.length() };
        let added = Addition {
            start: room.end,
            length: room.limit.saturating_sub(room.end),
            partition_type: PartitionType::Swap,
            guid: [1; 16],
        };
        let _ = table.repartition(&mut changed, system, &[added], |_| Ok(()));
    }
});
