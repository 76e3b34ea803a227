//! HTTP/1.1 responses as a stream of bytes: head, and body of known length, in chunks, or up to the end of the connection.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};

/// The most bytes of a head, or of the lines around chunks.
const MOST_HEAD: usize = 16 << 10;
/// What the reader keeps; larger reads bypass it.
const BUFFER: usize = 64 << 10;

/// The head of a response.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Head {
    /// The status.
    pub status: u16,
    /// Length of the body in bytes.
    pub length: Option<u64>,
    /// The body consists of chunks.
    pub chunked: bool,
    /// The range that the body is of the whole: first byte, and the size of the whole if the server knows it.
    pub range: Option<(u64, Option<u64>)>,
    /// The file's entity tag, or the time of its last change.
    pub validator: Option<String>,
    /// Where a redirection leads.
    pub location: Option<String>,
    /// Whether the server keeps the connection open.
    pub keeps_open: bool,
}

/// A response: its head was read, its body can be read.
pub struct Response<R> {
    /// The head.
    pub head: Head,
    stream: BufReader<R>,
    body: Body,
}

/// What is left of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Body {
    Length(u64),
    /// Bytes left of the present chunk, and whether there was none before it.
    Chunk {
        left: u64,
        first: bool,
    },
    UntilClose,
    End,
}

fn invalid(problem: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, problem.to_owned())
}

impl<R: Read> Response<R> {
    /// Reads the head of the response to a request.
    ///
    /// # Errors
    ///
    /// `InvalidData` if it is not HTTP/1 or longer than 16 KiB; `UnexpectedEof` if it is incomplete.
    pub fn read(stream: R) -> io::Result<Self> {
        Self::read_from(BufReader::with_capacity(BUFFER, stream))
    }

    fn read_from(mut stream: BufReader<R>) -> io::Result<Self> {
        let mut left = MOST_HEAD;
        let head = loop {
            let head = read_head(&mut stream, &mut left)?;
            // 100 and 103 come before the response.
            if !(100..200).contains(&head.status) {
                break head;
            }
        };
        let body = if matches!(head.status, 204 | 304) {
            Body::End
        } else if head.chunked {
            Body::Chunk { left: 0, first: true }
        } else {
            match head.length {
                Some(0) => Body::End,
                Some(length) => Body::Length(length),
                None => Body::UntilClose,
            }
        };
        Ok(Self { head, stream, body })
    }

    /// Returns what the response is read from.
    pub(super) fn stream_mut(&mut self) -> &mut R {
        self.stream.get_mut()
    }

    /// Returns the connection, if another request can follow on it: the body was read and the server keeps it open.
    pub fn into_connection(self) -> Option<R> {
        let reusable = self.body == Body::End && self.head.keeps_open && self.stream.buffer().is_empty();
        reusable.then(|| self.stream.into_inner())
    }

    /// Reads the line before a chunk.
    fn next_chunk(&mut self, first: bool) -> io::Result<Body> {
        let mut left = MOST_HEAD;
        if !first && !line(&mut self.stream, &mut left)?.is_empty() {
            return Err(invalid("a chunk does not end where its length says"));
        }
        let text = line(&mut self.stream, &mut left)?;
        let digits = text.split(';').next().unwrap_or_default().trim();
        let is_hex = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        match u64::from_str_radix(digits, 16) {
            Ok(0) => {
                while !line(&mut self.stream, &mut left)?.is_empty() {}
                Ok(Body::End)
            }
            Ok(left) if is_hex => Ok(Body::Chunk { left, first: false }),
            Ok(_) | Err(_) => Err(invalid("the length of a chunk is not a number")),
        }
    }
}

impl<R: Read> Read for Response<R> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if target.is_empty() {
            return Ok(0);
        }
        if let Body::Chunk { left: 0, first } = self.body {
            self.body = self.next_chunk(first)?;
        }
        let (Body::Length(left) | Body::Chunk { left, .. }) = self.body else {
            return if self.body == Body::End { Ok(0) } else { self.stream.read(target) };
        };
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(target.len());
        let count = self.stream.read(&mut target[..most])?;
        if count == 0 {
            return Err(io::Error::new(ErrorKind::UnexpectedEof, "the connection ended within the file"));
        }
        let left = left - count as u64;
        self.body = match self.body {
            Body::Length(_) if left == 0 => Body::End,
            Body::Length(_) => Body::Length(left),
            Body::Chunk { first, .. } => Body::Chunk { left, first },
            Body::UntilClose | Body::End => self.body,
        };
        Ok(count)
    }
}

/// Reads a line without its end; `left` is how many bytes lines may still have.
fn line(stream: &mut impl BufRead, left: &mut usize) -> io::Result<String> {
    let mut bytes = Vec::new();
    stream.by_ref().take(*left as u64).read_until(b'\n', &mut bytes)?;
    *left -= bytes.len();
    if bytes.pop() != Some(b'\n') {
        let long = || invalid("the head is longer than 16 KiB");
        return Err(if *left == 0 { long() } else { ErrorKind::UnexpectedEof.into() });
    }
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    String::from_utf8(bytes).map_err(|_| invalid("a line of the head is not text"))
}

fn read_head(stream: &mut impl BufRead, left: &mut usize) -> io::Result<Head> {
    let first = line(stream, left)?;
    let mut words = first.splitn(3, ' ');
    let version = words.next().unwrap_or_default();
    if !matches!(version, "HTTP/1.1" | "HTTP/1.0") {
        return Err(invalid("the answer is not HTTP/1"));
    }
    let status = words.next().filter(|word| word.len() == 3).and_then(|word| word.parse().ok());
    let status = status
        .filter(|status| (100..600).contains(status))
        .ok_or_else(|| invalid("the status is not a number"))?;
    let mut head = Head { status, keeps_open: version == "HTTP/1.1", ..Head::default() };
    let mut tag = None;
    loop {
        let field = line(stream, left)?;
        if field.is_empty() {
            break;
        }
        let (name, value) =
            field.split_once(':').ok_or_else(|| invalid("a line of the head has no colon"))?;
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => {
                let length = number(value).ok_or_else(|| invalid("Content-Length is not a number"))?;
                if head.length.is_some_and(|other| other != length) {
                    return Err(invalid("there are two values of Content-Length"));
                }
                head.length = Some(length);
            }
            "transfer-encoding" if value.eq_ignore_ascii_case("chunked") => head.chunked = true,
            "transfer-encoding" => return Err(invalid("the transfer encoding is unknown")),
            "content-range" => {
                head.range =
                    Some(range(value).ok_or_else(|| invalid("Content-Range is not a range of bytes"))?);
            }
            "etag" => tag = Some(value.to_owned()),
            "last-modified" => head.validator = Some(value.to_owned()),
            "location" => {
                head.location = Some(value.chars().filter(|character| !character.is_control()).collect());
            }
            "connection" if value.eq_ignore_ascii_case("close") => head.keeps_open = false,
            "connection" if value.eq_ignore_ascii_case("keep-alive") => head.keeps_open = true,
            _ => {}
        }
    }
    if head.chunked {
        head.length = None;
    }
    head.validator = tag.or(head.validator);
    Ok(head)
}

fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// Reads `bytes FIRST-LAST/SIZE`, where the size may be `*`, or `bytes */SIZE`, which is not a range of a body.
fn range(value: &str) -> Option<(u64, Option<u64>)> {
    let (range, size) = value.strip_prefix("bytes")?.trim_start().split_once('/')?;
    let size = if size == "*" { None } else { Some(number(size)?) };
    if range == "*" {
        return Some((size?, size));
    }
    let (first, last) = range.split_once('-')?;
    let (first, last) = (number(first)?, number(last)?);
    (first <= last && size.is_none_or(|size| last < size)).then_some((first, size))
}

#[cfg(test)]
mod tests;
