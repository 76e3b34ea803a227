//! The entries of a directory of a finished XFS, whose names can be replaced by others with the same length and hash.
//!
//! A small directory is in its inode, a larger one in blocks of entries; blocks of hashes stay unchanged, because the
//! hashes do. Layout: XFS Algorithms & Data Structures, "Short Form Directories", "Block Directories", "Leaf Directories".

use std::ops::Range;

use anyhow::{Context, Result, bail, ensure};
use byteorder::{BE, ByteOrder};

use super::layout::{Format, Inode, Layout};

/// Byte offset in the data of a directory at which its hashes start.
const END_OF_ENTRIES: u64 = 32 << 30;
/// Bytes before the entries of a block, and the offset of its checksum.
const HEAD: usize = 64;
const CHECKSUM: usize = 4;
/// Bytes of an entry before its name, and in total without it.
const BEFORE_NAME: usize = 9;
const BESIDE_NAME: usize = 12;

/// Calls `show` with the name and inode of every entry except `.` and `..`; a name that it returns, which
/// must have the same length, replaces the old one.
pub(super) fn rename(
    layout: &Layout,
    inode: &mut Inode,
    mut show: impl FnMut(&[u8], u64) -> Result<Option<Vec<u8>>>,
) -> Result<()> {
    let mut replace = |content: &mut [u8], entries: Vec<(Range<usize>, u64)>| -> Result<bool> {
        let mut changed = false;
        for (position, number) in entries {
            let name = content.get_mut(position).context("a name ends beyond its directory")?;
            if matches!(&*name, b"." | b"..") {
                continue;
            }
            if let Some(new) = show(name, number)? {
                ensure!(new.len() == name.len(), "a name would change its length");
                name.copy_from_slice(&new);
                changed = true;
            }
        }
        Ok(changed)
    };
    match inode.format()? {
        Format::Device => bail!("inode {} is not a directory", inode.number),
        Format::Local => {
            let content = inode.local()?;
            let entries = entries_in_inode(content)?;
            if replace(content, entries)? {
                layout.write_inode(inode)?;
            }
        }
        Format::Extents | Format::Tree => {
            let data = layout.data(inode)?;
            let end = END_OF_ENTRIES / layout.block_size;
            let blocks: Vec<u64> =
                data.into_iter().filter(|(start, _)| *start < end).map(|(_, block)| block).collect();
            for blocks in blocks.chunks(layout.directory_block / usize::try_from(layout.block_size)?) {
                let mut content = layout.blocks(blocks)?;
                let entries = entries_in_block(&content)?;
                if replace(&mut content, entries)? {
                    layout.write_blocks(blocks, &mut content, CHECKSUM)?;
                }
            }
        }
    }
    Ok(())
}

/// Returns the ranges of names, and the inodes.
fn entries_in_inode(content: &[u8]) -> Result<Vec<(Range<usize>, u64)>> {
    // Inode numbers have eight bytes if one of them needs them.
    let wide = content[1] > 0;
    let width = if wide { 8 } else { 4 };
    let mut position = 2 + width;
    let mut entries = Vec::new();
    for _ in 0..content[0] {
        let length = usize::from(*content.get(position).context("a directory ends beyond its inode")?);
        let name = position + 3..position + 3 + length;
        let number = content.get(name.end + 1..name.end + 1 + width);
        let number = number.context("a directory ends beyond its inode")?;
        position = name.end + 1 + width;
        entries.push((name, BE::read_uint(number, width)));
    }
    Ok(entries)
}

/// Returns the ranges of names, and the inodes.
fn entries_in_block(content: &[u8]) -> Result<Vec<(Range<usize>, u64)>> {
    let end = match content.get(..4) {
        Some(b"XDD3") => content.len(),
        // The only block of a directory has its hashes at its end, followed by their number.
        Some(b"XDB3") => {
            let hashes = usize::try_from(BE::read_u32(&content[content.len() - 8..]))?;
            content.len().checked_sub(8 + hashes * 8).context("a directory has too many hashes")?
        }
        _ => bail!("a block does not belong to a directory"),
    };
    let content = &content[..end];
    let mut position = HEAD;
    let mut entries = Vec::new();
    while position < end {
        let entry = &content[position..];
        ensure!(entry.len() >= 8, "a directory's entry ends beyond its block");
        if entry.starts_with(&[0xff, 0xff]) {
            let length = usize::from(BE::read_u16(&entry[2..]));
            ensure!(length > 0, "a directory's free space has no length");
            position += length;
            continue;
        }
        ensure!(entry.len() > BESIDE_NAME, "a directory's entry ends beyond its block");
        let length = usize::from(entry[8]);
        entries.push((position + BEFORE_NAME..position + BEFORE_NAME + length, BE::read_u64(entry)));
        position += (BESIDE_NAME + length).next_multiple_of(8);
    }
    Ok(entries)
}
