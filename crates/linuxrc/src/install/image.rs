//! The compressed image on the medium: its verification, writing it to a disk, and verifying the disk.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use bootconfig::{Checksum, Digester};
use flate2::read::MultiGzDecoder;
use rustix::fs::{Advice, fadvise};

use crate::boot_failure::BootFailure;
use crate::console::Progress;
use crate::stream::fill;
use crate::sys;

/// Bytes processed at a time.
const BLOCK: usize = 1 << 20;

/// An image compressed with gzip, and its uncompressed properties.
#[derive(Debug)]
pub(crate) struct PackedImage {
    path: PathBuf,
    checksum: Checksum,
}

/// Why an image does not match its checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Damage {
    /// It ends early, after this many bytes.
    Truncated(u64),
    /// Its contents differ.
    Different,
}

impl PackedImage {
    pub(crate) fn new(path: PathBuf, checksum: Checksum) -> Self {
        Self { path, checksum }
    }

    /// Returns its size on the disk in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.checksum.blocks.bytes().unwrap_or(u64::MAX)
    }

    /// Whether the disk at `path` was written with this image: a disk keeps its identifier when it is repartitioned or grows.
    pub(crate) fn is_on(&self, path: &Path) -> bool {
        is_on(File::open(&self.path).map(MultiGzDecoder::new), path)
    }

    /// Reads and verifies all of it, before anything is written.
    pub(crate) fn check(&self, progress: Progress<'_>) -> Result<(), BootFailure> {
        let damage = self.unpack(&progress, |_| Ok(())).map_err(|error| self.unreadable(&error))?;
        progress.finish();
        match damage {
            None => Ok(()),
            Some(Damage::Truncated(bytes)) => Err(BootFailure::reboot(format!(
                "The system on the medium is truncated: {} of its {} MiB are there.\n\n\
                 Nothing was written to a disk. The medium was not written to its end; make it again.",
                bytes >> 20,
                self.bytes().div_ceil(1 << 20)
            ))),
            Some(Damage::Different) => Err(BootFailure::reboot(
                "The system on the medium has the wrong checksum: its contents have changed.\n\n\
                 Nothing was written to a disk. The medium is damaged; make it again, or use another one.",
            )),
        }
    }

    fn unreadable(&self, error: &io::Error) -> BootFailure {
        BootFailure::reboot(format!(
            "The medium cannot be read: {error}\n\nNothing was written to a disk. Use another medium or another drive."
        ))
    }

    /// Uncompresses it through `take`; returns what is wrong with it.
    fn unpack(
        &self,
        progress: &Progress<'_>,
        mut take: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<Option<Damage>> {
        let mut packed = MultiGzDecoder::new(File::open(&self.path)?);
        let (mut digester, mut done) = (Digester::default(), 0);
        let mut block = vec![0; BLOCK];
        loop {
            let count = match fill(&mut packed, &mut block) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Ok(Some(Damage::Truncated(done)));
                }
                // Data that is not valid gzip.
                Err(error)
                    if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) =>
                {
                    return Ok(Some(Damage::Different));
                }
                Err(error) => return Err(error),
            };
            digester.update(&block[..count]);
            take(&block[..count])?;
            done += count as u64;
            progress.advance(done);
        }
        Ok(match digester.finish() {
            _ if done < self.bytes() => Some(Damage::Truncated(done)),
            checksum if checksum == self.checksum => None,
            _ => Some(Damage::Different),
        })
    }

    /// Writes it to the start of the disk at `path`, and tells the kernel about the new partitions.
    pub(crate) fn write(&self, path: &Path, progress: Progress<'_>) -> Result<(), BootFailure> {
        let failed = |error: io::Error| {
            BootFailure::reboot(format!(
                "Writing to {} failed: {error}\n\nThe system on it is not complete. The disk may be broken.",
                path.display()
            ))
        };
        let mut disk = OpenOptions::new().write(true).open(path).map_err(failed)?;
        let damage = self.unpack(&progress, |block| disk.write_all(block)).map_err(failed)?;
        disk.sync_all().map_err(failed)?;
        progress.finish();
        match damage {
            // It was verified before.
            Some(_) => Err(failed(io::Error::other("the medium was read differently the second time"))),
            None => {
                // The new system's kernel reads the table itself; this only helps the current session.
                let _ = sys::reread_partition_table(&disk);
                Ok(())
            }
        }
    }

    /// Verifies that the disk at `path` holds it.
    pub(crate) fn read_back(&self, path: &Path, progress: Progress<'_>) -> Result<(), BootFailure> {
        read_back(path, &self.checksum, progress)
    }
}

/// Verifies that the disk at `path` begins with what has this checksum.
pub(crate) fn read_back(path: &Path, expected: &Checksum, progress: Progress<'_>) -> Result<(), BootFailure> {
    let sum = sum_of_disk(path, expected, &progress).map_err(|error| {
        BootFailure::reboot(format!(
            "Reading {} back failed: {error}\n\nThe disk may be broken.",
            path.display()
        ))
    })?;
    progress.finish();
    if sum != expected.digest {
        return Err(BootFailure::reboot(format!(
            "{} does not hold what was written to it: its checksum is wrong.\n\n\
             The disk is broken, or its cable. Do not use the system on it.",
            path.display()
        )));
    }
    Ok(())
}

fn sum_of_disk(path: &Path, expected: &Checksum, progress: &Progress<'_>) -> io::Result<[u8; 16]> {
    let disk = File::open(path)?;
    // Data that is still in memory proves nothing.
    fadvise(&disk, 0, None, Advice::DontNeed)?;
    let mut rest = disk.take(expected.blocks.bytes().unwrap_or(u64::MAX));
    let (mut digester, mut done) = (Digester::default(), 0);
    let mut block = vec![0; BLOCK];
    loop {
        let count = fill(&mut rest, &mut block)?;
        if count == 0 {
            return Ok(digester.finish().digest);
        }
        digester.update(&block[..count]);
        done += count as u64;
        progress.advance(done);
    }
}

/// Whether the disk at `path` has the identifier of the uncompressed image `own`.
pub(crate) fn is_on(own: io::Result<impl Read>, path: &Path) -> bool {
    let own = own.and_then(disk_identifier);
    let found = File::open(path).and_then(disk_identifier);
    matches!((own, found), (Ok(Some(own)), Ok(Some(found))) if own == found)
}

/// Returns the identifier of a disk: the GUID of its GPT, otherwise the signature of its MBR. An image built from other
/// packages has a different one.
fn disk_identifier(mut disk: impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut start = [0; 1024];
    let count = fill(&mut disk, &mut start)?;
    let (mbr, gpt) = start[..count].split_at(count.min(512));
    let found = match gpt.get(..8) {
        Some(b"EFI PART") => &gpt[56..72],
        _ if mbr.ends_with(&[0x55, 0xaa]) => &mbr[440..444],
        _ => return Ok(None),
    };
    Ok(found.iter().any(|byte| *byte != 0).then(|| found.to_vec()))
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    struct Medium {
        dir: tempfile::TempDir,
        image: PackedImage,
    }

    /// An image of a little more than 3 MiB, compressed.
    fn medium() -> Medium {
        let dir = tempfile::tempdir().unwrap();
        let bytes: Vec<u8> = (0..3 * BLOCK + 512).map(|at| (at * 7 % 253) as u8).collect();
        let mut digester = Digester::default();
        digester.update(&bytes);
        let path = dir.path().join("image.gz");
        let mut packer = GzEncoder::new(File::create(&path).unwrap(), Compression::fast());
        packer.write_all(&bytes).unwrap();
        packer.finish().unwrap();
        Medium { image: PackedImage::new(path, digester.finish()), dir }
    }

    impl Medium {
        fn refused(&self) -> String {
            self.image.check(Progress::silent()).unwrap_err().text
        }
    }

    #[test]
    fn a_right_image_is_written_and_found_on_the_disk() {
        let medium = medium();
        let disk = medium.dir.path().join("disk");
        std::fs::write(&disk, vec![0xee; 5 * BLOCK]).unwrap();
        medium.image.check(Progress::silent()).unwrap();
        medium.image.write(&disk, Progress::silent()).unwrap();
        medium.image.read_back(&disk, Progress::silent()).unwrap();
        let written = std::fs::read(&disk).unwrap();
        assert!(written.len() == 5 * BLOCK && written[5 * BLOCK - 1] == 0xee, "the rest of the disk stays");
        assert!(!medium.image.is_on(&disk), "a disk without a table has no identifier");
        let mut broken = written;
        broken[BLOCK] ^= 1;
        std::fs::write(&disk, broken).unwrap();
        let text = medium.image.read_back(&disk, Progress::silent()).unwrap_err().text;
        assert!(text.contains("does not hold what was written to it"), "{text}");
    }

    #[test]
    fn a_disk_is_known_by_its_identifier() {
        let identifier = |start: &[u8]| disk_identifier(start).unwrap();
        let mut mbr = vec![0; 4096];
        assert_eq!(identifier(&mbr), None);
        mbr[440..444].copy_from_slice(b"sign");
        assert_eq!(identifier(&mbr), None, "there is no table");
        mbr[510..512].copy_from_slice(&[0x55, 0xaa]);
        assert_eq!(identifier(&mbr), Some(b"sign".to_vec()));
        mbr[512..520].copy_from_slice(b"EFI PART");
        mbr[568..584].copy_from_slice(b"0123456789abcdef");
        assert_eq!(identifier(&mbr), Some(b"0123456789abcdef".to_vec()));
        assert_eq!(identifier(b"short"), None);
    }

    #[test]
    fn every_damage_has_its_own_message() {
        let medium = medium();
        let packed = std::fs::read(&medium.image.path).unwrap();
        std::fs::write(&medium.image.path, &packed[..packed.len() / 2]).unwrap();
        assert!(
            medium.refused().starts_with("The system on the medium is truncated: "),
            "{}",
            medium.refused()
        );
        std::fs::write(&medium.image.path, &packed).unwrap();
        let mut other = PackedImage::new(medium.image.path.clone(), medium.image.checksum);
        other.checksum.digest[0] ^= 1;
        let text = other.check(Progress::silent()).unwrap_err().text;
        assert!(text.starts_with("The system on the medium has the wrong checksum: "), "{text}");
        let mut damaged = packed;
        let middle = damaged.len() / 2;
        damaged[middle..middle + 64].fill(0xff);
        std::fs::write(&medium.image.path, &damaged).unwrap();
        let text = medium.refused();
        assert!(text.starts_with("The system on the medium has the wrong checksum: "), "{text}");
    }
}
