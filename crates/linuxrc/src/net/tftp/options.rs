//! What a client asks of a server, and what the server agrees to.

use std::time::Duration;

/// The block size without options.
pub(super) const PLAIN_BLOCK: u16 = 512;
/// The largest block of RFC 2348.
const LARGEST_BLOCK: u16 = 65464;
/// Length of the headers of IP, UDP and TFTP.
const HEADERS: u16 = 32;
/// The block size of KIWI 1.x, for servers that send one block at a time. Its packets are fragmented.
const DEFAULT_BLOCK: u16 = 8192;
/// Blocks per acknowledgement.
const WINDOW: u16 = 16;
/// A file up to this size needs no other block size.
const SMALL: u64 = 1 << 20;

/// How large the blocks are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockSize {
    /// This size, or more for a large file: a block is larger than a 32768th of it (KIWI 1.x).
    Fixed(u16),
    /// As large as packets of this many bytes allow if the server sends several blocks per acknowledgement, and otherwise
    /// 8192.
    Mtu(u16),
    /// As large as packets of this many bytes allow, whatever the server and the file are.
    Packet(u16),
}

impl BlockSize {
    /// Returns block sizes of which none needs several packets of `mtu` bytes.
    #[must_use]
    pub fn in_one_packet(self, mtu: u16) -> Self {
        match self {
            Self::Fixed(size) if size <= mtu.saturating_sub(HEADERS) => self,
            Self::Fixed(_) => Self::Packet(mtu),
            Self::Mtu(own) | Self::Packet(own) => Self::Packet(own),
        }
    }
}

/// The options of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// Bytes per block.
    pub block_size: u16,
    /// Blocks per acknowledgement.
    pub window: u16,
}

/// What a server agreed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreement {
    /// Bytes per block.
    pub block_size: u16,
    /// Blocks per acknowledgement.
    pub window: u16,
    /// The size of the file in bytes.
    pub size: Option<u64>,
}

impl Agreement {
    /// What holds if the server knows no options.
    pub const PLAIN: Self = Self { block_size: PLAIN_BLOCK, window: 1, size: None };

    /// Reads the options that a server confirmed. None: it confirmed what nobody asked for.
    pub fn of(wish: Wish, confirmed: &[(String, String)]) -> Option<Self> {
        let mut agreement = Self::PLAIN;
        for (name, value) in confirmed {
            match name.as_str() {
                "blksize" => {
                    agreement.block_size =
                        value.parse().ok().filter(|size| (8..=wish.block_size).contains(size))?;
                }
                "windowsize" => {
                    agreement.window =
                        value.parse().ok().filter(|window| (1..=wish.window).contains(window))?;
                }
                "tsize" => agreement.size = Some(value.parse().ok()?),
                "utimeout" => {}
                _ => return None,
            }
        }
        Some(agreement)
    }
}

impl Wish {
    /// Returns the options of the first request.
    pub fn first(block_size: BlockSize) -> Self {
        let block_size = match block_size {
            BlockSize::Fixed(size) => size.clamp(8, LARGEST_BLOCK),
            BlockSize::Mtu(mtu) | BlockSize::Packet(mtu) => {
                mtu.saturating_sub(HEADERS).clamp(PLAIN_BLOCK, LARGEST_BLOCK)
            }
        };
        Self { block_size, window: WINDOW }
    }

    /// Returns better options for the file, now that the server's first answer is known. None: these are good.
    pub fn better(self, block_size: BlockSize, agreed: &Agreement) -> Option<Self> {
        if agreed.block_size < self.block_size {
            return None;
        }
        let size = match block_size {
            BlockSize::Packet(_) => return None,
            BlockSize::Fixed(_) => at_least(agreed.size.unwrap_or(0), self.block_size),
            BlockSize::Mtu(_) if agreed.window > 1 || agreed.size.is_some_and(|size| size <= SMALL) => {
                return None;
            }
            BlockSize::Mtu(_) => at_least(agreed.size.unwrap_or(0), self.block_size.max(DEFAULT_BLOCK)),
        };
        (size != self.block_size).then_some(Self { block_size: size, ..self })
    }

    /// Returns the options as texts. `utimeout` is understood by tftpd-hpa: how long it waits before it sends a block again,
    /// in microseconds. Its default is a second, and it ignores repeated acknowledgements.
    pub(super) fn texts(self, size: u64) -> Vec<(&'static str, String)> {
        const SERVER_WAIT: Duration = Duration::from_millis(200);
        vec![
            ("tsize", size.to_string()),
            ("blksize", self.block_size.to_string()),
            ("windowsize", self.window.to_string()),
            ("utimeout", SERVER_WAIT.as_micros().to_string()),
        ]
    }
}

/// Applies the rule of KIWI 1.x: a block is larger than a 32768th of the file, so that block numbers do not start again.
pub(super) fn at_least(file: u64, block_size: u16) -> u16 {
    let part = file / 32768;
    if part > u64::from(block_size) {
        u16::try_from(part + 1024).unwrap_or(LARGEST_BLOCK).min(LARGEST_BLOCK)
    } else {
        block_size
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_grow_with_the_file() {
        for (file, asked, expected) in [
            (0, 4096, 4096),
            (4096 * 32768 + 32767, 4096, 4096),
            (4097 * 32768, 4096, 5121),
            (65463 * 32768, 4096, LARGEST_BLOCK),
            (u64::MAX, 4096, LARGEST_BLOCK),
        ] {
            assert_eq!(at_least(file, asked), expected, "{file}");
        }
    }

    #[test]
    fn a_second_request_is_made_where_it_pays() {
        let better = |block_size, block, window, size| {
            let agreed = Agreement { block_size: block, window, size };
            Wish::first(block_size).better(block_size, &agreed).map(|wish| wish.block_size)
        };
        let (large, small) = (Some(100 << 20), Some(1000));
        assert_eq!(better(BlockSize::Mtu(1500), 1468, 16, large), None, "windows are as good");
        assert_eq!(better(BlockSize::Mtu(1500), 1468, 1, large), Some(8192));
        assert_eq!(better(BlockSize::Mtu(1500), 1468, 1, None), Some(8192));
        assert_eq!(better(BlockSize::Mtu(1500), 1468, 1, small), None);
        assert_eq!(better(BlockSize::Mtu(1500), 512, 1, large), None, "the server has a limit");
        assert_eq!(better(BlockSize::Mtu(9000), 8968, 1, large), None);
        assert_eq!(better(BlockSize::Packet(1500), 1468, 1, large), None);
        assert_eq!(better(BlockSize::Fixed(1024), 1024, 1, large), Some(4224));
        assert_eq!(better(BlockSize::Fixed(4096), 4096, 1, large), None);
    }

    #[test]
    fn one_packet_holds_a_block_if_packets_are_lost() {
        for (block_size, expected) in [
            (BlockSize::Mtu(9000), BlockSize::Packet(9000)),
            (BlockSize::Packet(576), BlockSize::Packet(576)),
            (BlockSize::Fixed(1468), BlockSize::Fixed(1468)),
            (BlockSize::Fixed(1469), BlockSize::Packet(1500)),
        ] {
            assert_eq!(block_size.in_one_packet(1500), expected);
        }
    }

    #[test]
    fn only_what_was_asked_for_is_agreed() {
        let wish = Wish { block_size: 1468, window: 16 };
        let of = |options: &[(&str, &str)]| {
            let options: Vec<_> =
                options.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            Agreement::of(wish, &options)
        };
        assert_eq!(of(&[]), Some(Agreement::PLAIN));
        let all = of(&[("blksize", "1024"), ("windowsize", "4"), ("tsize", "70"), ("utimeout", "200000")]);
        assert_eq!(all, Some(Agreement { block_size: 1024, window: 4, size: Some(70) }));
        for bad in
            [("blksize", "1469"), ("blksize", "7"), ("windowsize", "0"), ("windowsize", "17"), ("x", "1")]
        {
            assert_eq!(of(&[bad]), None, "{bad:?}");
        }
    }
}
