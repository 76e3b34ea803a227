//! A file of an archive without its blocks of zeros, in the old format of GNU tar.
//!
//! ```text
//! header with 4 parts -> headers with 21 more parts each -> the data of all parts
//! ```
//!
//! Source of the format: the manual of GNU tar, "Old GNU Format".

use std::fs::File;
use std::io::{Seek, Write};
use std::os::unix::fs::FileExt;

use anyhow::Result;
use tar::{Builder, EntryType, GnuExtSparseHeader, Header};

use crate::host::{Host, sparse};

/// The part of a file that is left out if it holds zeros only, so that the archive does not depend on the holes of the file.
const BLOCK: u64 = 64 << 10;

/// The parts of a file that are in the archive: first byte and byte after the last one.
pub(super) struct Map {
    parts: Vec<(u64, u64)>,
    size: u64,
}

impl Map {
    /// Returns the parts of a file that hold data; `None` if that is all of it.
    pub(super) fn of(mut file: &File, size: u64, host: &Host) -> Result<Option<Self>> {
        let mut parts: Vec<(u64, u64)> = Vec::new();
        let mut block = vec![0; usize::try_from(BLOCK)?];
        let mut next = 0;
        for (start, end) in sparse::extents(file, size)? {
            let mut position = next.max(start - start % BLOCK);
            while position < end {
                host.check_interrupt()?;
                let stop = size.min(position + BLOCK);
                let content = &mut block[..usize::try_from(stop - position)?];
                file.read_exact_at(content, position)?;
                if content.iter().any(|byte| *byte != 0) {
                    match parts.last_mut() {
                        Some(last) if last.1 == position => last.1 = stop,
                        _ => parts.push((position, stop)),
                    }
                }
                position = stop;
                next = stop;
            }
        }
        if parts == [(0, size)] {
            // Looking for holes has moved the position.
            file.rewind()?;
            return Ok(None);
        }
        // An empty part at the end, as GNU tar writes it.
        parts.push((size, size));
        Ok(Some(Self { parts, size }))
    }

    /// Appends the file with its header, which has everything but type and size.
    pub(super) fn append<W: Write>(
        &self,
        builder: &mut Builder<W>,
        header: &mut Header,
        name: &str,
        file: &File,
    ) -> Result<()> {
        let stored: u64 = self.parts.iter().map(|(start, end)| end - start).sum();
        header.set_entry_type(EntryType::GNUSparse);
        header.set_path(name)?;
        header.set_size(stored);
        let mut remaining = self.parts.iter();
        let gnu = header.as_gnu_mut().expect("sparse files have headers of GNU tar");
        gnu.set_real_size(self.size);
        for (place, (start, end)) in gnu.sparse.iter_mut().zip(remaining.by_ref()) {
            place.set_offset(*start);
            place.set_length(end - start);
        }
        gnu.set_is_extended(remaining.len() > 0);
        header.set_cksum();
        let output = builder.get_mut();
        output.write_all(header.as_bytes())?;
        while remaining.len() > 0 {
            let mut more = GnuExtSparseHeader::new();
            for (place, (start, end)) in more.sparse.iter_mut().zip(remaining.by_ref()) {
                place.set_offset(*start);
                place.set_length(end - start);
            }
            more.set_is_extended(remaining.len() > 0);
            output.write_all(more.as_bytes())?;
        }
        let mut buffer = vec![0; 1 << 20];
        for (start, end) in &self.parts {
            let mut position = *start;
            while position < *end {
                let count = usize::try_from((end - position).min(buffer.len() as u64))?;
                file.read_exact_at(&mut buffer[..count], position)?;
                output.write_all(&buffer[..count])?;
                position += count as u64;
            }
        }
        let padding = usize::try_from(stored.next_multiple_of(512) - stored)?;
        output.write_all(&[0; 512][..padding])?;
        Ok(())
    }
}
