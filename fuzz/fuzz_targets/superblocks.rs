//! No bytes at the start of a device make finding its superblock panic, or find one that later code cannot use.
//!
//! An input is three pieces, for the offsets 0, 1024 and 65536 of a device that is zero elsewhere.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ondisk::{Growth, Superblock, probe_swap};

/// Where the pieces go, and how long they are at most.
const PIECES: [(usize, usize); 3] = [(0, 512), (1024, 3072), (0x1_0000, 1024)];

fuzz_target!(|input: &[u8]| {
    let mut device = vec![0; 0x1_1000];
    let mut rest = input;
    for (at, length) in PIECES {
        let (piece, behind) = rest.split_at(length.min(rest.len()));
        device[at..at + piece.len()].copy_from_slice(piece);
        rest = behind;
    }
    let _ = probe_swap(&device);
    for end in [device.len(), 4096, 1100, input.len().min(512)] {
        let Some(found) = Superblock::find(&device[..end]) else { continue };
        match found.growth {
            Growth::Ext { block_size } => assert!((1024..=65536).contains(&block_size)),
            Growth::Xfs { block_size, .. } => assert!((512..=65536).contains(&block_size)),
            Growth::Reiserfs { block_size } => assert!((512..=8192).contains(&block_size)),
            Growth::Btrfs { .. } | Growth::Fixed => {}
        }
    }
});
