//! The MD5 sums that dpkg itself records for a package without `md5sums`.

use std::collections::HashMap;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anyhow::Result;
use ondisk::digest::{Digest, Md5, hex};

use crate::package_manager::deb::{Entry, Kind};

/// The sums of one package, in the order of its archive.
#[derive(Default)]
pub(super) struct Sums {
    /// The text of `md5sums` so far: a line `<32 hex>  <path>` for each file.
    text: Vec<u8>,
    known: HashMap<PathBuf, String>,
}

impl Sums {
    /// Adds the sum of an entry while `write` reads its content, completely or in part.
    pub(super) fn take(
        &mut self,
        entry: &Entry,
        content: &mut dyn Read,
        write: impl FnOnce(&mut dyn Read) -> Result<()>,
    ) -> Result<()> {
        let sum = match &entry.kind {
            Kind::File => {
                let mut reader = Summing { content, md5: Md5::new() };
                write(&mut reader)?;
                io::copy(&mut reader, &mut io::sink())?;
                Some(hex(reader.md5.finalize()))
            }
            kind => {
                write(content)?;
                if let Kind::HardLink(first) = kind { self.known.get(first).cloned() } else { None }
            }
        };
        if let Some(sum) = sum {
            self.add(&entry.path, sum);
        }
        Ok(())
    }

    fn add(&mut self, path: &Path, sum: String) {
        self.text.extend(sum.as_bytes());
        self.text.extend(b"  ");
        self.text.extend(path.as_os_str().as_bytes());
        self.text.push(b'\n');
        self.known.insert(path.to_owned(), sum);
    }

    /// Returns the content of `md5sums`.
    pub(super) fn into_text(self) -> Vec<u8> {
        self.text
    }
}

struct Summing<'r> {
    content: &'r mut dyn Read,
    md5: Md5,
}

impl Read for Summing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.content.read(buffer)?;
        self.md5.update(&buffer[..count]);
        Ok(count)
    }
}
