//! The offsets of the partitions of a table. Pure arithmetic, in sectors of 512 bytes, aligned to mebibytes.

use bootconfig::{Content, Partition, Scheme, Table};
use ondisk::partition_table::{mbr_partition_uuid, mbr_signature};
use ondisk::{Bytes, Mebibytes, Sectors, Uuid};

use crate::identity::{self, Identity};

/// Bytes of a sector.
pub(super) const SECTOR: u64 = 512;
/// Sectors of a mebibyte, to which every partition is aligned.
const ALIGNMENT: u64 = 2048;

/// The extent and the GUID of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extent {
    /// First sector.
    pub start: Sectors,
    /// Number of sectors.
    pub sectors: Sectors,
    /// Its GUID in a GPT, bytes in text order.
    pub guid: [u8; 16],
}

/// A partition table with the extent of each partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskLayout {
    /// The table.
    pub table: Table,
    /// One per partition, in the same order.
    extents: Vec<Extent>,
    /// Sectors of the disk.
    pub sectors: Sectors,
    /// GUID of the disk; its first four bytes are the signature of an MBR.
    pub guid: [u8; 16],
}

impl Extent {
    /// Returns the offset of the partition on the disk.
    pub fn offset(&self) -> Bytes {
        Bytes(self.start.0 * SECTOR)
    }

    /// Returns the size of the partition.
    pub fn size(&self) -> Bytes {
        Bytes(self.sectors.0 * SECTOR)
    }
}

impl DiskLayout {
    /// Returns the size of the disk.
    pub fn size(&self) -> Bytes {
        Bytes(self.sectors.0 * SECTOR)
    }

    /// Lays out the partitions of `table`, all of which have a size, one after the other, and leaves `unpartitioned`
    /// at the end.
    pub fn of(table: Table, unpartitioned: Mebibytes, identity: &Identity) -> Self {
        let mut start = ALIGNMENT;
        let place = |partition: &Partition| {
            let sectors = partition.size.unwrap_or_default().0 * ALIGNMENT;
            let guid = identity.uuid(&format!("partition {}", partition.number));
            let extent = Extent { start: Sectors(start), sectors: Sectors(sectors), guid };
            start += sectors;
            extent
        };
        let extents = table.partitions.iter().map(place).collect();
        let tail = match table.scheme {
            Scheme::Mbr => 0,
            // A GPT ends with its backup; a whole mebibyte for it keeps the size round.
            Scheme::Gpt => ALIGNMENT,
        };
        let sectors = Sectors(start + tail + unpartitioned.0 * ALIGNMENT);
        Self { table, extents, sectors, guid: identity.uuid("disk") }
    }

    /// Returns every partition with its extent, in their order on the disk.
    pub fn partitions(&self) -> impl Iterator<Item = (&Partition, &Extent)> {
        self.table.partitions.iter().zip(&self.extents)
    }

    /// Returns the partition that the system mounts at `path`.
    pub fn mounted_at(&self, path: &str) -> Option<(&Partition, &Extent)> {
        self.partitions().find(|(partition, _)| partition.content.is_mounted_at(path))
    }

    /// Returns the `PARTUUID=` of a partition.
    pub fn partition_uuid(&self, partition: &Partition, extent: &Extent) -> String {
        match self.table.scheme {
            Scheme::Mbr => mbr_partition_uuid(mbr_signature(Uuid(self.guid)), partition.number),
            Scheme::Gpt => identity::uuid_text(extent.guid),
        }
    }

    /// Returns the first sector and the number of sectors for GRUB's core for BIOS; none where the disk has no room
    /// for it and boots by UEFI only.
    pub fn bios_core(&self) -> Option<(Sectors, Sectors)> {
        match self.table.scheme {
            Scheme::Mbr => self.extents.first().map(|first| (Sectors(1), Sectors(first.start.0 - 1))),
            Scheme::Gpt => self
                .partitions()
                .find(|(partition, _)| partition.content == Content::BootCode)
                .map(|(_, extent)| (extent.start, extent.sectors)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::storage::{boot_code, numbered};

    fn layout(scheme: Scheme, sizes: &[u64]) -> DiskLayout {
        let mut partitions = vec![boot_code()];
        partitions
            .extend(sizes.iter().map(|size| ("p.x".to_owned(), Some(Mebibytes(*size)), Content::Empty)));
        if scheme == Scheme::Mbr {
            partitions.remove(0);
        }
        DiskLayout::of(
            Table { scheme, partitions: numbered(partitions) },
            Mebibytes(0),
            &Identity::new(1, ["x"]),
        )
    }

    #[test]
    fn partitions_follow_each_other_at_whole_mebibytes() {
        for scheme in [Scheme::Mbr, Scheme::Gpt] {
            let layout = layout(scheme, &[64, 101]);
            let mut end = ALIGNMENT;
            for (_, extent) in layout.partitions() {
                assert_eq!((extent.start.0, extent.start.0 % ALIGNMENT), (end, 0));
                end += extent.sectors.0;
            }
            let tail = if scheme == Scheme::Gpt { ALIGNMENT } else { 0 };
            assert_eq!(end + tail, layout.sectors.0);
        }
    }

    #[test]
    fn returns_the_partuuid_of_the_table() {
        let uuid_of = |layout: &DiskLayout, index| {
            let (partition, extent) = layout.partitions().nth(index).unwrap();
            layout.partition_uuid(partition, extent)
        };
        let gpt = layout(Scheme::Gpt, &[1, 1]);
        assert_eq!(gpt.bios_core(), Some((Sectors(ALIGNMENT), Sectors(ALIGNMENT))));
        assert_eq!(uuid_of(&gpt, 2), Identity::new(1, ["x"]).uuid_text("partition 3"));
        let mbr = layout(Scheme::Mbr, &[1, 1]);
        assert_eq!(mbr.bios_core(), Some((Sectors(1), Sectors(ALIGNMENT - 1))));
        assert!(uuid_of(&mbr, 1).ends_with("-02"));
    }
}
