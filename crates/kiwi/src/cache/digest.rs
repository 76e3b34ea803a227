//! The digest of a stored file: SHA-256 over its blocks that are not all zeros, each with its number. Holes of a disk
//! image need not be read, and files that differ only in their holes have the same digest.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use anyhow::Context;
use ondisk::digest::{Digest as _, Sha256};

use crate::host::Host;
use crate::stage::Digest;

const BLOCK: usize = 64 << 10;

/// Digests the blocks of a file in order.
#[derive(Default)]
struct Blocks {
    sum: Sha256,
}

impl Blocks {
    fn add(&mut self, number: u64, block: &[u8]) {
        if block.iter().any(|byte| *byte != 0) {
            self.sum.update(number.to_le_bytes());
            self.sum.update(block);
        }
    }

    fn finish(mut self, size: u64) -> Digest {
        self.sum.update(size.to_le_bytes());
        Digest::finished(self.sum)
    }
}

/// A writer that digests everything and passes it on.
pub(super) struct Digesting<W> {
    output: W,
    blocks: Blocks,
    block: Vec<u8>,
    size: u64,
}

impl<W> Digesting<W> {
    pub(super) fn new(output: W) -> Self {
        Self { output, blocks: Blocks::default(), block: Vec::with_capacity(BLOCK), size: 0 }
    }

    fn add(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.block.is_empty() && bytes.len() >= BLOCK {
                self.blocks.add(self.size / BLOCK as u64, &bytes[..BLOCK]);
                self.size += BLOCK as u64;
                bytes = &bytes[BLOCK..];
                continue;
            }
            let count = bytes.len().min(BLOCK - self.block.len());
            self.block.extend_from_slice(&bytes[..count]);
            bytes = &bytes[count..];
            self.size += count as u64;
            if self.block.len() == BLOCK {
                self.blocks.add(self.size / BLOCK as u64 - 1, &self.block);
                self.block.clear();
            }
        }
    }

    /// Returns the digest and the size of everything that was written.
    pub(super) fn finish(mut self) -> (Digest, u64) {
        if !self.block.is_empty() {
            self.blocks.add(self.size / BLOCK as u64, &self.block);
        }
        (self.blocks.finish(self.size), self.size)
    }
}

impl<W: Write> Write for Digesting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.output.write(bytes)?;
        self.add(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

impl<R: io::Read> io::Read for Digesting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.output.read(buffer)?;
        self.add(&buffer[..count]);
        Ok(count)
    }
}

/// Reads a file once and returns its digest and size; copies its blocks without holes to `copy`, if given.
pub(super) fn read(file: &File, copy: Option<&File>, host: &Host) -> anyhow::Result<(Digest, u64)> {
    let size = file.metadata()?.len();
    let mut blocks = Blocks::default();
    let mut buffer = vec![0; BLOCK];
    let mut next = 0;
    for (start, end) in crate::host::sparse::extents(file, size)? {
        host.check_interrupt()?;
        let mut number = next.max(start / BLOCK as u64);
        while number * (BLOCK as u64) < end {
            let offset = number * BLOCK as u64;
            let count = usize::try_from((size - offset).min(BLOCK as u64))?;
            let block = &mut buffer[..count];
            file.read_exact_at(block, offset)?;
            blocks.add(number, block);
            if let Some(copy) = copy
                && block.iter().any(|byte| *byte != 0)
            {
                copy.write_all_at(block, offset)?;
            }
            number += 1;
        }
        next = number;
    }
    if let Some(copy) = copy {
        copy.set_len(size)?;
    }
    Ok((blocks.finish(size), size))
}

/// Copies a file with its holes, sharing blocks if the file system can; returns its digest and size.
pub(super) fn copy(source: &Path, target: &Path, host: &Host) -> anyhow::Result<(Digest, u64)> {
    let what = || format!("copying {} to {}", source.display(), target.display());
    let from = File::open(source).with_context(what)?;
    let to = host.create_file(target).with_context(what)?;
    let shared = rustix::fs::ioctl_ficlone(&to, &from).is_ok();
    read(&from, (!shared).then_some(&to), host).with_context(what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Output;

    #[test]
    fn a_stream_a_full_and_a_sparse_file_have_the_same_digest() {
        let host = Host::new(Output::Quiet);
        let mut content = vec![0_u8; 5 * BLOCK + 17];
        content[3] = 1;
        content[3 * BLOCK + 5] = 2;
        content[5 * BLOCK + 16] = 3;
        let mut stream = Digesting::new(io::sink());
        content.chunks(1000).for_each(|chunk| stream.write_all(chunk).unwrap());
        let (full, sparse, copy) =
            (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        full.write_all_at(&content, 0).unwrap();
        for offset in [3, 3 * BLOCK + 5, 5 * BLOCK + 16] {
            sparse.write_all_at(&content[offset..=offset], offset as u64).unwrap();
        }
        let expected = stream.finish();
        assert_eq!(read(&full, None, &host).unwrap(), expected);
        assert_eq!(read(&sparse, Some(&copy), &host).unwrap(), expected);
        assert_eq!(read(&copy, None, &host).unwrap(), expected);
        copy.write_all_at(&[9], 70_000).unwrap();
        assert_ne!(read(&copy, None, &host).unwrap(), expected);
    }
}
