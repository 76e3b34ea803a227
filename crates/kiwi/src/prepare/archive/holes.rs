//! Sparse files in archives: the map of their data, and their content with zeros for the holes.
//!
//! In the pax format of GNU tar, version 1.0, the content begins with the map: decimal numbers, each on a line of its own: how
//! many parts follow, then offset and size of each. It is padded to blocks of 512 bytes. The parts follow one after the other.

use std::io::{self, Read};

use anyhow::{Context, Result, bail};

/// Size in bytes of a block of a tar archive.
const BLOCK: usize = 512;
/// Maximum number of parts of a file.
const PARTS: u64 = 1 << 20;

/// Where the data of a sparse file belong.
pub(super) struct Parts {
    /// Offset and size of each part, the last one first.
    parts: Vec<(u64, u64)>,
    size: u64,
}

impl Parts {
    /// Returns the map of these parts, in order, of a file of `size` bytes.
    pub(super) fn new(mut parts: Vec<(u64, u64)>, size: u64) -> Result<Self> {
        let mut end = 0;
        for &(offset, length) in &parts {
            let next = offset.checked_add(length).filter(|next| offset >= end && *next <= size);
            let Some(next) = next else {
                bail!("the map of a sparse file is wrong: {length} bytes at {offset}")
            };
            end = next;
        }
        parts.reverse();
        Ok(Self { parts, size })
    }

    /// Returns the content of the file, whose data `input` returns.
    pub(super) fn content<R: Read>(self, input: R) -> Content<R> {
        Content { input, parts: self, position: 0 }
    }
}

/// Returns the map of a sparse file whose records have one; it is read from the beginning of the content.
pub(super) fn in_records(
    record: &dyn Fn(&str) -> Option<Vec<u8>>,
    content: &mut impl Read,
) -> Result<Option<Parts>> {
    let Some(version) = record("GNU.sparse.major") else {
        if record("GNU.sparse.map").or_else(|| record("GNU.sparse.size")).is_some() {
            bail!("it contains a sparse file in an old pax format; pack it with GNU tar 1.16 or newer");
        }
        return Ok(None);
    };
    if version != b"1" {
        bail!("it contains a sparse file of version {} of the format", version.escape_ascii());
    }
    let size = record("GNU.sparse.realsize").context("a sparse file without a size")?;
    Ok(Some(Parts::new(map(content)?, String::from_utf8_lossy(&size).parse()?)?))
}

/// Reads the map and its padding.
fn map(input: &mut impl Read) -> Result<Vec<(u64, u64)>> {
    let mut read: usize = 0;
    let mut number = || -> Result<u64> {
        let mut digits = String::new();
        loop {
            let mut byte = [0];
            input.read_exact(&mut byte).context("reading the map of a sparse file")?;
            read += 1;
            match byte[0] {
                b'\n' => return digits.parse().context("reading the map of a sparse file"),
                digit if digits.len() < 20 => digits.push(digit.into()),
                _ => bail!("the map of a sparse file contains a number that is too long"),
            }
        }
    };
    let count = number()?;
    if count > PARTS {
        bail!("a sparse file has {count} parts; kiwi reads at most {PARTS}");
    }
    let parts = (0..count).map(|_| Ok((number()?, number()?))).collect::<Result<_>>()?;
    let padding = read.next_multiple_of(BLOCK) - read;
    input.read_exact(&mut vec![0; padding]).context("reading the map of a sparse file")?;
    Ok(parts)
}

/// The content of a sparse file.
pub(super) struct Content<R> {
    input: R,
    parts: Parts,
    position: u64,
}

impl<R: Read> Read for Content<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Parts { parts, size } = &mut self.parts;
        while parts.last().is_some_and(|(offset, length)| self.position >= offset + length) {
            parts.pop();
        }
        let (next, length) = parts.last().copied().unwrap_or((*size, 0));
        let is_hole = self.position < next;
        let limit = if is_hole { next } else { next + length } - self.position;
        let count = usize::try_from(limit).unwrap_or(usize::MAX).min(buffer.len());
        let count = if is_hole {
            buffer[..count].fill(0);
            count
        } else {
            match self.input.read(&mut buffer[..count])? {
                0 if count > 0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => read,
            }
        };
        self.position += count as u64;
        Ok(count)
    }
}
