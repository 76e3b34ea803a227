//! Reads files of the description that must still be as they were when the build was planned.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use ondisk::digest::{Digest as _, Sha256};

use crate::host::Host;
use crate::source::real;
use crate::stage::Digest;

/// Returns the digest of a file of the description.
pub(super) fn digest(path: &Path) -> Result<Digest> {
    digest_of(&real::open(path)?, path)
}

/// Returns the digest of an open file.
pub(super) fn digest_of(file: &File, path: &Path) -> Result<Digest> {
    Digest::of_stream(file, io::sink()).with_context(|| format!("reading {}", path.display()))
}

/// The content of a file whose digest is known. Reading ends with an error when the user interrupts the build.
pub(super) struct Unchanged<'h> {
    path: PathBuf,
    file: File,
    read: Sha256,
    host: &'h Host,
}

impl<'h> Unchanged<'h> {
    pub(super) fn open(path: &Path, host: &'h Host) -> Result<Self> {
        Ok(Self { path: path.to_owned(), file: real::open(path)?, read: Sha256::new(), host })
    }

    /// Reads the rest; fails if any byte has changed since the file had this digest.
    pub(super) fn end(mut self, digest: &Digest) -> Result<()> {
        self.host.check_interrupt()?;
        io::copy(&mut self, &mut io::sink()).with_context(|| format!("reading {}", self.path.display()))?;
        if Digest::finished(self.read) != *digest {
            bail!("{} changed during the build; build again", self.path.display());
        }
        Ok(())
    }
}

impl Read for Unchanged<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.host.check_interrupt().map_err(io::Error::other)?;
        let count = self.file.read(buffer)?;
        self.read.update(&buffer[..count]);
        Ok(count)
    }
}
