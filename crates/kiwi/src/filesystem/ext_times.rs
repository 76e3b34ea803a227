//! The time stamps of a finished ext2, ext3 or ext4: access, change and creation get one value, and no file is newer.
//!
//! mke2fs takes change and access times from the inodes of the tree, which differ between builds and cannot be set.
//! debugfs can change them, with a hundred thousand commands for a small system; here the inode tables are read and
//! written once. Layout and checksums: the kernel's Documentation/filesystems/ext4, "Super Block", "Block Group
//! Descriptors", "Index Nodes" and "Checksums". Everything but times and their checksum stays as mke2fs wrote it.

use std::fs::File;
use std::os::unix::fs::FileExt;

use anyhow::{Context, Result, ensure};
use byteorder::{ByteOrder, LE};
use crc::{Algorithm, CRC_32_ISCSI, Crc, Table};

use crate::failure::fail;

/// CRC-32C as ext4 keeps it: without the final inversion.
const CHECKSUM: Algorithm<u32> = Algorithm { xorout: 0, ..CRC_32_ISCSI };
static CRC: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CHECKSUM);

const MAGIC: u16 = 0xef53;
const INCOMPATIBLE_META_GROUPS: u32 = 0x10;
const INCOMPATIBLE_64BIT: u32 = 0x80;
const INCOMPATIBLE_CHECKSUM_SEED: u32 = 0x2000;
const READ_ONLY_METADATA_CHECKSUM: u32 = 0x400;

/// Offsets of 32-bit time stamps in an inode, and of their extra parts behind the first 128 bytes.
const ACCESS: usize = 0x08;
const CHANGE: usize = 0x0c;
const MODIFICATION: usize = 0x10;
const CREATION: usize = 0x90;
const EXTRA: [usize; 4] = [0x84, 0x88, 0x8c, 0x94];

/// The number of the inode of the top directory.
const TOP: u32 = 2;

/// Mode and owner of the top directory, which mke2fs does not take from the tree.
#[derive(Debug, Clone, Copy)]
pub(super) struct Top {
    pub(super) mode: u32,
    pub(super) user: u32,
    pub(super) group: u32,
}

impl Top {
    /// Writes them into the inode: the lower and the upper half of each number have locations of their own.
    fn write(self, inode: &mut [u8]) {
        let kept = LE::read_u16(inode) & !0o7777;
        LE::write_u16(inode, kept | (self.mode & 0o7777) as u16);
        for (number, low, high) in [(self.user, 0x02, 0x78), (self.group, 0x18, 0x7a)] {
            LE::write_u16(&mut inode[low..], (number & 0xffff) as u16);
            LE::write_u16(&mut inode[high..], (number >> 16) as u16);
        }
    }
}

/// Sets the times of the file system that starts at `offset` of `file`; its top directory gets the attributes `top`, if any.
pub(super) fn finish(file: &File, offset: u64, epoch: u64, top: Option<Top>) -> Result<()> {
    let epoch = u32::try_from(epoch).context("the time of the build does not fit an ext file system")?;
    let layout = Layout::read(file, offset)?;
    let mut table = Vec::new();
    for group in 0..layout.groups {
        let (start, used) = layout.inode_table(file, offset, group)?;
        table.resize(usize::try_from(used * layout.inode_size)?, 0);
        let position = offset + start * layout.block_size;
        file.read_exact_at(&mut table, position).context("reading an inode table")?;
        let mut changed = false;
        for (index, inode) in table.chunks_exact_mut(usize::try_from(layout.inode_size)?).enumerate() {
            let number = u32::try_from(group * layout.inodes_per_group + index as u64 + 1)?;
            if let (TOP, Some(top)) = (number, top) {
                top.write(inode);
            }
            changed |= layout.finish_inode(inode, number, epoch);
        }
        if changed {
            file.write_all_at(&table, position).context("writing an inode table")?;
        }
    }
    Ok(())
}

/// The fields of the superblock that are needed to reach every inode.
struct Layout {
    block_size: u64,
    first_descriptor: u64,
    descriptor_size: u64,
    groups: u64,
    inodes_per_group: u64,
    inode_size: u64,
    /// Seed of inode checksums; none: the file system has none.
    seed: Option<u32>,
}

impl Layout {
    fn read(file: &File, offset: u64) -> Result<Self> {
        let mut block = [0; 1024];
        file.read_exact_at(&mut block, offset + 1024).context("reading the superblock")?;
        ensure!(LE::read_u16(&block[0x38..]) == MAGIC, "no ext file system at byte {offset}");
        let [incompatible, read_only] = [0x60, 0x64].map(|position| LE::read_u32(&block[position..]));
        if incompatible & INCOMPATIBLE_META_GROUPS != 0 {
            fail!(
                NotBuilt,
                "the feature meta_bg of mke2fs is not supported; remove it from the file system options"
            );
        }
        let block_size = 1024 << LE::read_u32(&block[0x18..]);
        let wide = incompatible & INCOMPATIBLE_64BIT != 0;
        let seed = if incompatible & INCOMPATIBLE_CHECKSUM_SEED != 0 {
            LE::read_u32(&block[0x270..])
        } else {
            checksum(u32::MAX, &block[0x68..0x78])
        };
        Ok(Self {
            block_size,
            first_descriptor: (u64::from(LE::read_u32(&block[0x14..])) + 1) * block_size,
            descriptor_size: if wide { u64::from(LE::read_u16(&block[0xfe..])) } else { 32 },
            groups: u64::from(LE::read_u32(&block)) / u64::from(LE::read_u32(&block[0x28..])).max(1),
            inodes_per_group: u64::from(LE::read_u32(&block[0x28..])),
            inode_size: u64::from(LE::read_u16(&block[0x58..])),
            seed: (read_only & READ_ONLY_METADATA_CHECKSUM != 0).then_some(seed),
        })
    }

    /// Returns the first block of a group's inode table and the number of its inodes that were ever used.
    fn inode_table(&self, file: &File, offset: u64, group: u64) -> Result<(u64, u64)> {
        let mut descriptor = [0; 64];
        let size = usize::try_from(self.descriptor_size.min(64))?;
        let position = offset + self.first_descriptor + group * self.descriptor_size;
        file.read_exact_at(&mut descriptor[..size], position).context("reading a group descriptor")?;
        let start =
            u64::from(LE::read_u32(&descriptor[0x08..])) | u64::from(LE::read_u32(&descriptor[0x28..])) << 32;
        // Only file systems with checksums record the number of unused inodes.
        let unused =
            u64::from(LE::read_u16(&descriptor[0x1c..])) | u64::from(LE::read_u16(&descriptor[0x32..])) << 16;
        let unused = if self.seed.is_some() { unused } else { 0 };
        Ok((start, self.inodes_per_group.saturating_sub(unused)))
    }

    /// Sets the times of an inode; whether it is in use.
    fn finish_inode(&self, inode: &mut [u8], number: u32, epoch: u32) -> bool {
        if LE::read_u16(inode) == 0 {
            return false;
        }
        let modified = LE::read_u32(&inode[MODIFICATION..]).min(epoch);
        let times = [(ACCESS, epoch), (CHANGE, epoch), (MODIFICATION, modified)];
        for (position, time) in times {
            inode[position..position + 4].copy_from_slice(&time.to_le_bytes());
        }
        let extra = if inode.len() > 128 { 128 + usize::from(LE::read_u16(&inode[0x80..])) } else { 128 };
        if extra >= CREATION + 4 {
            inode[CREATION..CREATION + 4].copy_from_slice(&epoch.to_le_bytes());
        }
        for position in EXTRA.into_iter().filter(|position| position + 4 <= extra) {
            inode[position..position + 4].fill(0);
        }
        if let Some(seed) = self.seed {
            seal(inode, number, seed, extra >= 0x84);
        }
        true
    }
}

/// Writes the inode's checksum: the low half always, the high half if the inode is large enough.
fn seal(inode: &mut [u8], number: u32, seed: u32, high: bool) {
    inode[0x7c..0x7e].fill(0);
    if high {
        inode[0x82..0x84].fill(0);
    }
    let generation = LE::read_u32(&inode[0x64..]);
    let own = checksum(checksum(seed, &number.to_le_bytes()), &generation.to_le_bytes());
    let sum = checksum(own, inode).to_le_bytes();
    inode[0x7c..0x7e].copy_from_slice(&sum[..2]);
    if high {
        inode[0x82..0x84].copy_from_slice(&sum[2..]);
    }
}

/// Continues from `seed`, which has the form of the result.
fn checksum(seed: u32, bytes: &[u8]) -> u32 {
    let mut digest = CRC.digest_with_initial(seed.reverse_bits());
    digest.update(bytes);
    digest.finalize()
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "the test asks the foreign tools")]
mod tests {
    use test_programs::{have, run};

    use super::*;

    #[test]
    fn finished_file_systems_satisfy_e2fsck_and_have_one_time() {
        if !have(&["mke2fs", "e2fsck", "debugfs"]) {
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("tree")).unwrap();
        for number in 0..50 {
            std::fs::write(directory.path().join(format!("tree/{number}")), "x").unwrap();
        }
        let tree = directory.path().join("tree").display().to_string();
        let image = directory.path().join("image").display().to_string();
        for features in ["^metadata_csum,^64bit", "metadata_csum,^64bit", "metadata_csum,64bit"] {
            let arguments = ["-q", "-F", "-t", "ext4", "-O", features, "-d", &tree, &image, "8M"];
            run("mke2fs", &arguments);
            let file = File::options().read(true).write(true).open(&image).unwrap();
            let top = Top { mode: 0o1777, user: 70_000, group: 12 };
            finish(&file, 0, 1_000_000_000, Some(top)).unwrap();
            run("e2fsck", &["-fn", &image]);
            let stat = run("debugfs", &["-R", "stat /7", &image]);
            for line in ["atime: 0x3b9aca00", "ctime: 0x3b9aca00", "mtime: 0x3b9aca00", "crtime: 0x3b9aca00"]
            {
                assert!(stat.contains(line), "{features}: no {line} in {stat}");
            }
            let stat = run("debugfs", &["-R", "stat <2>", &image]);
            let shown: Vec<&str> = stat.split_whitespace().collect();
            assert!(shown.windows(2).any(|pair| pair == ["Mode:", "01777"]), "{stat}");
            assert!(shown.windows(4).any(|pair| pair == ["User:", "70000", "Group:", "12"]), "{stat}");
            std::fs::remove_file(&image).unwrap();
        }
    }
}
