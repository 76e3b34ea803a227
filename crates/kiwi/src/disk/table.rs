//! The partition table: a GPT with its protective MBR, or an MBR alone.

use std::fs::File;

use anyhow::{Context, Result};
use bootconfig::Partition;
use ondisk::Uuid;
use ondisk::partition_table::{NewPartition, NewTable, TableError};

use super::{DiskLayout, Extent, SECTOR};

fn new_partition((partition, extent): (&Partition, &Extent)) -> NewPartition {
    NewPartition {
        number: partition.number,
        partition_type: partition.content.partition_type(),
        start: extent.start,
        sectors: extent.sectors,
        guid: Uuid(extent.guid),
        name: partition.name.clone(),
    }
}

/// Writes the table of `layout` into the disk file, which must have its final size.
pub fn write(layout: &DiskLayout, disk: &mut File) -> Result<()> {
    let partitions = layout.partitions().map(new_partition).collect();
    // The first partition contains the system or its boot loader.
    let table = NewTable { scheme: layout.table.scheme, guid: Uuid(layout.guid), active: 1, partitions };
    table.write(disk, SECTOR).map_err(with_remedy).context("cannot write the partition table")
}

fn with_remedy(error: TableError) -> anyhow::Error {
    let too_large = matches!(error, TableError::BeyondMbr(_));
    let error = anyhow::Error::new(error);
    if too_large {
        error.context("with firmware=\"uefi\" the disk gets a GPT, which has no such limit")
    } else {
        error
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek, SeekFrom};

    use bootconfig::{Content, FilesystemContent, Scheme, Table};
    use ondisk::digest::{Digest, Sha256};
    use ondisk::{Filesystem, Mebibytes};

    use super::*;
    use crate::disk::storage::{boot_code, numbered};
    use crate::identity::Identity;

    /// The digests are those of the tables that the crates mbrman and gptman wrote.
    #[test]
    fn tables_keep_their_bytes() {
        let system = FilesystemContent { kind: Filesystem::Ext4, uuid: None, label: None, mount: None };
        let data =
            |name: &str, size| (name.to_owned(), Some(Mebibytes(size)), Content::Filesystem(system.clone()));
        let fat = |name: &str, size| {
            (name.to_owned(), Some(Mebibytes(size)), Content::Fat { id: None, mount: None })
        };
        let disks = [
            (Scheme::Mbr, vec![data("p.lxroot", 64)], 0),
            (Scheme::Gpt, vec![fat("p.UEFI", 32), data("p.lxroot", 64)], 3),
            (Scheme::Gpt, vec![boot_code(), fat("p.UEFI", 64), data("p.lxroot", 65)], 0),
            (Scheme::Mbr, vec![fat("p.boot", 1), data("p.lxroot", 1), data("p.lxrw", 1)], 0),
            (Scheme::Gpt, vec![boot_code(), fat("p.boot", 1), data("p.lxroot", 1), data("p.lxrw", 1)], 0),
        ];
        let digests = disks.map(|(scheme, partitions, unpartitioned)| {
            let table = Table { scheme, partitions: numbered(partitions) };
            let layout = DiskLayout::of(table, Mebibytes(unpartitioned), &Identity::new(1, ["x"]));
            let mut file = tempfile::tempfile().unwrap();
            file.set_len(layout.size().0).unwrap();
            write(&layout, &mut file).unwrap();
            let mut bytes = Vec::new();
            file.seek(SeekFrom::Start(0)).unwrap();
            file.read_to_end(&mut bytes).unwrap();
            ondisk::digest::hex(&Sha256::digest(&bytes)[..8])
        });
        let expected = [
            "c4988981ff3b0033",
            "8ae2654f093ec784",
            "214e45830e6b6385",
            "032dbc0259a580e3",
            "0378ec5ac6b493bd",
        ];
        assert_eq!(digests, expected);
    }
}
