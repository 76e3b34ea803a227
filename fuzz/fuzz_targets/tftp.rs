//! No packets of a TFTP server make a download panic, take a block twice or out of order, or agree to more than was requested.
//!
//! The first two bytes of an input are block size and window; packets follow, each behind its length.
#![no_main]

use libfuzzer_sys::fuzz_target;
use linuxrc::net::tftp::packet::Packet;
use linuxrc::net::tftp::receiver::{Block, Receiver};
use linuxrc::net::tftp::{Agreement, BlockSize, Wish};

fuzz_target!(|input: &[u8]| {
    let [block_size, window, rest @ ..] = input else { return };
    let (block_size, window) = (u16::from(*block_size) + 8, u16::from(*window));
    let mut receiver = Receiver::new(block_size, window);
    let (mut rest, mut taken) = (rest, 0_u64);
    while let [length, tail @ ..] = rest {
        let (packet, tail) = tail.split_at(usize::from(*length).min(tail.len()));
        rest = tail;
        let Some(packet) = Packet::parse(packet) else { continue };
        match &packet {
            Packet::Data { block, bytes } => match receiver.receive(*block, bytes.len()) {
                Block::Next { acknowledge, last } => {
                    taken += 1;
                    assert!(*block == taken as u16 || taken > 65535);
                    assert_eq!(last, receiver.finished());
                    if acknowledge {
                        assert_eq!(receiver.acknowledgement(), *block);
                    }
                }
                Block::TooLong => assert!(bytes.len() > block_size.into()),
                Block::Old | Block::Gap { .. } => {}
            },
            Packet::Options(options) => {
                let size = BlockSize::Fixed(block_size);
                let wish = Wish::first(size);
                if let Some(agreed) = Agreement::of(wish, options) {
                    assert!(agreed.block_size <= wish.block_size.max(512) && agreed.window <= wish.window);
                    let _ = (wish.better(size, &agreed), wish.better(BlockSize::Mtu(1500), &agreed));
                }
            }
            Packet::Acknowledge { .. } | Packet::Error { .. } => {}
        }
        let encoded = packet.encode();
        assert_eq!(Packet::parse(&encoded), Some(packet));
    }
});
