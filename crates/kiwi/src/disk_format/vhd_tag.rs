//! The tag of a fixed VHD: a GUID at byte 65536 of the disk, which Azure reads.
//!
//! The first three fields of a GUID are little-endian in memory ([MS-DTYP] 2.3.4.2).

use std::fs::File;
use std::os::unix::fs::FileExt;

use anyhow::{Context, Result};
use ondisk::Uuid;

/// The offset of the tag in bytes.
pub const OFFSET: u64 = 65536;

/// Returns the bytes of a tag, which is a GUID in text form.
pub fn parse(text: &str) -> Option<[u8; 16]> {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    let number = u128::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 32)?;
    Some(Uuid(number.to_be_bytes()).to_gpt())
}

/// Writes the tag to the plain sectors of a disk.
pub fn write(tag: [u8; 16], disk: &File) -> Result<()> {
    disk.write_all_at(&tag, OFFSET).context("cannot write the tag of the VHD")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_three_fields_are_little_endian() {
        let tag = parse("00112233-4455-6677-8899-aabbccddeeff").unwrap();
        assert_eq!(tag[..8], [0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66]);
        assert_eq!(tag[8..], [0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff]);
        assert_eq!(parse("00112233"), None);
    }
}
