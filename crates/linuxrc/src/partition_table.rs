//! Partition tables: what a partition is called in one, and growing the last partition to the end of the disk.
//!
//! GPT goes through gptman, which knows the checksums; an MBR is changed in `mbr`. Dividing a disk is the same with
//! more entries.
//!
//! # A power cut at any moment
//!
//! GPT: the new backup goes to the end of the disk first and is on the disk before the primary is touched. Until
//! then the old primary is whole and the next boot begins again. While the primary is written, it may be torn; then
//! the kernel sees no partitions, `repair` finds the backup at the end of the disk and writes the primary from it.
//! UEFI firmware does the same, and GRUB does not look at the checksums. After that the growing is done.
//! MBR: the table is one sector, which a disk writes whole or not at all.

mod mbr;

use std::io::{self, Read, Seek, SeekFrom, Write};

use gptman::{GPT, GPTHeader, GPTPartitionEntry};

use self::mbr::Mbr;
use crate::superblock::hyphenated;

/// Partitions end at a multiple of this, and less than this is not worth growing for.
const ALIGNMENT: u64 = 1 << 20;

const MBR_TABLE: u64 = 446;
const MBR_ENTRY: u64 = 16;

/// The partition table of a disk.
#[derive(Debug)]
pub(crate) enum PartitionTable {
    Gpt(Box<GPT>),
    Mbr(Mbr),
}

/// What a table calls a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PartitionNames {
    /// As in `PARTUUID=`.
    pub(crate) uuid: String,
    /// As in `PARTLABEL=`.
    pub(crate) label: Option<String>,
}

/// A partition that can be larger. In bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extension {
    pub(crate) number: u32,
    pub(crate) start: u64,
    pub(crate) length: u64,
}

/// A partition that does not exist yet. In bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Addition {
    pub(crate) start: u64,
    pub(crate) length: u64,
    pub(crate) swap: bool,
    /// Its GUID in a GPT, as the sixteen bytes on disk.
    pub(crate) guid: [u8; 16],
}

/// Where the last partition lies, and how far the disk goes on behind it. In bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// Nothing reaches beyond it.
    pub(crate) limit: u64,
}

fn length(disk: &mut impl Seek) -> io::Result<u64> {
    disk.seek(SeekFrom::End(0))
}

fn unreadable(error: gptman::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// Whether sector 0 says that a GPT follows.
fn is_protective(mbr: &[u8; 512]) -> bool {
    (0..4).any(|entry| mbr[MBR_TABLE as usize + entry * MBR_ENTRY as usize + 4] == 0xee)
}

/// Whether gptman can work with the header at `at`; it asserts what is checked here.
fn has_usual_entries(disk: &mut (impl Read + Seek), at: u64) -> bool {
    let mut header = [0; 92];
    let read = disk.seek(SeekFrom::Start(at)).and_then(|_| disk.read_exact(&mut header));
    let number = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    read.is_ok() && &header[..8] == b"EFI PART" && number(84) == 128 && (4..=1024).contains(&number(80))
}

impl PartitionTable {
    /// Reads the table of a disk with sectors of `sector_size` bytes; a disk without one has none.
    pub(crate) fn read(disk: &mut (impl Read + Seek), sector_size: u64) -> io::Result<Option<Self>> {
        let mut sector = [0; 512];
        if length(disk)? < 4 * ALIGNMENT {
            return Ok(None);
        }
        disk.seek(SeekFrom::Start(0))?;
        disk.read_exact(&mut sector)?;
        if sector[510..] != [0x55, 0xaa] {
            return Ok(None);
        }
        if !is_protective(&sector) {
            return Ok(Mbr::parse(&sector, sector_size).map(Self::Mbr));
        }
        let last = (length(disk)? / sector_size - 1) * sector_size;
        if !has_usual_entries(disk, sector_size) && !has_usual_entries(disk, last) {
            return Ok(None);
        }
        GPT::read_from(disk, sector_size).map(|gpt| Some(Self::Gpt(Box::new(gpt)))).map_err(unreadable)
    }

    /// What partition `number` is called.
    pub(crate) fn names(&self, number: u32) -> Option<PartitionNames> {
        match self {
            Self::Gpt(gpt) => {
                let (_, entry) = gpt.iter().find(|(n, entry)| *n == number && entry.is_used())?;
                let label = entry.partition_name.as_str();
                Some(PartitionNames {
                    uuid: guid(entry.unique_partition_guid),
                    label: (!label.is_empty()).then(|| label.to_owned()),
                })
            }
            // Logical partitions (5 and up) are called after the same signature.
            Self::Mbr(mbr) => {
                Some(PartitionNames { uuid: format!("{:08x}-{number:02x}", mbr.signature), label: None })
            }
        }
    }

    /// How far partition `number` can grow on a disk of `disk_bytes`: nothing when another one follows it, or when
    /// it already fills the disk.
    pub(crate) fn extension(&self, number: u32, disk_bytes: u64) -> Option<Extension> {
        let Room { start, end, limit } = self.room(number, disk_bytes)?;
        (limit >= end + ALIGNMENT).then(|| Extension { number, start, length: limit - start })
    }

    /// The room behind partition `number` on a disk of `disk_bytes`, when no other one follows it.
    pub(crate) fn room(&self, number: u32, disk_bytes: u64) -> Option<Room> {
        let (start, end, limit) = match self {
            Self::Gpt(gpt) => {
                let (_, entry) = gpt.iter().find(|(n, entry)| *n == number && entry.is_used())?;
                if gpt.iter().any(|(_, other)| other.is_used() && other.starting_lba > entry.starting_lba) {
                    return None;
                }
                let size = gpt.sector_size;
                let after = (disk_bytes / size).checked_sub(1 + entries_sectors(gpt))?;
                (entry.starting_lba * size, (entry.ending_lba + 1) * size, after * size)
            }
            Self::Mbr(mbr) => {
                let entry = *mbr.entries.get(usize::try_from(number).ok()?.checked_sub(1)?)?;
                let last = mbr.entries.iter().map(|other| other.end()).max()?;
                if entry.system == 0 || entry.is_container() || entry.end() < last {
                    return None;
                }
                // The table counts sectors in 32 bits.
                let limit = disk_bytes.min((u64::from(entry.start) + u64::from(u32::MAX)) * mbr.sector_size);
                (u64::from(entry.start) * mbr.sector_size, entry.end() * mbr.sector_size, limit)
            }
        };
        Some(Room { start, end, limit: limit / ALIGNMENT * ALIGNMENT })
    }

    /// Whether the `count` partitions behind `number` have a location in the table.
    pub(crate) fn has_free_entries(&self, number: u32, count: usize) -> bool {
        let mut wanted = (number + 1..).take(count);
        match self {
            Self::Gpt(gpt) => {
                wanted.all(|number| gpt.iter().any(|(n, entry)| n == number && entry.is_unused()))
            }
            Self::Mbr(mbr) => wanted
                .all(|number| mbr.entries.get(number as usize - 1).is_some_and(|entry| entry.system == 0)),
        }
    }

    /// What `PARTUUID=` will call the partition `number` that is to have `guid` where the table has GUIDs.
    pub(crate) fn future_uuid(&self, number: u32, bytes: [u8; 16]) -> String {
        match self {
            Self::Gpt(_) => guid(bytes),
            Self::Mbr(mbr) => format!("{:08x}-{number:02x}", mbr.signature),
        }
    }

    /// Writes the table with partition `system` at its new length and the `added` ones behind it, numbered from it on.
    pub(crate) fn repartition<D: Read + Write + Seek>(
        &self,
        disk: &mut D,
        system: Extension,
        added: &[Addition],
        flush: fn(&mut D) -> io::Result<()>,
    ) -> io::Result<()> {
        if !self.has_free_entries(system.number, added.len()) {
            return Err(io::Error::other("the partition table has no entries left"));
        }
        match self {
            Self::Gpt(gpt) => {
                let mut entries = extended_entries(gpt, system);
                for (entry, addition) in entries.iter_mut().skip(system.number as usize).zip(added) {
                    *entry = gpt_entry(addition, gpt.sector_size);
                }
                write_gpt(gpt, disk, &entries, flush)
            }
            Self::Mbr(mbr) => mbr.repartition(disk, system, added, flush),
        }
    }

    /// Writes the table with the longer partition. `flush` brings what was written to the disk itself.
    pub(crate) fn extend<D: Read + Write + Seek>(
        &self,
        disk: &mut D,
        extension: Extension,
        flush: fn(&mut D) -> io::Result<()>,
    ) -> io::Result<()> {
        match self {
            Self::Gpt(gpt) => extend_gpt(gpt, disk, extension, flush),
            Self::Mbr(mbr) => mbr.extend(disk, extension, flush),
        }
    }
}

fn gpt_entry(addition: &Addition, sector_size: u64) -> GPTPartitionEntry {
    /// Type GUIDs as they are on disk: Linux swap, Linux file system.
    const SWAP: [u8; 16] = *b"\x6d\xfd\x57\x06\xab\xa4\xc4\x43\x84\xe5\x09\x33\xc8\x4b\x4f\x4f";
    const LINUX: [u8; 16] = *b"\xaf\x3d\xc6\x0f\x83\x84\x72\x47\x8e\x79\x3d\x69\xd8\x47\x7d\xe4";
    GPTPartitionEntry {
        partition_type_guid: if addition.swap { SWAP } else { LINUX },
        unique_partition_guid: addition.guid,
        starting_lba: addition.start / sector_size,
        ending_lba: (addition.start + addition.length) / sector_size - 1,
        attribute_bits: 0,
        partition_name: if addition.swap { "p.swap" } else { "p.lxdata" }.into(),
    }
}

fn write_at(disk: &mut (impl Write + Seek), at: u64, bytes: &[u8]) -> io::Result<()> {
    disk.seek(SeekFrom::Start(at))?;
    disk.write_all(bytes)
}

/// A GUID as it is written: its first three fields are little-endian on disk.
fn guid(bytes: [u8; 16]) -> String {
    let mut order = bytes;
    order[..4].reverse();
    order[4..6].reverse();
    order[6..8].reverse();
    hyphenated(order)
}

fn entries_sectors(gpt: &GPT) -> u64 {
    let bytes =
        u64::from(gpt.header.number_of_partition_entries) * u64::from(gpt.header.size_of_partition_entry);
    bytes.div_ceil(gpt.sector_size)
}

fn extend_gpt<D: Read + Write + Seek>(
    gpt: &GPT,
    disk: &mut D,
    extension: Extension,
    flush: fn(&mut D) -> io::Result<()>,
) -> io::Result<()> {
    write_gpt(gpt, disk, &extended_entries(gpt, extension), flush)
}

fn extended_entries(gpt: &GPT, extension: Extension) -> Vec<GPTPartitionEntry> {
    gpt.iter()
        .map(|(number, entry)| {
            let mut entry = entry.clone();
            if number == extension.number {
                entry.ending_lba = (extension.start + extension.length) / gpt.sector_size - 1;
            }
            entry
        })
        .collect()
}

fn write_gpt<D: Read + Write + Seek>(
    gpt: &GPT,
    disk: &mut D,
    entries: &[GPTPartitionEntry],
    flush: fn(&mut D) -> io::Result<()>,
) -> io::Result<()> {
    let last = length(disk)? / gpt.sector_size - 1;
    let (mut primary, mut backup) = headers(gpt, last);
    backup.write_into(disk, gpt.sector_size, entries).map_err(unreadable)?;
    flush(disk)?;
    cover_disk(disk, last)?;
    primary.write_into(disk, gpt.sector_size, entries).map_err(unreadable)?;
    flush(disk)
}

/// The two headers for a disk whose last sector is `last`, their backup at its very end.
fn headers(gpt: &GPT, last: u64) -> (GPTHeader, GPTHeader) {
    let sectors = entries_sectors(gpt);
    let mut primary = gpt.header.clone();
    primary.primary_lba = 1;
    primary.backup_lba = last;
    primary.partition_entry_lba = 2;
    primary.last_usable_lba = last - sectors - 1;
    let mut backup = primary.clone();
    (backup.primary_lba, backup.backup_lba) = (last, 1);
    backup.partition_entry_lba = last - sectors;
    (primary, backup)
}

/// Lets the protective entry in sector 0 span the whole disk.
fn cover_disk(disk: &mut (impl Read + Write + Seek), last: u64) -> io::Result<()> {
    let mut sector = [0; 512];
    disk.seek(SeekFrom::Start(0))?;
    disk.read_exact(&mut sector)?;
    let Some(entry) = (0..4).find(|n| sector[(MBR_TABLE + n * MBR_ENTRY) as usize + 4] == 0xee) else {
        return Ok(());
    };
    let sectors = u32::try_from(last).unwrap_or(u32::MAX);
    write_at(disk, MBR_TABLE + entry * MBR_ENTRY + 12, &sectors.to_le_bytes())
}

/// Writes the primary table from its backup when only the backup is whole. Gives whether that was so.
pub(crate) fn repair<D: Read + Write + Seek>(
    disk: &mut D,
    sector_size: u64,
    flush: fn(&mut D) -> io::Result<()>,
) -> io::Result<bool> {
    let Some(PartitionTable::Gpt(gpt)) = PartitionTable::read(disk, sector_size)? else { return Ok(false) };
    if gpt.header.is_primary() {
        return Ok(false);
    }
    let entries: Vec<GPTPartitionEntry> = gpt.iter().map(|(_, entry)| entry.clone()).collect();
    let last = length(disk)? / sector_size - 1;
    let (mut primary, _) = headers(&gpt, last);
    primary.write_into(disk, sector_size, &entries).map_err(unreadable)?;
    flush(disk)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::fs::{File, OpenOptions};
    use std::path::{Path, PathBuf};
    use std::process::{Command, Stdio};

    use super::*;

    const MIB: u64 = 1 << 20;
    const BEFORE: u64 = 8 * MIB;
    const AFTER: u64 = 16 * MIB;
    const ROOT: &str = "1B2C3D4E-1111-2222-3333-444455556666";

    /// A disk of 8 MiB, partitioned by sfdisk, which then became one of 16 MiB.
    struct Disk {
        _dir: tempfile::TempDir,
        path: PathBuf,
    }

    impl Disk {
        fn partitioned(script: &str) -> Self {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("disk");
            File::create(&path).unwrap().set_len(BEFORE).unwrap();
            let mut sfdisk =
                tool("sfdisk").arg("-q").arg(&path).stdin(Stdio::piped()).spawn().expect("sfdisk");
            sfdisk.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
            assert!(sfdisk.wait().unwrap().success());
            let disk = Self { _dir: dir, path };
            disk.open().set_len(AFTER).unwrap();
            disk
        }

        fn gpt() -> Self {
            Self::partitioned(&format!(
                "label: gpt\n2048,4096,U\ntype=L,uuid={ROOT},name=\"root\",attrs=\"LegacyBIOSBootable\"\n"
            ))
        }

        fn open(&self) -> File {
            OpenOptions::new().read(true).write(true).open(&self.path).unwrap()
        }

        fn table(&self) -> PartitionTable {
            PartitionTable::read(&mut self.open(), 512).unwrap().expect("a table")
        }

        fn extend(&self, number: u32) -> Option<Extension> {
            let table = self.table();
            let extension = table.extension(number, AFTER)?;
            table.extend(&mut self.open(), extension, File::sync).unwrap();
            Some(extension)
        }

        /// What sfdisk, who did not write this, says about the table.
        fn judged(&self) -> String {
            let output = tool("sfdisk").arg("-V").arg(&self.path).output().expect("sfdisk");
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
        }

        fn dumped(&self) -> String {
            String::from_utf8(tool("sfdisk").arg("-d").arg(&self.path).output().unwrap().stdout).unwrap()
        }
    }

    trait Sync {
        fn sync(&mut self) -> io::Result<()>;
    }

    impl Sync for File {
        fn sync(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn tool(name: &str) -> Command {
        let mut command = Command::new(name);
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("LC_ALL", "C");
        command
    }

    fn bytes(path: &Path) -> Vec<u8> {
        std::fs::read(path).unwrap()
    }

    #[test]
    fn the_last_gpt_partition_fills_the_disk_and_keeps_its_names() {
        let disk = Disk::gpt();
        assert!(disk.judged().contains("backup GPT table is not on the end"), "{}", disk.judged());
        let names = disk.table().names(2);
        let extension = disk.extend(2);
        assert_eq!(extension, Some(Extension { number: 2, start: 3 * MIB, length: AFTER - 4 * MIB }));
        let judged = disk.judged();
        assert!(judged.contains("No errors detected") && !judged.contains("not on the end"), "{judged}");
        let expected = PartitionNames { uuid: ROOT.to_lowercase(), label: Some("root".to_owned()) };
        assert_eq!((names, disk.table().names(2)), (Some(expected.clone()), Some(expected)));
        assert!(disk.dumped().contains("attrs=\"LegacyBIOSBootable\""), "{}", disk.dumped());
    }

    #[test]
    fn a_second_time_nothing_is_written() {
        let disk = Disk::gpt();
        disk.extend(2).unwrap();
        let before = bytes(&disk.path);
        assert_eq!(disk.extend(2), None);
        assert!(bytes(&disk.path) == before);
    }

    #[test]
    fn a_partition_that_another_one_follows_stays() {
        assert_eq!(Disk::gpt().extend(1), None);
        assert_eq!(Disk::partitioned("label: dos\n2048,4096,L\n,,L\n").extend(1), None);
        assert_eq!(Disk::gpt().extend(3), None);
    }

    #[test]
    fn an_mbr_partition_fills_the_disk_and_the_loader_stays() {
        let disk = Disk::partitioned("label: dos\nlabel-id: 0x1234abcd\n2048,,L,*\n");
        write_at(&mut disk.open(), 0, &[0x90; 440]).unwrap();
        assert_eq!(disk.extend(1), Some(Extension { number: 1, start: MIB, length: AFTER - MIB }));
        assert!(disk.judged().contains("No errors detected"), "{}", disk.judged());
        assert_eq!(disk.table().names(1).unwrap().uuid, "1234abcd-01");
        assert_eq!(bytes(&disk.path)[..440], [0x90; 440]);
        assert!(disk.dumped().contains("bootable"), "{}", disk.dumped());
        assert_eq!(disk.extend(1), None);
    }

    #[test]
    fn a_disk_is_divided_and_its_loader_stays() {
        for (disk, number, uuid) in [
            (Disk::gpt(), 2, "04030201-0605-0807-090a-0b0c0d0e0f10"),
            (Disk::partitioned("label: dos\nlabel-id: 0x1234abcd\n2048,,L,*\n"), 1, "1234abcd-03"),
        ] {
            let table = disk.table();
            let Room { start, end, limit } = table.room(number, AFTER).unwrap();
            let system = Extension { number, start, length: end + MIB - start };
            let guid = std::array::from_fn(|index| index as u8 + 1);
            let swap = Addition { start: end + MIB, length: 2 * MIB, swap: true, guid: [7; 16] };
            let home = Addition { start: end + 3 * MIB, length: limit - end - 3 * MIB, swap: false, guid };
            assert_eq!(table.future_uuid(number + 2, guid), uuid);
            write_at(&mut disk.open(), 0, &[0x90; 440]).unwrap();
            table.repartition(&mut disk.open(), system, &[swap, home], File::sync).unwrap();
            let judged = disk.judged();
            assert!(judged.contains("No errors detected"), "{judged}");
            let dumped = disk.dumped();
            let types: Vec<&str> = dumped
                .lines()
                .filter_map(|line| line.split("type=").nth(1))
                .map(|rest| rest.split(',').next().unwrap())
                .collect();
            let expected = match number {
                2 => ["0657FD6D-A4AB-43C4-84E5-0933C84B4F4F", "0FC63DAF-8483-4772-8E79-3D69D8477DE4"],
                _ => ["82", "83"],
            };
            assert_eq!(types[types.len() - 2..], expected, "{dumped}");
            assert_eq!(bytes(&disk.path)[..440], [0x90; 440]);
            let again = disk.table();
            assert_eq!(again.names(number + 2).unwrap().uuid, table.future_uuid(number + 2, guid));
            assert!(again.room(number, AFTER).is_none() && !again.has_free_entries(number, 1));
        }
    }

    #[test]
    fn extended_partitions_do_not_grow() {
        let disk = Disk::partitioned("label: dos\n2048,4096,L\n,,E\n,,L\n");
        for number in [1, 2, 5] {
            assert_eq!(disk.extend(number), None, "{number}");
        }
    }

    /// A disk that loses power after `left` bytes were written.
    struct Dying {
        disk: File,
        left: usize,
    }

    impl Read for Dying {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.disk.read(buffer)
        }
    }

    impl Seek for Dying {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.disk.seek(to)
        }
    }

    impl Write for Dying {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let written = self.disk.write(&bytes[..bytes.len().min(self.left)])?;
            self.left -= written;
            match written {
                0 => Err(io::Error::other("power cut")),
                _ => Ok(written),
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_power_cut_at_any_moment_is_survived() {
        let disk = Disk::gpt();
        let original = bytes(&disk.path);
        // Two headers of 92 bytes, two arrays of 16 KiB, 4 bytes of sector 0: every cut within is tried in steps.
        for left in (0..2 * (92 + 16384) + 4).step_by(301) {
            std::fs::write(&disk.path, &original).unwrap();
            let table = disk.table();
            let extension = table.extension(2, AFTER).unwrap();
            let mut dying = Dying { disk: disk.open(), left };
            table.extend(&mut dying, extension, |_| Ok(())).unwrap_err();

            repair(&mut disk.open(), 512, File::sync).unwrap();
            disk.extend(2);
            let table = disk.table();
            let PartitionTable::Gpt(gpt) = &table else { panic!("{table:?}") };
            assert!(gpt.header.is_primary(), "cut after {left} bytes");
            assert_eq!(table.names(2).unwrap().uuid, ROOT.to_lowercase(), "cut after {left} bytes");
            let (_, root) = gpt.iter().find(|(number, _)| *number == 2).unwrap();
            assert_eq!((root.ending_lba + 1) * 512, AFTER - MIB, "cut after {left} bytes");
        }
        assert!(disk.judged().contains("No errors detected"), "{}", disk.judged());
    }

    #[test]
    fn a_whole_table_is_not_repaired() {
        let disk = Disk::gpt();
        let before = bytes(&disk.path);
        assert!(!repair(&mut disk.open(), 512, File::sync).unwrap());
        assert!(bytes(&disk.path) == before);
    }

    #[test]
    fn what_is_no_table_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("disk");
        for content in [vec![], vec![0; 5 * MIB as usize], vec![0xff; 5 * MIB as usize]] {
            std::fs::write(&path, content).unwrap();
            assert!(PartitionTable::read(&mut File::open(&path).unwrap(), 512).unwrap().is_none());
        }
    }
}
