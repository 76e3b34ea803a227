//! Whether a machine can boot from a file, and what to do with one from which it cannot.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::failure::{Failure, Kind};

/// A file from which a machine boots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Image {
    /// A CD.
    Medium,
    /// A disk in this format of QEMU.
    Disk(&'static str),
}

impl Image {
    /// Reads the start of the file; an error for one from which no machine boots.
    pub(super) fn probe(path: &Path) -> Result<Self> {
        let format = Self::format_of(path)?;
        let reading = || format!("reading {}", path.display());
        let mut file = File::open(path).with_context(reading)?;
        let mut sector = vec![0; bootconfig::SECTOR as usize];
        if file.read_exact_at(&mut sector, bootconfig::DESCRIPTOR).is_ok()
            && bootconfig::Volume::parse(&sector).is_some()
        {
            return Ok(Self::Medium);
        }
        if format != "raw" {
            return Ok(Self::Disk(format));
        }
        let mut start = [0; 512];
        let count = file.read(&mut start).with_context(reading)?;
        // The signature of a boot sector, and of the table that protects a GPT.
        if start.ends_with(&[0x55, 0xaa]) {
            return Ok(Self::Disk(format));
        }
        let (what, remedy) = other(&start[..count], &mut file);
        let message = format!("no machine boots from {}: {what}", path.display());
        Err(Failure::new(Kind::Usage, message).remedy(remedy).into())
    }

    /// Returns the format of an image by its first bytes and its end.
    pub(super) fn format_of(path: &Path) -> Result<&'static str> {
        let mut start = Vec::new();
        let file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
        file.take(512).read_to_end(&mut start).with_context(|| format!("reading {}", path.display()))?;
        let name = path.to_string_lossy();
        Ok(match start.as_slice() {
            [b'Q', b'F', b'I', 0xfb, 0, 0, 0, 1, ..] => "qcow",
            [b'Q', b'F', b'I', 0xfb, ..] => "qcow2",
            [b'K', b'D', b'M', b'V', ..] => "vmdk",
            start if start.starts_with(b"# Disk DescriptorFile") => "vmdk",
            start if start.starts_with(b"vhdxfile") => "vhdx",
            start if start.starts_with(b"conectix") => "vpc",
            start if start.starts_with(b"<<< ") => "vdi",
            _ if name.ends_with(".vhd") || name.ends_with(".vpc") || name.ends_with(".vhd-fixed") => "vpc",
            _ => "raw",
        })
    }

    pub(super) fn format(&self) -> &'static str {
        match self {
            Self::Medium => "raw",
            Self::Disk(format) => format,
        }
    }

    pub(super) fn is_medium(&self) -> bool {
        *self == Self::Medium
    }
}

/// Returns what a file is, and a remedy.
fn other(start: &[u8], file: &mut File) -> (String, &'static str) {
    const DISK: &str =
        "Build a disk (<type image=\"oem\">) or a live system (<type image=\"iso\">) of the description.";
    const UNPACK: &str = "Unpack it first.";
    let known = match start {
        [0x1f, 0x8b, ..] => Some(("it is compressed with gzip", UNPACK)),
        [0xfd, b'7', b'z', b'X', b'Z', ..] => Some(("it is compressed with xz", UNPACK)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(("it is compressed with zstd", UNPACK)),
        [b'B', b'Z', b'h', ..] => Some(("it is compressed with bzip2", UNPACK)),
        start if start.starts_with(b"070701") => Some(("it is a cpio archive, such as an initrd", DISK)),
        start if start.get(257..262) == Some(b"ustar") => {
            Some(("it is a tar archive", "A container is started with 'podman load' and 'podman run'."))
        }
        _ => None,
    };
    if let Some((what, remedy)) = known {
        return (what.to_owned(), remedy);
    }
    match ondisk::probe(file) {
        Ok(Some(found)) => {
            (format!("it is the file system {} without a partition table", found.filesystem.keyword()), DISK)
        }
        Ok(None) | Err(_) => ("it is neither a disk nor the image of a CD".to_owned(), DISK),
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "the test writes files of its own")]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn only_disks_and_media_boot() {
        let directory = tempfile::tempdir().unwrap();
        let probe = |bytes: &[u8]| {
            let path = directory.path().join("image");
            std::fs::write(&path, bytes).unwrap();
            Image::probe(&path).map_err(|error| Error::from(error).to_string())
        };
        let mut disk = vec![0; 4096];
        disk[510..512].copy_from_slice(&[0x55, 0xaa]);
        assert_eq!(probe(&disk), Ok(Image::Disk("raw")));
        assert_eq!(probe(b"QFI\xfb\0\0\0\x03"), Ok(Image::Disk("qcow2")));
        let mut tar = vec![0; 512];
        tar[257..262].copy_from_slice(b"ustar");
        for (bytes, named) in [
            (&b"\x1f\x8b\x08"[..], "gzip"),
            (b"070701000", "cpio"),
            (&tar, "podman"),
            (b"", "oem"),
            (&[0; 4096], "neither"),
        ] {
            assert!(probe(bytes).unwrap_err().contains(named), "{named}");
        }
    }
}
