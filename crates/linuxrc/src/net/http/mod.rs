//! The HTTP/1.1 client: GET, of a part if wanted, and PUT. No TLS, no redirections.

pub mod response;

use std::io::{self, Read, Write};
use std::net::{SocketAddrV4, TcpStream};
use std::time::{Duration, Instant};

use crate::net::error::{NetError, NetErrorKind};
use response::{Head, Response};

/// The port of HTTP servers.
pub const PORT: u16 = 80;
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a head may take, however many bytes of it arrive.
const HEAD: Duration = Duration::from_secs(60);

/// A file on its way from a server.
pub struct Download {
    response: Response<Stream>,
    what: String,
}

/// A part of a file, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The first byte.
    pub start: u64,
    /// How many; none: to the end.
    pub length: Option<u64>,
}

impl Part {
    /// The whole file.
    pub const WHOLE: Self = Self { start: 0, length: None };

    fn header(self) -> String {
        match self {
            Self::WHOLE => String::new(),
            Self { start, length: None } => format!("Range: bytes={start}-\r\n"),
            Self { start, length: Some(length) } => {
                format!("Range: bytes={start}-{}\r\n", start.saturating_add(length.max(1) - 1))
            }
        }
    }
}

impl Download {
    /// Requests a part of a file, over a connection that an earlier download left, if any.
    ///
    /// A server that knows no parts sends the whole file; [`Download::start`] says where what arrives begins.
    pub fn start(
        server: SocketAddrV4,
        path: &str,
        part: Part,
        patience: Duration,
        connection: Option<Stream>,
    ) -> Result<Self, NetError> {
        let what = format!("HTTP GET of {path} from {server}");
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: {server}\r\nUser-Agent: kiwi\r\nAccept: */*\r\n{}\r\n",
            encoded(path),
            part.header()
        );
        // The server may have closed a connection that was idle; then a new one is made.
        let over_old = connection.map(|connection| exchange(connection, request.as_bytes(), &what));
        let response = match over_old {
            Some(Ok(response)) => response,
            Some(Err(_)) | None => {
                exchange(Stream::connect(server, patience, &what)?, request.as_bytes(), &what)?
            }
        };
        check(&response.head, &what)?;
        let download = Self { response, what };
        let is_partial = download.response.head.status == 206;
        let agrees = download.response.head.range.is_some_and(|(first, _)| first == part.start);
        if is_partial && !agrees {
            return Err(download.protocol("the server sends another range than was requested"));
        }
        Ok(download)
    }

    /// Returns the position in the file of the first byte that arrives.
    pub fn first(&self) -> u64 {
        match self.response.head.status {
            206 => self.response.head.range.map_or(0, |(first, _)| first),
            _ => 0,
        }
    }

    /// Returns the size of the whole file, if the server knows it.
    pub fn size(&self) -> Option<u64> {
        match self.response.head.status {
            206 => self.response.head.range.and_then(|(_, size)| size),
            _ => self.response.head.length,
        }
    }

    /// Returns what changes when the file changes, if the server knows that.
    pub fn validator(&self) -> Option<&str> {
        self.response.head.validator.as_deref()
    }

    /// Copies the next bytes; 0 is the end.
    pub fn read(&mut self, target: &mut [u8]) -> Result<usize, NetError> {
        self.response.read(target).map_err(|error| failure(&self.what, &error))
    }

    /// Returns the connection if another request can follow on it.
    pub fn into_connection(self) -> Option<Stream> {
        self.response.into_connection()
    }

    fn protocol(&self, problem: &str) -> NetError {
        NetError::new(NetErrorKind::Protocol, format!("{}: {problem}", self.what))
    }
}

/// Sends `bytes` to a server as the file `path`.
pub fn upload(server: SocketAddrV4, path: &str, bytes: &[u8], patience: Duration) -> Result<(), NetError> {
    let what = format!("HTTP PUT of {path} to {server}");
    let head = format!(
        "PUT {} HTTP/1.1\r\nHost: {server}\r\nUser-Agent: kiwi\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        encoded(path),
        bytes.len()
    );
    let response =
        exchange(Stream::connect(server, patience, &what)?, &[head.as_bytes(), bytes].concat(), &what)?;
    check(&response.head, &what)
}

/// A connection, which ends when it is silent for too long.
pub struct Stream {
    stream: TcpStream,
    /// When what is being read must be complete.
    deadline: Option<Instant>,
}

impl Stream {
    fn connect(server: SocketAddrV4, patience: Duration, what: &str) -> Result<Self, NetError> {
        let connect = || {
            let stream = TcpStream::connect_timeout(&server.into(), CONNECT.min(patience))?;
            stream.set_read_timeout(Some(patience))?;
            stream.set_write_timeout(Some(patience))?;
            stream.set_nodelay(true)?;
            Ok(Self { stream, deadline: None })
        };
        connect().map_err(|error| NetError::of_call(what, &error))
    }
}

impl Read for Stream {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if self.deadline.is_some_and(|deadline| Instant::now() > deadline) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        loop {
            match self.stream.read(target) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }
}

fn exchange(mut stream: Stream, request: &[u8], what: &str) -> Result<Response<Stream>, NetError> {
    let failed = |error: io::Error| failure(what, &error);
    stream.stream.write_all(request).map_err(failed)?;
    stream.deadline = Some(Instant::now() + HEAD);
    let mut response = Response::read(stream).map_err(failed)?;
    response.stream_mut().deadline = None;
    Ok(response)
}

fn failure(what: &str, error: &io::Error) -> NetError {
    match error.kind() {
        io::ErrorKind::InvalidData => NetError::new(NetErrorKind::Protocol, format!("{what}: {error}")),
        _ => NetError::of_call(what, error),
    }
}

/// Returns the error that a status stands for.
fn check(head: &Head, what: &str) -> Result<(), NetError> {
    let kind = match head.status {
        200..300 => return Ok(()),
        404 | 410 => NetErrorKind::NotFound,
        300..400 => {
            let target = head.location.as_deref().unwrap_or("nowhere");
            let text = format!("{what}: the server redirects to {target}, which is not followed");
            return Err(NetError::new(NetErrorKind::AccessViolation, text));
        }
        416 => NetErrorKind::Changed,
        400..500 => NetErrorKind::AccessViolation,
        _ => NetErrorKind::ServerFailure,
    };
    Err(NetError::new(kind, format!("{what}: the server answers with status {}", head.status)))
}

/// Returns a path as it stands in a request.
fn encoded(path: &str) -> String {
    let mut text = String::from("/");
    for byte in path.trim_start_matches('/').bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/+:,=@!$&()*;".contains(&byte) {
            text.push(byte.into());
        } else {
            text += &format!("%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_parts_are_written_for_requests() {
        assert_eq!(encoded("/image/a b%\u{e9}.1+x"), "/image/a%20b%25%C3%A9.1+x");
        assert_eq!(encoded("KIWI/config.52:54:00:00:00:01"), "/KIWI/config.52:54:00:00:00:01");
        assert_eq!(Part::WHOLE.header(), "");
        assert_eq!(Part { start: 5, length: None }.header(), "Range: bytes=5-\r\n");
        assert_eq!(Part { start: 5, length: Some(10) }.header(), "Range: bytes=5-14\r\n");
    }
}
