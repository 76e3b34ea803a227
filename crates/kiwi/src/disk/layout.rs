//! Where the partitions of a disk lie. Pure arithmetic, in sectors of 512 bytes, aligned to mebibytes.

use description::Firmware;

use crate::identity::{self, Identity};

/// Bytes of a sector.
pub const SECTOR: u64 = 512;
/// Sectors of a mebibyte, to which every partition is aligned.
const ALIGNMENT: u64 = 2048;
/// Mebibytes of the partition that holds GRUB for BIOS.
const BIOS_BOOT: u64 = 1;
/// Mebibytes of the EFI system partition when the description says nothing.
const ESP: u64 = 64;

/// What a partition is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartitionRole {
    /// GRUB's core for BIOS on a GPT.
    BiosBoot,
    /// The EFI system partition.
    Esp,
    /// Kernel, initrd and boot loader of a stick or an installed disk, on FAT, which BIOS and UEFI read.
    Boot,
    /// The system; the last one unless it is read-only, so that it can grow.
    System,
    /// What is written over a read-only system; behind it, so that it can grow.
    ReadWrite,
}

/// One partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// What it is for.
    pub role: PartitionRole,
    /// Counted from 1.
    pub number: u32,
    /// First sector.
    pub start: u64,
    /// Number of sectors.
    pub sectors: u64,
    /// Its GUID on a GPT, bytes in text order.
    pub guid: [u8; 16],
}

/// The whole disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskLayout {
    /// Which firmware boots it; BIOS alone gets an MBR, everything else a GPT.
    pub firmware: Firmware,
    /// Partitions in their order.
    pub partitions: Vec<Partition>,
    /// Sectors of the disk.
    pub sectors: u64,
    /// GUID of the disk; its first four bytes are the MBR's id.
    pub guid: [u8; 16],
}

impl DiskLayout {
    /// What the table calls a partition (`PARTUUID=`).
    pub fn partition_uuid(&self, partition: &Partition) -> String {
        match self.firmware {
            Firmware::Bios => {
                // The id is stored little-endian, and the table writer caches the first four bytes as they are.
                let id = u32::from_le_bytes(std::array::from_fn(|index| self.guid[index]));
                format!("{id:08x}-{:02x}", partition.number)
            }
            Firmware::Uefi | Firmware::BiosAndUefi => identity::uuid_text(partition.guid),
        }
    }

    /// Where GRUB's core for BIOS goes: its first sector, and how many there are.
    pub fn bios_core(&self) -> (u64, u64) {
        match self.partition(PartitionRole::BiosBoot) {
            Some(partition) => (partition.start, partition.sectors),
            None => (1, self.partitions[0].start - 1),
        }
    }

    /// The partition of this role, if the disk has one.
    pub fn partition(&self, role: PartitionRole) -> Option<&Partition> {
        self.partitions.iter().find(|partition| partition.role == role)
    }
}

/// Lays out a disk whose system takes `system` bytes, with `unpartitioned` mebibytes left at its end.
pub fn plan(
    firmware: Firmware,
    system: u64,
    esp: Option<u64>,
    unpartitioned: u64,
    identity: &Identity,
) -> DiskLayout {
    let system = in_sectors(system);
    let wanted: Vec<(PartitionRole, u64)> = match firmware {
        Firmware::Bios => vec![(PartitionRole::System, system)],
        Firmware::Uefi => {
            vec![(PartitionRole::Esp, esp.unwrap_or(ESP) * ALIGNMENT), (PartitionRole::System, system)]
        }
        Firmware::BiosAndUefi => vec![
            (PartitionRole::BiosBoot, BIOS_BOOT * ALIGNMENT),
            (PartitionRole::Esp, esp.unwrap_or(ESP) * ALIGNMENT),
            (PartitionRole::System, system),
        ],
    };
    let (partitions, start) = lay_out(wanted, identity);
    // A GPT ends with a copy of itself; a mebibyte holds it and keeps the size round.
    let tail = if firmware == Firmware::Bios { 0 } else { ALIGNMENT };
    let sectors = start + tail + unpartitioned * ALIGNMENT;
    DiskLayout { firmware, partitions, sectors, guid: identity.uuid("disk") }
}

/// Lays out a stick: an MBR, which every BIOS takes from a stick, with these partitions in their order. Sizes are in
/// bytes.
pub fn plan_stick(wanted: &[(PartitionRole, u64)], identity: &Identity) -> DiskLayout {
    let wanted = wanted.iter().map(|(role, bytes)| (*role, in_sectors(*bytes))).collect();
    let (partitions, sectors) = lay_out(wanted, identity);
    DiskLayout { firmware: Firmware::Bios, partitions, sectors, guid: identity.uuid("disk") }
}

/// Lays out a disk for a machine of any firmware, with these partitions behind the one for GRUB. Sizes are in bytes.
pub fn plan_machine(wanted: &[(PartitionRole, u64)], identity: &Identity) -> DiskLayout {
    let bios = (PartitionRole::BiosBoot, BIOS_BOOT * ALIGNMENT);
    let others = wanted.iter().map(|(role, bytes)| (*role, in_sectors(*bytes)));
    let (partitions, start) = lay_out(std::iter::once(bios).chain(others).collect(), identity);
    let firmware = Firmware::BiosAndUefi;
    DiskLayout { firmware, partitions, sectors: start + ALIGNMENT, guid: identity.uuid("disk") }
}

/// Sectors of something of that many bytes, to the next mebibyte.
fn in_sectors(bytes: u64) -> u64 {
    bytes.div_ceil(SECTOR).next_multiple_of(ALIGNMENT)
}

/// Puts the partitions behind each other; them and the sector behind the last one.
fn lay_out(wanted: Vec<(PartitionRole, u64)>, identity: &Identity) -> (Vec<Partition>, u64) {
    let mut start = ALIGNMENT;
    let partitions = wanted
        .into_iter()
        .zip(1..)
        .map(|((role, sectors), number)| {
            let guid = identity.uuid(&format!("partition {number}"));
            let partition = Partition { role, number, start, sectors, guid };
            start += sectors;
            partition
        })
        .collect();
    (partitions, start)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(firmware: Firmware) -> DiskLayout {
        plan(firmware, (100 << 20) + 1, None, 0, &Identity::new(1, ["x"]))
    }

    #[test]
    fn partitions_follow_each_other_and_the_system_is_last() {
        for firmware in [Firmware::Bios, Firmware::Uefi, Firmware::BiosAndUefi] {
            let layout = layout(firmware);
            let mut end = ALIGNMENT;
            for partition in &layout.partitions {
                assert_eq!((partition.start, partition.start % ALIGNMENT), (end, 0));
                end += partition.sectors;
            }
            assert!(end <= layout.sectors);
            let last = layout.partitions.last().unwrap();
            assert_eq!((last.role, last.sectors), (PartitionRole::System, 101 * ALIGNMENT));
        }
    }

    #[test]
    fn partitions_are_called_as_their_table_calls_them() {
        let identity = Identity::new(1, ["x"]);
        let wanted = [(PartitionRole::Boot, 1 << 20), (PartitionRole::System, 5)];
        let machine = plan_machine(&wanted, &identity);
        assert_eq!(machine.bios_core(), (ALIGNMENT, ALIGNMENT));
        let system = machine.partition(PartitionRole::System).unwrap();
        assert_eq!((machine.partition_uuid(system), system.number), (identity.uuid_text("partition 3"), 3));
        let stick = plan_stick(&wanted, &identity);
        assert_eq!(stick.bios_core(), (1, ALIGNMENT - 1));
        assert!(stick.partition_uuid(&stick.partitions[1]).ends_with("-02"));
    }

    #[test]
    fn both_firmwares_find_their_partition() {
        let roles: Vec<_> =
            layout(Firmware::BiosAndUefi).partitions.iter().map(|one| (one.number, one.role)).collect();
        let expected = [(1, PartitionRole::BiosBoot), (2, PartitionRole::Esp), (3, PartitionRole::System)];
        assert_eq!(roles, expected);
        assert_eq!(layout(Firmware::Bios).sectors, 102 * ALIGNMENT);
    }
}
