//! The items of Btrfs leaves that hold times or identifiers.

use std::ops::Range;

use byteorder::{ByteOrder, LE};

use crate::host::device::Device;
use crate::identity::Identity;

const INODE: u8 = 1;
const ATTRIBUTE: u8 = 24;
const NAME: u8 = 84;
const NAME_BY_NUMBER: u8 = 96;
const ROOT: u8 = 132;
const DEVICE_EXTENT: u8 = 204;
const DEVICE: u8 = 216;
pub(super) const CHUNK: u8 = 228;
const SUBVOLUME_ID: u8 = 251;

/// Offsets in an inode: mode, device number.
const MODE: usize = 52;
const NUMBER: usize = 56;
/// Offsets in an inode: access, change, modification, creation, each seconds and nanoseconds.
const ACCESS: usize = 112;
const CHANGE: usize = 124;
const MODIFICATION: usize = 136;
const CREATION: usize = 148;
const INODE_SIZE: usize = 160;
/// Offsets in the item of a tree's root.
const ROOT_ID: Range<usize> = 247..263;
const ROOT_CHANGE: usize = 327;
const ROOT_CREATION: usize = 339;

/// The times and identifiers that replace those of mkfs.
pub(super) struct Settings {
    pub(super) epoch: u64,
    pub(super) device: [u8; 16],
    pub(super) chunk_tree: [u8; 16],
    identity: Identity,
}

impl Settings {
    pub(super) fn new(uuid: &str, epoch: u64) -> Self {
        let identity = Identity::new(epoch, ["btrfs", uuid]);
        Self { epoch, device: identity.uuid("device"), chunk_tree: identity.uuid("chunk tree"), identity }
    }

    /// Returns the identifier of a subvolume.
    pub(super) fn subvolume(&self, number: u64) -> [u8; 16] {
        self.identity.uuid(&format!("subvolume {number}"))
    }
}

/// An item of a leaf.
pub(super) struct Item {
    /// The offset of its key in the leaf.
    pub(super) key: usize,
    pub(super) object: u64,
    pub(super) kind: u8,
    /// The offset of its content in the leaf.
    pub(super) position: usize,
    pub(super) size: usize,
}

/// Sets the values in the items of one leaf.
pub(super) fn finish(leaf: &mut [u8], items: &[Item], settings: &Settings) {
    for item in items {
        let content = &mut leaf[item.position..item.position + item.size];
        match item.kind {
            INODE if item.size >= INODE_SIZE => finish_inode(content, settings.epoch),
            ATTRIBUTE | NAME | NAME_BY_NUMBER => finish_names(content),
            ROOT if item.size >= ROOT_CREATION + 12 => {
                for position in [ROOT_CHANGE, ROOT_CREATION] {
                    if LE::read_u64(&content[position..]) != 0 {
                        set_time(content, position, settings.epoch);
                    }
                }
                if content[ROOT_ID] != [0; 16] {
                    content[ROOT_ID].copy_from_slice(&settings.subvolume(item.object));
                }
            }
            DEVICE_EXTENT if item.size >= 48 => content[32..48].copy_from_slice(&settings.chunk_tree),
            DEVICE if item.size >= 98 => finish_device(content, settings),
            CHUNK if item.size >= 80 => finish_chunk(content, settings),
            _ => {}
        }
    }
    finish_subvolume_ids(leaf, items, settings);
}

/// Clears the transaction number of each name, which mkfs copies from uninitialised memory. Names with equal hashes share an
/// item.
fn finish_names(content: &mut [u8]) {
    let mut position = 0;
    while position + 30 <= content.len() {
        content[position + 17..position + 25].fill(0);
        position += 30
            + usize::from(LE::read_u16(&content[position + 25..]))
            + usize::from(LE::read_u16(&content[position + 27..]));
    }
}

/// Converts a device number to the form of the kernel's Btrfs code, which is the kernel's internal one.
pub(super) fn number_of(device: Device) -> u64 {
    u64::from(device.major) << 20 | u64::from(device.minor)
}

/// The access time of a device node is its number (`btrfs::hand_over`).
fn finish_inode(inode: &mut [u8], epoch: u64) {
    if matches!(LE::read_u32(&inode[MODE..]) & libc::S_IFMT, libc::S_IFCHR | libc::S_IFBLK) {
        inode.copy_within(ACCESS..ACCESS + 8, NUMBER);
    }
    for position in [ACCESS, CHANGE, CREATION] {
        set_time(inode, position, epoch);
    }
    if LE::read_u64(&inode[MODIFICATION..]) > epoch {
        set_time(inode, MODIFICATION, epoch);
    }
    // To the second, like every other file system that kiwi writes.
    inode[MODIFICATION + 8..MODIFICATION + 12].fill(0);
}

fn set_time(content: &mut [u8], position: usize, epoch: u64) {
    content[position..position + 8].copy_from_slice(&epoch.to_le_bytes());
    content[position + 8..position + 12].fill(0);
}

/// Replaces the ids of subvolumes. The id is the key, so new ids have a different order; each maps to its subvolume.
fn finish_subvolume_ids(leaf: &mut [u8], items: &[Item], settings: &Settings) {
    let ids: Vec<&Item> = items.iter().filter(|item| item.kind == SUBVOLUME_ID && item.size == 8).collect();
    let mut entries: Vec<([u8; 16], u64)> = ids
        .iter()
        .map(|item| LE::read_u64(&leaf[item.position..]))
        .map(|number| (settings.subvolume(number), number))
        .collect();
    entries.sort_by_key(|(id, _)| (LE::read_u64(id), LE::read_u64(&id[8..])));
    for (item, (id, number)) in ids.into_iter().zip(entries) {
        leaf[item.key..item.key + 8].copy_from_slice(&id[..8]);
        leaf[item.key + 9..item.key + 17].copy_from_slice(&id[8..]);
        leaf[item.position..item.position + 8].copy_from_slice(&number.to_le_bytes());
    }
}

/// Replaces the description of the only device.
pub(super) fn finish_device(device: &mut [u8], settings: &Settings) {
    device[66..82].copy_from_slice(&settings.device);
}

/// Replaces the device id that a chunk has for each of its stripes.
pub(super) fn finish_chunk(chunk: &mut [u8], settings: &Settings) {
    for stripe in 0..usize::from(LE::read_u16(&chunk[44..])) {
        let position = 48 + stripe * 32 + 16;
        if let Some(device) = chunk.get_mut(position..position + 16) {
            device.copy_from_slice(&settings.device);
        }
    }
}

/// A range of logical addresses and its position on the device.
pub(super) struct Chunk {
    bytes: u64,
    /// Whether it holds file contents and no trees.
    contents: bool,
    stripes: Vec<u64>,
}

impl Chunk {
    pub(super) fn read(item: &[u8]) -> Self {
        let stripes = (0..usize::from(LE::read_u16(&item[44..]))).map(|index| 48 + index * 32);
        Self {
            bytes: LE::read_u64(item),
            contents: LE::read_u32(&item[24..]) & 7 == 1,
            stripes: stripes
                .filter(|position| position + 32 <= item.len())
                .map(|position| LE::read_u64(&item[position + 8..]))
                .collect(),
        }
    }

    /// Bytes of the item.
    pub(super) fn length(&self) -> usize {
        48 + self.stripes.len() * 32
    }

    /// Returns the device offset of the logical address, if it is in the chunk that starts at `start`.
    pub(super) fn position(&self, start: u64, create: u64) -> Option<u64> {
        let inside = create.checked_sub(start).filter(|inside| *inside < self.bytes)?;
        self.stripes.first().map(|stripe| stripe + inside)
    }

    /// Returns the device ranges, if the chunk holds only file contents.
    pub(super) fn contents(&self) -> Vec<Range<u64>> {
        if !self.contents {
            return Vec::new();
        }
        self.stripes.iter().map(|start| *start..start + self.bytes).collect()
    }
}
