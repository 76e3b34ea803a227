//! The sums that an image must have.

use bootconfig::Checksum;
use ondisk::digest::{Digest, Md5, Sha256, from_hex};

/// The size and the sums of an uncompressed image, from `N.md5` and, where the server has it, `N.sha256`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) bytes: u64,
    pub(crate) md5: [u8; 16],
    pub(crate) sha256: Option<[u8; 32]>,
}

/// Which sum differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WrongSum {
    Md5,
    Sha256,
}

impl WrongSum {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }
}

impl Sums {
    pub(crate) fn new(checksum: &Checksum, sha256: Option<[u8; 32]>) -> Option<Self> {
        Some(Self { bytes: checksum.blocks.bytes()?, md5: checksum.digest, sha256 })
    }

    /// Starts to compute the sums of data.
    pub(super) fn meter(&self) -> Meter {
        Meter { md5: Md5::default(), sha256: self.sha256.map(|_| Sha256::default()) }
    }
}

/// Computes the sums of data that arrives in pieces. The SHA-256 is computed only when it is compared.
pub(super) struct Meter {
    md5: Md5,
    sha256: Option<Sha256>,
}

impl Meter {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        if let Some(sha256) = &mut self.sha256 {
            sha256.update(bytes);
        }
    }

    /// Compares the sums with the expected ones.
    pub(super) fn compare(self, expected: &Sums) -> Result<(), WrongSum> {
        let md5: [u8; 16] = self.md5.finalize().into();
        let sha256: Option<[u8; 32]> = self.sha256.map(|sum| sum.finalize().into());
        if md5 != expected.md5 {
            Err(WrongSum::Md5)
        } else if sha256 != expected.sha256 {
            Err(WrongSum::Sha256)
        } else {
            Ok(())
        }
    }
}

/// Parses `N.sha256`: the first field of the first line.
pub(crate) fn parse_sha256(text: &str) -> Option<[u8; 32]> {
    from_hex(text.split_whitespace().next()?.as_bytes())
}
