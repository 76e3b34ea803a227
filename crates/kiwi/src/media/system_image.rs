//! A finished system image: its kind by its contents, and whether it matches its `.md5`.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use bootconfig::Checksum;
use description::Firmware;
use ondisk::partition_table::PartitionTable;
use ondisk::{Bytes, Filesystem, Superblock};

use super::boot_files::{base_name, directory_of};
use crate::artifact;
use crate::failure::fail;
use crate::host::{Host, StageTask};

/// Bytes of code in a boot sector.
const BOOT_CODE: usize = 440;

/// The kind of a system image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// A writable file system.
    Writable,
    /// A squashfs.
    ReadOnly,
    /// A whole disk with a partition table.
    Disk,
}

/// A system image, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemImage {
    /// The image, uncompressed.
    pub path: PathBuf,
    /// Its name without extension, which gives the names of its products.
    pub name: String,
    /// Its kind.
    pub content: Content,
    /// Its file system, unless it is a disk; every ext counts as ext4.
    pub filesystem: Option<Filesystem>,
    /// Its size and checksum.
    pub sum: Checksum,
}

impl SystemImage {
    /// Opens the image at `path`. A compressed one is uncompressed to `scratch`; the `.md5` beside it must match.
    pub fn open(path: &Path, scratch: &Path, host: &Host) -> Result<Self> {
        if !path.is_file() {
            fail!(File, "there is no system image at {}", path.display());
        }
        let packed = path.extension().is_some_and(|ending| ending == "gz");
        let plain = if packed { unpack(path, scratch, host)? } else { path.to_owned() };
        let (content, filesystem) = recognise(&plain, path)?;
        let stage = host.stage(StageTask::CheckSystem, "Checking the system image");
        let sum = artifact::checksum(&plain, host)?;
        agree(path, &sum)?;
        stage.finish();
        let name = base_name(path);
        let name = name.strip_suffix(".raw").unwrap_or(&name).to_owned();
        Ok(Self { path: plain, name, content, filesystem, sum })
    }

    /// Returns the firmwares that start the machine that gets it. A file system gets a disk for all of them, and a disk whose table
    /// does not tell counts as one.
    pub fn firmware(&self) -> Result<Firmware> {
        let reading = || format!("reading {}", self.path.display());
        if self.content != Content::Disk {
            return Ok(Firmware::BiosAndUefi);
        }
        let mut file = File::open(&self.path).with_context(reading)?;
        let mut code = [0; BOOT_CODE];
        file.read_exact(&mut code).with_context(reading)?;
        let bios = code.iter().any(|byte| *byte != 0);
        let table = PartitionTable::read(&mut file, 512).ok().flatten();
        Ok(match (bios, table.is_some_and(|table| table.has_firmware_partition())) {
            (true, false) => Firmware::Bios,
            (false, true) => Firmware::Uefi,
            (true, true) | (false, false) => Firmware::BiosAndUefi,
        })
    }

    /// Returns its size.
    pub fn size(&self) -> Bytes {
        Bytes(self.sum.blocks.bytes().unwrap_or(0))
    }
}

fn unpack(path: &Path, scratch: &Path, host: &Host) -> Result<PathBuf> {
    let stage = host.stage(StageTask::UnpackSystem, "Unpacking the system image");
    let what = || format!("unpacking {}", path.display());
    let plain = scratch.join(base_name(path));
    let mut source = flate2::read::MultiGzDecoder::new(File::open(path).with_context(what)?);
    let mut target = host.create_file(&plain).with_context(what)?;
    std::io::copy(&mut source, &mut target).with_context(what)?;
    stage.finish();
    Ok(plain)
}

/// Recognises the image by its first bytes.
fn recognise(plain: &Path, shown: &Path) -> Result<(Content, Option<Filesystem>)> {
    let reading = || format!("reading {}", shown.display());
    let mut start = Vec::new();
    File::open(plain).with_context(reading)?.take(1 << 17).read_to_end(&mut start).with_context(reading)?;
    let filesystem = Superblock::find(&start).map(|superblock| superblock.filesystem);
    match filesystem {
        Some(Filesystem::Squashfs) => return Ok((Content::ReadOnly, filesystem)),
        // The magic number of an ext may be in the middle of a boot loader; ext itself leaves the first 1024 bytes alone.
        _ if start.get(510..512) == Some(&[0x55, 0xaa]) => return Ok((Content::Disk, None)),
        Some(Filesystem::Ext2 | Filesystem::Ext3 | Filesystem::Ext4) => {
            return Ok((Content::Writable, Some(Filesystem::Ext4)));
        }
        Some(Filesystem::Xfs | Filesystem::Btrfs | Filesystem::Reiserfs) => {
            return Ok((Content::Writable, filesystem));
        }
        Some(Filesystem::Erofs | Filesystem::Cramfs) | None => {}
    }
    fail!(
        Damaged,
        "{} is not a known system image: expected ext2, ext3, ext4, reiserfs, xfs, btrfs, squashfs or a raw disk",
        shown.display()
    )
}

/// Checks the image against `N.md5`; an image without one is accepted.
fn agree(path: &Path, sum: &Checksum) -> Result<()> {
    let file = directory_of(path).join(format!("{}.md5", base_name(path)));
    if !file.is_file() {
        return Ok(());
    }
    let text = std::fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
    let expected = Checksum::parse(&text).with_context(|| format!("reading {}", file.display()))?;
    if expected != *sum {
        fail!(
            Damaged,
            "{} does not match its checksum file: {} contains {expected}, the image has {sum}; create it again",
            path.display(),
            file.display()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Output;

    #[test]
    fn images_are_known_by_their_bytes_and_held_to_their_sum() {
        let directory = tempfile::tempdir().unwrap();
        let host = Host::new(Output::Quiet);
        let path = directory.path().join("system.x86_64-1.0.0");
        let open = || SystemImage::open(&path, directory.path(), &host);
        assert!(open().unwrap_err().to_string().starts_with("there is no system image at "));
        std::fs::write(&path, [0; 4096]).unwrap();
        assert!(open().unwrap_err().to_string().contains("is not a known system image"));
        for (at, magic, content) in [
            (0, &b"hsqs"[..], Content::ReadOnly),
            (1080, &[0x53, 0xef], Content::Writable),
            (510, &[0x55, 0xaa], Content::Disk),
        ] {
            let mut bytes = vec![0; 4096];
            bytes[at..at + magic.len()].copy_from_slice(magic);
            std::fs::write(&path, bytes).unwrap();
            let image = open().unwrap();
            assert_eq!(
                (image.content, image.size(), image.name.as_str()),
                (content, Bytes(4096), "system.x86_64-1.0.0")
            );
            assert_eq!(image.filesystem.is_none(), content == Content::Disk);
        }
        std::fs::write(
            directory.path().join("system.x86_64-1.0.0.md5"),
            format!("{}   1 4096", "0".repeat(32)),
        )
        .unwrap();
        assert!(open().unwrap_err().to_string().contains("does not match its checksum file"));
    }
}
