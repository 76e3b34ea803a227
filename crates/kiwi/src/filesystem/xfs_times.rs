//! The time stamps of a finished XFS: every inode has the time of the build.
//!
//! ```text
//! superblock -> of each allocation group the tree of inode chunks, leaf by leaf -> every inode in use
//! ```
//!
//! `mkfs.xfs -p` gives every file the time of day. Layout and checksums: XFS Algorithms & Data Structures, "Superblocks",
//! "AG Inode Management", "Inode B+trees", "On-disk Inode" and "Timestamps". Only times and their checksum change.

use std::fs::File;
use std::os::unix::fs::FileExt;

use anyhow::{Context, Result, ensure};
use byteorder::{BE, ByteOrder};
use crc::{CRC_32_ISCSI, Crc, Table};

static CRC: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISCSI);

const NO_BLOCK: u32 = u32::MAX;
/// Bytes before the records of a block of the inode tree.
const HEAD: usize = 56;
const INODES_OF_CHUNK: usize = 64;
/// Inodes that one bit of a sparse chunk's mask stands for.
const INODES_OF_BIT: usize = 4;

/// Places in an inode: access, modification, change, creation.
const TIMES: [usize; 4] = [32, 40, 48, 144];
const CHECKSUM: usize = 100;
const FLAGS: usize = 120;
/// Times are nanoseconds since December 1901.
const FLAG_BIGTIME: u64 = 8;
const BIGTIME_ORIGIN: u64 = 1 << 31;

/// Settles the file system that fills `file`.
pub(super) fn settle(file: &File, epoch: u64) -> Result<()> {
    let layout = Layout::read(file)?;
    for group in 0..layout.groups {
        let mut block = layout.first_leaf(file, group)?;
        while block != NO_BLOCK {
            let leaf = layout.read_block(file, group, block)?;
            let records = leaf.get(HEAD..).into_iter().flat_map(|records| records.chunks_exact(16));
            for record in records.take(usize::from(BE::read_u16(&leaf[6..]))) {
                layout.settle_chunk(file, group, record, epoch)?;
            }
            block = BE::read_u32(&leaf[12..]);
        }
    }
    Ok(())
}

/// What the superblock says, as far as it is needed to reach every inode.
struct Layout {
    block_size: u64,
    blocks_per_group: u64,
    groups: u64,
    sector_size: u64,
    inode_size: usize,
    sparse: bool,
}

impl Layout {
    fn read(file: &File) -> Result<Self> {
        let mut block = [0; 512];
        file.read_exact_at(&mut block, 0).context("reading the superblock")?;
        ensure!(block.starts_with(b"XFSB"), "there is no XFS");
        ensure!(
            BE::read_u16(&block[100..]) & 15 == 5,
            "an XFS without checksums is not supported; take crc=0 out of filesystem options"
        );
        Ok(Self {
            block_size: BE::read_u32(&block[4..]).into(),
            blocks_per_group: BE::read_u32(&block[84..]).into(),
            groups: BE::read_u32(&block[88..]).into(),
            sector_size: BE::read_u16(&block[102..]).into(),
            inode_size: BE::read_u16(&block[104..]).into(),
            // The second of the features that old kernels cannot even read.
            sparse: BE::read_u32(&block[216..]) & 2 != 0,
        })
    }

    fn place(&self, group: u64, block: u32) -> u64 {
        (group * self.blocks_per_group + u64::from(block)) * self.block_size
    }

    fn read_block(&self, file: &File, group: u64, block: u32) -> Result<Vec<u8>> {
        let mut content = vec![0; usize::try_from(self.block_size)?];
        file.read_exact_at(&mut content, self.place(group, block)).context("reading the tree of inodes")?;
        ensure!(content.starts_with(b"IAB3"), "block {block} of group {group} is none of the tree of inodes");
        Ok(content)
    }

    /// The leftmost leaf of a group's tree; the others are chained to it.
    fn first_leaf(&self, file: &File, group: u64) -> Result<u32> {
        let mut head = [0; 32];
        let place = self.place(group, 0) + 2 * self.sector_size;
        file.read_exact_at(&mut head, place).context("reading a group's inode header")?;
        ensure!(head.starts_with(b"XAGI"), "group {group} has no inode header");
        let mut block = BE::read_u32(&head[20..]);
        loop {
            let node = self.read_block(file, group, block)?;
            if BE::read_u16(&node[4..]) == 0 {
                return Ok(block);
            }
            // As many keys as there is room for stand before the first pointer.
            let room = (node.len() - HEAD) / 8;
            block = BE::read_u32(&node[HEAD + room * 4..]);
        }
    }

    fn settle_chunk(&self, file: &File, group: u64, record: &[u8], epoch: u64) -> Result<()> {
        let first = u64::from(BE::read_u32(record));
        let holes = if self.sparse { BE::read_u16(&record[4..]) } else { 0 };
        let free = BE::read_u64(&record[8..]);
        let mut inode = vec![0; self.inode_size];
        for index in 0..INODES_OF_CHUNK {
            if free >> index & 1 == 1 || holes >> (index / INODES_OF_BIT) & 1 == 1 {
                continue;
            }
            let place = self.place(group, 0) + (first + index as u64) * self.inode_size as u64;
            file.read_exact_at(&mut inode, place).context("reading an inode")?;
            ensure!(inode.starts_with(b"IN") && inode[4] == 3, "there is no inode at byte {place}");
            settle_inode(&mut inode, epoch)?;
            file.write_all_at(&inode, place).context("writing an inode")?;
        }
        Ok(())
    }
}

fn settle_inode(inode: &mut [u8], epoch: u64) -> Result<()> {
    let flags = BE::read_u64(&inode[FLAGS..]);
    let time = if flags & FLAG_BIGTIME != 0 {
        (epoch + BIGTIME_ORIGIN) * 1_000_000_000
    } else {
        u64::from(u32::try_from(epoch).context("the time of the build does not fit this XFS")?) << 32
    };
    for place in TIMES {
        inode[place..place + 8].copy_from_slice(&time.to_be_bytes());
    }
    inode[CHECKSUM..CHECKSUM + 4].fill(0);
    let sum = CRC.checksum(inode);
    inode[CHECKSUM..CHECKSUM + 4].copy_from_slice(&sum.to_le_bytes());
    Ok(())
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "the test asks the foreign tools")]
mod tests {
    use super::super::foreign_tool::run;
    use super::*;
    use std::fmt::Write;

    /// More inodes than one block of the tree of inode chunks describes, and both kinds of time stamp.
    #[test]
    fn settled_file_systems_satisfy_xfs_repair_and_are_the_same_later() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let mut prototype = "/\n0 0\nd--755 0 0\n".to_owned();
        for number in 0..20_000 {
            writeln!(prototype, "{number} l--777 0 0 nowhere").unwrap();
        }
        std::fs::write(path("prototype"), prototype + "$\n").unwrap();
        for bigtime in ["bigtime=1", "bigtime=0"] {
            let images = [path("one"), path("other")];
            for image in &images {
                let file =
                    File::options().read(true).write(true).create(true).truncate(true).open(image).unwrap();
                file.set_len(320 << 20).unwrap();
                let uuid = "uuid=11111111-2222-4333-8444-555555555555";
                run("mkfs.xfs", &["-q", "-f", "-m", uuid, "-m", bigtime, "-p", &path("prototype"), image]);
                settle(&file, 1_000_000_000).unwrap();
                run("xfs_repair", &["-n", image]);
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            run("cmp", &[&images[0], &images[1]]);
            let shown =
                run("xfs_db", &["-r", "-c", "path /19999", "-c", "print v3.crtime core.mtime", &images[0]]);
            assert_eq!(shown.matches("Sun Sep  9 01:46:40 2001").count(), 2, "{bigtime}: {shown}");
        }
    }
}
