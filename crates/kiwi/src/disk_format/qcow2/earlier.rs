//! Reuses compressed clusters of the image that an earlier build wrote.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::{CLUSTER, CLUSTER_BITS, COMPRESSION_TYPE, MAGIC, OFFSETS, PACKED, SECTOR, SECTORS_SHIFT, ZSTD};

/// Bits of an entry of L1 or L2 with the offset of its cluster.
const PLACE: u64 = 0x00ff_ffff_ffff_fe00;
/// After so many different clusters in a row the rest is not compared: the content of the disk moved.
const OTHERS: u32 = 64;

/// A compressed image that `super::write` wrote.
pub(in super::super) struct Earlier {
    file: File,
    /// The entry in L2 of every cluster of the disk.
    entries: Vec<u64>,
}

impl Earlier {
    /// Opens the image; none when the file is not such an image.
    pub(in super::super) fn open(path: &Path) -> Option<Self> {
        let file = File::open(path).ok()?;
        let mut header = [0; 112];
        file.read_exact_at(&mut header, 0).ok()?;
        let long = |offset: usize| header[offset..].first_chunk().copied().map(u64::from_be_bytes);
        let short = |offset: usize| header[offset..].first_chunk().copied().map(u32::from_be_bytes);
        let is_ours = header[..4] == MAGIC
            && short(4) == Some(3)
            && short(20) == Some(CLUSTER_BITS)
            && long(72) == Some(COMPRESSION_TYPE)
            && header[104] == ZSTD;
        if !is_ours {
            return None;
        }
        let (size, tables, offset) = (long(24)?, u64::from(short(36)?), long(40)?);
        let length = file.metadata().ok()?.len();
        // The table is inside the file, so that a damaged header cannot request more memory than that.
        if tables > length / CLUSTER || size.div_ceil(CLUSTER * OFFSETS) != tables {
            return None;
        }
        let mut entries = Vec::new();
        for table in numbers(&file, offset, tables)? {
            match table & PLACE {
                0 => entries.resize(entries.len() + usize::try_from(OFFSETS).ok()?, 0),
                offset => entries.extend(numbers(&file, offset, OFFSETS)?),
            }
        }
        Some(Self { file, entries })
    }

    /// Returns the bytes of a compressed cluster, possibly followed by others.
    fn packed(&self, number: u64, bytes: &mut Vec<u8>) -> Option<()> {
        let entry = *self.entries.get(usize::try_from(number).ok()?)?;
        if entry & PACKED == 0 {
            return None;
        }
        let offset = entry & ((1 << SECTORS_SHIFT) - 1);
        let next = (entry & !PACKED) >> SECTORS_SHIFT;
        let count = (next + 1) * SECTOR - offset % SECTOR;
        bytes.resize(usize::try_from(count).ok()?, 0);
        self.file.read_exact_at(bytes, offset).ok()
    }
}

/// Reads big-endian numbers of a table.
fn numbers(file: &File, offset: u64, count: u64) -> Option<Vec<u64>> {
    let mut bytes = vec![0; usize::try_from(count * 8).ok()?];
    file.read_exact_at(&mut bytes, offset).ok()?;
    Some(bytes.as_chunks().0.iter().map(|number| u64::from_be_bytes(*number)).collect())
}

/// Looks up clusters in the image of an earlier build.
pub(super) struct Lookup<'a> {
    earlier: &'a Earlier,
    zstd: zstd::bulk::Decompressor<'static>,
    content: Vec<u8>,
    /// The number of different clusters in a row.
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

    /// Fills `packed` with the compressed form of `content` if the earlier image has the same content at the same cluster. The
    /// cluster is decompressed and compared, so that damage in the earlier image is not copied.
    pub(super) fn find(&mut self, number: u64, content: &[u8], packed: &mut Vec<u8>) -> bool {
        if self.others > OTHERS {
            return false;
        }
        let found = self.earlier.packed(number, packed).is_some() && self.is_of(content, packed);
        self.others = if found { 0 } else { self.others + 1 };
        found
    }

    /// Returns whether the compressed bytes have that content, and cuts off the bytes that follow them.
    fn is_of(&mut self, content: &[u8], packed: &mut Vec<u8>) -> bool {
        let Ok(count) = zstd::zstd_safe::find_frame_compressed_size(packed) else { return false };
        packed.truncate(count);
        self.content.clear();
        self.zstd.decompress_to_buffer(packed, &mut self.content).is_ok() && self.content == content
    }
}
