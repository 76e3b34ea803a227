use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const SIZE: u16 = 8;

/// A server that sends windows of blocks after each acknowledgement, over a network that loses, repeats and swaps packets.
/// `fates` decides about each packet; after their end, every packet arrives. Returns the blocks in the order in which the
/// receiver takes them.
fn transfer(length: usize, window: u16, fates: &[u8]) -> Vec<usize> {
    let blocks = length / usize::from(SIZE) + 1;
    let bytes_of = |block: usize| (length - (block - 1) * usize::from(SIZE)).min(SIZE.into());
    let mut receiver = Receiver::new(SIZE, window);
    let (mut taken, mut fates, mut acknowledged) = (Vec::new(), fates.iter().copied(), 0_usize);
    let mut rounds = 0;
    while !receiver.finished() {
        rounds += 1;
        assert!(rounds < 200_000, "the transfer does not end");
        let mut sent: Vec<usize> = Vec::new();
        for block in acknowledged + 1..=(acknowledged + usize::from(window)).min(blocks) {
            match fates.next().unwrap_or(9) {
                0 => {}
                1 => sent.extend([block, block]),
                2 if !sent.is_empty() => sent.insert(sent.len() - 1, block),
                _ => sent.push(block),
            }
        }
        let mut reply = None;
        for block in sent {
            match receiver.receive(block as u16, bytes_of(block)) {
                Block::Next { acknowledge, last } => {
                    assert_eq!(last, block == blocks);
                    taken.push(block);
                    if acknowledge {
                        reply = Some(receiver.acknowledgement());
                    }
                }
                Block::Gap { first: true } => reply = Some(receiver.acknowledgement()),
                Block::Gap { first: false } | Block::Old => {}
                Block::TooLong => panic!("no block is too long"),
            }
        }
        // A timer repeats the acknowledgement if nothing came; any acknowledgement can be lost.
        let reply = reply.unwrap_or_else(|| receiver.acknowledgement());
        if fates.next() != Some(0) {
            acknowledged += usize::from(reply.wrapping_sub(acknowledged as u16));
        }
    }
    taken
}

proptest! {
    #[test]
    fn a_file_arrives_complete_and_in_order(
        length in 0..900_usize, window in 1..20_u16, fates in vec(0..9_u8, 0..2000),
    ) {
        let blocks = length / usize::from(SIZE) + 1;
        prop_assert_eq!(transfer(length, window, &fates), (1..=blocks).collect::<Vec<_>>());
    }

    #[test]
    fn any_numbers_are_taken_or_ignored(window in any::<u16>(), blocks in vec((any::<u16>(), 0..12_usize), 0..50)) {
        let mut receiver = Receiver::new(SIZE, window);
        for (number, length) in blocks {
            let before = receiver.clone();
            match receiver.receive(number, length) {
                Block::Next { .. } => prop_assert_eq!(receiver.arrived, before.arrived + 1),
                Block::Old | Block::Gap { .. } => prop_assert_eq!(receiver.arrived, before.arrived),
                Block::TooLong => prop_assert!(length > SIZE.into()),
            }
        }
    }
}

#[test]
fn numbers_start_again_after_65535() {
    let length = usize::from(SIZE) * 140_000;
    for window in [1, 16] {
        assert_eq!(transfer(length, window, &[9, 9, 0, 1, 2, 0]).len(), 140_001, "window {window}");
    }
}

#[test]
fn a_server_may_count_from_one_again() {
    let mut receiver = Receiver::new(SIZE, 1);
    for block in 0..140_000_u32 {
        let number = (block % 65535 + 1) as u16;
        assert_eq!(
            receiver.receive(number, SIZE.into()),
            Block::Next { acknowledge: true, last: false },
            "{block}"
        );
        assert_eq!(receiver.acknowledgement(), number);
        assert_eq!(receiver.receive(number, SIZE.into()), Block::Old, "{block}");
    }
}

#[test]
fn a_gap_is_reported_once() {
    let mut receiver = Receiver::new(SIZE, 4);
    assert_eq!(receiver.receive(1, 8), Block::Next { acknowledge: false, last: false });
    assert_eq!(
        [3, 4].map(|number| receiver.receive(number, 8)),
        [true, false].map(|first| Block::Gap { first })
    );
    assert_eq!(receiver.acknowledgement(), 1);
    for (number, acknowledge) in [(2, false), (3, false), (4, false), (5, true)] {
        assert_eq!(receiver.receive(number, 8), Block::Next { acknowledge, last: false }, "{number}");
    }
    assert_eq!(receiver.receive(6, 9), Block::TooLong);
}
