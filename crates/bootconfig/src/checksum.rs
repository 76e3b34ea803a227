//! The checksum file `N.md5` (docs/formats/image-files.md): one line, `<32 hex>   <blocks> <blocksize>`.
//!
//! The size of the summed data is stored in blocks, so that a client reads back exactly as many bytes from a device as
//! the image has: the number of blocks times the block size is the size in bytes.

use std::fmt;

use ondisk::digest::{Digest, Md5, from_hex, hex};

/// A size as a number of equal blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blocks {
    /// The number of blocks.
    pub count: u64,
    /// Bytes of a block, at most 8192.
    pub size: u64,
}

impl Blocks {
    /// The largest block size.
    pub const LARGEST: u64 = 8192;

    /// Divides `bytes` into blocks. The prime factors of the size are multiplied in ascending order until the next one
    /// would make the block larger than 8192 bytes. A large prime size therefore gives blocks of one byte.
    pub fn of(bytes: u64) -> Self {
        let (mut size, mut rest, mut factor) = (1, bytes, 2);
        // A factor above 8192 cannot be used, which also bounds the search.
        while size * factor <= Self::LARGEST && rest > 1 {
            if rest.is_multiple_of(factor) {
                size *= factor;
                rest /= factor;
            } else {
                factor += 1;
            }
        }
        Self { count: bytes / size, size }
    }

    /// Returns the size in bytes; none when it does not fit into 64 bits (a damaged file).
    pub fn bytes(self) -> Option<u64> {
        self.count.checked_mul(self.size)
    }
}

/// The content of `N.md5`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checksum {
    /// The MD5 sum.
    pub digest: [u8; 16],
    /// The size of the summed data.
    pub blocks: Blocks,
}

/// The error for a text that is not a checksum file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChecksumError(String);

impl fmt::Display for ChecksumError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" is not a checksum: expected \"<32 hex digits> <blocks> <blocksize>\"", self.0)
    }
}

impl std::error::Error for ChecksumError {}

impl Checksum {
    /// Parses the line; its fields may be separated by any blanks.
    pub fn parse(text: &str) -> Result<Self, ChecksumError> {
        let malformed = || ChecksumError(text.trim().to_owned());
        let keywords: Vec<&str> = text.split_whitespace().collect();
        let [digest, count, size] = keywords[..] else { return Err(malformed()) };
        let blocks = Blocks {
            count: count.parse().map_err(|_| malformed())?,
            size: size.parse().map_err(|_| malformed())?,
        };
        if blocks.size == 0 || blocks.bytes().is_none() {
            return Err(malformed());
        }
        Ok(Self { digest: from_hex(digest.as_bytes()).ok_or_else(malformed)?, blocks })
    }
}

impl fmt::Display for Checksum {
    /// Returns the line of the file, without the line feed at its end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}   {} {}", hex(self.digest), self.blocks.count, self.blocks.size)
    }
}

/// Computes a checksum from data that arrives in pieces.
#[derive(Default)]
pub struct Digester {
    md5: Md5,
    bytes: u64,
}

impl Digester {
    /// Adds the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    /// Returns the checksum of all bytes that were added.
    pub fn finish(self) -> Checksum {
        Checksum { digest: self.md5.finalize().into(), blocks: Blocks::of(self.bytes) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn multiplies_prime_factors_up_to_the_largest_block() {
        for (bytes, count, size) in [
            (482_344_960, 58_880, 8192),
            (105_906_176, 12_928, 8192),
            (24_576, 3, 8192),
            (12_345_678, 14_593, 846),
            (10_007, 10_007, 1),
        ] {
            assert_eq!(Blocks::of(bytes), Blocks { count, size }, "{bytes}");
        }
    }

    #[test]
    fn writes_three_blanks_after_the_sum() {
        let mut digester = Digester::default();
        digester.update(b"ab");
        digester.update(b"c");
        assert_eq!(digester.finish().to_string(), "900150983cd24fb0d6963f7d28e17f72   1 3");
    }

    #[test]
    fn an_empty_image_has_no_blocks() {
        assert_eq!(Digester::default().finish().to_string(), "d41d8cd98f00b204e9800998ecf8427e   0 1");
    }

    #[test]
    fn rejects_damaged_lines() {
        for text in [
            "",
            "900150983cd24fb0d6963f7d28e17f72",
            "900150983cd24fb0d6963f7d28e17f72 1",
            "900150983cd24fb0d6963f7d28e17f72 1 3 4",
            "900150983cd24fb0d6963f7d28e17f7 1 3",
            "+00150983cd24fb0d6963f7d28e17f72 1 3",
            "900150983cd24fb0d6963f7d28e17f72 1 0",
            "900150983cd24fb0d6963f7d28e17f72 -1 3",
            "900150983cd24fb0d6963f7d28e17f72 18446744073709551615 2",
        ] {
            assert!(Checksum::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(digest: [u8; 16], bytes in 0u64..1 << 40) {
            let checksum = Checksum { digest, blocks: Blocks::of(bytes) };
            prop_assert_eq!(checksum.blocks.bytes(), Some(bytes));
            prop_assert!(checksum.blocks.size <= Blocks::LARGEST);
            prop_assert_eq!(Checksum::parse(&format!("{checksum}\n")), Ok(checksum));
        }

        #[test]
        fn any_text_is_refused_or_read(text in "\\PC*") {
            let _ = Checksum::parse(&text);
        }
    }
}
