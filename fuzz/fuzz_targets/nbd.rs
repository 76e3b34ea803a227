//! No bytes of an NBD server make the handshake panic, hang or send more than it asks for.
#![no_main]

use std::io::{self, Cursor, Read, Write};

use libfuzzer_sys::fuzz_target;
use linuxrc::remote_root::nbd::handshake;

/// A server that has said everything before it is asked.
struct Server<'a> {
    answers: Cursor<&'a [u8]>,
    asked: usize,
}

impl Read for Server<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.answers.read(buffer)
    }
}

impl Write for Server<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.asked += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fuzz_target!(|input: &[u8]| {
    let mut server = Server { answers: Cursor::new(input), asked: 0 };
    if let Ok(export) = handshake(&mut server, "root") {
        let _ = export.is_read_only();
        assert!(server.answers.position() >= 16 + 10);
    }
    // The flags of the client, the request with a reason and the one without.
    assert!(server.asked <= 4 + (16 + 10) + (16 + 4));
});
