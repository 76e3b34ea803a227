//! The partition table: a GPT with its protective MBR, or an MBR alone.

use std::fs::File;

use anyhow::{Context, Result, ensure};
use description::Firmware;
use gptman::{GPT, GPTPartitionEntry};
use mbrman::{BOOT_ACTIVE, BOOT_INACTIVE, CHS, MBR, MBRPartitionEntry};

use super::{DiskLayout, PartitionRole, SECTOR};

/// Type of a partition in an MBR: FAT32, or Linux.
fn mbr_type(role: PartitionRole) -> u8 {
    match role {
        PartitionRole::Boot => 0x0c,
        PartitionRole::BiosBoot | PartitionRole::Esp | PartitionRole::System | PartitionRole::ReadWrite => {
            0x83
        }
    }
}

/// Type GUIDs: BIOS boot, EFI system, Linux file system.
fn type_guid(role: PartitionRole) -> [u8; 16] {
    match role {
        PartitionRole::BiosBoot => mixed(0x2168_6148_6449_6E6F_744E_6565_6445_4649),
        PartitionRole::Esp | PartitionRole::Boot => mixed(0xC12A_7328_F81F_11D2_BA4B_00A0_C93E_C93B),
        PartitionRole::System | PartitionRole::ReadWrite => mixed(0x0FC6_3DAF_8483_4772_8E79_3D69_D847_7DE4),
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
    match layout.firmware {
        Firmware::Bios => write_mbr(layout, disk),
        Firmware::Uefi | Firmware::BiosAndUefi => write_gpt(layout, disk),
    }
    .context("writing the partition table")
}

fn write_gpt(layout: &DiskLayout, disk: &mut File) -> Result<()> {
    GPT::write_protective_mbr_into(disk, SECTOR)?;
    let mut table = GPT::new_from(disk, SECTOR, disk_order(layout.guid))?;
    for partition in &layout.partitions {
        table[partition.number] = GPTPartitionEntry {
            partition_type_guid: type_guid(partition.role),
            unique_partition_guid: disk_order(partition.guid),
            starting_lba: partition.start,
            ending_lba: partition.start + partition.sectors - 1,
            attribute_bits: 0,
            partition_name: match partition.role {
                PartitionRole::BiosBoot => "p.legacy",
                PartitionRole::Esp => "p.UEFI",
                PartitionRole::Boot => "p.boot",
                PartitionRole::System => "p.lxroot",
                PartitionRole::ReadWrite => "p.lxrw",
            }
            .into(),
        };
    }
    table.write_into(disk)?;
    Ok(())
}

fn write_mbr(layout: &DiskLayout, disk: &mut File) -> Result<()> {
    let id: [u8; 4] = std::array::from_fn(|index| layout.guid[index]);
    let mut table = MBR::new_from(disk, u32::try_from(SECTOR)?, id)?;
    for partition in &layout.partitions {
        let start = u32::try_from(partition.start).context("an MBR reaches 2 TiB; use firmware=\"uefi\"")?;
        let sectors =
            u32::try_from(partition.sectors).context("an MBR reaches 2 TiB; use firmware=\"uefi\"")?;
        table[partition.number as usize] = MBRPartitionEntry {
            // The first one is where the system or its boot loader is.
            boot: if partition.number == 1 { BOOT_ACTIVE } else { BOOT_INACTIVE },
            first_chs: CHS::empty(),
            sys: mbr_type(partition.role),
            last_chs: CHS::empty(),
            starting_lba: start,
            sectors,
        };
    }
    table.write_into(disk)?;
    for partition in &layout.partitions {
        ensure!(
            u64::from(table[partition.number as usize].starting_lba) == partition.start,
            "partition {} was moved while writing the table",
            partition.number
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Identity;

    #[test]
    fn foreign_eyes_read_the_same_table() {
        for firmware in [Firmware::Bios, Firmware::Uefi, Firmware::BiosAndUefi] {
            let layout = crate::disk::plan(firmware, 64 << 20, None, 0, &Identity::new(1, ["x"]));
            let mut file = tempfile::tempfile().unwrap();
            file.set_len(layout.sectors * SECTOR).unwrap();
            write(&layout, &mut file).unwrap();
            let starts: Vec<u64> = match firmware {
                Firmware::Bios => {
                    let table = MBR::read_from(&mut file, 512).unwrap();
                    assert!(table[1].is_active());
                    table
                        .iter()
                        .filter(|(_, one)| one.is_used())
                        .map(|(_, one)| one.starting_lba.into())
                        .collect()
                }
                Firmware::Uefi | Firmware::BiosAndUefi => {
                    let table = GPT::find_from(&mut file).unwrap();
                    table.iter().filter(|(_, one)| one.is_used()).map(|(_, one)| one.starting_lba).collect()
                }
            };
            assert_eq!(starts, layout.partitions.iter().map(|one| one.start).collect::<Vec<_>>());
        }
    }
}
