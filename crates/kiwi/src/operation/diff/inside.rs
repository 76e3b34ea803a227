//! Unpacks images for a comparison, so that a difference is named by the path in the image.
//!
//! A foreign program reads each kind into its own directory; nothing is mounted.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result};

use super::link_times;
use crate::filesystem::xfs;
use crate::host::file::WorkDirectory;
use crate::host::{Command, Host};

/// An image, or part of one, whose files can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::operation) enum Image {
    /// squashfs at this byte of the file.
    Squashfs { offset: u64 },
    /// ext2, ext3 or ext4 at this byte of the file.
    Ext { offset: u64 },
    /// FAT at this byte of the file.
    Fat { offset: u64 },
    /// XFS at this byte of the file.
    Xfs { offset: u64 },
    /// Btrfs at this byte of the file.
    Btrfs { offset: u64 },
    /// erofs at this byte of the file.
    Erofs { offset: u64 },
    /// ISO 9660 with Rock Ridge.
    Iso,
    /// cpio, uncompressed or with gzip.
    Cpio,
    /// tar, uncompressed or with xz.
    Tar,
    /// A disk with partitions that start at these bytes.
    Disk { partitions: Vec<u64> },
    /// A virtual disk in a format of qemu-img.
    VirtualDisk,
}

impl Image {
    /// Returns the kind by magic numbers; `None` for files that cannot be unpacked.
    pub(in crate::operation) fn detect(path: &Path, host: &Host) -> Result<Option<Self>> {
        let file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
        if let Some(image) = file_system(&file, 0) {
            return Ok(Some(image));
        }
        let has = |location: u64, magic: &[u8]| has(&file, location, magic);
        if has(32769, b"CD001") {
            return Ok(Some(Self::Iso));
        }
        if has(0, b"070701") || (has(0, b"\x1f\x8b") && is_packed_cpio(&file)) {
            return Ok(Some(Self::Cpio));
        }
        if has(257, b"ustar") || (has(0, b"\xfd7zXZ") && path.to_string_lossy().ends_with(".tar.xz")) {
            return Ok(Some(Self::Tar));
        }
        if has(0, b"QFI\xfb")
            || has(0, b"KDMV")
            || has(0, b"vhdxfile")
            || has(0, b"conectix")
            || has(64, b"\x7f\x10\xda\xbe")
        {
            return Ok(Some(Self::VirtualDisk));
        }
        if has(510, b"\x55\xaa") {
            let partitions = partitions(path, host)?;
            if !partitions.is_empty() {
                return Ok(Some(Self::Disk { partitions }));
            }
        }
        Ok(None)
    }

    /// Unpacks the files of the image at `path` into the new directory `target`, and nothing but files of the image.
    pub(in crate::operation) fn open(&self, path: &Path, target: &Path, host: &Host) -> Result<()> {
        self.extract(path, target, host)?;
        // For the image's own root these programs set the attributes; other directories are only containers.
        if !matches!(
            self,
            Self::Squashfs { .. } | Self::Xfs { .. } | Self::Erofs { .. } | Self::Cpio | Self::Tar
        ) {
            File::open(target)
                .and_then(|directory| directory.set_modified(UNIX_EPOCH))
                .with_context(|| format!("writing {}", target.display()))?;
        }
        Ok(())
    }

    fn extract(&self, path: &Path, target: &Path, host: &Host) -> Result<()> {
        host.create_directories(target).with_context(|| format!("creating {}", target.display()))?;
        let run = |command: Command<'_>| {
            command.writable(target).run().with_context(|| format!("reading the files of {}", path.display()))
        };
        match self {
            Self::Squashfs { offset } => run(host
                .command("unsquashfs")
                .args(["-no-progress", "-quiet", "-force", "-offset", &offset.to_string(), "-dest"])
                .arg(target)
                .arg(path)),
            Self::Ext { offset } => {
                run(host
                    .command("debugfs")
                    .args(["-R", &format!("rdump / \"{}\"", target.display())])
                    .arg(format!("{}?offset={offset}", path.display())))?;
                link_times::read_ext(path, *offset, target, host)
            }
            Self::Fat { offset } => run(host
                .command("mcopy")
                .args(["-s", "-m", "-n", "-Q", "-i", &format!("{}@@{offset}", path.display()), "::/"])
                .arg(target)
                .env("MTOOLS_SKIP_CHECK", "1")),
            Self::Xfs { offset } => {
                let reading = || format!("reading the files of {}", path.display());
                let file = File::open(path).with_context(reading)?;
                xfs::unpack(&file, *offset, target, host).with_context(reading)
            }
            Self::Btrfs { offset } => {
                apart(path, *offset, btrfs_size, target, host, |file| {
                    run(host.command("btrfs").args(["restore", "-m", "-S", "-x", "-s"]).arg(file).arg(target))
                })?;
                link_times::forget(target)
            }
            Self::Erofs { offset } => apart(path, *offset, erofs_size, target, host, |file| {
                run(host
                    .command("fsck.erofs")
                    .args(["--preserve", "--overwrite"])
                    .arg(format!("--extract={}", target.display()))
                    .arg(file))
            }),
            Self::Cpio => {
                run(host.command("sh").args(["-e", "-c", UNPACK_CPIO, "cpio"]).arg(path).arg(target))
            }
            Self::Iso => {
                run(host
                    .command("xorriso")
                    .args(["-osirrox", "on", "-indev"])
                    .arg(path)
                    .args(["-extract", "/"])
                    .arg(target))?;
                link_times::forget(target)
            }
            Self::Tar => run(host
                .command("tar")
                .args([
                    "--extract",
                    "--preserve-permissions",
                    "--numeric-owner",
                    "--xattrs",
                    "--xattrs-include=*",
                ])
                .arg("--file")
                .arg(path)
                .arg("--directory")
                .arg(target)),
            Self::Disk { partitions } => {
                let file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
                for (index, start) in partitions.iter().enumerate() {
                    if let Some(image) = file_system(&file, *start) {
                        image.open(path, &target.join(format!("partition-{}", index + 1)), host)?;
                    }
                }
                Ok(())
            }
            Self::VirtualDisk => {
                let raw = target.join("disk");
                run(host.command("qemu-img").args(["convert", "-O", "raw"]).arg(path).arg(&raw))?;
                if let Some(image @ Self::Disk { .. }) = Self::detect(&raw, host)? {
                    image.open(&raw, &target.join("files"), host)?;
                }
                host.remove_file(&raw).context("removing the raw disk")
            }
        }
    }
}

/// Unpacks the cpio archive `$1`, which may be compressed, into the directory `$2`.
const UNPACK_CPIO: &str = "exec < \"$1\"; cd \"$2\"; gzip -dcf | \
    cpio --quiet --extract --make-directories --preserve-modification-time --no-absolute-filenames";

/// Returns whether a gzip file begins with an entry of cpio.
fn is_packed_cpio(file: &File) -> bool {
    let mut magic = [0; 6];
    let mut start = flate2::read::GzDecoder::new(file);
    std::io::Read::read_exact(&mut start, &mut magic).is_ok() && magic == *b"070701"
}

/// Offset of the superblock of a Btrfs, and of the size of the file system in it.
const BTRFS_SUPERBLOCK: u64 = 0x10000;
const BTRFS_SIZE: u64 = 112;

/// Offset of the superblock of an erofs; of the binary logarithm of the block size in it, and of the number of blocks.
const EROFS_SUPERBLOCK: u64 = 1024;
const EROFS_BLOCK_BITS: u64 = 12;
const EROFS_BLOCKS: u64 = 36;

/// Returns the size of the Btrfs at `offset`.
fn btrfs_size(disk: &File, offset: u64) -> std::io::Result<u64> {
    let mut size = [0; 8];
    disk.read_exact_at(&mut size, offset + BTRFS_SUPERBLOCK + BTRFS_SIZE)?;
    Ok(u64::from_le_bytes(size))
}

/// Returns the size of the erofs at `offset`.
fn erofs_size(disk: &File, offset: u64) -> std::io::Result<u64> {
    let (mut bits, mut blocks) = ([0], [0; 4]);
    disk.read_exact_at(&mut bits, offset + EROFS_SUPERBLOCK + EROFS_BLOCK_BITS)?;
    disk.read_exact_at(&mut blocks, offset + EROFS_SUPERBLOCK + EROFS_BLOCKS)?;
    let size = u64::from(u32::from_le_bytes(blocks)).checked_shl(bits[0].into());
    size.ok_or_else(|| std::io::Error::other("the superblock of the erofs is damaged"))
}

/// Passes the file system at `offset` of a disk to a program that accepts no offset: a file without the other parts of the disk.
fn apart(
    disk: &Path,
    offset: u64,
    size: impl Fn(&File, u64) -> std::io::Result<u64>,
    target: &Path,
    host: &Host,
    read: impl FnOnce(&Path) -> Result<()>,
) -> Result<()> {
    if offset == 0 {
        return read(disk);
    }
    let copy = target.with_extension("apart");
    let source = File::open(disk).and_then(|source| Ok((size(&source, offset)?, source)));
    let (size, source) = source.with_context(|| format!("reading {}", disk.display()))?;
    copy_part(&source, offset, size, &copy, host)
        .with_context(|| format!("copying a partition of {}", disk.display()))?;
    let done = read(&copy);
    host.remove_file(&copy).with_context(|| format!("removing {}", copy.display()))?;
    done
}

/// Copies bytes of a disk to the new file `target`, without blocks of zeros.
fn copy_part(disk: &File, offset: u64, size: u64, target: &Path, host: &Host) -> Result<()> {
    let size = size.min(disk.metadata()?.len().saturating_sub(offset));
    let copy = host.create_file(target)?;
    copy.set_len(size)?;
    let (mut position, mut block) = (0, vec![0; 1 << 20]);
    while position < size {
        host.check_interrupt()?;
        let count = usize::try_from((size - position).min(block.len() as u64))?;
        let block = &mut block[..count];
        disk.read_exact_at(block, offset + position)?;
        if block.iter().any(|byte| *byte != 0) {
            copy.write_all_at(block, position)?;
        }
        position += count as u64;
    }
    Ok(())
}

/// Returns the file system at `offset`.
fn file_system(file: &File, offset: u64) -> Option<Image> {
    if has(file, offset, b"hsqs") {
        Some(Image::Squashfs { offset })
    } else if has(file, offset + 1080, b"\x53\xef") {
        Some(Image::Ext { offset })
    } else if has(file, offset + 510, b"\x55\xaa")
        && (has(file, offset + 54, b"FAT") || has(file, offset + 82, b"FAT32"))
    {
        Some(Image::Fat { offset })
    } else if has(file, offset, b"XFSB") {
        Some(Image::Xfs { offset })
    } else if has(file, offset + BTRFS_SUPERBLOCK + 64, b"_BHRfS_M") {
        Some(Image::Btrfs { offset })
    } else if has(file, offset + EROFS_SUPERBLOCK, b"\xe2\xe1\xf5\xe0") {
        Some(Image::Erofs { offset })
    } else {
        None
    }
}

fn has(file: &File, location: u64, magic: &[u8]) -> bool {
    let mut found = vec![0; magic.len()];
    file.read_exact_at(&mut found, location).is_ok() && found == magic
}

/// Returns the offsets of a disk's partitions in bytes.
fn partitions(path: &Path, host: &Host) -> Result<Vec<u64>> {
    let Ok(dump) = host.command("sfdisk").arg("--dump").arg(path).output() else { return Ok(Vec::new()) };
    let starts =
        dump.lines().filter_map(|line| line.split_once("start=")?.1.split(',').next()?.trim().parse().ok());
    Ok(starts.map(|sector: u64| sector * 512).collect())
}

/// Two images of one kind, unpacked in a directory that is removed with this value.
pub(super) struct Opened {
    work: WorkDirectory,
    pub(super) one: PathBuf,
    pub(super) other: PathBuf,
}

impl Opened {
    /// Unpacks both; `None` if they are of different kinds or cannot be unpacked.
    pub(super) fn open(one: &Path, other: &Path, host: &Host) -> Result<Option<Self>> {
        let (Some(here), Some(there)) = (Image::detect(one, host)?, Image::detect(other, host)?) else {
            return Ok(None);
        };
        if std::mem::discriminant(&here) != std::mem::discriminant(&there) {
            return Ok(None);
        }
        let work = host.temporary_work_directory().context("creating a directory to unpack the images")?;
        let opened = Self { one: work.path().join("one"), other: work.path().join("other"), work };
        here.open(one, &opened.one, host)?;
        there.open(other, &opened.other, host)?;
        Ok(Some(opened))
    }

    /// Removes the unpacked files.
    pub(super) fn close(self) -> Result<()> {
        self.work.close().context("removing the unpacked images")
    }
}
