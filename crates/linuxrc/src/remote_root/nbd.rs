//! Network block devices: the handshake with the server, and the kernel's part.
//!
//! The handshake is that of the protocol's document ([doc/proto.md of nbd](https://github.com/NetworkBlockDevice/nbd)), fixed
//! newstyle, and the old one of KIWI 1.x's time. The kernel then gets the socket by generic netlink, so that no process must
//! stay for the device.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::os::fd::AsRawFd;
use std::time::Duration;

use super::generic_netlink::{NESTED, Netlink, add, find};

/// What the server exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Export {
    /// Its size in bytes.
    pub bytes: u64,
    /// The flags of the transmission, which the kernel interprets.
    pub flags: u16,
}

impl Export {
    /// Whether the server accepts no writes.
    pub fn is_read_only(self) -> bool {
        const READ_ONLY: u16 = 1 << 1;
        self.flags & READ_ONLY != 0
    }
}

const MAGIC: &[u8; 8] = b"NBDMAGIC";
const NEW_STYLE: &[u8; 8] = b"IHAVEOPT";
const OLD_STYLE: [u8; 8] = 0x0000_4202_8186_1253_u64.to_be_bytes();
const REPLY_MAGIC: u64 = 0x0003_e889_0455_65a9;
/// Flags of the handshake: further options after an error, no 124 bytes of zeros.
const FIXED: u16 = 1;
const NO_ZEROES: u16 = 2;
const OPTION_EXPORT_NAME: u32 = 1;
const OPTION_GO: u32 = 7;
const REPLY_ACK: u32 = 1;
const REPLY_INFO: u32 = 3;
/// The bit of a reply that reports an error.
const REPLY_ERROR: u32 = 1 << 31;
const INFO_EXPORT: [u8; 2] = [0, 0];
/// The longest reply that is read, and the most replies to one option.
const LONGEST_REPLY: u32 = 64 << 10;
const MOST_REPLIES: u32 = 64;
/// How long the server may take for an answer of the handshake.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long the kernel waits for an answer, and for a lost connection to come back.
const KERNEL_TIMEOUT: u64 = 60;
/// The block size of the device.
const BLOCK: u64 = 512;

/// Agrees with the server on the export `name`.
pub fn handshake(stream: &mut (impl Read + Write), name: &str) -> io::Result<Export> {
    let (magic, style): ([u8; 8], [u8; 8]) = (read(stream)?, read(stream)?);
    if magic != *MAGIC {
        return Err(invalid("the server does not speak NBD"));
    }
    if style == OLD_STYLE {
        let bytes = u64::from_be_bytes(read(stream)?);
        let flags = u32::from_be_bytes(read(stream)?);
        let _: [u8; 124] = read(stream)?;
        return Ok(Export { bytes, flags: flags as u16 });
    }
    if style != *NEW_STYLE {
        return Err(invalid("the server speaks an unknown version of NBD"));
    }
    let offered = u16::from_be_bytes(read(stream)?);
    stream.write_all(&u32::from(offered & (FIXED | NO_ZEROES)).to_be_bytes())?;
    if offered & FIXED != 0
        && let Some(export) = go(stream, name)?
    {
        return Ok(export);
    }
    // A server without the newer option closes the connection if it has no such export.
    stream.write_all(&option(OPTION_EXPORT_NAME, name.as_bytes()))?;
    let bytes = u64::from_be_bytes(read(stream)?);
    let flags = u16::from_be_bytes(read(stream)?);
    if offered & NO_ZEROES == 0 {
        let _: [u8; 124] = read(stream)?;
    }
    Ok(Export { bytes, flags })
}

/// Requests the export with the option that can fail with a reason; none if the server does not know the option.
fn go(stream: &mut (impl Read + Write), name: &str) -> io::Result<Option<Export>> {
    const UNSUPPORTED: u32 = REPLY_ERROR | 1;
    let length = u32::try_from(name.len()).map_err(io::Error::other)?;
    let data = [&length.to_be_bytes()[..], name.as_bytes(), &[0, 0]].concat();
    stream.write_all(&option(OPTION_GO, &data))?;
    let mut export = None;
    for _ in 0..MOST_REPLIES {
        let magic = u64::from_be_bytes(read(stream)?);
        let (asked, kind) = (u32::from_be_bytes(read(stream)?), u32::from_be_bytes(read(stream)?));
        let length = u32::from_be_bytes(read(stream)?);
        if magic != REPLY_MAGIC || asked != OPTION_GO || length > LONGEST_REPLY {
            return Err(invalid("the server breaks the rules of NBD"));
        }
        let mut data = vec![0; length as usize];
        stream.read_exact(&mut data)?;
        match kind {
            REPLY_INFO => export = export_of(&data).or(export),
            REPLY_ACK => return export.map(Some).ok_or_else(|| invalid("the server tells no size")),
            UNSUPPORTED => return Ok(None),
            kind if kind & REPLY_ERROR != 0 => {
                let reason: String = String::from_utf8_lossy(&data).escape_debug().take(200).collect();
                let text =
                    format!("the server has no export \"{name}\" for this machine ({kind:#x}) {reason}");
                return Err(io::Error::new(io::ErrorKind::NotFound, text.trim_end().to_owned()));
            }
            _ => {}
        }
    }
    Err(invalid("the server does not come to an end"))
}

fn export_of(info: &[u8]) -> Option<Export> {
    let rest = info.strip_prefix(&INFO_EXPORT)?;
    let bytes = u64::from_be_bytes(rest.get(..8)?.try_into().ok()?);
    Some(Export { bytes, flags: u16::from_be_bytes(rest.get(8..10)?.try_into().ok()?) })
}

fn option(number: u32, data: &[u8]) -> Vec<u8> {
    [NEW_STYLE, &number.to_be_bytes()[..], &(data.len() as u32).to_be_bytes(), data].concat()
}

fn read<const N: usize>(stream: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn invalid(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

/// Connects to the server and returns the socket after the handshake.
pub(crate) fn connect(server: Ipv4Addr, port: u16, name: &str) -> io::Result<(TcpStream, Export)> {
    let mut stream = TcpStream::connect_timeout(&SocketAddrV4::new(server, port).into(), PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    let export = handshake(&mut stream, name)?;
    stream.set_read_timeout(None)?;
    stream.set_write_timeout(None)?;
    Ok((stream, export))
}

/// Gives the socket to the kernel; returns the number of the device. `wanted` is the number of `/dev/nbd<number>`.
pub(crate) fn attach(stream: &TcpStream, export: Export, wanted: Option<u32>) -> io::Result<u32> {
    const CONNECT: u8 = 1;
    const INDEX: u16 = 1;
    const SIZE: u16 = 2;
    const BLOCK_SIZE: u16 = 3;
    const TIMEOUT: u16 = 4;
    const SERVER_FLAGS: u16 = 5;
    const SOCKETS: u16 = 7;
    const SOCKET_ITEM: u16 = 1;
    const SOCKET_FD: u16 = 1;
    let netlink = Netlink::open()?;
    let family = netlink.family("nbd")?;
    let (mut item, mut sockets, mut attributes) = (Vec::new(), Vec::new(), Vec::new());
    add(&mut item, SOCKET_FD, &stream.as_raw_fd().to_ne_bytes());
    add(&mut sockets, SOCKET_ITEM | NESTED, &item);
    if let Some(number) = wanted {
        add(&mut attributes, INDEX, &number.to_ne_bytes());
    }
    add(&mut attributes, SIZE, &export.bytes.to_ne_bytes());
    add(&mut attributes, BLOCK_SIZE, &BLOCK.to_ne_bytes());
    add(&mut attributes, TIMEOUT, &KERNEL_TIMEOUT.to_ne_bytes());
    add(&mut attributes, SERVER_FLAGS, &u64::from(export.flags).to_ne_bytes());
    add(&mut attributes, SOCKETS | NESTED, &sockets);
    let reply = netlink.call(family, CONNECT, &attributes)?;
    let number = find(&reply, INDEX).and_then(|bytes| bytes.try_into().ok()).map(u32::from_ne_bytes);
    number.or(wanted).ok_or_else(|| invalid("the kernel does not tell the number of the device"))
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Stdio};

    use test_programs::{command, have};

    use super::*;

    /// A server with prepared answers.
    struct Script(io::Cursor<Vec<u8>>, Vec<u8>);

    impl Read for Script {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read(buffer)
        }
    }

    impl Write for Script {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.1.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn answered(answers: &[&[u8]]) -> (io::Result<Export>, Vec<u8>) {
        let mut script = Script(io::Cursor::new(answers.concat()), Vec::new());
        (handshake(&mut script, "root"), script.1)
    }

    fn reply(kind: u32, data: &[u8]) -> Vec<u8> {
        let numbers = [OPTION_GO, kind, data.len() as u32].map(u32::to_be_bytes).concat();
        [&REPLY_MAGIC.to_be_bytes()[..], &numbers, data].concat()
    }

    #[test]
    fn agrees_with_servers_of_every_style() {
        let size = 4096_u64.to_be_bytes();
        let export = Export { bytes: 4096, flags: 3 };
        let old = answered(&[MAGIC, &OLD_STYLE, &size, &[0, 0, 0, 3], &[0; 124]]);
        assert_eq!((old.0.unwrap(), old.1.len()), (export, 0));
        let plain = answered(&[MAGIC, NEW_STYLE, &[0, 0], &size, &[0, 3], &[0; 124]]);
        assert_eq!(plain.0.unwrap(), export);
        assert!(plain.1.ends_with(b"\0\0\0\x01\0\0\0\x04root"));
        let info = [&INFO_EXPORT[..], &size, &[0, 3]].concat();
        let fixed = answered(&[
            MAGIC,
            NEW_STYLE,
            &[0, 3],
            &reply(REPLY_INFO, &info),
            &reply(REPLY_INFO, &[0, 9]),
            &reply(REPLY_ACK, &[]),
        ]);
        assert_eq!(fixed.0.unwrap(), export);
        assert!(export.is_read_only());
        let fallback = answered(&[MAGIC, NEW_STYLE, &[0, 3], &reply(REPLY_ERROR | 1, &[]), &size, &[0, 3]]);
        assert_eq!(fallback.0.unwrap(), export);
    }

    #[test]
    fn refuses_hostile_servers() {
        let kind = |answers: &[&[u8]]| answered(answers).0.unwrap_err().kind();
        assert_eq!(kind(&[b"220 smtp.example.org"]), io::ErrorKind::InvalidData);
        assert_eq!(kind(&[MAGIC]), io::ErrorKind::UnexpectedEof);
        assert_eq!(kind(&[MAGIC, b"SOMEELSE"]), io::ErrorKind::InvalidData);
        let hello: [&[u8]; 3] = [MAGIC, NEW_STYLE, &[0, 3]];
        let with = |answer: &[u8]| kind(&[hello[0], hello[1], hello[2], answer]);
        assert_eq!(with(&reply(REPLY_ERROR | 6, b"no")), io::ErrorKind::NotFound);
        assert_eq!(with(&reply(REPLY_ACK, &[])), io::ErrorKind::InvalidData);
        let mut long = reply(REPLY_INFO, &[]);
        long[16..20].copy_from_slice(&[0xff; 4]);
        assert_eq!(with(&long), io::ErrorKind::InvalidData, "a length that would take all memory");
        assert_eq!(with(&reply(REPLY_INFO, &[1]).repeat(100)), io::ErrorKind::InvalidData, "endless replies");
    }

    struct Ended(Child);

    impl Drop for Ended {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    /// Starts a server that ends after one connection, and connects to it.
    fn connected(name: &str) -> (Ended, io::Result<(TcpStream, Export)>) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("export");
        std::fs::write(&file, vec![7; 1 << 20]).unwrap();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let config = dir.path().join("config");
        let text = format!(
            "[generic]\nport = {port}\nlistenaddr = 127.0.0.1\n[root]\nexportname = {}\nreadonly = true\n",
            file.display()
        );
        std::fs::write(&config, text).unwrap();
        let mut server = command("nbd-server");
        server.args(["-d", "-C"]).arg(&config).stdout(Stdio::null()).stderr(Stdio::null());
        let server = Ended(server.spawn().unwrap());
        let mut attempt = 0;
        loop {
            match connect(Ipv4Addr::LOCALHOST, port, name) {
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused && attempt < 200 => {
                    attempt += 1;
                    std::thread::sleep(Duration::from_millis(50));
                }
                outcome => return (server, outcome),
            }
        }
    }

    #[test]
    fn agrees_with_nbd_server() {
        if !have(&["nbd-server"]) {
            return;
        }
        let (_server, outcome) = connected("root");
        let (mut stream, export) = outcome.unwrap();
        assert_eq!((export.bytes, export.is_read_only()), (1 << 20, true));
        // A read request of 16 bytes at offset 512, as the kernel sends it.
        let request = [
            &0x2560_9513_u32.to_be_bytes()[..],
            &[0; 4],
            &[5; 8],
            &512_u64.to_be_bytes(),
            &16_u32.to_be_bytes(),
        ];
        stream.write_all(&request.concat()).unwrap();
        let mut answer = [0; 32];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(answer[8..], [[5; 8], [7; 8], [7; 8]].concat());
        let (_other, refused) = connected("other");
        assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
