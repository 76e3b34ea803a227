//! The device or the file that receives an image.
//!
//! The first block holds the superblock of every file system that kiwi creates. It is zeroed before anything else is written,
//! and written last, after everything else is on the device. A power cut at any moment therefore leaves a device that
//! holds the whole image, or one without a file system, which the next boot loads again.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Bytes of the block that is written last. Btrfs has its superblock at 64 KiB, all others have theirs before.
const FIRST: u64 = 1 << 20;
/// Zeros of this many bytes become holes in memory.
const HOLE: usize = 4096;

/// A device or a file that receives an image.
pub(crate) struct Target<'f> {
    file: &'f File,
    /// Whether everything reads as zeros before it is written.
    sparse: bool,
    first: Vec<u8>,
    written: u64,
}

impl<'f> Target<'f> {
    /// Prepares a block device: what it holds is no longer a file system.
    pub(crate) fn device(device: &'f File) -> io::Result<Self> {
        invalidate(device)?;
        Ok(Self { file: device, sparse: false, first: Vec::new(), written: 0 })
    }

    /// Prepares an empty file, in which zeros take no space.
    pub(crate) fn memory(file: &'f File) -> io::Result<Self> {
        file.set_len(0)?;
        Ok(Self { file, sparse: true, first: Vec::new(), written: 0 })
    }

    /// Writes the next bytes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let held = (FIRST.saturating_sub(self.written) as usize).min(bytes.len());
        self.first.extend_from_slice(&bytes[..held]);
        self.put(&bytes[held..], self.written + held as u64)?;
        self.written += bytes.len() as u64;
        Ok(())
    }

    fn put(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        if !self.sparse {
            return self.file.write_all_at(bytes, offset);
        }
        for (index, page) in bytes.chunks(HOLE).enumerate() {
            if page.iter().any(|byte| *byte != 0) {
                self.file.write_all_at(page, offset + (index * HOLE) as u64)?;
            }
        }
        Ok(())
    }

    /// Writes the first block, when all others are on the device.
    pub(super) fn complete(self) -> io::Result<()> {
        if self.sparse {
            self.file.set_len(self.written)?;
        } else {
            self.file.sync_all()?;
        }
        self.put(&self.first, 0)?;
        self.file.sync_all()
    }
}

/// Zeroes the first block of a device, so that it holds no file system.
pub(crate) fn invalidate(device: &File) -> io::Result<()> {
    let length = io::Seek::seek(&mut &*device, io::SeekFrom::End(0))?.min(FIRST);
    device.write_all_at(&vec![0; length as usize], 0)?;
    device.sync_all()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn zeros_take_no_memory() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("image");
        let file = File::options().read(true).write(true).create_new(true).open(&path).unwrap();
        let mut target = Target::memory(&file).unwrap();
        let data = [vec![7; 5000], vec![0; 3 << 20], vec![9; 10], vec![0; 5000]].concat();
        for piece in data.chunks(123_456) {
            target.write(piece).unwrap();
        }
        target.complete().unwrap();
        assert!(fs::read(&path).unwrap() == data);
        assert!(fs::metadata(&path).unwrap().blocks() * 512 < 1 << 20);
    }
}
