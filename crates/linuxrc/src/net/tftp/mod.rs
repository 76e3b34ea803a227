//! The TFTP client: downloads and uploads.
//!
//! A lost packet is repeated by the side that waits for the next one. A repeated block is acknowledged again only if the last
//! acknowledgement is so old that it must be lost; otherwise two sides that answer every repetition would send everything twice
//! until the end of the transfer.

mod options;
pub mod packet;
pub mod receiver;
mod socket;
mod timer;

use std::net::SocketAddrV4;
use std::ops::Range;
use std::time::Duration;

pub use options::{Agreement, BlockSize, Wish};
use packet::{DATA_HEADER, Operation, Packet, code};
use receiver::{Block, Receiver};
use socket::Socket;

use crate::net::error::{NetError, NetErrorKind};

/// The port of TFTP servers.
pub const PORT: u16 = 69;
/// The largest answer to a request: the options, or a block without options.
const FIRST_ANSWER: usize = DATA_HEADER + options::PLAIN_BLOCK as usize + 1;

/// A file on its way from a server.
pub struct Download {
    socket: Socket,
    receiver: Receiver,
    agreement: Agreement,
    buffer: Vec<u8>,
    /// The part of the buffer that was not taken.
    rest: Range<usize>,
    /// Whether the server got the request and confirmed options, which it may repeat.
    confirmed: bool,
}

impl Download {
    /// Requests a file. After `patience` without progress, now or later, the transfer ends.
    pub fn start(
        server: SocketAddrV4,
        name: &str,
        block_size: BlockSize,
        patience: Duration,
    ) -> Result<Self, NetError> {
        let mut wish = Some(Wish::first(block_size));
        let mut has_better = true;
        loop {
            match (Self::request(server, name, wish, patience)?, wish) {
                (Started::Without, Some(_)) => wish = None,
                (Started::Without, None) => {
                    let text =
                        format!("TFTP of {name} from {server}: the server refuses a request without options");
                    return Err(NetError::new(NetErrorKind::Protocol, text));
                }
                (Started::Download(download), Some(asked)) if has_better => {
                    let Some(better) = asked.better(block_size, &download.agreement) else {
                        return Ok(*download);
                    };
                    download.socket.abort("other options");
                    wish = Some(better);
                    has_better = false;
                }
                (Started::Download(download), _) => return Ok(*download),
            }
        }
    }

    fn request(
        server: SocketAddrV4,
        name: &str,
        wish: Option<Wish>,
        patience: Duration,
    ) -> Result<Started, NetError> {
        let what = format!("TFTP of {name} from {}", server.ip());
        let texts = wish.map(|wish| wish.texts(0)).unwrap_or_default();
        let mut socket =
            Socket::start(server, packet::request(Operation::Read, name, &texts), what, patience)?;
        let mut buffer = vec![0; FIRST_ANSWER];
        let length = socket.receive(&mut buffer)?;
        let agreement = match Packet::parse(&buffer[..length]) {
            Some(Packet::Options(confirmed)) => wish
                .and_then(|wish| Agreement::of(wish, &confirmed))
                .ok_or_else(|| socket.protocol("the server confirms options that were not requested"))?,
            Some(Packet::Data { .. }) => Agreement::PLAIN,
            Some(Packet::Error { code: code::OPTIONS, .. }) if wish.is_some() => return Ok(Started::Without),
            Some(Packet::Error { code, text }) => return Err(socket.reported(code, &text)),
            Some(Packet::Acknowledge { .. }) | None => return Err(socket.protocol("the answer is not data")),
        };
        let is_data = matches!(Packet::parse(&buffer[..length]), Some(Packet::Data { .. }));
        let mut download = Self {
            receiver: Receiver::new(agreement.block_size, agreement.window),
            socket,
            agreement,
            buffer,
            rest: 0..0,
            confirmed: !is_data,
        };
        if is_data {
            download.take(length)?;
        } else {
            download.buffer = vec![0; DATA_HEADER + usize::from(agreement.block_size) + 1];
        }
        Ok(Started::Download(Box::new(download)))
    }

    /// Returns the size of the file, if the server knows it.
    pub fn size(&self) -> Option<u64> {
        self.agreement.size
    }

    /// Returns what was agreed with the server.
    pub fn agreement(&self) -> Agreement {
        self.agreement
    }

    /// Copies the next bytes of the file; 0 is its end.
    pub fn read(&mut self, target: &mut [u8]) -> Result<usize, NetError> {
        // The options are acknowledged when the first bytes are wanted, which may be never.
        if self.confirmed && self.rest.is_empty() {
            self.confirmed = false;
            self.acknowledge()?;
        }
        if self.rest.is_empty() {
            self.socket.timer.begin();
        }
        while self.rest.is_empty() && !self.receiver.finished() {
            let length = self.socket.receive(&mut self.buffer)?;
            self.take(length)?;
        }
        let count = self.rest.len().min(target.len());
        target[..count].copy_from_slice(&self.buffer[self.rest.start..self.rest.start + count]);
        self.rest.start += count;
        Ok(count)
    }

    /// Takes the packet in the buffer.
    fn take(&mut self, length: usize) -> Result<(), NetError> {
        let (block, bytes) = match Packet::parse(&self.buffer[..length]) {
            Some(Packet::Data { block, bytes }) => (block, bytes.len()),
            Some(Packet::Error { code, text }) => return Err(self.socket.reported(code, &text)),
            // The server has not got the acknowledgement of the options.
            Some(Packet::Options(_)) => {
                return if self.socket.timer.is_late() { self.socket.repeat() } else { Ok(()) };
            }
            Some(Packet::Acknowledge { .. }) | None => {
                return Err(self.socket.protocol("a packet is not data"));
            }
        };
        match self.receiver.receive(block, bytes) {
            Block::Next { acknowledge, last: _ } => {
                self.rest = DATA_HEADER..DATA_HEADER + bytes;
                if acknowledge {
                    self.socket.timer.answered();
                    self.acknowledge()?;
                }
                Ok(())
            }
            Block::Gap { first: true } => self.acknowledge(),
            Block::Old if self.socket.timer.is_late() => self.acknowledge(),
            Block::Gap { first: false } | Block::Old => Ok(()),
            Block::TooLong => Err(self.socket.protocol("a block is longer than agreed")),
        }
    }

    fn acknowledge(&mut self) -> Result<(), NetError> {
        let block = self.receiver.acknowledgement();
        self.socket.send(Packet::Acknowledge { block }.encode())
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        if !self.receiver.finished() {
            self.socket.abort("the client needs no more");
        }
    }
}

/// The outcome of a request.
enum Started {
    Download(Box<Download>),
    /// The server refuses options.
    Without,
}

/// Sends `bytes` to a server as the file `name`.
pub fn upload(server: SocketAddrV4, name: &str, bytes: &[u8], patience: Duration) -> Result<(), NetError> {
    let what = format!("TFTP of {name} to {}", server.ip());
    let mut socket = Socket::start(server, packet::request(Operation::Write, name, &[]), what, patience)?;
    // A last block that is full needs an empty one behind it.
    let full = bytes.chunks_exact(options::PLAIN_BLOCK.into());
    let blocks: Vec<&[u8]> = full.clone().chain([full.remainder()]).collect();
    let mut buffer = vec![0; FIRST_ANSWER];
    let mut acknowledged = 0_usize;
    loop {
        let length = socket.receive(&mut buffer)?;
        match Packet::parse(&buffer[..length]) {
            // An acknowledgement of an earlier block is ignored: the timer repeats what is lost.
            Some(Packet::Acknowledge { block }) if block == acknowledged as u16 => {
                socket.timer.answered();
                socket.timer.begin();
                let Some(bytes) = blocks.get(acknowledged) else { return Ok(()) };
                acknowledged += 1;
                socket.send(Packet::Data { block: acknowledged as u16, bytes }.encode())?;
            }
            Some(Packet::Acknowledge { .. }) => {}
            Some(Packet::Error { code, text }) => return Err(socket.reported(code, &text)),
            Some(Packet::Data { .. } | Packet::Options(_)) | None => {
                return Err(socket.protocol("the answer is not an acknowledgement"));
            }
        }
    }
}
