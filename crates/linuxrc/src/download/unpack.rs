//! Decompression in flight.

use std::io::{self, BufRead, BufReader, Read};

use bootconfig::Compression;
use flate2::read::MultiGzDecoder;
use lzma_rust2::XzReader;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// Bytes of compressed data that are read at a time.
const BUFFER: usize = 1 << 17;
/// The most memory in KiB that the dictionary of an xz stream may take: `xz -9` takes 64 MiB.
const XZ_MEMORY: u32 = 100 << 10;

/// A stream without its compression. Streams of several members or frames are read to their end.
pub(crate) enum Unpacked<R: Read> {
    Plain(R),
    Gzip(Box<MultiGzDecoder<BufReader<R>>>),
    Xz(Box<XzReader<BufReader<R>>>),
    Zstd(Box<Zstd<BufReader<R>>>),
}

impl<R: Read> Unpacked<R> {
    pub(crate) fn new(source: R, compression: Option<Compression>) -> Self {
        let buffered = |source| BufReader::with_capacity(BUFFER, source);
        match compression {
            None => Self::Plain(source),
            Some(Compression::Gzip) => Self::Gzip(Box::new(MultiGzDecoder::new(buffered(source)))),
            Some(Compression::Xz) => {
                Self::Xz(Box::new(XzReader::new_mem_limit(buffered(source), true, XZ_MEMORY)))
            }
            Some(Compression::Zstd) => Self::Zstd(Box::new(Zstd::new(buffered(source)))),
        }
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(source) => source.read(buffer),
            Self::Gzip(source) => source.read(buffer),
            Self::Xz(source) => source.read(buffer),
            Self::Zstd(source) => source.read(buffer),
        }
    }
}

/// A zstd stream: frames one after the other, and frames that are skipped.
pub(crate) struct Zstd<R> {
    source: R,
    decoder: FrameDecoder,
    inside: bool,
}

impl<R: BufRead> Zstd<R> {
    fn new(source: R) -> Self {
        Self { source, decoder: FrameDecoder::new(), inside: false }
    }

    /// Begins the next frame; returns false at the end of the stream.
    fn next_frame(&mut self) -> io::Result<bool> {
        loop {
            if self.source.fill_buf()?.is_empty() {
                return Ok(false);
            }
            match self.decoder.init(&mut self.source) {
                Ok(()) => {
                    self.inside = true;
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let length = u64::from(length);
                    if io::copy(&mut self.source.by_ref().take(length), &mut io::sink())? < length {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(invalid(&error)),
            }
        }
    }
}

fn invalid(error: &FrameDecoderError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error.to_string())
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !buffer.is_empty() {
            if !self.inside && !self.next_frame()? {
                break;
            }
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                self.decoder
                    .decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1))
                    .map_err(|error| invalid(&error))?;
            }
            match self.decoder.read(buffer)? {
                0 => self.inside = false,
                count => return Ok(count),
            }
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use test_programs::have;

    use super::*;

    /// Data that is neither constant nor random, longer than every window.
    fn sample() -> Vec<u8> {
        (0_u32..400_000).flat_map(|number| (number / 7).wrapping_mul(number).to_le_bytes()).collect()
    }

    fn packed(program: &str, arguments: &[&str], data: &[u8]) -> Vec<u8> {
        use std::io::Write;
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        let data = data.to_vec();
        let writer = std::thread::spawn(move || input.write_all(&data).unwrap());
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        assert!(output.status.success());
        output.stdout
    }

    fn unpacked(packed: &[u8], compression: Compression) -> io::Result<Vec<u8>> {
        let mut data = Vec::new();
        Unpacked::new(packed, Some(compression)).read_to_end(&mut data).map(|_| data)
    }

    #[test]
    fn reads_what_the_programs_write_also_in_several_parts() {
        if !have(&["gzip", "xz", "zstd"]) {
            return;
        }
        let data = sample();
        let (one, two) = data.split_at(700_001);
        for (program, compression, arguments) in [
            ("gzip", Compression::Gzip, ["-9"]),
            ("xz", Compression::Xz, ["-6"]),
            ("xz", Compression::Xz, ["--check=sha256"]),
            ("zstd", Compression::Zstd, ["-3"]),
            ("zstd", Compression::Zstd, ["-19"]),
            ("zstd", Compression::Zstd, ["--no-check"]),
        ] {
            let whole = packed(program, &arguments, &data);
            assert!(unpacked(&whole, compression).unwrap() == data, "{program} {arguments:?}");
            let parts = [packed(program, &arguments, one), packed(program, &arguments, two)].concat();
            assert!(unpacked(&parts, compression).unwrap() == data, "{program} {arguments:?} in two parts");
            for length in [0, 1, 5, whole.len() / 2, whole.len() - 1] {
                let short = unpacked(&whole[..length], compression);
                assert!(short.is_err() || short.unwrap().len() < data.len(), "{program} cut at {length}");
            }
            let mut wrong = whole.clone();
            wrong[0] ^= 0xff;
            assert!(unpacked(&wrong, compression).is_err(), "{program} without its signature");
        }
        let skipped =
            [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 9, 9, 9][..], &packed("zstd", &[], &data)].concat();
        assert!(unpacked(&skipped, Compression::Zstd).unwrap() == data, "a frame to skip");
        assert!(unpacked(&skipped[..9], Compression::Zstd).is_err(), "a frame to skip, cut short");
    }
}
