use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn read(bytes: &[u8]) -> io::Result<(Head, Vec<u8>)> {
    let mut response = Response::read(bytes)?;
    let mut body = Vec::new();
    response.read_to_end(&mut body)?;
    Ok((response.head, body))
}

fn refused(text: &str) -> ErrorKind {
    read(text.as_bytes()).expect_err(text).kind()
}

/// A reader that returns pieces of these lengths.
struct Pieces<'a>(&'a [u8], std::vec::IntoIter<usize>);

impl Read for Pieces<'_> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let most = self.1.next().unwrap_or(usize::MAX).min(target.len());
        self.0.read(&mut target[..most])
    }
}

proptest! {
    #[test]
    fn bodies_arrive_in_any_pieces(chunks in vec(vec(any::<u8>(), 1..300), 0..20), pieces in vec(1..200_usize, 0..400)) {
        let body = chunks.concat();
        let mut chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        for chunk in &chunks {
            chunked.extend_from_slice(format!("{:X};x=y\r\n", chunk.len()).as_bytes());
            chunked.extend_from_slice(chunk);
            chunked.extend_from_slice(b"\r\n");
        }
        chunked.extend_from_slice(b"0\r\nTrailer: x\r\n\r\n");
        let plain = [format!("HTTP/1.1 200 OK\r\ncontent-length:{}\r\n\r\n", body.len()).as_bytes(), &body].concat();
        for bytes in [chunked, plain] {
            let mut response = Response::read(Pieces(&bytes, pieces.clone().into_iter())).unwrap();
            let mut read = Vec::new();
            response.read_to_end(&mut read).unwrap();
            prop_assert_eq!(&read, &body);
            prop_assert!(response.into_connection().is_some());
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(start in 0..4_usize, bytes in vec(any::<u8>(), 0..600)) {
        let starts = ["", "HTTP/1.1 ", "HTTP/1.1 206 x\r\nContent-Range: ", "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n"];
        let _ = read(&[starts[start].as_bytes(), &bytes].concat());
    }
}

#[test]
fn a_head_is_understood() {
    let text = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 206 Partial Content\r\nContent-Range: bytes 5-7/100\r\n\
        Content-Length: 3\r\nLast-Modified: Sat\r\nETag: \"a\"\r\nConnection: close\r\n\r\nabcdef";
    let (head, body) = read(text.as_bytes()).unwrap();
    assert_eq!((head.status, head.length, head.range), (206, Some(3), Some((5, Some(100)))));
    assert_eq!((head.validator.as_deref(), head.keeps_open), (Some("\"a\""), false));
    assert_eq!(body, b"abc");
    let (head, body) = read(b"HTTP/1.0 200 OK\n\nto the end").unwrap();
    assert_eq!((head.length, head.keeps_open, body.as_slice()), (None, false, &b"to the end"[..]));
    assert_eq!(
        read(b"HTTP/1.1 302 Found\r\nLocation: /x\x1b\r\nContent-Length: 0\r\n\r\n")
            .unwrap()
            .0
            .location
            .as_deref(),
        Some("/x")
    );
}

#[test]
fn contradictions_are_refused() {
    for text in [
        "SSH-2.0-x\r\n\r\n",
        "HTTP/2 200 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 999 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 206 OK\r\nContent-Range: bytes 7-5/100\r\n\r\n",
        "HTTP/1.1 206 OK\r\nContent-Range: bytes 5-100/100\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n+3\r\nabc\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff0\r\n",
    ] {
        assert_eq!(refused(text), ErrorKind::InvalidData, "{text}");
    }
}

#[test]
fn what_ends_too_early_is_refused() {
    for text in [
        "",
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ] {
        assert_eq!(refused(text), ErrorKind::UnexpectedEof, "{text}");
    }
}

#[test]
fn endless_heads_are_refused() {
    let endless = |piece: &'static [u8]| {
        let bytes = b"HTTP/1.1 200 OK\r\n".chain(io::Cursor::new(piece.repeat(20_000)));
        Response::read(bytes).err().map(|error| error.kind())
    };
    assert_eq!(endless(b"x"), Some(ErrorKind::InvalidData));
    assert_eq!(endless(b"X: y\r\n"), Some(ErrorKind::InvalidData));
    let hints = b"HTTP/1.1 100 Continue\r\n\r\n".repeat(10_000);
    assert_eq!(
        Response::read(hints.as_slice()).err().map(|error| error.kind()),
        Some(ErrorKind::InvalidData)
    );
}
