//! The partition table: a GPT with its protective MBR, or an MBR alone.

use std::fs::File;

use anyhow::{Context, Result, ensure};
use bootconfig::{Content, Scheme};
use gptman::{GPT, GPTPartitionEntry};
use mbrman::{BOOT_ACTIVE, BOOT_INACTIVE, CHS, MBR, MBRPartitionEntry};

use super::{DiskLayout, SECTOR};

/// Returns the type of a partition in an MBR: FAT32, swap space, or Linux.
fn mbr_type(content: &Content) -> u8 {
    match content {
        Content::Fat { .. } => 0x0c,
        Content::Swap { .. } => 0x82,
        Content::Filesystem(_) | Content::BootCode | Content::Empty => 0x83,
    }
}

/// Returns the type GUID of a partition: BIOS boot, EFI system, swap space, Linux file system.
fn type_guid(content: &Content) -> [u8; 16] {
    match content {
        Content::BootCode => mixed(0x2168_6148_6449_6E6F_744E_6565_6445_4649),
        Content::Fat { .. } => mixed(0xC12A_7328_F81F_11D2_BA4B_00A0_C93E_C93B),
        Content::Swap { .. } => mixed(0x0657_FD6D_A4AB_43C4_84E5_0933_C84B_4F4F),
        Content::Filesystem(_) | Content::Empty => mixed(0x0FC6_3DAF_8483_4772_8E79_3D69_D847_7DE4),
    }
}

/// A GUID as it stands on a disk: its first three fields are little endian.
fn mixed(guid: u128) -> [u8; 16] {
    disk_order(guid.to_be_bytes())
}

fn disk_order(mut guid: [u8; 16]) -> [u8; 16] {
    guid[..4].reverse();
    guid[4..6].reverse();
    guid[6..8].reverse();
    guid
}

/// Writes the table of `layout` into the disk file, which has its size already.
pub fn write(layout: &DiskLayout, disk: &mut File) -> Result<()> {
    match layout.table.scheme {
        Scheme::Mbr => write_mbr(layout, disk),
        Scheme::Gpt => write_gpt(layout, disk),
    }
    .context("writing the partition table")
}

fn write_gpt(layout: &DiskLayout, disk: &mut File) -> Result<()> {
    GPT::write_protective_mbr_into(disk, SECTOR)?;
    let mut table = GPT::new_from(disk, SECTOR, disk_order(layout.guid))?;
    for (partition, extent) in layout.partitions() {
        table[partition.number] = GPTPartitionEntry {
            partition_type_guid: type_guid(&partition.content),
            unique_partition_guid: disk_order(extent.guid),
            starting_lba: extent.start,
            ending_lba: extent.start + extent.sectors - 1,
            attribute_bits: 0,
            partition_name: partition.name.as_str().into(),
        };
    }
    table.write_into(disk)?;
    Ok(())
}

fn write_mbr(layout: &DiskLayout, disk: &mut File) -> Result<()> {
    let id: [u8; 4] = std::array::from_fn(|index| layout.guid[index]);
    let mut table = MBR::new_from(disk, u32::try_from(SECTOR)?, id)?;
    for (partition, extent) in layout.partitions() {
        let start = u32::try_from(extent.start).context("an MBR reaches 2 TiB; use firmware=\"uefi\"")?;
        let sectors = u32::try_from(extent.sectors).context("an MBR reaches 2 TiB; use firmware=\"uefi\"")?;
        table[partition.number as usize] = MBRPartitionEntry {
            // The first one is where the system or its boot loader is.
            boot: if partition.number == 1 { BOOT_ACTIVE } else { BOOT_INACTIVE },
            first_chs: CHS::empty(),
            sys: mbr_type(&partition.content),
            last_chs: CHS::empty(),
            starting_lba: start,
            sectors,
        };
    }
    table.write_into(disk)?;
    for (partition, extent) in layout.partitions() {
        ensure!(
            u64::from(table[partition.number as usize].starting_lba) == extent.start,
            "partition {} was moved while writing the table",
            partition.number
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bootconfig::{FilesystemContent, Mount, Table};
    use ondisk::Filesystem;

    use super::*;
    use crate::disk::storage::{boot_code, numbered};
    use crate::identity::Identity;

    fn layout(scheme: Scheme) -> DiskLayout {
        let system = FilesystemContent {
            kind: Filesystem::Ext4,
            uuid: None,
            label: None,
            mount: Some(Mount::new("/", "defaults")),
            grow: true,
        };
        let mut partitions = vec![
            boot_code(),
            ("p.UEFI".to_owned(), Some(64), Content::Fat { id: None, mount: None }),
            ("p.swap".to_owned(), Some(16), Content::Swap { uuid: None, label: None }),
            ("p.lxroot".to_owned(), Some(64), Content::Filesystem(system)),
        ];
        if scheme == Scheme::Mbr {
            partitions.drain(..2);
        }
        DiskLayout::of(Table { scheme, partitions: numbered(partitions) }, 0, &Identity::new(1, ["x"]))
    }

    #[test]
    fn foreign_readers_find_the_same_table() {
        for scheme in [Scheme::Mbr, Scheme::Gpt] {
            let layout = layout(scheme);
            let mut file = tempfile::tempfile().unwrap();
            file.set_len(layout.sectors * SECTOR).unwrap();
            write(&layout, &mut file).unwrap();
            let starts: Vec<u64> = match scheme {
                Scheme::Mbr => {
                    let table = MBR::read_from(&mut file, 512).unwrap();
                    assert!(table[1].is_active());
                    assert_eq!((table[1].sys, table[2].sys), (0x82, 0x83));
                    table
                        .iter()
                        .filter(|(_, one)| one.is_used())
                        .map(|(_, one)| one.starting_lba.into())
                        .collect()
                }
                Scheme::Gpt => {
                    let table = GPT::find_from(&mut file).unwrap();
                    table.iter().filter(|(_, one)| one.is_used()).map(|(_, one)| one.starting_lba).collect()
                }
            };
            assert_eq!(starts, layout.partitions().map(|(_, extent)| extent.start).collect::<Vec<_>>());
        }
    }
}
