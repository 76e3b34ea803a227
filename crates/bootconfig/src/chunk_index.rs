//! The chunk index of a published image: the lengths and SHA-256 digests of its chunks, in the format of casync
//! (`.caibx`, little-endian, docs/formats/chunk-index.md).
//!
//! The index describes the file as it is served, so a chunk is a range of a download. Its digests are meaningful only
//! after the signature of the index was verified.

use std::fmt;

/// The index of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkIndex {
    /// The sizes with which the file was cut.
    pub sizes: ChunkSizes,
    /// The chunks in the order of the file.
    pub chunks: Vec<Chunk>,
}

/// The least, average and largest size of a chunk in bytes. The last chunk of a file may be shorter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkSizes {
    /// The least size.
    pub least: u64,
    /// The average for data without repetitions.
    pub average: u64,
    /// The largest size.
    pub largest: u64,
}

/// One chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk {
    /// The offset of its end in the file in bytes.
    pub end: u64,
    /// The SHA-256 of its bytes.
    pub sha256: [u8; 32],
}

/// The error for bytes that are not a valid index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkIndexError(&'static str);

impl fmt::Display for ChunkIndexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a chunk index: {}", self.0)
    }
}

impl std::error::Error for ChunkIndexError {}

/// The largest chunk of the format in bytes.
const LARGEST_CHUNK: u64 = 128 << 20;
/// Identifies the header.
const INDEX: u64 = 0x9682_4d9c_7b12_9ff9;
/// Identifies the table.
const TABLE: u64 = 0xe75b_9e11_2f17_417d;
/// Identifies the end of the table.
const TAIL: u64 = 0x4b4f_050e_5549_ecd1;
/// Bytes of the header.
const HEADER: usize = 48;
/// Bytes at the start of the table.
const TABLE_START: usize = 16;
/// Bytes of a chunk in the table, and of its tail.
const ITEM: usize = 40;
/// The flag for SHA-512/256 digests; without it they are SHA-256.
const SHA512_256: u64 = 0x2000_0000_0000_0000;

impl ChunkSizes {
    /// The sizes that casync uses by default, too.
    pub const DEFAULT: Self = Self { least: 16 << 10, average: 64 << 10, largest: 256 << 10 };

    fn are_valid(self) -> bool {
        0 < self.least
            && self.least <= self.average
            && self.average <= self.largest
            && self.largest <= LARGEST_CHUNK
    }
}

impl ChunkIndex {
    /// Returns the size of the file in bytes.
    pub fn bytes(&self) -> u64 {
        self.chunks.last().map_or(0, |chunk| chunk.end)
    }

    /// Returns the offset of the start of this chunk.
    pub fn start(&self, chunk: usize) -> u64 {
        chunk.checked_sub(1).and_then(|before| self.chunks.get(before)).map_or(0, |before| before.end)
    }

    /// Parses the bytes of an index.
    pub fn parse(bytes: &[u8]) -> Result<Self, ChunkIndexError> {
        let number = |offset: usize| number_at(bytes, offset).ok_or(ChunkIndexError("it is truncated"));
        if (number(0)?, number(8)?) != (HEADER as u64, INDEX) {
            return Err(ChunkIndexError("it has another header"));
        }
        if number(16)? & SHA512_256 != 0 {
            return Err(ChunkIndexError("its digests are not SHA-256"));
        }
        let sizes = ChunkSizes { least: number(24)?, average: number(32)?, largest: number(40)? };
        if !sizes.are_valid() {
            return Err(ChunkIndexError("the sizes of its chunks are impossible"));
        }
        if (number(HEADER)?, number(HEADER + 8)?) != (u64::MAX, TABLE) {
            return Err(ChunkIndexError("it has no table"));
        }
        let items = bytes.get(HEADER + TABLE_START..).unwrap_or_default();
        let Some((items, tail)) = items.len().checked_sub(ITEM).map(|end| items.split_at(end)) else {
            return Err(ChunkIndexError("it is truncated"));
        };
        let table = (bytes.len() - HEADER) as u64;
        if !items.len().is_multiple_of(ITEM) || tail != tail_of(table) {
            return Err(ChunkIndexError("its table does not end as it should"));
        }
        let mut chunks = Vec::with_capacity(items.len() / ITEM);
        let mut start = 0;
        for item in items.chunks_exact(ITEM) {
            let (end, digest) = item.split_at(8);
            let end = number_at(end, 0).unwrap_or_default();
            if end <= start || end - start > sizes.largest {
                return Err(ChunkIndexError("a chunk has an impossible size"));
            }
            let mut sha256 = [0; 32];
            sha256.copy_from_slice(digest);
            chunks.push(Chunk { end, sha256 });
            start = end;
        }
        Ok(Self { sizes, chunks })
    }

    /// Returns the bytes of the index.
    pub fn encode(&self) -> Vec<u8> {
        let table = TABLE_START + (self.chunks.len() + 1) * ITEM;
        let mut bytes = Vec::with_capacity(HEADER + table);
        let ChunkSizes { least, average, largest } = self.sizes;
        for number in [HEADER as u64, INDEX, 0, least, average, largest, u64::MAX, TABLE] {
            bytes.extend(number.to_le_bytes());
        }
        for chunk in &self.chunks {
            bytes.extend(chunk.end.to_le_bytes());
            bytes.extend(chunk.sha256);
        }
        bytes.extend(tail_of(table as u64));
        bytes
    }
}

/// Returns the tail of a table of this many bytes.
fn tail_of(table: u64) -> [u8; ITEM] {
    let mut tail = [0; ITEM];
    for (field, number) in tail.chunks_exact_mut(8).zip([0, 0, HEADER as u64, table, TAIL]) {
        field.copy_from_slice(&number.to_le_bytes());
    }
    tail
}

fn number_at(bytes: &[u8], offset: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(offset..offset.checked_add(8)?)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn index(lengths: &[u64]) -> ChunkIndex {
        let mut end = 0;
        let chunks = lengths.iter().map(|length| {
            end += length;
            Chunk { end, sha256: [*length as u8; 32] }
        });
        ChunkIndex { sizes: ChunkSizes::DEFAULT, chunks: chunks.collect() }
    }

    #[test]
    fn a_chunk_is_a_range_of_the_file() {
        let index = index(&[20_000, 70_000, 5]);
        assert_eq!(index.bytes(), 90_005);
        assert_eq!([0, 1, 2].map(|chunk| index.start(chunk)), [0, 20_000, 90_000]);
        assert_eq!(super::ChunkIndex::parse(&self::index(&[]).encode()).map(|index| index.bytes()), Ok(0));
    }

    #[test]
    fn refuses_what_is_not_an_index() {
        let good = index(&[20_000, 70_000]).encode();
        for length in 0..good.len() {
            assert!(ChunkIndex::parse(&good[..length]).is_err(), "{length} bytes");
        }
        let changed = |offset: usize, number: u64| {
            let mut bytes = good.clone();
            bytes[offset..offset + 8].copy_from_slice(&number.to_le_bytes());
            ChunkIndex::parse(&bytes).unwrap_err().0
        };
        assert_eq!(changed(16, SHA512_256), "its digests are not SHA-256");
        assert_eq!(changed(24, 0), "the sizes of its chunks are impossible");
        assert_eq!(changed(40, u64::MAX), "the sizes of its chunks are impossible");
        assert_eq!(changed(64, 0), "a chunk has an impossible size");
        assert_eq!(changed(104, 20_000), "a chunk has an impossible size");
        assert_eq!(changed(104, 1 << 40), "a chunk has an impossible size");
        assert_eq!(changed(good.len() - 16, 1), "its table does not end as it should");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(lengths in prop::collection::vec(1u64..262_144, 0..9)) {
            let index = index(&lengths);
            prop_assert_eq!(ChunkIndex::parse(&index.encode()), Ok(index));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = ChunkIndex::parse(&bytes);
        }
    }
}
