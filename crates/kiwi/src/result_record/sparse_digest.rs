//! The digest of a sparse file, which costs as much as its data (docs/create.md, "The result").
//!
//! A file is taken as blocks of 4096 bytes, the last of which may be shorter. An extent is a longest sequence of blocks
//! of which each contains a byte that is not zero. Each extent is a line `OFFSET LENGTH SHA256\n`, with decimal numbers
//! and the SHA-256 of its bytes in lower-case hex. The digest is the SHA-256 of these lines in the order of their offsets.
//! It does not depend on the holes of the file, which only save time: zeros in a block without holes count as a hole.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use ondisk::digest::{Digest as _, Sha256, hex};

use crate::host::{Host, StageTask, Unit, sparse};

const BLOCK: usize = 4096;
/// The bytes that are read at a time.
const PIECE: usize = 64 * BLOCK;
/// The data from which reading a file has its own progress.
const LARGE: u64 = 1 << 30;

/// The lines of the extents before the current position.
#[derive(Default)]
struct Extents {
    lines: Sha256,
    /// The extent that ends at the current position: its offset, its length and the digest of its bytes.
    open: Option<(u64, u64, Sha256)>,
}

impl Extents {
    /// Adds the blocks from `offset`, which is a multiple of their size.
    fn add(&mut self, mut offset: u64, bytes: &[u8]) {
        for block in bytes.chunks(BLOCK) {
            if block.iter().all(|byte| *byte == 0) {
                self.close();
            } else {
                if self.open.as_ref().is_some_and(|(start, length, _)| start + length != offset) {
                    self.close();
                }
                let (_, length, digest) = self.open.get_or_insert_with(|| (offset, 0, Sha256::new()));
                *length += block.len() as u64;
                digest.update(block);
            }
            offset += block.len() as u64;
        }
    }

    fn close(&mut self) {
        if let Some((offset, length, digest)) = self.open.take() {
            self.lines.update(format!("{offset} {length} {}\n", hex(digest.finalize())));
        }
    }

    fn finish(mut self) -> String {
        self.close();
        hex(self.lines.finalize())
    }
}

/// Returns whether a file has a hole.
pub(super) fn has_hole(path: &Path) -> std::io::Result<bool> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    let extents = sparse::extents(&file, size)?;
    let data: u64 = extents.iter().map(|(start, end)| end - start).sum();
    Ok(data < size)
}

/// Returns the digest of a file.
pub(super) fn digest(path: &Path, host: &Host) -> Result<String> {
    let reading = || format!("reading {}", path.display());
    let file = File::open(path).with_context(reading)?;
    let size = file.metadata().with_context(reading)?.len();
    let extents = sparse::extents(&file, size).with_context(reading)?;
    let data: u64 = extents.iter().map(|(start, end)| end - start).sum();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let stage = (data >= LARGE).then(|| host.stage(StageTask::ComputeDigests, format!("Reading {name}")));
    let (mut found, mut buffer) = (Extents::default(), vec![0; PIECE]);
    let (mut position, mut done, mut shown) = (0, 0, Instant::now());
    for (start, end) in extents {
        host.check_interrupt()?;
        // Holes of other sizes than a block are read as zeros.
        position = position.max(start - start % BLOCK as u64);
        while position < end {
            let end_of_blocks = end.next_multiple_of(BLOCK as u64).min(size);
            let count = usize::try_from((end_of_blocks - position).min(PIECE as u64))?;
            file.read_exact_at(&mut buffer[..count], position).with_context(reading)?;
            found.add(position, &buffer[..count]);
            position += count as u64;
            done += count as u64;
            host.check_interrupt()?;
            if let Some(stage) = stage.as_ref().filter(|_| shown.elapsed() >= sparse::INTERVAL) {
                stage.advance(done.min(data), data, Unit::Bytes);
                shown = Instant::now();
            }
        }
    }
    if let Some(stage) = stage {
        stage.finish();
    }
    Ok(found.finish())
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "a test is its own host")]
mod tests {
    use super::*;
    use crate::host::Output;

    /// The definition, without any knowledge of holes.
    fn defined(bytes: &[u8]) -> String {
        let mut lines = String::new();
        let mut blocks = bytes.chunks(BLOCK).enumerate().peekable();
        while let Some((number, block)) = blocks.next() {
            if block.iter().all(|byte| *byte == 0) {
                continue;
            }
            let mut extent = block.to_vec();
            while let Some((_, next)) = blocks.next_if(|(_, next)| next.iter().any(|byte| *byte != 0)) {
                extent.extend_from_slice(next);
            }
            lines += &format!("{} {} {}\n", number * BLOCK, extent.len(), hex(Sha256::digest(&extent)));
        }
        hex(Sha256::digest(lines))
    }

    #[test]
    fn the_digest_does_not_depend_on_holes() {
        let directory = tempfile::tempdir().unwrap();
        let host = Host::new(Output::Quiet);
        let size = 5 * PIECE + 100;
        let mut bytes = vec![0; size];
        for (start, length) in
            [(1, 1), (BLOCK * 3 - 1, 2), (PIECE - 10, PIECE + 20), (3 * PIECE, 7), (size - 1, 1)]
        {
            bytes[start..start + length].fill(0xa5);
        }
        let (whole, sparse, odd) =
            (directory.path().join("whole"), directory.path().join("sparse"), directory.path().join("odd"));
        std::fs::write(&whole, &bytes).unwrap();
        for (path, unit) in [(&sparse, BLOCK), (&odd, 1000)] {
            let file = File::create(path).unwrap();
            file.set_len(size as u64).unwrap();
            for (number, piece) in bytes.chunks(unit).enumerate().filter(|(_, piece)| piece.contains(&0xa5)) {
                file.write_all_at(piece, (number * unit) as u64).unwrap();
            }
        }
        let expected = defined(&bytes);
        for path in [&whole, &sparse, &odd] {
            assert_eq!(digest(path, &host).unwrap(), expected, "{}", path.display());
        }
        assert!(has_hole(&sparse).unwrap() && !has_hole(&whole).unwrap());
        bytes[BLOCK * 10] = 1;
        assert_ne!(defined(&bytes), expected);
    }

    #[test]
    fn terabytes_of_holes_cost_nothing() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(3 << 40).unwrap();
        file.as_file().write_all_at(b"x", 1 << 40).unwrap();
        let mut block = vec![0; BLOCK];
        block[0] = b'x';
        let line = format!("{} {BLOCK} {}\n", 1_u64 << 40, hex(Sha256::digest(&block)));
        assert_eq!(digest(file.path(), &Host::new(Output::Quiet)).unwrap(), hex(Sha256::digest(line)));
    }
}
