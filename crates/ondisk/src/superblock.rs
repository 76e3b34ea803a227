//! The superblocks of file systems, in the first blocks of a device.
//!
//! Offsets and magic numbers are those of the kernel's headers: fs/ext4/ext4.h, fs/xfs/libxfs/xfs_format.h,
//! include/uapi/linux/btrfs_tree.h, fs/squashfs/squashfs_fs.h, fs/erofs/erofs_fs.h, fs/reiserfs/reiserfs.h. Checksums are not
//! verified: the kernel does so when it mounts the file system. Numbers that later code divides by or shifts with are checked.

use std::io::{self, Read, Seek, SeekFrom};

use crate::{Bytes, Filesystem, Uuid};

/// A file system as its superblock describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Superblock {
    /// The file system.
    pub filesystem: Filesystem,
    /// In lower case, with dashes.
    pub uuid: Option<String>,
    /// The label.
    pub label: Option<String>,
    /// The part of the device that the file system uses.
    pub bytes: Bytes,
    /// The facts that are needed to grow it.
    pub growth: Growth,
}

/// How a file system is grown while it is mounted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Growth {
    /// ext2, ext3, ext4: to a number of blocks.
    Ext {
        /// Bytes of a block, 1024 to 65536.
        block_size: u64,
    },
    /// XFS: to a number of blocks, keeping the share of inodes.
    Xfs {
        /// Bytes of a block, 512 to 65536.
        block_size: u64,
        /// How much of the file system inodes may take.
        inode_percentage: u8,
    },
    /// Btrfs: one of its devices, to its full size.
    Btrfs {
        /// The number of the device.
        device: u64,
    },
    /// ReiserFS: to a number of blocks.
    Reiserfs {
        /// Bytes of a block, 512 to 8192.
        block_size: u64,
    },
    /// Not possible: the file system is read-only, or on several devices.
    Fixed,
}

/// The end of the last superblock that is read, in bytes: Btrfs and ReiserFS, 64 KiB into the device.
const PROBED: u64 = 0x1_1000;

/// Reads the superblock of a device or an image file. A device that is too small to have one has none.
pub fn probe(device: &mut (impl Read + Seek)) -> io::Result<Option<Superblock>> {
    let mut start = Vec::new();
    device.seek(SeekFrom::Start(0))?;
    device.take(PROBED).read_to_end(&mut start)?;
    Ok(Superblock::find(&start))
}

/// Reads the UUID of swap space at the start of a device with pages of 4096 bytes. Swap space that contains a hibernated
/// system has another signature and is not recognised.
pub fn probe_swap(start: &[u8]) -> Option<String> {
    let fields = Fields(start);
    if fields.array(4086)? != *b"SWAPSPACE2" {
        return None;
    }
    fields.uuid(1024 + 12)
}

/// Finds a superblock in the bytes at the start of a device.
type Reader = fn(&[u8]) -> Option<Superblock>;

impl Filesystem {
    /// Returns the function that finds the file system; none for those that no boot image recognises. ext2 and ext3 are
    /// found with ext4, of which they are variants.
    fn reader(self) -> Option<Reader> {
        match self {
            Self::Ext2 | Self::Ext3 | Self::Ext4 => Some(|start| Fields(start).ext()),
            Self::Xfs => Some(|start| Fields(start).xfs()),
            Self::Btrfs => Some(|start| Fields(start).btrfs()),
            Self::Squashfs => Some(|start| Fields(start).squashfs()),
            Self::Erofs => Some(|start| Fields(start).erofs()),
            Self::Reiserfs => Some(|start| Fields(start).reiserfs()),
            Self::Cramfs => None,
        }
    }

    /// Returns whether boot images recognise it by its superblock.
    pub fn is_recognised(self) -> bool {
        self.reader().is_some()
    }

    /// Returns the keywords of the file systems that are recognised by their superblock, separated by commas.
    pub fn recognised() -> String {
        let known = Self::ALL.iter().filter(|filesystem| filesystem.reader().is_some());
        known.map(|filesystem| filesystem.keyword()).collect::<Vec<_>>().join(", ")
    }
}

impl Superblock {
    /// Finds the superblock in the bytes at the start of a device, of which 68 KiB are read.
    pub fn find(start: &[u8]) -> Option<Self> {
        Filesystem::ALL.iter().find_map(|filesystem| filesystem.reader()?(start))
    }
}

/// The bytes at the start of a device. A field behind their end is missing.
struct Fields<'a>(&'a [u8]);

/// Returns two to the power of `exponent`, unless that is not in `allowed`.
fn power(exponent: u32, allowed: std::ops::RangeInclusive<u64>) -> Option<u64> {
    1u64.checked_shl(exponent).filter(|size| allowed.contains(size))
}

impl Fields<'_> {
    fn array<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        self.0.get(at..)?.first_chunk().copied()
    }

    fn le32(&self, at: usize) -> Option<u32> {
        self.array(at).map(u32::from_le_bytes)
    }

    fn le64(&self, at: usize) -> Option<u64> {
        self.array(at).map(u64::from_le_bytes)
    }

    fn uuid(&self, at: usize) -> Option<String> {
        let bytes: [u8; 16] = self.array(at)?;
        (bytes != [0; 16]).then(|| Uuid(bytes).to_string())
    }

    fn label(&self, at: usize, length: usize) -> Option<String> {
        let field = self.0.get(at..at + length)?;
        let end = field.iter().position(|&b| b == 0).unwrap_or(length);
        (end > 0).then(|| String::from_utf8_lossy(&field[..end]).into_owned())
    }

    fn ext(&self) -> Option<Superblock> {
        const AT: usize = 1024;
        const HAS_JOURNAL: u32 = 0x4;
        const IS_JOURNAL: u32 = 0x8;
        const HAS_64_BITS: u32 = 0x80;
        // Features that ext3 may have: file types, recovery needed, meta block groups; sparse superblocks, large files, btree
        // directories. Anything else makes it ext4.
        const EXT3_INCOMPATIBLE: u32 = 0x2 | 0x4 | 0x10;
        const EXT3_READ_ONLY: u32 = 0x1 | 0x2 | 0x4;
        if self.array(AT + 56)? != [0x53, 0xef] {
            return None;
        }
        let (compatible, incompatible, read_only) =
            (self.le32(AT + 92)?, self.le32(AT + 96)?, self.le32(AT + 100)?);
        if incompatible & IS_JOURNAL != 0 {
            return None;
        }
        let filesystem = if incompatible & !EXT3_INCOMPATIBLE != 0 || read_only & !EXT3_READ_ONLY != 0 {
            Filesystem::Ext4
        } else if compatible & HAS_JOURNAL != 0 {
            Filesystem::Ext3
        } else {
            Filesystem::Ext2
        };
        let block_size = power(self.le32(AT + 24)?.checked_add(10)?, 1024..=65536)?;
        let high = if incompatible & HAS_64_BITS != 0 { self.le32(AT + 0x150)? } else { 0 };
        let blocks = u64::from(high) << 32 | u64::from(self.le32(AT + 4)?);
        Some(Superblock {
            filesystem,
            uuid: self.uuid(AT + 104),
            label: self.label(AT + 120, 16),
            bytes: Bytes(blocks.checked_mul(block_size)?),
            growth: Growth::Ext { block_size },
        })
    }

    fn xfs(&self) -> Option<Superblock> {
        if self.array(0)? != *b"XFSB" {
            return None;
        }
        let block_size = self.array(4).map(u32::from_be_bytes)?;
        let block_size =
            power(block_size.trailing_zeros(), 512..=65536).filter(|size| *size == block_size.into())?;
        let blocks = self.array(8).map(u64::from_be_bytes)?;
        let [inode_percentage] = self.array(127)?;
        Some(Superblock {
            filesystem: Filesystem::Xfs,
            uuid: self.uuid(32),
            label: self.label(108, 12),
            bytes: Bytes(blocks.checked_mul(block_size)?),
            growth: Growth::Xfs { block_size, inode_percentage },
        })
    }

    fn btrfs(&self) -> Option<Superblock> {
        const AT: usize = 0x1_0000;
        const DEVICE: usize = AT + 0xc9;
        if self.array(AT + 0x40)? != *b"_BHRfS_M" {
            return None;
        }
        let devices = self.le64(AT + 0x88)?;
        Some(Superblock {
            filesystem: Filesystem::Btrfs,
            uuid: self.uuid(AT + 0x20),
            label: self.label(AT + 0x12b, 256),
            bytes: Bytes(self.le64(DEVICE + 8)?),
            growth: match devices {
                1 => Growth::Btrfs { device: self.le64(DEVICE)? },
                _ => Growth::Fixed,
            },
        })
    }

    fn reiserfs(&self) -> Option<Superblock> {
        const AT: usize = 0x1_0000;
        // Format 3.5, format 3.6, and either with a journal of another size.
        const MAGIC: [&[u8]; 3] = [b"ReIsErFs", b"ReIsEr2Fs", b"ReIsEr3Fs"];
        let magic: [u8; 9] = self.array(AT + 52)?;
        if !MAGIC.iter().any(|known| magic.starts_with(known)) {
            return None;
        }
        let block_size = u64::from(u16::from_le_bytes(self.array(AT + 44)?));
        let block_size =
            Some(block_size).filter(|size| size.is_power_of_two() && (512..=8192).contains(size))?;
        Some(Superblock {
            filesystem: Filesystem::Reiserfs,
            uuid: self.uuid(AT + 84),
            label: self.label(AT + 100, 16),
            bytes: Bytes(u64::from(self.le32(AT)?) * block_size),
            growth: Growth::Reiserfs { block_size },
        })
    }

    fn squashfs(&self) -> Option<Superblock> {
        if self.array(0)? != *b"hsqs" {
            return None;
        }
        Some(Superblock {
            filesystem: Filesystem::Squashfs,
            uuid: None,
            label: None,
            bytes: Bytes(self.le64(40)?),
            growth: Growth::Fixed,
        })
    }

    fn erofs(&self) -> Option<Superblock> {
        const AT: usize = 1024;
        if self.le32(AT)? != 0xe0f5_e1e2 {
            return None;
        }
        let [exponent] = self.array(AT + 12)?;
        let block_size = power(exponent.into(), 512..=65536)?;
        Some(Superblock {
            filesystem: Filesystem::Erofs,
            uuid: self.uuid(AT + 48),
            label: self.label(AT + 64, 16),
            bytes: Bytes(u64::from(self.le32(AT + 36)?) * block_size),
            growth: Growth::Fixed,
        })
    }
}

#[cfg(test)]
mod tests;
