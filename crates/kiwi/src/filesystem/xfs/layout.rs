//! A finished XFS, read and changed in place: inodes by number, and the blocks of their data.
//!
//! ```text
//! superblock -> inode B+tree of each allocation group, leaf by leaf -> every inode in use
//! inode -> its extents, in the inode or in a B+tree below it -> blocks
//! ```
//!
//! Layout and checksums: XFS Algorithms & Data Structures, "Superblocks", "AG Inode Management", "Inode B+trees", "On-disk
//! Inode" and "Data Extents".

use std::fs::File;
use std::os::unix::fs::FileExt;

use anyhow::{Context, Result, bail, ensure};
use byteorder::{BE, ByteOrder};
use crc::{CRC_32_ISCSI, Crc, Table};

use crate::failure::fail;

static CRC: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISCSI);

const NO_BLOCK: u32 = u32::MAX;
/// Bytes before the records of a block of the inode B+tree, and of a block of an extent B+tree.
const HEAD: usize = 56;
const EXTENTS_HEAD: usize = 72;
const INODES_OF_CHUNK: usize = 64;
/// Levels that no extent B+tree has.
const DEEPEST_TREE: u16 = 16;
/// Inodes for one bit of a sparse chunk's mask.
const INODES_OF_BIT: usize = 4;

/// Offset of the superblock's checksum, and a bit of its version.
const SUPERBLOCK_CHECKSUM: usize = 224;
const HAS_ATTRIBUTES: u16 = 0x10;

/// Offsets in an inode.
const FORMAT: usize = 5;
pub(super) const SIZE: usize = 56;
pub(super) const FORK_OFFSET: usize = 82;
const CHECKSUM: usize = 100;
const FLAGS: usize = 120;
/// Offset of the data in an inode.
pub(super) const FORK: usize = 176;
const FLAG_BIGTIME: u64 = 8;
const FLAG_LARGE_COUNTERS: u64 = 16;
/// Bytes of an extent: its offset in the file, its block, its length.
const EXTENT: usize = 16;

/// The position of an inode's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Device,
    Local,
    Extents,
    Tree,
}

/// An inode as it is on disk.
pub(super) struct Inode {
    pub(super) number: u64,
    pub(super) bytes: Vec<u8>,
}

impl Inode {
    pub(super) fn format(&self) -> Result<Format> {
        Ok(match self.bytes[FORMAT] {
            0 => Format::Device,
            1 => Format::Local,
            2 => Format::Extents,
            3 => Format::Tree,
            other => bail!("inode {} has the unknown format {other}", self.number),
        })
    }

    pub(super) fn size(&self) -> u64 {
        BE::read_u64(&self.bytes[SIZE..])
    }

    /// Returns the offset at which its data ends and extended attributes start.
    fn fork_end(&self) -> usize {
        match usize::from(self.bytes[FORK_OFFSET]) {
            0 => self.bytes.len(),
            offset => FORK + offset * 8,
        }
    }

    /// Returns the data in the inode.
    pub(super) fn local(&mut self) -> Result<&mut [u8]> {
        let end = self.fork_end();
        self.bytes.get_mut(FORK..end).context("an inode ends beyond its block")
    }

    fn flags(&self) -> u64 {
        BE::read_u64(&self.bytes[FLAGS..])
    }

    /// Returns whether times are nanoseconds since December 1901.
    pub(super) fn has_big_times(&self) -> bool {
        self.flags() & FLAG_BIGTIME != 0
    }

    /// Returns the number of extents listed in it.
    pub(super) fn extents(&self) -> Result<usize> {
        Ok(if self.flags() & FLAG_LARGE_COUNTERS != 0 {
            usize::try_from(BE::read_u64(&self.bytes[24..]))?
        } else {
            usize::try_from(BE::read_u32(&self.bytes[76..]))?
        })
    }
}

/// The fields of the superblock that are needed to reach every inode and its blocks.
pub(super) struct Layout<'f> {
    file: &'f File,
    /// Where the file system begins in the file.
    start: u64,
    /// Blocks that the file has room for.
    room: u64,
    pub(super) block_size: u64,
    blocks_per_group: u64,
    groups: u64,
    sector_size: u64,
    inode_size: usize,
    sparse: bool,
    /// Bits of a block number and of an inode number that count inside its group.
    block_bits: u32,
    inode_bits: u32,
    /// The root directory.
    pub(super) root: u64,
    /// Bytes of a directory block.
    pub(super) directory_block: usize,
    pub(super) uuid: [u8; 16],
    /// Whether names that differ in case only are equal: their hash is a different one.
    pub(super) ignores_case: bool,
}

impl<'f> Layout<'f> {
    pub(super) fn read(file: &'f File) -> Result<Self> {
        Self::read_at(file, 0)
    }

    /// Reads the superblock of the file system that begins at byte `start`.
    pub(super) fn read_at(file: &'f File, start: u64) -> Result<Self> {
        let mut block = [0; 512];
        file.read_exact_at(&mut block, start).context("reading the superblock")?;
        ensure!(block.starts_with(b"XFSB"), "there is no XFS");
        let version = BE::read_u16(&block[100..]);
        if version & 15 != 5 {
            fail!(
                NotBuilt,
                "an XFS without checksums is not supported; remove crc=0 from the file system options"
            );
        }
        let block_size = u64::from(BE::read_u32(&block[4..]));
        let inode_size = BE::read_u16(&block[104..]);
        let is_sane = block_size.is_power_of_two()
            && (512..=65536).contains(&block_size)
            && (256..=2048).contains(&inode_size)
            && block_size << block[192].min(8) <= 65536
            && block[192] < 8
            && block[124] < 32
            && block[123] < 8;
        ensure!(is_sane, "the superblock is damaged");
        let length = file.metadata().context("reading the file system")?.len().saturating_sub(start);
        Ok(Self {
            file,
            start,
            room: length / block_size,
            block_size,
            blocks_per_group: BE::read_u32(&block[84..]).into(),
            groups: BE::read_u32(&block[88..]).into(),
            sector_size: BE::read_u16(&block[102..]).into(),
            inode_size: inode_size.into(),
            // The second word of the features that old kernels cannot read.
            sparse: BE::read_u32(&block[216..]) & 2 != 0,
            block_bits: block[124].into(),
            inode_bits: u32::from(block[124]) + u32::from(block[123]),
            root: BE::read_u64(&block[56..]),
            directory_block: usize::try_from(block_size << block[192])?,
            uuid: block[32..48].try_into()?,
            ignores_case: version & 0x4000 != 0,
        })
    }

    /// Sets the bit for extended attributes in the superblock.
    pub(super) fn announce_attributes(&self) -> Result<()> {
        let mut sector = vec![0; usize::try_from(self.sector_size)?];
        self.file.read_exact_at(&mut sector, self.start).context("reading the superblock")?;
        let version = BE::read_u16(&sector[100..]) | HAS_ATTRIBUTES;
        BE::write_u16(&mut sector[100..], version);
        seal(&mut sector, SUPERBLOCK_CHECKSUM);
        self.file.write_all_at(&sector, self.start).context("writing the superblock")
    }

    fn position(&self, group: u64, block: u64) -> u64 {
        // A number that is too large gives a position beyond the file.
        let blocks = group.saturating_mul(self.blocks_per_group).saturating_add(block);
        blocks.saturating_mul(self.block_size).saturating_add(self.start)
    }

    /// Returns the offset of a block in the file.
    pub(super) fn position_of_block(&self, block: u64) -> u64 {
        self.position(block >> self.block_bits, block & ((1 << self.block_bits) - 1))
    }

    fn position_of_inode(&self, number: u64) -> u64 {
        let inside = number & ((1 << self.inode_bits) - 1);
        self.position(number >> self.inode_bits, 0).saturating_add(inside * self.inode_size as u64)
    }

    pub(super) fn inode(&self, number: u64) -> Result<Inode> {
        let mut bytes = vec![0; self.inode_size];
        self.file.read_exact_at(&mut bytes, self.position_of_inode(number)).context("reading an inode")?;
        ensure!(bytes.starts_with(b"IN") && bytes[4] == 3, "inode {number} does not exist");
        Ok(Inode { number, bytes })
    }

    pub(super) fn write_inode(&self, inode: &mut Inode) -> Result<()> {
        seal(&mut inode.bytes, CHECKSUM);
        let position = self.position_of_inode(inode.number);
        self.file.write_all_at(&inode.bytes, position).context("writing an inode")
    }

    /// Reads consecutive blocks.
    pub(super) fn blocks(&self, blocks: &[u64]) -> Result<Vec<u8>> {
        let size = usize::try_from(self.block_size)?;
        let mut content = vec![0; size * blocks.len()];
        for (part, block) in content.chunks_exact_mut(size).zip(blocks) {
            self.file.read_exact_at(part, self.position_of_block(*block)).context("reading a block")?;
        }
        Ok(content)
    }

    /// Reads bytes of a block and of those behind it.
    pub(super) fn read_at_block(&self, block: u64, inside: u64, buffer: &mut [u8]) -> std::io::Result<()> {
        self.file.read_exact_at(buffer, self.position_of_block(block).saturating_add(inside))
    }

    /// Writes blocks that share one checksum, at byte `checksum`.
    pub(super) fn write_blocks(&self, blocks: &[u64], content: &mut [u8], checksum: usize) -> Result<()> {
        seal(content, checksum);
        for (part, block) in content.chunks_exact(usize::try_from(self.block_size)?).zip(blocks) {
            self.file.write_all_at(part, self.position_of_block(*block)).context("writing a block")?;
        }
        Ok(())
    }

    /// Returns the blocks of an inode's data, each with its offset in the data, counted in blocks, in ascending order.
    pub(super) fn data(&self, inode: &Inode) -> Result<Vec<(u64, u64)>> {
        let fork = inode.bytes.get(FORK..inode.fork_end()).context("an inode ends beyond its block")?;
        let mut found = Blocks { found: Vec::new(), room: self.room };
        match inode.format()? {
            Format::Device | Format::Local => (),
            Format::Extents => found.add_extents(fork, inode.extents()?)?,
            Format::Tree => self.extents_below(fork, 4, 0, &mut found)?,
        }
        let found = found.found;
        ensure!(found.is_sorted_by(|one, other| one.0 < other.0), "extents are not in order");
        Ok(found)
    }

    /// Reads the extents below a node of a B+tree: `node` has its level and number of records at byte `counts`.
    fn extents_below(&self, node: &[u8], head: usize, counts: usize, found: &mut Blocks) -> Result<()> {
        let level = BE::read_u16(&node[counts..]);
        let records = usize::from(BE::read_u16(&node[counts + 2..]));
        if level == 0 {
            return found.add_extents(&node[head..], records);
        }
        // Space for the maximum number of keys precedes the first pointer.
        let pointers = head + (node.len() - head) / 16 * 8;
        for index in 0..records {
            let pointer = pointers + index * 8;
            let pointer = node.get(pointer..pointer + 8).context("an extent B+tree is too large")?;
            found.take(1)?;
            let below = self.blocks(&[BE::read_u64(pointer)])?;
            ensure!(
                below.starts_with(b"BMA3") && BE::read_u16(&below[4..]) < level && level <= DEEPEST_TREE,
                "a block does not belong to the extent B+tree"
            );
            self.extents_below(&below, EXTENTS_HEAD, 4, found)?;
        }
        Ok(())
    }

    /// Calls `show` with every inode in use.
    pub(super) fn every_inode(&self, mut show: impl FnMut(Inode) -> Result<()>) -> Result<()> {
        for group in 0..self.groups {
            let mut block = self.first_leaf(group)?;
            while block != NO_BLOCK {
                let leaf = self.read_inode_tree(group, block)?;
                let records = leaf.get(HEAD..).into_iter().flat_map(|records| records.chunks_exact(16));
                for record in records.take(usize::from(BE::read_u16(&leaf[6..]))) {
                    self.chunk(group, record, &mut show)?;
                }
                block = BE::read_u32(&leaf[12..]);
            }
        }
        Ok(())
    }

    fn read_inode_tree(&self, group: u64, block: u32) -> Result<Vec<u8>> {
        let mut content = vec![0; usize::try_from(self.block_size)?];
        let position = self.position(group, block.into());
        self.file.read_exact_at(&mut content, position).context("reading the inode B+tree")?;
        ensure!(
            content.starts_with(b"IAB3"),
            "block {block} of group {group} does not belong to the inode B+tree"
        );
        Ok(content)
    }

    /// Returns the leftmost leaf of a group's B+tree; the others are linked to it.
    fn first_leaf(&self, group: u64) -> Result<u32> {
        let mut head = [0; 32];
        let position = self.position(group, 0) + 2 * self.sector_size;
        self.file.read_exact_at(&mut head, position).context("reading a group's inode header")?;
        ensure!(head.starts_with(b"XAGI"), "group {group} has no inode header");
        let mut block = BE::read_u32(&head[20..]);
        loop {
            let node = self.read_inode_tree(group, block)?;
            if BE::read_u16(&node[4..]) == 0 {
                return Ok(block);
            }
            // Space for the maximum number of keys precedes the first pointer.
            let room = (node.len() - HEAD) / 8;
            block = BE::read_u32(&node[HEAD + room * 4..]);
        }
    }

    fn chunk(&self, group: u64, record: &[u8], show: &mut impl FnMut(Inode) -> Result<()>) -> Result<()> {
        let first = group << self.inode_bits | u64::from(BE::read_u32(record));
        let holes = if self.sparse { BE::read_u16(&record[4..]) } else { 0 };
        let free = BE::read_u64(&record[8..]);
        for index in 0..INODES_OF_CHUNK {
            if free >> index & 1 == 0 && holes >> (index / INODES_OF_BIT) & 1 == 0 {
                show(self.inode(first + index as u64)?)?;
            }
        }
        Ok(())
    }
}

/// Blocks of a file, as many as the file system can have.
struct Blocks {
    found: Vec<(u64, u64)>,
    room: u64,
}

impl Blocks {
    fn take(&mut self, count: u64) -> Result<()> {
        let rest = self.room.checked_sub(count);
        self.room = rest.context("a file has more blocks than the file system")?;
        Ok(())
    }

    fn add_extents(&mut self, records: &[u8], count: usize) -> Result<()> {
        let size = count.checked_mul(EXTENT);
        let records = size.and_then(|size| records.get(..size));
        for record in records.context("an inode has more extents than fit into it")?.chunks_exact(EXTENT) {
            let bits = BE::read_u128(record);
            let field = |first: u32, width: u32| bits >> first & ((1 << width) - 1);
            let [length, block, start] = [field(0, 21), field(21, 52), field(73, 54)].map(u64::try_from);
            let (length, block, start) = (length?, block?, start?);
            // It was reserved and never written.
            if bits >> 127 & 1 == 1 {
                continue;
            }
            self.take(length)?;
            self.found.extend((0..length).map(|index| (start + index, block + index)));
        }
        Ok(())
    }
}

/// Updates the checksum of a structure at an offset.
fn seal(content: &mut [u8], position: usize) {
    content[position..position + 4].fill(0);
    let sum = CRC.checksum(content);
    content[position..position + 4].copy_from_slice(&sum.to_le_bytes());
}
