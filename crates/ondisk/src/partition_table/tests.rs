use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use test_programs::{command, have};

use super::*;

const MIB: u64 = 1 << 20;
const BEFORE: u64 = 8 * MIB;
const AFTER: u64 = 16 * MIB;
const ROOT: &str = "1B2C3D4E-1111-2222-3333-444455556666";

/// A disk of 8 MiB that sfdisk partitioned, enlarged to 16 MiB.
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
            command("sfdisk").arg("-q").arg(&path).stdin(Stdio::piped()).spawn().expect("sfdisk");
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
        let extension = table.extension(number, Bytes(AFTER)).unwrap()?;
        table.extend(&mut self.open(), extension, File::sync).unwrap();
        Some(extension)
    }

    /// Returns the output of sfdisk, an independent implementation, about the table.
    fn judged(&self) -> String {
        let output = command("sfdisk").arg("-V").arg(&self.path).output().expect("sfdisk");
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    }

    fn dumped(&self) -> String {
        String::from_utf8(command("sfdisk").arg("-d").arg(&self.path).output().unwrap().stdout).unwrap()
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

fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

#[test]
fn the_last_gpt_partition_fills_the_disk_and_keeps_its_names() {
    if !have(&["sfdisk"]) {
        return;
    }
    let disk = Disk::gpt();
    assert!(disk.judged().contains("backup GPT table is not on the end"), "{}", disk.judged());
    let names = disk.table().names(2);
    let extension = disk.extend(2);
    assert_eq!(
        extension,
        Some(Extension { number: 2, start: Bytes(3 * MIB), length: Bytes(AFTER - 4 * MIB) })
    );
    let judged = disk.judged();
    assert!(judged.contains("No errors detected") && !judged.contains("not on the end"), "{judged}");
    let expected = PartitionNames { uuid: ROOT.to_lowercase(), label: Some("root".to_owned()) };
    assert_eq!((names, disk.table().names(2)), (Some(expected.clone()), Some(expected)));
    assert!(disk.dumped().contains("attrs=\"LegacyBIOSBootable\""), "{}", disk.dumped());
}

#[test]
fn writes_nothing_the_second_time() {
    if !have(&["sfdisk"]) {
        return;
    }
    let disk = Disk::gpt();
    disk.extend(2).unwrap();
    let before = bytes(&disk.path);
    assert_eq!(disk.extend(2), None);
    assert!(bytes(&disk.path) == before);
}

#[test]
fn does_not_grow_a_partition_before_another() {
    if !have(&["sfdisk"]) {
        return;
    }
    assert_eq!(Disk::gpt().extend(1), None);
    assert_eq!(Disk::partitioned("label: dos\n2048,4096,L\n,,L\n").extend(1), None);
    assert_eq!(Disk::gpt().extend(3), None);
}

#[test]
fn the_last_mbr_partition_fills_the_disk_and_the_boot_loader_is_kept() {
    if !have(&["sfdisk"]) {
        return;
    }
    let disk = Disk::partitioned("label: dos\nlabel-id: 0x1234abcd\n2048,,L,*\n");
    write_at(&mut disk.open(), 0, &[0x90; 440]).unwrap();
    assert_eq!(disk.extend(1), Some(Extension { number: 1, start: Bytes(MIB), length: Bytes(AFTER - MIB) }));
    assert!(disk.judged().contains("No errors detected"), "{}", disk.judged());
    assert_eq!(disk.table().names(1).unwrap().uuid, "1234abcd-01");
    assert_eq!(bytes(&disk.path)[..440], [0x90; 440]);
    assert!(disk.dumped().contains("bootable"), "{}", disk.dumped());
    assert_eq!(disk.extend(1), None);
}

#[test]
fn adds_partitions_and_keeps_the_boot_loader() {
    if !have(&["sfdisk"]) {
        return;
    }
    for (disk, number, uuid) in [
        (Disk::gpt(), 2, "04030201-0605-0807-090a-0b0c0d0e0f10"),
        (Disk::partitioned("label: dos\nlabel-id: 0x1234abcd\n2048,,L,*\n"), 1, "1234abcd-03"),
    ] {
        let table = disk.table();
        let Room { start: Bytes(start), end: Bytes(end), limit: Bytes(limit) } =
            table.room(number, Bytes(AFTER)).unwrap().unwrap();
        let system = Extension { number, start: Bytes(start), length: Bytes(end + MIB - start) };
        let guid = std::array::from_fn(|index| index as u8 + 1);
        let added = |start, length, partition_type, guid| Addition {
            start: Bytes(start),
            length: Bytes(length),
            partition_type,
            guid,
        };
        let swap = added(end + MIB, 2 * MIB, PartitionType::Swap, [7; 16]);
        let home = added(end + 3 * MIB, limit - end - 3 * MIB, PartitionType::Linux, guid);
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
        assert!(again.room(number, Bytes(AFTER)).unwrap().is_none() && !again.has_free_entries(number, 1));
    }
}

#[test]
fn extended_partitions_do_not_grow() {
    if !have(&["sfdisk"]) {
        return;
    }
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
fn survives_a_power_cut_at_any_moment() {
    if !have(&["sfdisk"]) {
        return;
    }
    let disk = Disk::gpt();
    let original = bytes(&disk.path);
    // Two headers of 92 bytes, two arrays of 16 KiB, 4 bytes of sector 0: every cut within is tried in steps.
    for left in (0..2 * (92 + 16384) + 4).step_by(301) {
        std::fs::write(&disk.path, &original).unwrap();
        let table = disk.table();
        let extension = table.extension(2, Bytes(AFTER)).unwrap().unwrap();
        let mut dying = Dying { disk: disk.open(), left };
        table.extend(&mut dying, extension, |_| Ok(())).unwrap_err();

        repair(&mut disk.open(), 512, File::sync).unwrap();
        disk.extend(2);
        let table = disk.table();
        let PartitionTable::Gpt(gpt) = &table else { panic!("{table:?}") };
        assert!(gpt.is_primary(), "cut after {left} bytes");
        assert_eq!(table.names(2).unwrap().uuid, ROOT.to_lowercase(), "cut after {left} bytes");
        assert_eq!(
            table.room(2, Bytes(AFTER)).unwrap().unwrap().end,
            Bytes(AFTER - MIB),
            "cut after {left} bytes"
        );
    }
    assert!(disk.judged().contains("No errors detected"), "{}", disk.judged());
}

#[test]
fn does_not_repair_an_intact_table() {
    if !have(&["sfdisk"]) {
        return;
    }
    let disk = Disk::gpt();
    let before = bytes(&disk.path);
    assert!(!repair(&mut disk.open(), 512, File::sync).unwrap());
    assert!(bytes(&disk.path) == before);
}

#[test]
fn returns_none_without_a_table() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("disk");
    for content in [vec![], vec![0; 5 * MIB as usize], vec![0xff; 5 * MIB as usize]] {
        std::fs::write(&path, content).unwrap();
        assert!(PartitionTable::read(&mut File::open(&path).unwrap(), 512).unwrap().is_none());
    }
}

/// Returns a partition at `start` of `length` MiB.
fn new_partition(number: u32, partition_type: PartitionType, start: u64, length: u64) -> NewPartition {
    NewPartition {
        number,
        partition_type,
        start: Sectors(start * MIB / 512),
        sectors: Sectors(length * MIB / 512),
        guid: Uuid([number as u8; 16]),
        name: format!("p{number}"),
    }
}

fn mbr_with_logical_partitions() -> NewTable {
    let partitions = vec![
        new_partition(1, PartitionType::Swap, 1, 2),
        new_partition(2, PartitionType::Linux, 3, 2),
        new_partition(3, PartitionType::Other(0x07), 5, 1),
        new_partition(5, PartitionType::Linux, 7, 2),
        new_partition(6, PartitionType::Other(0xfd), 10, 1),
        new_partition(7, PartitionType::Linux, 12, 4),
    ];
    NewTable { scheme: Scheme::Mbr, guid: Uuid([9; 16]), active: 2, partitions }
}

#[test]
fn writes_more_than_four_partitions_to_an_mbr() {
    if !have(&["sfdisk"]) {
        return;
    }
    let disk = Disk::partitioned("label: dos\n2048,2048,L\n");
    mbr_with_logical_partitions().write_durably(&mut disk.open(), 512, File::sync).unwrap();
    assert!(disk.judged().contains("No errors detected"), "{}", disk.judged());
    let dumped = disk.dumped();
    let rows: Vec<String> = dumped
        .lines()
        .filter(|line| line.contains("start="))
        .map(|line| line.split_once(" : ").unwrap().1.replace(' ', ""))
        .collect();
    assert_eq!(
        rows,
        [
            "start=2048,size=4096,type=82",
            "start=6144,size=4096,type=83,bootable",
            "start=10240,size=2048,type=7",
            "start=12288,size=20480,type=5",
            "start=14336,size=4096,type=83",
            "start=20480,size=2048,type=fd",
            "start=24576,size=8192,type=83",
        ],
        "{dumped}"
    );
    assert_eq!(disk.table().names(6).unwrap().uuid, "09090909-06");
}

#[test]
fn refuses_logical_partitions_without_space_for_their_boot_sectors() {
    let mut table = mbr_with_logical_partitions();
    table.partitions[4].start = Sectors(9 * MIB / 512);
    let mut disk = std::io::Cursor::new(vec![0; AFTER as usize]);
    assert!(matches!(table.write(&mut disk, 512), Err(TableError::Overlap(5, 6))));
    table.partitions.remove(4);
    assert!(matches!(table.write(&mut disk, 512), Err(TableError::NoPartition(6))));
    assert_eq!(disk.get_ref()[510..512], [0, 0], "the table is written last");
}
