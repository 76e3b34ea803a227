//! A server from which files come, by TFTP or HTTP.

use std::fmt;
use std::io::{self, Read};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::{Duration, Instant};

use crate::net::error::{NetError, NetErrorKind};
use crate::net::http::{self, Part};
use crate::net::tftp::{self, BlockSize};

/// How files are transferred.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// TFTP with blocks of this size.
    Tftp {
        /// The block size.
        block_size: BlockSize,
    },
    /// HTTP.
    Http,
}

/// A server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Server {
    /// Its address.
    pub address: Ipv4Addr,
    /// Its port; none: that of the protocol.
    pub port: Option<u16>,
    /// The protocol.
    pub transport: Transport,
    /// How long a request, or a wait for the next bytes, may last without an answer.
    pub patience: Duration,
    /// How long a download waits for a server that has gone away, without a byte from it, and then goes on.
    pub absence: Duration,
}

/// The wait for an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The wait for a server that has gone away.
const ABSENCE: Duration = Duration::from_secs(180);
/// The pause before a request is repeated after a failure.
const PAUSE: Duration = Duration::from_millis(500);
/// How often a transfer may break without a new byte of the file, although the server sent others.
const BREAKS: u32 = 8;
/// How many bytes before the wanted ones are read at once.
const SKIPPED_AT_ONCE: usize = 64 << 10;
/// The packets of Ethernet, in bytes.
const ETHERNET: u16 = 1500;

impl Server {
    /// Returns the server at this address, with the usual port and limits.
    pub fn new(address: Ipv4Addr, transport: Transport) -> Self {
        Self { address, port: None, transport, patience: PATIENCE, absence: ABSENCE }
    }

    fn socket(&self) -> SocketAddrV4 {
        let usual = match self.transport {
            Transport::Tftp { .. } => tftp::PORT,
            Transport::Http => http::PORT,
        };
        SocketAddrV4::new(self.address, self.port.unwrap_or(usual))
    }

    /// Opens the file `path` from the byte `offset` on. If the server goes away in the middle, the reader waits for it and goes
    /// on where it was. Its errors are [`NetError`]s: see [`NetError::within`].
    pub fn open(&self, path: &str, offset: u64) -> Result<Source<'static>, NetError> {
        check_name(path)?;
        let mut source = Source {
            server: *self,
            path: path.to_owned(),
            position: offset,
            file: None,
            stream: None,
            reached: 0,
            heard: Instant::now(),
            report: None,
        };
        source.reopen()?;
        Ok(source)
    }

    /// Returns the whole file `path`, which must not be larger than `limit` bytes.
    pub fn fetch(&self, path: &str, limit: usize) -> Result<Vec<u8>, NetError> {
        let source = self.open(path, 0)?;
        let too_large = || {
            NetError::new(NetErrorKind::TooLarge, format!("{path} on {self} is larger than {limit} bytes"))
        };
        if source.size().is_some_and(|size| size > limit as u64) {
            return Err(too_large());
        }
        let mut bytes = Vec::new();
        source
            .take(limit as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| NetError::of_call(&format!("reading {path} from {self}"), &error))?;
        if bytes.len() > limit { Err(too_large()) } else { Ok(bytes) }
    }

    /// Sends `bytes` to the server as the file `path`: WRQ of TFTP, PUT of HTTP.
    pub fn upload(&self, path: &str, bytes: &[u8]) -> Result<(), NetError> {
        check_name(path)?;
        match self.transport {
            Transport::Tftp { .. } => tftp::upload(self.socket(), path, bytes, self.patience),
            Transport::Http => http::upload(self.socket(), path, bytes, self.patience),
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.transport {
            Transport::Tftp { .. } => "tftp",
            Transport::Http => "http",
        };
        write!(formatter, "{scheme}://{}", self.address)?;
        self.port.map_or(Ok(()), |port| write!(formatter, ":{port}"))
    }
}

/// Rejects names that leave the server's tree or cannot be written in a request.
fn check_name(path: &str) -> Result<(), NetError> {
    let invalid = path.is_empty()
        || path.len() > 400
        || path.chars().any(char::is_control)
        || path.split('/').any(|part| part == "..");
    if invalid {
        return Err(NetError::new(
            NetErrorKind::InvalidName,
            format!("{path:?} is not the name of a file on a server"),
        ));
    }
    Ok(())
}

/// Is told why a download waits for its server, and how long it still does.
pub type Report<'r> = dyn Fn(&NetError, Duration) + Sync + 'r;

/// A file of a server, as a stream.
pub struct Source<'r> {
    server: Server,
    path: String,
    /// The position in the file of the next byte.
    position: u64,
    /// What is known of the file; none: it was not opened yet.
    file: Option<Identity>,
    /// None: the connection was lost.
    stream: Option<Stream>,
    /// The position of the stream, which starts before `position` if the server can only send the file from its start.
    reached: u64,
    /// When the server last sent a byte of the file.
    heard: Instant,
    report: Option<&'r Report<'r>>,
}

/// By what a file is recognised after an interruption.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Identity {
    size: Option<u64>,
    validator: Option<String>,
}

enum Stream {
    Tftp(Box<tftp::Download>),
    Http(Box<http::Download>),
}

impl Stream {
    fn read(&mut self, target: &mut [u8]) -> Result<usize, NetError> {
        match self {
            Self::Tftp(download) => download.read(target),
            Self::Http(download) => download.read(target),
        }
    }
}

impl<'r> Source<'r> {
    /// Returns the stream with somebody who is told about waits.
    pub fn reporting(self, report: &'r Report<'r>) -> Self {
        Self { report: Some(report), ..self }
    }

    /// Returns the size of the whole file in bytes, if the server knows it.
    pub fn size(&self) -> Option<u64> {
        self.file.as_ref()?.size
    }

    /// Copies the next bytes, over a new connection if there is none.
    fn advance(&mut self, target: &mut [u8]) -> Result<usize, NetError> {
        if self.stream.is_none() {
            self.reopen()?;
        }
        let mut before = vec![0; if self.reached < self.position { SKIPPED_AT_ONCE } else { 0 }];
        while self.reached < self.position {
            let most = before.len().min(usize::try_from(self.position - self.reached).unwrap_or(usize::MAX));
            if self.receive(&mut before[..most])? == 0 {
                return Err(shorter(&self.path));
            }
        }
        let count = self.receive(target)?;
        let (end, size) = (self.reached, self.size());
        match size {
            Some(size) if count == 0 && end < size => Err(NetError::new(
                NetErrorKind::Unreachable,
                format!("{} on {} ended after {end} of {size} bytes", self.path, self.server),
            )),
            Some(size) if end > size => Err(NetError::new(
                NetErrorKind::Changed,
                format!(
                    "{} on {} is longer than the {size} bytes that were announced",
                    self.path, self.server
                ),
            )),
            Some(_) | None => {
                self.position = end;
                Ok(count)
            }
        }
    }

    /// Copies the next bytes of the stream; 0 is its end.
    fn receive(&mut self, target: &mut [u8]) -> Result<usize, NetError> {
        let count = self.stream.as_mut().map_or(Ok(0), |stream| stream.read(target))?;
        self.reached += count as u64;
        if count > 0 {
            self.heard = Instant::now();
        }
        Ok(count)
    }

    /// Requests the file from the present position on.
    fn reopen(&mut self) -> Result<(), NetError> {
        let (server, socket) = (self.server, self.server.socket());
        let (stream, first, file) = match server.transport {
            Transport::Tftp { block_size } => {
                let download = tftp::Download::start(socket, &self.path, block_size, server.patience)?;
                let file = Identity { size: download.size(), validator: None };
                (Stream::Tftp(Box::new(download)), 0, file)
            }
            Transport::Http => {
                let part = Part { start: self.position, length: None };
                let download = http::Download::start(socket, &self.path, part, server.patience, None)?;
                let file =
                    Identity { size: download.size(), validator: download.validator().map(str::to_owned) };
                let first = download.first();
                (Stream::Http(Box::new(download)), first, file)
            }
        };
        if self.file.as_ref().is_some_and(|known| *known != file) {
            let text = format!("{} on {server} changed during its download", self.path);
            return Err(NetError::new(NetErrorKind::Changed, text));
        }
        self.file = Some(file);
        self.stream = Some(stream);
        self.reached = first;
        Ok(())
    }

    /// Closes a stream that broke. If TFTP stopped in the middle, packets are lost, and of a block in several packets too many:
    /// its server gives up after a few attempts, and the file must be sent from its start again.
    fn close(&mut self, error: &NetError) {
        let stopped = self.stream.take().is_some() && error.kind == NetErrorKind::Timeout;
        if let (true, Transport::Tftp { block_size }) = (stopped, self.server.transport) {
            self.server.transport = Transport::Tftp { block_size: block_size.in_one_packet(ETHERNET) };
        }
    }
}

impl Read for Source<'_> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if target.is_empty() {
            return Ok(0);
        }
        // The time that the caller spends elsewhere does not count.
        let mut heard = Instant::now();
        self.heard = heard;
        let mut breaks = 0;
        loop {
            let error = match self.advance(target) {
                Ok(count) => return Ok(count),
                Err(error) => error,
            };
            if self.heard != heard {
                heard = self.heard;
                breaks += 1;
            }
            let silence = heard.elapsed();
            if !error.may_pass() || silence >= self.server.absence || breaks > BREAKS {
                return Err(error.into());
            }
            self.close(&error);
            if let Some(report) = self.report {
                report(&error, self.server.absence.saturating_sub(silence));
            }
            std::thread::sleep(PAUSE);
        }
    }
}

fn shorter(path: &str) -> NetError {
    NetError::new(NetErrorKind::Changed, format!("{path} is shorter than it was"))
}

/// Reads `count` bytes and forgets them.
fn skip(stream: &mut Stream, mut count: u64, path: &str) -> Result<(), NetError> {
    let mut buffer = vec![0; SKIPPED_AT_ONCE];
    while count > 0 {
        let most = usize::try_from(count).unwrap_or(usize::MAX).min(buffer.len());
        match stream.read(&mut buffer[..most])? {
            0 => return Err(shorter(path)),
            read => count -= read as u64,
        }
    }
    Ok(())
}

/// Parts of one file, each requested when it is wanted; over one connection where the server allows it.
pub struct Parts {
    server: Server,
    path: String,
    connection: Option<http::Stream>,
}

impl Server {
    /// Returns a reader of parts of the file `path`. Over TFTP, a part costs as much as all that is before it.
    pub fn parts(&self, path: &str) -> Result<Parts, NetError> {
        check_name(path)?;
        Ok(Parts { server: *self, path: path.to_owned(), connection: None })
    }
}

impl Parts {
    /// Returns `length` bytes of the file from `start` on.
    pub fn read(&mut self, start: u64, length: usize) -> Result<Vec<u8>, NetError> {
        let (server, mut bytes) = (self.server, vec![0; length]);
        let (mut stream, first) = match server.transport {
            Transport::Tftp { block_size } => {
                let download =
                    tftp::Download::start(server.socket(), &self.path, block_size, server.patience)?;
                (Stream::Tftp(Box::new(download)), 0)
            }
            Transport::Http => {
                let part = Part { start, length: Some(length as u64) };
                let connection = self.connection.take();
                let download =
                    http::Download::start(server.socket(), &self.path, part, server.patience, connection)?;
                let first = download.first();
                (Stream::Http(Box::new(download)), first)
            }
        };
        skip(&mut stream, start - first, &self.path)?;
        let mut filled = 0;
        while filled < length {
            match stream.read(&mut bytes[filled..])? {
                0 => {
                    let text =
                        format!("{} on {server} is shorter than {} bytes", self.path, start + length as u64);
                    return Err(NetError::new(NetErrorKind::Changed, text));
                }
                count => filled += count,
            }
        }
        self.connection = match stream {
            Stream::Http(download) => download.into_connection(),
            Stream::Tftp(_) => None,
        };
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_leave_the_tree_are_rejected() {
        for name in ["", "..", "image/../../etc/passwd", "a\0b", "a\nb"] {
            assert_eq!(check_name(name).unwrap_err().kind, NetErrorKind::InvalidName, "{name:?}");
        }
        for name in ["image/a..b", "KIWI/config.52:54:00:12:34:56", "/boot/initrd"] {
            assert_eq!(check_name(name), Ok(()), "{name:?}");
        }
    }
}
