//! Images that are opened for comparison: a difference is then named by the file in the image.
//!
//! Each kind is read by the foreign program that knows it, into folders of their own, without mounting anything.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::host::{Command, Host};

/// An image, or part of one, whose files can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Image {
    /// At this byte of the file.
    Squashfs { offset: u64 },
    /// ext2, ext3 or ext4 at this byte of the file.
    Ext { offset: u64 },
    /// ISO 9660 with Rock Ridge.
    Iso,
    /// Packed with xz, or not.
    Tar,
    /// A disk with partitions, which start at these bytes.
    Disk { partitions: Vec<u64> },
    /// A virtual disk that qemu-img knows.
    VirtualDisk,
}

impl Image {
    /// The kind by magic numbers; none: nothing that is opened.
    pub(super) fn detect(path: &Path, host: &Host) -> Result<Option<Self>> {
        let file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
        if let Some(image) = file_system(&file, 0) {
            return Ok(Some(image));
        }
        let has = |place: u64, magic: &[u8]| has(&file, place, magic);
        if has(32769, b"CD001") {
            return Ok(Some(Self::Iso));
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

    /// Puts the files of the image at `path` below the new folder `target`. What is no file of it is left out.
    pub(super) fn open(&self, path: &Path, target: &Path, host: &Host) -> Result<()> {
        host.create_folders(target).with_context(|| format!("creating {}", target.display()))?;
        let run = |command: Command<'_>| {
            command.writable(target).run().with_context(|| format!("reading the files of {}", path.display()))
        };
        match self {
            Self::Squashfs { offset } => run(host
                .command("unsquashfs")
                .args(["-no-progress", "-quiet", "-force", "-offset", &offset.to_string(), "-dest"])
                .arg(target)
                .arg(path)),
            Self::Ext { offset } => run(host
                .command("debugfs")
                .args(["-R", &format!("rdump / \"{}\"", target.display())])
                .arg(format!("{}?offset={offset}", path.display()))),
            Self::Iso => run(host
                .command("xorriso")
                .args(["-osirrox", "on", "-indev"])
                .arg(path)
                .args(["-extract", "/"])
                .arg(target)),
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

/// The file system that starts at `offset`.
fn file_system(file: &File, offset: u64) -> Option<Image> {
    if has(file, offset, b"hsqs") {
        Some(Image::Squashfs { offset })
    } else if has(file, offset + 1080, b"\x53\xef") {
        Some(Image::Ext { offset })
    } else {
        None
    }
}

fn has(file: &File, place: u64, magic: &[u8]) -> bool {
    let mut found = vec![0; magic.len()];
    file.read_exact_at(&mut found, place).is_ok() && found == magic
}

/// Where the partitions of a disk start, in bytes.
fn partitions(path: &Path, host: &Host) -> Result<Vec<u64>> {
    let Ok(dump) = host.command("sfdisk").arg("--dump").arg(path).output() else { return Ok(Vec::new()) };
    let starts =
        dump.lines().filter_map(|line| line.split_once("start=")?.1.split(',').next()?.trim().parse().ok());
    Ok(starts.map(|sector: u64| sector * 512).collect())
}

/// Two images of one kind, opened in a folder that goes with this value's `close`.
pub(super) struct Opened {
    folder: PathBuf,
    pub(super) one: PathBuf,
    pub(super) other: PathBuf,
}

impl Opened {
    /// Opens both; none where they are nothing that is opened, or not of one kind.
    pub(super) fn open(one: &Path, other: &Path, host: &Host) -> Result<Option<Self>> {
        let (Some(here), Some(there)) = (Image::detect(one, host)?, Image::detect(other, host)?) else {
            return Ok(None);
        };
        if std::mem::discriminant(&here) != std::mem::discriminant(&there) {
            return Ok(None);
        }
        let folder = host.temporary_folder("kiwi-diff-").context("making a temporary folder")?;
        let opened = Self { one: folder.join("one"), other: folder.join("other"), folder };
        let done = here.open(one, &opened.one, host).and_then(|()| there.open(other, &opened.other, host));
        match done {
            Ok(()) => Ok(Some(opened)),
            Err(error) => {
                opened.close(host)?;
                Err(error)
            }
        }
    }

    /// Removes the files again.
    pub(super) fn close(self, host: &Host) -> Result<()> {
        host.remove_tree(&self.folder).with_context(|| format!("removing {}", self.folder.display()))
    }
}
