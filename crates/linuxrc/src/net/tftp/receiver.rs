//! The receiving side of a transfer, without a socket: which block is next, and what is acknowledged when.

/// What a block means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Block {
    /// It is the next one.
    Next {
        /// Whether the server waits for an acknowledgement.
        acknowledge: bool,
        /// Whether it is the last one of the file.
        last: bool,
    },
    /// It arrived before; the server may have missed the acknowledgement.
    Old,
    /// One before it is missing. The first time, an acknowledgement makes the server send the missing one.
    Gap {
        /// Whether it is the first one after the missing block.
        first: bool,
    },
    /// It is longer than agreed.
    TooLong,
}

/// The receiving side of a transfer.
#[derive(Debug, Clone)]
pub struct Receiver {
    block_size: usize,
    window: u16,
    /// Blocks that arrived, without limit.
    arrived: u64,
    /// How many of them were not acknowledged.
    open: u16,
    gap_reported: bool,
    /// The server counts from 1 after 65535.
    skips_zero: bool,
    finished: bool,
}

impl Receiver {
    /// Returns a receiver for blocks of this size, of which the server sends `window` before it waits.
    pub fn new(block_size: u16, window: u16) -> Self {
        Self {
            block_size: block_size.into(),
            window: window.max(1),
            arrived: 0,
            open: 0,
            gap_reported: false,
            skips_zero: false,
            finished: false,
        }
    }

    /// Whether the last block has arrived.
    pub fn finished(&self) -> bool {
        self.finished
    }

    /// Returns the number of a block in packets.
    fn number(&self, block: u64) -> u16 {
        if self.skips_zero && block > 0 { ((block - 1) % 65535 + 1) as u16 } else { block as u16 }
    }

    /// Takes the block with this number and of this many bytes.
    pub fn receive(&mut self, number: u16, length: usize) -> Block {
        if length > self.block_size {
            return Block::TooLong;
        }
        // In lockstep, nothing but the next block can follow 65535, so 1 can only be another way of counting.
        if self.arrived == 65535 && number == 1 && self.window == 1 {
            self.skips_zero = true;
        }
        let ahead = number.wrapping_sub(self.number(self.arrived + 1));
        if self.finished || ahead > i16::MAX as u16 {
            return Block::Old;
        }
        if ahead > 0 {
            return Block::Gap { first: !std::mem::replace(&mut self.gap_reported, true) };
        }
        self.arrived += 1;
        self.open += 1;
        self.gap_reported = false;
        self.finished = length < self.block_size;
        Block::Next { acknowledge: self.finished || self.open >= self.window, last: self.finished }
    }

    /// Returns the number that acknowledges all that has arrived. The server's next window starts after it.
    pub fn acknowledgement(&mut self) -> u16 {
        self.open = 0;
        self.number(self.arrived)
    }
}

#[cfg(test)]
mod tests;
