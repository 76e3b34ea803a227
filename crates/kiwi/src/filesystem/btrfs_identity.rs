//! Times and identifiers of a finished Btrfs: values that mkfs.btrfs takes from the clock or at random are replaced.
//!
//! ```text
//! superblock -> chunk tree -> every tree block outside the chunks of file contents -> checksum -> superblocks
//! ```
//!
//! Blocks that mkfs discarded while it built the trees change like those in use: they are part of the image. Layout:
//! the Btrfs documentation, "On-disk Format", and the kernel's `btrfs_tree.h`. Access, change and creation times become
//! the same moment, and no file is newer; the ids of device, chunk tree and subvolumes derive from the file system's UUID.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use anyhow::{Context, Result, bail, ensure};
use byteorder::{ByteOrder, LE};
use crc::{CRC_32_ISCSI, Crc, Table};

use super::btrfs_item::{self, Item, Settings};
use crate::failure::fail;
use crate::host::sparse;

static CRC: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISCSI);

/// Offsets of the superblocks, as far as the file system reaches.
const SUPERBLOCKS: [u64; 3] = [64 << 10, 64 << 20, 256 << 30];
const SUPERBLOCK: usize = 4096;
const MAGIC: &[u8] = b"_BHRfS_M";
/// Offsets in a superblock.
const DEVICE: usize = 201;
const SYSTEM_CHUNKS: usize = 811;
const SYSTEM_CHUNKS_END: usize = SYSTEM_CHUNKS + 2048;

/// Offsets in a tree block.
const FILE_SYSTEM: Range<usize> = 32..48;
const CHUNK_TREE: usize = 64;
const COUNT: usize = 96;
const LEVEL: usize = 100;
pub(super) const HEAD: usize = 101;
const ITEM: usize = 25;
const POINTER: usize = 33;

/// Sets the times and ids of the file system that fills `file`.
pub(super) fn finish(file: &File, uuid: &str, epoch: u64) -> Result<()> {
    let settings = Settings::new(uuid, epoch);
    let size = file.metadata().context("reading the size of the file system")?.len();
    let mut superblock = [0; SUPERBLOCK];
    file.read_exact_at(&mut superblock, SUPERBLOCKS[0]).context("reading the superblock")?;
    ensure!(superblock[64..72] == *MAGIC, "not a Btrfs file system");
    if LE::read_u16(&superblock[196..]) != 0 {
        fail!(
            NotBuilt,
            "a Btrfs with checksums other than crc32c is not supported; remove --checksum from the file system options"
        );
    }
    let node = usize::try_from(LE::read_u32(&superblock[148..]))?;
    let contents = contents(file, &superblock, node)?;
    let mut block = vec![0; node];
    for (start, end) in sparse::extents(file, size).context("finding the written parts of the file system")? {
        let first = start / 4096 * 4096;
        for position in (first..end.min((size + 1).saturating_sub(node as u64))).step_by(4096) {
            if contents.iter().any(|chunk| chunk.contains(&position)) {
                continue;
            }
            file.read_exact_at(&mut block, position).context("reading a tree block")?;
            let is_superblock = block[64..72] == *MAGIC;
            let sum = CRC.checksum(&block[32..]).to_le_bytes();
            if is_superblock || block[FILE_SYSTEM] != superblock[FILE_SYSTEM] || block[..4] != sum {
                continue;
            }
            finish_block(&mut block, &settings)?;
            file.write_all_at(&block, position).context("writing a tree block")?;
        }
    }
    for position in SUPERBLOCKS.into_iter().filter(|position| position + SUPERBLOCK as u64 <= size) {
        file.read_exact_at(&mut superblock, position).context("reading a superblock")?;
        if superblock[64..72] == *MAGIC {
            btrfs_item::finish_device(&mut superblock[DEVICE..], &settings);
            for chunk in system_chunks(&superblock)? {
                btrfs_item::finish_chunk(&mut superblock[chunk..], &settings);
            }
            // Remains of removed chunks follow.
            let end = SYSTEM_CHUNKS + usize::try_from(LE::read_u32(&superblock[160..]))?;
            superblock[end..SYSTEM_CHUNKS_END].fill(0);
            seal(&mut superblock);
            file.write_all_at(&superblock, position).context("writing a superblock")?;
        }
    }
    Ok(())
}

/// Returns the device ranges of the chunks of file contents.
fn contents(file: &File, superblock: &[u8], node: usize) -> Result<Vec<Range<u64>>> {
    let system: Vec<(u64, btrfs_item::Chunk)> = system_chunks(superblock)?
        .into_iter()
        .map(|position| {
            (LE::read_u64(&superblock[position - 8..]), btrfs_item::Chunk::read(&superblock[position..]))
        })
        .collect();
    let mut found = Vec::new();
    let mut waiting = vec![LE::read_u64(&superblock[88..])];
    while let Some(create) = waiting.pop() {
        let position = system.iter().find_map(|(start, chunk)| chunk.position(*start, create));
        let Some(position) = position else { bail!("the chunk tree is outside the system's chunks") };
        let mut block = vec![0; node];
        file.read_exact_at(&mut block, position).context("reading the chunk tree")?;
        let count = usize::try_from(LE::read_u32(&block[COUNT..]))?;
        if block[LEVEL] > 0 {
            waiting.extend((0..count).map(|index| LE::read_u64(&block[HEAD + index * POINTER + 17..])));
            continue;
        }
        for item in items(&block)? {
            if item.kind == btrfs_item::CHUNK {
                let chunk = btrfs_item::Chunk::read(&block[item.position..]);
                found.extend(chunk.contents());
            }
        }
    }
    Ok(found)
}

/// Returns the offsets of the chunks that the superblock itself describes; a key precedes each.
fn system_chunks(superblock: &[u8]) -> Result<Vec<usize>> {
    let end = SYSTEM_CHUNKS + usize::try_from(LE::read_u32(&superblock[160..]))?;
    ensure!(end <= SYSTEM_CHUNKS_END, "the superblock is damaged");
    let mut found = Vec::new();
    let mut position = SYSTEM_CHUNKS;
    while position < end {
        found.push(position + 17);
        position += 17 + btrfs_item::Chunk::read(&superblock[position + 17..]).length();
    }
    Ok(found)
}

fn items(leaf: &[u8]) -> Result<Vec<Item>> {
    let count = usize::try_from(LE::read_u32(&leaf[COUNT..]))?;
    ensure!(HEAD + count * ITEM <= leaf.len(), "a leaf is damaged");
    (0..count)
        .map(|index| {
            let key = HEAD + index * ITEM;
            let position = HEAD + usize::try_from(LE::read_u32(&leaf[key + 17..]))?;
            let size = usize::try_from(LE::read_u32(&leaf[key + 21..]))?;
            ensure!(position + size <= leaf.len(), "a leaf is damaged");
            Ok(Item { key, object: LE::read_u64(&leaf[key..]), kind: leaf[key + 8], position, size })
        })
        .collect()
}

fn finish_block(block: &mut [u8], settings: &Settings) -> Result<()> {
    block[CHUNK_TREE..CHUNK_TREE + 16].copy_from_slice(&settings.chunk_tree);
    if block[LEVEL] == 0 {
        let items = items(block)?;
        // Remains of removed items lie between keys and contents.
        let free = HEAD + items.len() * ITEM..items.last().map_or(block.len(), |item| item.position);
        ensure!(free.start <= free.end, "a leaf is damaged");
        block[free].fill(0);
        btrfs_item::finish(block, &items, settings);
    } else {
        let end = HEAD + usize::try_from(LE::read_u32(&block[COUNT..]))? * POINTER;
        ensure!(end <= block.len(), "a node is damaged");
        block[end..].fill(0);
    }
    seal(block);
    Ok(())
}

fn seal(block: &mut [u8]) {
    let sum = CRC.checksum(&block[32..]);
    block[..4].copy_from_slice(&sum.to_le_bytes());
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "the test asks the foreign tools")]
mod tests {
    use test_programs::{have, run};

    use super::*;

    const UUID: &str = "11111111-2222-4333-8444-555555555555";

    /// Uses more files than one leaf describes, so that there are nodes; with duplicated trees, single ones and mixed chunks.
    #[test]
    fn finished_file_systems_satisfy_btrfs_check_and_are_the_same_later() {
        if !have(&["mkfs.btrfs", "btrfs", "cmp"]) {
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name).display().to_string();
        std::fs::create_dir(path("tree")).unwrap();
        for number in 0..2000 {
            std::fs::write(directory.path().join(format!("tree/{number}")), vec![7; number]).unwrap();
        }
        for options in [["--metadata", "dup"].as_slice(), &["--metadata", "single"], &["--mixed"]] {
            let images = [path("one"), path("other")];
            for image in &images {
                let file =
                    File::options().read(true).write(true).create(true).truncate(true).open(image).unwrap();
                file.set_len(256 << 20).unwrap();
                let tree = path("tree");
                let arguments = ["--quiet", "--force", "--uuid", UUID, "--rootdir", &tree];
                run("mkfs.btrfs", &[&arguments, options, &[image]].concat());
                finish(&file, UUID, 1_000_000_000).unwrap();
                let checked = run("btrfs", &["check", "--check-data-csum", image]);
                assert!(checked.contains("no error found"), "{options:?}: {checked}");
            }
            run("cmp", &[&images[0], &images[1]]);
            let shown = run("btrfs", &["inspect-internal", "dump-tree", "-t", "5", &images[0]]);
            assert!(
                shown.contains("ctime 1000000000.0") && shown.contains("otime 1000000000.0"),
                "{options:?}"
            );
            assert!(!shown.contains("time 17") && !shown.contains("time 18"), "{options:?}: a later time");
        }
    }
}
