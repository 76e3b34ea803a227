//! Servers that break the rules, on the loopback card of this machine: what they do must end in a typed error, or do no harm.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::*;

fn server(transport: Transport, port: u16) -> Server {
    let limit = Duration::from_secs(2);
    Server {
        port: Some(port),
        patience: limit,
        absence: limit,
        ..Server::new(Ipv4Addr::LOCALHOST, transport)
    }
}

/// Starts a TFTP server that answers a request for a file with what `serve` does on a port of its own.
fn tftp_server(serve: impl Fn(&UdpSocket, SocketAddr) + Send + 'static) -> Server {
    tftp_server_of_requests(move |_, socket, client| serve(socket, client))
}

/// Like [`tftp_server`]; `serve` sees the request, too.
fn tftp_server_of_requests(serve: impl Fn(&[u8], &UdpSocket, SocketAddr) + Send + 'static) -> Server {
    let listener = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let mut request = [0; 1000];
        while let Ok((length, client)) = listener.recv_from(&mut request) {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            serve(&request[..length], &socket, client);
        }
    });
    server(Transport::Tftp { block_size: BlockSize::Mtu(1500) }, port)
}

fn http_server(serve: impl Fn(&mut TcpStream) + Send + 'static) -> Server {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 1000]);
            serve(&mut stream);
        }
    });
    server(Transport::Http, port)
}

fn data(block: u16, length: usize) -> Vec<u8> {
    [&[0, 3][..], &block.to_be_bytes(), &vec![block as u8; length]].concat()
}

/// Returns the block that the next packet acknowledges.
fn acknowledged(socket: &UdpSocket) -> Option<u16> {
    let mut packet = [0; 600];
    let (length, _) = socket.recv_from(&mut packet).ok()?;
    (length == 4 && packet[1] == 4).then(|| u16::from_be_bytes([packet[2], packet[3]]))
}

fn failure(server: &Server) -> NetErrorKind {
    server.fetch("file", 10_000).unwrap_err().kind
}

#[test]
fn tftp_servers_cannot_break_the_rules() {
    let answers = |packet: &'static [u8]| {
        failure(&tftp_server(move |socket, client| {
            socket.send_to(packet, client).unwrap();
        }))
    };
    assert_eq!(answers(b"\0\x06blksize\x0065464\0"), NetErrorKind::Protocol, "more than was requested");
    assert_eq!(answers(b"\0\x06unknown\x001\0"), NetErrorKind::Protocol, "not requested");
    assert_eq!(answers(b"\0\x04\0\0"), NetErrorKind::Protocol, "no data");
    assert_eq!(answers(b"x"), NetErrorKind::Protocol, "no packet");
    assert_eq!(answers(b"\0\x05\0\x02no"), NetErrorKind::AccessViolation);
    let long = tftp_server(|socket, client| {
        socket.send_to(&data(1, 513), client).unwrap();
    });
    assert_eq!(failure(&long), NetErrorKind::Protocol, "a long block");
    let endless = tftp_server(|socket, client| {
        for block in 1.. {
            let _ = socket.send_to(&data(block, 512), client);
            if acknowledged(socket).is_none() {
                break;
            }
        }
    });
    assert_eq!(failure(&endless), NetErrorKind::TooLarge);
    let longer = tftp_server(|socket, client| {
        socket.send_to(b"\0\x06tsize\x00100\0", client).unwrap();
        let _ = (acknowledged(socket), socket.send_to(&data(1, 101), client));
    });
    assert_eq!(failure(&longer), NetErrorKind::Changed, "longer than announced");
}

/// A server that gives up in the middle, like one whose packets are lost, also while it sends again what had arrived. The waits
/// together are longer than the client waits for a silent server.
#[test]
fn a_transfer_that_breaks_again_and_again_is_completed() {
    const BLOCKS: u16 = 9;
    let attempts = AtomicUsize::new(0);
    // A closed socket would refuse what the client repeats.
    let silent = Mutex::new(Vec::new());
    let (sender, sizes) = std::sync::mpsc::channel();
    let mut server = tftp_server_of_requests(move |request, socket, client| {
        let attempt = attempts.fetch_add(1, Ordering::Relaxed);
        sender.send(String::from_utf8_lossy(request).contains("blksize\x001468\0")).unwrap();
        let end = [7, 2, 4, 6, BLOCKS + 1][attempt];
        for block in 1..end {
            let length = if block == BLOCKS { 100 } else { 512 };
            let _ = socket.send_to(&data(block, length), client);
            while acknowledged(socket).is_some_and(|last| last < block) {}
        }
        silent.lock().unwrap().push(socket.try_clone().unwrap());
    });
    server.transport = Transport::Tftp { block_size: BlockSize::Fixed(8192) };
    (server.patience, server.absence) = (Duration::from_millis(800), Duration::from_millis(1800));
    let mut bytes = Vec::new();
    server.open("file", 0).unwrap().read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes.len(), usize::from(BLOCKS - 1) * 512 + 100);
    assert!(bytes.chunks(512).zip(1..).all(|(block, number)| block.iter().all(|byte| *byte == number)));
    let packets: Vec<bool> = sizes.try_iter().collect();
    assert_eq!(packets, [false, true, true, true, true], "blocks are sent in one packet after a break");
}

#[test]
fn endless_repetitions_end() {
    let mut flood = tftp_server(|socket, client| {
        let end = Instant::now() + Duration::from_secs(30);
        socket.send_to(&data(1, 512), client).unwrap();
        while Instant::now() < end && socket.send_to(&data(1, 512), client).is_ok() {
            thread::sleep(Duration::from_millis(1));
        }
    });
    flood.patience = Duration::from_millis(500);
    assert_eq!(failure(&flood), NetErrorKind::Timeout);
}

/// A server that answers each acknowledgement, repeated or not, with the next block, and sends one block twice. If the client
/// also answered each repeated block, everything after it would be sent twice.
#[test]
fn a_repeated_block_is_not_repeated_for_ever() {
    const BLOCKS: u16 = 400;
    let (sender, counts) = std::sync::mpsc::channel();
    let server = tftp_server(move |socket, client| {
        let (mut sent, mut last) = (0, 1);
        let mut send = |block: u16| {
            let length = if block == BLOCKS { 100 } else { 512 };
            let _ = socket.send_to(&data(block, length), client);
            sent += 1;
        };
        send(1);
        send(1);
        while last < BLOCKS {
            let Some(block) = acknowledged(socket) else { break };
            last = block + 1;
            send(last);
        }
        sender.send(sent).unwrap();
    });
    assert_eq!(server.fetch("file", 1 << 20).unwrap().len(), usize::from(BLOCKS - 1) * 512 + 100);
    // A busy machine may repeat single packets.
    let sent = counts.recv().unwrap();
    assert!(sent < BLOCKS + BLOCKS / 2, "{sent} blocks were sent for {BLOCKS}");
}

#[test]
fn packets_from_elsewhere_are_ignored() {
    let server = tftp_server(|socket, client| {
        let stranger = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.send_to(&data(1, 512), client).unwrap();
        let _ = (acknowledged(socket), stranger.send_to(&data(2, 3), client));
        socket.send_to(&data(2, 5), client).unwrap();
        let _ = acknowledged(socket);
    });
    assert_eq!(server.fetch("file", 10_000).unwrap().len(), 517);
}

#[test]
fn http_servers_cannot_break_the_rules() {
    let answers =
        |text: &'static str| failure(&http_server(move |stream| drop(stream.write_all(text.as_bytes()))));
    for (text, kind) in [
        ("SSH-2.0-x\r\n", NetErrorKind::Protocol),
        (
            "HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n",
            NetErrorKind::AccessViolation,
        ),
        (
            "HTTP/1.1 206 x\r\nContent-Range: bytes 5-6/7\r\nContent-Length: 2\r\n\r\nab",
            NetErrorKind::Protocol,
        ),
        ("HTTP/1.1 206 x\r\nContent-Length: 2\r\n\r\nab", NetErrorKind::Protocol),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nab", NetErrorKind::TooLarge),
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", NetErrorKind::Unreachable),
        ("HTTP/1.1 500 Error\r\nContent-Length: 0\r\n\r\n", NetErrorKind::ServerFailure),
        ("", NetErrorKind::Unreachable),
    ] {
        assert_eq!(answers(text), kind, "{text}");
    }
    let endless = |start: &'static str, piece: &'static str| {
        failure(&http_server(move |stream| {
            let _ = stream.write_all(start.as_bytes());
            while stream.write_all(piece.as_bytes()).is_ok() {}
        }))
    };
    assert_eq!(endless("HTTP/1.1 200 OK\r\n", "X: y\r\n"), NetErrorKind::Protocol, "a head");
    assert_eq!(endless("HTTP/1.1 200 OK\r\n\r\n", "body"), NetErrorKind::TooLarge, "a body");
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(endless(chunked, "3\r\nabc\r\n"), NetErrorKind::TooLarge, "chunks");
    let silent = http_server(|_| thread::sleep(Duration::from_secs(20)));
    assert_eq!(failure(&silent), NetErrorKind::Timeout);
}
