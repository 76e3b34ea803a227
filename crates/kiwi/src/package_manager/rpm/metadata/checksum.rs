//! Checksums of files in a repository, with their algorithm.

use std::fmt;

use anyhow::{Result, bail, ensure};
use serde::{Deserialize, Serialize};

use super::xml::Element;

/// The algorithm of a checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Algorithm {
    /// MD5, in repositories before 2008.
    Md5,
    /// SHA-1, called `sha` in repositories before 2013.
    Sha1,
    /// SHA-224.
    Sha224,
    /// SHA-256, which almost every repository has.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// The checksum of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checksum {
    /// How it is calculated.
    pub algorithm: Algorithm,
    /// Its digits, in lower case.
    pub hex: String,
}

impl Algorithm {
    /// Every keyword with its meaning and the number of digits.
    const KEYWORDS: [(&'static str, Self, usize); 7] = [
        ("md5", Self::Md5, 32),
        ("sha", Self::Sha1, 40),
        ("sha1", Self::Sha1, 40),
        ("sha224", Self::Sha224, 56),
        ("sha256", Self::Sha256, 64),
        ("sha384", Self::Sha384, 96),
        ("sha512", Self::Sha512, 128),
    ];
}

impl Algorithm {
    /// Returns whether two files with one checksum can be made.
    pub fn is_weak(self) -> bool {
        match self {
            Self::Md5 | Self::Sha1 => true,
            Self::Sha224 | Self::Sha256 | Self::Sha384 | Self::Sha512 => false,
        }
    }
}

impl Checksum {
    /// Reads `<checksum type="sha256">DIGITS</checksum>`.
    pub(super) fn read(element: &Element) -> Result<Self> {
        Self::parse(element.required("type")?, element.text())
    }

    /// Returns the checksum with this keyword of an algorithm and these digits.
    pub(super) fn parse(keyword: &str, digits: &str) -> Result<Self> {
        let known = Algorithm::KEYWORDS.iter().find(|known| known.0.eq_ignore_ascii_case(keyword));
        let Some((_, algorithm, count)) = known else {
            bail!("the algorithm {keyword:?} of a checksum is unknown");
        };
        let hex = digits.to_ascii_lowercase();
        let valid = hex.len() == *count && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        ensure!(valid, "the {keyword} checksum {hex:?} is invalid");
        Ok(Self { algorithm: *algorithm, hex })
    }

    /// Returns the digits of a SHA-256; `None` for another algorithm.
    pub fn sha256(&self) -> Option<&str> {
        (self.algorithm == Algorithm::Sha256).then_some(self.hex.as_str())
    }
}

impl fmt::Display for Checksum {
    /// Writes `ALGORITHM:DIGITS`.
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keyword = Algorithm::KEYWORDS.iter().rev().find(|known| known.1 == self.algorithm);
        write!(to, "{}:{}", keyword.map_or("", |known| known.0), self.hex)
    }
}
