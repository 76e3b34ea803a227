//! What the first blocks of a device say about the file system on it.
//!
//! Offsets and magic numbers are those of the kernel's headers: fs/ext4/ext4.h, fs/xfs/libxfs/xfs_format.h,
//! include/uapi/linux/btrfs_tree.h, fs/squashfs/squashfs_fs.h. Only read here; checksums are the kernel's concern.

use std::io::{self, Read, Seek, SeekFrom};

use ondisk::Filesystem;

/// A file system as its superblock describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Superblock {
    pub(crate) filesystem: Filesystem,
    /// Lower case, with dashes.
    pub(crate) uuid: Option<String>,
    pub(crate) label: Option<String>,
    /// Bytes of the device that the file system uses.
    pub(crate) bytes: u64,
    /// What growing it needs to know.
    pub(crate) growth: Growth,
}

/// How a file system is grown while it is mounted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Growth {
    /// ext2, ext3, ext4: to a number of blocks of this size.
    Ext { block_size: u64 },
    /// XFS: to a number of blocks of this size, keeping the share of inodes.
    Xfs { block_size: u64, inode_percentage: u8 },
    /// Btrfs: its device of this number, to all there is.
    Btrfs { device: u64 },
    /// It cannot: it is read-only, or on several devices.
    Fixed,
}

/// Where the last superblock that is looked for ends: Btrfs, 64 KiB into the device.
const PROBED: u64 = 0x1_1000;

/// Reads the superblock of a device or an image file. A device too small to have one has none.
pub(crate) fn probe(device: &mut (impl Read + Seek)) -> io::Result<Option<Superblock>> {
    let mut start = Vec::new();
    device.seek(SeekFrom::Start(0))?;
    device.take(PROBED).read_to_end(&mut start)?;
    Ok(Fields(&start).filesystem())
}

/// The bytes at the start of a device. Reading past their end finds nothing.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn filesystem(&self) -> Option<Superblock> {
        self.ext().or_else(|| self.xfs()).or_else(|| self.btrfs()).or_else(|| self.squashfs())
    }

    fn array<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        self.0.get(at..at + N)?.try_into().ok()
    }

    fn le32(&self, at: usize) -> Option<u32> {
        self.array(at).map(u32::from_le_bytes)
    }

    fn le64(&self, at: usize) -> Option<u64> {
        self.array(at).map(u64::from_le_bytes)
    }

    fn uuid(&self, at: usize) -> Option<String> {
        let bytes: [u8; 16] = self.array(at)?;
        (bytes != [0; 16]).then(|| hyphenated(bytes))
    }

    fn label(&self, at: usize, length: usize) -> Option<String> {
        let field = self.0.get(at..at + length)?;
        let end = field.iter().position(|&b| b == 0).unwrap_or(length);
        (end > 0).then(|| String::from_utf8_lossy(&field[..end]).into_owned())
    }

    fn ext(&self) -> Option<Superblock> {
        const AT: usize = 1024;
        const HAS_JOURNAL: u32 = 0x4;
        const IS_JOURNAL: u32 = 0x8;
        const HAS_64_BITS: u32 = 0x80;
        // What ext3 may have: file types, recovery needed, meta block groups; sparse superblocks, large files, btree
        // directories. Anything else makes it ext4.
        const EXT3_INCOMPATIBLE: u32 = 0x2 | 0x4 | 0x10;
        const EXT3_READ_ONLY: u32 = 0x1 | 0x2 | 0x4;
        if self.array(AT + 56)? != [0x53, 0xef] {
            return None;
        }
        let (compatible, incompatible, read_only) =
            (self.le32(AT + 92)?, self.le32(AT + 96)?, self.le32(AT + 100)?);
        if incompatible & IS_JOURNAL != 0 {
            return None;
        }
        let filesystem = if incompatible & !EXT3_INCOMPATIBLE != 0 || read_only & !EXT3_READ_ONLY != 0 {
            Filesystem::Ext4
        } else if compatible & HAS_JOURNAL != 0 {
            Filesystem::Ext3
        } else {
            Filesystem::Ext2
        };
        let block_size = 1024u64.checked_shl(self.le32(AT + 24)?).filter(|size| *size <= 65536)?;
        let high = if incompatible & HAS_64_BITS != 0 { self.le32(AT + 0x150)? } else { 0 };
        let blocks = u64::from(high) << 32 | u64::from(self.le32(AT + 4)?);
        Some(Superblock {
            filesystem,
            uuid: self.uuid(AT + 104),
            label: self.label(AT + 120, 16),
            bytes: blocks.checked_mul(block_size)?,
            growth: Growth::Ext { block_size },
        })
    }

    fn xfs(&self) -> Option<Superblock> {
        if self.array(0)? != *b"XFSB" {
            return None;
        }
        let block_size = u64::from(self.array(4).map(u32::from_be_bytes)?);
        let blocks = self.array(8).map(u64::from_be_bytes)?;
        let [inode_percentage] = self.array(127)?;
        Some(Superblock {
            filesystem: Filesystem::Xfs,
            uuid: self.uuid(32),
            label: self.label(108, 12),
            bytes: blocks.checked_mul(block_size)?,
            growth: Growth::Xfs { block_size, inode_percentage },
        })
    }

    fn btrfs(&self) -> Option<Superblock> {
        const AT: usize = 0x1_0000;
        const DEVICE: usize = AT + 0xc9;
        if self.array(AT + 0x40)? != *b"_BHRfS_M" {
            return None;
        }
        let devices = self.le64(AT + 0x88)?;
        Some(Superblock {
            filesystem: Filesystem::Btrfs,
            uuid: self.uuid(AT + 0x20),
            label: self.label(AT + 0x12b, 256),
            bytes: self.le64(DEVICE + 8)?,
            growth: match devices {
                1 => Growth::Btrfs { device: self.le64(DEVICE)? },
                _ => Growth::Fixed,
            },
        })
    }

    fn squashfs(&self) -> Option<Superblock> {
        if self.array(0)? != *b"hsqs" {
            return None;
        }
        Some(Superblock {
            filesystem: Filesystem::Squashfs,
            uuid: None,
            label: None,
            bytes: self.le64(40)?,
            growth: Growth::Fixed,
        })
    }
}

/// 16 bytes as a UUID is written.
pub(crate) fn hyphenated(bytes: [u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.into_iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::path::Path;
    use std::process::Command;

    use super::*;

    const UUID: &str = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";
    const MIB: u64 = 1 << 20;

    /// Lets the file system's own program make an image of 300 MiB, the least that mkfs.xfs takes.
    fn made_by(command: &[&str], image: &Path) -> Superblock {
        File::create(image).unwrap().set_len(300 * MIB).unwrap();
        let status = Command::new(command[0])
            .args(&command[1..])
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .stdout(std::process::Stdio::null())
            .status();
        assert!(status.as_ref().is_ok_and(std::process::ExitStatus::success), "{command:?}: {status:?}");
        probe(&mut File::open(image).unwrap()).unwrap().expect("a file system")
    }

    #[test]
    fn ext_is_told_apart_as_its_own_tools_do() {
        let dir = tempfile::tempdir().unwrap();
        let image = dir.path().join("image");
        for (keyword, filesystem) in
            [("ext2", Filesystem::Ext2), ("ext3", Filesystem::Ext3), ("ext4", Filesystem::Ext4)]
        {
            let path = image.to_str().unwrap();
            let made = made_by(
                &["mke2fs", "-q", "-F", "-t", keyword, "-b", "4096", "-U", UUID, "-L", "my root", path],
                &image,
            );
            assert_eq!(
                made,
                Superblock {
                    filesystem,
                    uuid: Some(UUID.into()),
                    label: Some("my root".into()),
                    bytes: 300 * MIB,
                    growth: Growth::Ext { block_size: 4096 },
                }
            );
        }
    }

    #[test]
    fn xfs_is_recognised() {
        let dir = tempfile::tempdir().unwrap();
        let image = dir.path().join("image");
        let uuid = format!("uuid={UUID}");
        let made = made_by(&["mkfs.xfs", "-q", "-m", &uuid, "-L", "root", image.to_str().unwrap()], &image);
        assert_eq!(
            made,
            Superblock {
                filesystem: Filesystem::Xfs,
                uuid: Some(UUID.into()),
                label: Some("root".into()),
                bytes: 300 * MIB,
                growth: Growth::Xfs { block_size: 4096, inode_percentage: 25 },
            }
        );
    }

    #[test]
    fn btrfs_is_recognised() {
        let dir = tempfile::tempdir().unwrap();
        let image = dir.path().join("image");
        let made = made_by(&["mkfs.btrfs", "-q", "-U", UUID, "-L", "root", image.to_str().unwrap()], &image);
        assert_eq!(
            made,
            Superblock {
                filesystem: Filesystem::Btrfs,
                uuid: Some(UUID.into()),
                label: Some("root".into()),
                bytes: 300 * MIB,
                growth: Growth::Btrfs { device: 1 },
            }
        );
    }

    #[test]
    fn squashfs_is_recognised() {
        let dir = tempfile::tempdir().unwrap();
        let (tree, image) = (dir.path().join("tree"), dir.path().join("image"));
        std::fs::create_dir(&tree).unwrap();
        let (from, to) = (tree.to_str().unwrap(), image.to_str().unwrap());
        let made = made_by(&["mksquashfs", from, to, "-noappend", "-quiet"], &image);
        assert_eq!((made.filesystem, made.uuid, made.growth), (Filesystem::Squashfs, None, Growth::Fixed));
    }

    #[test]
    fn other_bytes_are_no_file_system() {
        for bytes in [vec![], vec![0; 512], vec![0; 0x2_0000], vec![0xff; 0x2_0000], b"XFSB".to_vec()] {
            assert_eq!(probe(&mut io::Cursor::new(bytes)).unwrap(), None);
        }
    }
}
