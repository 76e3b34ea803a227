//! Crafted and damaged tables: each is an error, and nothing is written.

use std::io::Cursor;

use gptman::{GPTHeader, GPTPartitionEntry};

use super::*;

const MIB: u64 = 1 << 20;
const DISK: u64 = 8 * MIB;
const LAST: u64 = DISK / 512 - 1;

type Memory = Cursor<Vec<u8>>;

fn partition(number: u32, start: u64, sectors: u64) -> NewPartition {
    NewPartition {
        number,
        partition_type: PartitionType::Linux,
        start: Sectors(start),
        sectors: Sectors(sectors),
        guid: Uuid([number as u8; 16]),
        name: "p.x".to_owned(),
    }
}

fn disk(scheme: Scheme) -> Memory {
    let mut disk = Cursor::new(vec![0; DISK as usize]);
    let partitions = vec![partition(1, 2048, 2048), partition(2, 4096, 2048)];
    let table = NewTable { scheme, guid: Uuid([9; 16]), active: 1, partitions };
    table.write(&mut disk, 512).unwrap();
    disk
}

/// Changes both tables of a GPT by `change` and writes them with correct checksums.
fn crafted(change: impl Fn(&mut GPTHeader, &mut Vec<GPTPartitionEntry>)) -> Memory {
    let mut disk = disk(Scheme::Gpt);
    for sector in [1, LAST] {
        disk.set_position(sector * 512);
        let mut header = GPTHeader::read_from(&mut disk).unwrap();
        let mut entries = header.read_partitions(&mut disk, 512).unwrap();
        change(&mut header, &mut entries);
        if entries.len() as u64 * 128
            == u64::from(header.number_of_partition_entries) * u64::from(header.size_of_partition_entry)
        {
            header.update_partition_entry_array_crc32(&entries);
            for (index, entry) in entries.iter().enumerate() {
                let mut bytes = Vec::new();
                bytes.extend(entry.partition_type_guid);
                bytes.extend(entry.unique_partition_guid);
                for number in [entry.starting_lba, entry.ending_lba] {
                    bytes.extend(number.to_le_bytes());
                }
                let at = sector_of_entries(sector) * 512 + index as u64 * 128;
                write_at(&mut disk, at, &bytes).unwrap();
            }
        }
        header.update_crc32_checksum();
        write_at(&mut disk, sector * 512, &bytes_of(&header)).unwrap();
    }
    disk
}

fn sector_of_entries(sector: u64) -> u64 {
    if sector == 1 { 2 } else { LAST - 32 }
}

fn bytes_of(header: &GPTHeader) -> Vec<u8> {
    let mut bytes = header.signature.to_vec();
    bytes.extend(header.revision);
    bytes.extend(header.header_size.to_le_bytes());
    bytes.extend(header.crc32_checksum.to_le_bytes());
    bytes.extend(header.reserved);
    for number in [header.primary_lba, header.backup_lba, header.first_usable_lba, header.last_usable_lba] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(header.disk_guid);
    bytes.extend(header.partition_entry_lba.to_le_bytes());
    for number in [
        header.number_of_partition_entries,
        header.size_of_partition_entry,
        header.partition_entry_array_crc32,
    ] {
        bytes.extend(number.to_le_bytes());
    }
    bytes
}

fn refusal(mut disk: Memory) -> String {
    match PartitionTable::read(&mut disk, 512) {
        Ok(Some(table)) => {
            let before = disk.get_ref().clone();
            let extension = Extension { number: 2, start: Bytes(2 * MIB), length: Bytes(5 * MIB) };
            let refused = table.room(2, Bytes(DISK)).unwrap_err().to_string();
            table.extend(&mut disk, extension, |_| Ok(())).unwrap_err();
            assert!(*disk.get_ref() == before, "something was written: {refused}");
            refused
        }
        Ok(None) => panic!("no table"),
        Err(error) => {
            repair(&mut disk, 512, |_| Ok(())).unwrap_err();
            error.to_string()
        }
    }
}

#[test]
fn accepts_the_unchanged_tables() {
    for mut disk in [disk(Scheme::Gpt), disk(Scheme::Mbr), crafted(|_, _| ())] {
        let table = PartitionTable::read(&mut disk, 512).unwrap().unwrap();
        assert_eq!(table.room(2, Bytes(DISK)).unwrap().unwrap().end, Bytes(3 * MIB));
    }
}

#[test]
fn rejects_headers_with_impossible_numbers() {
    let damaged =
        |what: &str| format!("the GPT is damaged: its primary table {what}, its backup table {what}");
    // 600 GB of entries.
    assert_eq!(
        refusal(crafted(|header, _| header.number_of_partition_entries = u32::MAX)),
        damaged("claims to have 4294967295 entries")
    );
    for size in [0, 1, 127, 129, 256, u32::MAX] {
        assert_eq!(
            refusal(crafted(|header, _| header.size_of_partition_entry = size)),
            damaged(&format!("claims to have entries of {size} bytes"))
        );
    }
    let bounds: [fn(&mut GPTHeader); 12] = [
        |header| header.partition_entry_lba = u64::MAX,
        |header| header.partition_entry_lba = u64::MAX / 512 + 1,
        |header| header.partition_entry_lba = LAST - 1,
        |header| header.partition_entry_lba = 0,
        |header| header.partition_entry_lba = 100,
        |header| header.first_usable_lba = 0,
        |header| header.first_usable_lba = 3,
        |header| header.first_usable_lba = u64::MAX,
        |header| header.last_usable_lba = u64::MAX,
        |header| header.last_usable_lba = LAST + 1,
        |header| header.last_usable_lba = 1,
        |header| header.last_usable_lba = 40 - 7,
    ];
    for (index, change) in bounds.into_iter().enumerate() {
        let text = refusal(crafted(|header, _| change(header)));
        let expected = match index {
            // The disk would contain the primary entries only.
            6 => "the partition table is wrong: partitions may start where its entries belong",
            _ => "refers to sectors that it cannot use",
        };
        assert!(text.contains(expected), "{index}: {text}");
    }
}

#[test]
fn rejects_a_header_in_another_sector_than_it_claims() {
    let text = refusal(crafted(|header, _| header.primary_lba = 7));
    assert!(text.contains("claims to be in sector 7"), "{text}");
}

#[test]
fn rejects_partitions_outside_the_disk() {
    for (start, end) in
        [(4096, u64::MAX), (u64::MAX, u64::MAX), (0, 0), (33, 5000), (5000, 4999), (4096, LAST)]
    {
        let text = refusal(crafted(|_, entries| {
            (entries[1].starting_lba, entries[1].ending_lba) = (start, end);
        }));
        assert_eq!(text, "the partition table is wrong: partition 2 is not inside the disk");
    }
    for (start, sectors) in [(0, 5), (4096, u32::MAX), (u32::MAX, u32::MAX), (16384, 1)] {
        let mut disk = disk(Scheme::Mbr);
        write_at(&mut disk, 446 + 16 + 8, &u32::to_le_bytes(start)).unwrap();
        write_at(&mut disk, 446 + 16 + 12, &u32::to_le_bytes(sectors)).unwrap();
        assert_eq!(refusal(disk), "the partition table is wrong: partition 2 is not inside the disk");
    }
}

#[test]
fn rejects_overlapping_partitions_but_reads_their_identifiers() {
    let mut gpt = crafted(|_, entries| entries[1].starting_lba = 4095);
    let mut mbr = disk(Scheme::Mbr);
    write_at(&mut mbr, 446 + 16 + 8, &4095u32.to_le_bytes()).unwrap();
    for disk in [&mut gpt, &mut mbr] {
        let table = PartitionTable::read(disk, 512).unwrap().unwrap();
        assert!(table.names(2).is_some());
        assert_eq!(refusal(disk.clone()), "the partition table is wrong: partitions 1 and 2 overlap");
    }
}

#[test]
fn reads_the_backup_of_a_damaged_primary_table() {
    let mut disk = disk(Scheme::Gpt);
    write_at(&mut disk, 512 + 80, &u32::MAX.to_le_bytes()).unwrap();
    let before = disk.get_ref().clone();
    assert!(repair(&mut disk, 512, |_| Ok(())).unwrap());
    assert!(*disk.get_ref() != before);
    assert!(!repair(&mut disk, 512, |_| Ok(())).unwrap());
}

#[test]
fn rejects_impossible_sectors_and_disks() {
    for size in [0, 1, 511, 513, 8192, u64::MAX] {
        let error = PartitionTable::read(&mut disk(Scheme::Gpt), size).unwrap_err().to_string();
        assert_eq!(error, format!("sectors of {size} bytes are not supported"));
    }
    let table = NewTable { scheme: Scheme::Gpt, guid: Uuid([9; 16]), active: 1, partitions: Vec::new() };
    assert!(table.write(&mut Cursor::new(vec![0; 512]), 512).is_err());
}

#[test]
fn rejects_impossible_new_tables() {
    let write = |scheme, partitions| {
        let table = NewTable { scheme, guid: Uuid([9; 16]), active: 1, partitions };
        table.write(&mut Cursor::new(vec![0; DISK as usize]), 512).unwrap_err().to_string()
    };
    let beyond = partition(1, 1 << 32, 5);
    assert!(write(Scheme::Mbr, vec![beyond]).contains("counts sectors in 32 bits (2 TiB)"));
    assert!(
        write(Scheme::Mbr, vec![partition(4, 2048, 5), partition(5, 6144, 5)]).contains("has no partition 5")
    );
    for number in [0, 129] {
        let text = write(Scheme::Gpt, vec![partition(number, 2048, 5)]);
        assert_eq!(text, format!("the partition table has no partition {number}"));
    }
    assert!(write(Scheme::Gpt, vec![partition(1, u64::MAX, 5)]).contains("is not inside the disk"));
    assert!(write(Scheme::Gpt, vec![partition(1, 2048, 2), partition(2, 2049, 2)]).contains("overlap"));
    let mut same = partition(2, 4096, 5);
    same.guid = Uuid([1; 16]);
    assert!(write(Scheme::Gpt, vec![partition(1, 2048, 2), same]).contains("have the same GUID"));
}
