//! A cpio archive in the kernel's format, compressed while it is written.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Write};

use cpio::newc::{Builder, ModeFileType, trailer};

use crate::gzip::GzipWriter;

/// Compression of an initrd.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// zstd, for kernels that can read it.
    Zstd,
    /// gzip, which every kernel reads.
    Gzip,
}

enum Packer {
    Zstd(zstd::Encoder<'static, File>),
    Gzip(GzipWriter<File>),
}

impl Write for Packer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Zstd(encoder) => encoder.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Zstd(encoder) => encoder.flush(),
            Self::Gzip(encoder) => encoder.flush(),
        }
    }
}

/// An archive that is being written. Parent directories are added when they are first needed.
pub(super) struct Archive {
    packer: Packer,
    directories: BTreeSet<String>,
    inode: u32,
    time: u32,
}

impl Archive {
    pub(super) fn new(file: File, compression: Compression, epoch: u64, threads: usize) -> io::Result<Self> {
        let packer = match compression {
            Compression::Zstd => {
                let mut encoder = zstd::Encoder::new(file, 3)?;
                // Any number of workers above zero gives the same bytes; zero workers give others.
                encoder.multithread(u32::try_from(threads.max(2)).unwrap_or(2))?;
                Packer::Zstd(encoder)
            }
            Compression::Gzip => Packer::Gzip(GzipWriter::new(file, threads)?),
        };
        Ok(Self {
            packer,
            directories: BTreeSet::new(),
            inode: 0,
            time: u32::try_from(epoch).unwrap_or(u32::MAX),
        })
    }

    pub(super) fn directory(&mut self, path: &str) -> io::Result<()> {
        if path.is_empty() || !self.directories.insert(path.to_owned()) {
            return Ok(());
        }
        if let Some((parent, _)) = path.rsplit_once('/') {
            self.directory(parent)?;
        }
        self.entry(path, ModeFileType::Directory, 0o755, &[])
    }

    pub(super) fn file(&mut self, path: &str, contents: &[u8], mode: u32) -> io::Result<()> {
        self.parent(path)?;
        self.entry(path, ModeFileType::Regular, mode, contents)
    }

    pub(super) fn link(&mut self, path: &str, target: &str) -> io::Result<()> {
        self.parent(path)?;
        self.entry(path, ModeFileType::Symlink, 0o777, target.as_bytes())
    }

    fn parent(&mut self, path: &str) -> io::Result<()> {
        path.rsplit_once('/').map_or(Ok(()), |(parent, _)| self.directory(parent))
    }

    fn entry(&mut self, path: &str, kind: ModeFileType, mode: u32, contents: &[u8]) -> io::Result<()> {
        self.inode += 1;
        let size =
            u32::try_from(contents.len()).map_err(|_| io::Error::other(format!("{path} is too large")))?;
        let header =
            Builder::new(path).ino(self.inode).mode(mode).set_mode_file_type(kind).nlink(1).mtime(self.time);
        let mut writer = header.write(&mut self.packer, size);
        writer.write_all(contents)?;
        writer.finish().map(drop)
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        trailer(&mut self.packer)?;
        match self.packer {
            Packer::Zstd(encoder) => encoder.finish().map(drop),
            Packer::Gzip(encoder) => encoder.finish().map(drop),
        }
    }
}
