//! Compressed streams that kiwi reads itself: packages, archives of descriptions.

use std::io::{BufRead, Read};

use anyhow::Result;

/// Memory limit for an xz stream, in bytes.
const XZ_MEMORY: u64 = 512 << 20;

/// The compression of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not compressed.
    None,
    /// gzip, one or several members.
    Gzip,
    /// bzip2, one or several streams.
    Bzip2,
    /// xz.
    Xz,
    /// The format before xz.
    Lzma,
    /// Zstandard.
    Zstd,
}

impl Compression {
    /// Returns the compression of a stream by its first bytes; none if they begin no compressed stream that is known.
    pub fn of_content(start: &[u8]) -> Self {
        let known: [(&[u8], Self); 5] = [
            (b"\x1f\x8b", Self::Gzip),
            (b"BZh", Self::Bzip2),
            (b"\xfd7zXZ\0", Self::Xz),
            (b"\x5d\0\0", Self::Lzma),
            (b"\x28\xb5\x2f\xfd", Self::Zstd),
        ];
        let found = known.iter().find(|(magic, _)| start.starts_with(magic));
        found.map_or(Self::None, |(_, compression)| *compression)
    }

    /// Returns a decompressing reader, which also checks the end of the stream and its checksum.
    pub fn decoder<'r, R: BufRead + 'r>(self, reader: R) -> Result<Box<dyn Read + 'r>> {
        use liblzma::stream::{CONCATENATED, Stream};
        Ok(match self {
            Self::None => Box::new(reader),
            Self::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(reader)),
            Self::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(reader)),
            Self::Xz => Box::new(liblzma::bufread::XzDecoder::new_stream(
                reader,
                Stream::new_stream_decoder(XZ_MEMORY, CONCATENATED)?,
            )),
            Self::Lzma => Box::new(liblzma::bufread::XzDecoder::new_stream(
                reader,
                Stream::new_lzma_decoder(XZ_MEMORY)?,
            )),
            Self::Zstd => Box::new(zstd::Decoder::with_buffer(reader)?),
        })
    }
}
