//! The image that an earlier build made: what has not changed since is not packed again.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::{CLUSTER, CLUSTER_BITS, COMPRESSION_TYPE, MAGIC, OFFSETS, PACKED, SECTOR, SECTORS_SHIFT, ZSTD};

/// Bits of an entry of L1 or L2 that say where its cluster is.
const PLACE: u64 = 0x00ff_ffff_ffff_fe00;
/// As many clusters in a row that are others: the disk moved, and the rest is not looked at.
const OTHERS: u32 = 64;

/// A packed image that `super::write` made.
pub(in super::super) struct Earlier {
    file: File,
    /// Of every cluster of the disk, its entry in L2.
    entries: Vec<u64>,
}

impl Earlier {
    /// Opens it; none for what is no such image.
    pub(in super::super) fn open(path: &Path) -> Option<Self> {
        let file = File::open(path).ok()?;
        let mut header = [0; 112];
        file.read_exact_at(&mut header, 0).ok()?;
        let long = |location: usize| header[location..].first_chunk().copied().map(u64::from_be_bytes);
        let short = |location: usize| header[location..].first_chunk().copied().map(u32::from_be_bytes);
        let is_ours = header[..4] == MAGIC
            && short(4) == Some(3)
            && short(20) == Some(CLUSTER_BITS)
            && long(72) == Some(COMPRESSION_TYPE)
            && header[104] == ZSTD;
        if !is_ours {
            return None;
        }
        let (size, tables, location) = (long(24)?, u64::from(short(36)?), long(40)?);
        let length = file.metadata().ok()?.len();
        // A table lies in the file: no number of a damaged header makes us take more memory than that.
        if tables > length / CLUSTER || size.div_ceil(CLUSTER * OFFSETS) != tables {
            return None;
        }
        let mut entries = Vec::new();
        for table in numbers(&file, location, tables)? {
            match table & PLACE {
                0 => entries.resize(entries.len() + usize::try_from(OFFSETS).ok()?, 0),
                location => entries.extend(numbers(&file, location, OFFSETS)?),
            }
        }
        Some(Self { file, entries })
    }

    /// The bytes of a packed cluster, and possibly more behind them.
    fn packed(&self, number: u64, bytes: &mut Vec<u8>) -> Option<()> {
        let entry = *self.entries.get(usize::try_from(number).ok()?)?;
        if entry & PACKED == 0 {
            return None;
        }
        let location = entry & ((1 << SECTORS_SHIFT) - 1);
        let next = (entry & !PACKED) >> SECTORS_SHIFT;
        let count = (next + 1) * SECTOR - location % SECTOR;
        bytes.resize(usize::try_from(count).ok()?, 0);
        self.file.read_exact_at(bytes, location).ok()
    }
}

/// Big-endian numbers of a table.
fn numbers(file: &File, location: u64, count: u64) -> Option<Vec<u64>> {
    let mut bytes = vec![0; usize::try_from(count * 8).ok()?];
    file.read_exact_at(&mut bytes, location).ok()?;
    Some(bytes.as_chunks().0.iter().map(|number| u64::from_be_bytes(*number)).collect())
}

/// Looks clusters up in an image of an earlier build.
pub(super) struct Lookup<'a> {
    earlier: &'a Earlier,
    zstd: zstd::bulk::Decompressor<'static>,
    content: Vec<u8>,
    /// Clusters in a row that were others.
    others: u32,
}

impl<'a> Lookup<'a> {
    pub(super) fn new(earlier: &'a Earlier) -> std::io::Result<Self> {
        Ok(Self {
            earlier,
            zstd: zstd::bulk::Decompressor::new()?,
            content: Vec::with_capacity(usize::try_from(CLUSTER).unwrap_or(usize::MAX)),
            others: 0,
        })
    }

    /// Fills `packed` with the packed form of `content`, if the earlier image has just that in its location. It is unpacked
    /// and compared: what was damaged there is not taken over.
    pub(super) fn find(&mut self, number: u64, content: &[u8], packed: &mut Vec<u8>) -> bool {
        if self.others > OTHERS {
            return false;
        }
        let found = self.earlier.packed(number, packed).is_some() && self.is_of(content, packed);
        self.others = if found { 0 } else { self.others + 1 };
        found
    }

    /// Whether the packed bytes are of that content; what lies behind them is cut off.
    fn is_of(&mut self, content: &[u8], packed: &mut Vec<u8>) -> bool {
        let Ok(count) = zstd::zstd_safe::find_frame_compressed_size(packed) else { return false };
        packed.truncate(count);
        self.content.clear();
        self.zstd.decompress_to_buffer(packed, &mut self.content).is_ok() && self.content == content
    }
}
