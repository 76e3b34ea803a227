//! Recompresses a package with zstd while it is unpacked, because reading xz takes ten times as long.
//!
//! The result is again a package, with the same control files and the same data archive.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};

use super::container::member_header;
use super::{CONTROL_LIMIT, Deb, limited, section};
use crate::compression::Compression;

/// zstd's fastest level with a good compression.
const LEVEL: i32 = 1;

/// The files that were written completely.
pub(in super::super) type Finished = Arc<Mutex<Vec<PathBuf>>>;

/// Reads a data archive and writes the recompressed package at the same time. If writing fails, the file is missing in
/// `finished`, and reading continues.
pub(in super::super) struct Repacking<R> {
    reader: R,
    writing: Option<zstd::Encoder<'static, File>>,
    /// Offset of the data member.
    data: u64,
    path: PathBuf,
    finished: Finished,
}

impl Deb {
    /// Returns whether recompressing it saves time.
    pub(in super::super) fn is_slow(&self) -> bool {
        matches!(self.data.compression, Compression::Xz | Compression::Lzma)
    }

    /// Like `data`; also recompresses the package into `file`, which is empty and has the path `path`.
    pub(in super::super) fn repacking(
        &self,
        mut file: File,
        path: &Path,
        finished: Finished,
    ) -> Result<Repacking<impl Read + use<>>> {
        let writing = || format!("recompressing the package {}", self.path.display());
        let mut control = Vec::new();
        let reader = section(File::open(&self.path).with_context(writing)?, &self.control_member)?;
        limited(self.control_member.compression.decoder(reader)?, CONTROL_LIMIT)
            .read_to_end(&mut control)
            .with_context(writing)?;
        let control = zstd::encode_all(control.as_slice(), LEVEL).with_context(writing)?;
        let mut head = b"!<arch>\n".to_vec();
        for (name, content) in
            [("debian-binary", b"2.0\n".as_slice()), ("control.tar.zst", control.as_slice())]
        {
            head.extend(member_header(name, content.len() as u64));
            head.extend(content);
            head.resize(head.len().next_multiple_of(2), b'\n');
        }
        let data = head.len() as u64;
        head.extend(member_header("data.tar.zst", 0));
        file.write_all(&head).with_context(writing)?;
        let writing = zstd::Encoder::new(file, LEVEL)?;
        Ok(Repacking { reader: self.data()?, writing: Some(writing), data, path: path.to_owned(), finished })
    }
}

impl<R: Read> Read for Repacking<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        let Some(mut writing) = self.writing.take() else { return Ok(count) };
        if count == 0 && !buffer.is_empty() {
            if finish(writing, self.data).is_ok() {
                self.finished.lock().unwrap_or_else(PoisonError::into_inner).push(self.path.clone());
            }
        } else if writing.write_all(&buffer[..count]).is_ok() {
            self.writing = Some(writing);
        }
        Ok(count)
    }
}

/// Finishes the data member, whose size is known only now.
fn finish(writing: zstd::Encoder<'static, File>, data: u64) -> io::Result<()> {
    let mut file = writing.finish()?;
    let size = file.stream_position()? - data - member_header("", 0).len() as u64;
    file.seek(SeekFrom::Start(data))?;
    file.write_all(&member_header("data.tar.zst", size))
}

#[cfg(test)]
mod tests {
    use super::super::container::archive;
    use super::super::write_package;
    use super::*;

    #[test]
    fn a_recompressed_package_has_the_same_content() {
        let directory = tempfile::tempdir().unwrap();
        let (old, new) = (directory.path().join("old.deb"), directory.path().join("new.deb"));
        let data = vec![7; 100_001];
        let package = write_package("test", "Section: x\n", &data);
        std::fs::write(&old, &package).unwrap();
        assert!(!Deb::open(&old).unwrap().is_slow());
        let control = &package[68 + 4 + 60..];
        let control = &control[..control.len() - 60 - data.len() - 1];
        let mut packed = liblzma::read::XzEncoder::new(data.as_slice(), 1);
        let mut xz = Vec::new();
        packed.read_to_end(&mut xz).unwrap();
        let members: [(&str, &[u8]); 3] =
            [("debian-binary", b"2.0\n"), ("control.tar", control), ("data.tar.xz", &xz)];
        std::fs::write(&old, archive(&members)).unwrap();
        let before = Deb::open(&old).unwrap();
        assert!(before.is_slow());

        let finished = Finished::default();
        let file = std::fs::OpenOptions::new().read(true).write(true).create_new(true).open(&new).unwrap();
        let mut reader = before.repacking(file, &new, finished.clone()).unwrap();
        let mut half = vec![0; 50_000];
        reader.read_exact(&mut half).unwrap();
        assert!(finished.lock().unwrap().is_empty(), "a partial package counts as complete");
        let mut rest = Vec::new();
        reader.read_to_end(&mut rest).unwrap();
        assert_eq!(*finished.lock().unwrap(), [new.as_path()]);
        assert_eq!([half, rest].concat(), data);

        let after = Deb::open(&new).unwrap();
        assert!(!after.is_slow());
        assert_eq!(after.control, before.control);
        assert_eq!(after.members, before.members);
        let mut read = Vec::new();
        after.data().unwrap().read_to_end(&mut read).unwrap();
        assert_eq!(read, data);
    }
}
