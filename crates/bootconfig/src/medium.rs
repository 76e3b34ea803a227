//! What kiwi's CDs and sticks say about themselves: the volume descriptor of ISO 9660, and the sum over the medium.
//!
//! The volume is known by its volume set identifier, which is a UUID of the build; the volume id is for people. The
//! sum stands in the descriptor's application field in the words that isomd5sum invented, so that `checkisomd5` judges
//! our media too: MD5 over the volume without its last sectors, the field itself read as blanks. On a stick the
//! partition table gets an entry for the persistent part at the first boot; its third and fourth entry, which are
//! empty in the image, are read as zeros.

use md5::{Digest, Md5};

/// Bytes of a sector of ISO 9660.
pub const SECTOR: u64 = 2048;
/// Where the primary volume descriptor begins.
pub const DESCRIPTOR: u64 = 16 * SECTOR;

/// Where the application field is in the image.
const FIELD: u64 = DESCRIPTOR + 883;
const FIELD_LENGTH: usize = 512;
/// The third and fourth entry of an MBR.
const LATER_PARTITIONS: (u64, u64) = (478, 510);
/// Sectors at the end that are not summed, as readers of CDs stumble over them.
const SKIPPED: u64 = 15;

/// A volume of ISO 9660.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// The volume id: what people see.
    pub id: String,
    /// The volume set id: the UUID of a medium made by kiwi.
    pub set: String,
    /// Bytes that the volume says it has.
    pub bytes: u64,
    /// What is summed, when the medium has a sum.
    pub sum: Option<MediumSum>,
}

impl Volume {
    /// Reads the sector at `DESCRIPTOR`; nothing when it is no volume descriptor.
    pub fn parse(sector: &[u8]) -> Option<Self> {
        if sector.len() < SECTOR as usize || sector[..7] != *b"\x01CD001\x01" {
            return None;
        }
        let text = |from: usize, to: usize| String::from_utf8_lossy(&sector[from..to]).trim_end().to_owned();
        let sectors = u32::from_le_bytes(sector[80..84].try_into().ok()?);
        Some(Self {
            id: text(40, 72),
            set: text(190, 318),
            bytes: u64::from(sectors) * SECTOR,
            sum: MediumSum::parse(&text(883, 883 + FIELD_LENGTH)),
        })
    }

    /// Bytes from the start that a sum covers.
    pub fn summed(&self) -> u64 {
        let skipped = self.sum.map_or(SKIPPED, |sum| sum.skipped);
        self.bytes.saturating_sub(skipped * SECTOR)
    }
}

/// The sum of a medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MediumSum {
    /// MD5.
    pub digest: [u8; 16],
    /// Sectors at the end that are not summed.
    pub skipped: u64,
}

impl MediumSum {
    fn parse(field: &str) -> Option<Self> {
        let value = |name: &str| {
            let rest = &field[field.find(name)? + name.len()..];
            Some(rest.split(';').next().unwrap_or(rest).trim().to_owned())
        };
        let digest = crate::checksum::digest_of_hex(&value("ISO MD5SUM = ")?)?;
        Some(Self { digest, skipped: value("SKIPSECTORS = ")?.parse().ok()? })
    }

    /// Where to write what `field` gives.
    pub const PLACE: u64 = FIELD;

    /// The application field of the descriptor.
    pub fn field(&self) -> Vec<u8> {
        let hex: String = self.digest.iter().map(|byte| format!("{byte:02x}")).collect();
        // One sum over everything: without a count, checkisomd5 looks for sums of twenty fragments.
        let text =
            format!("ISO MD5SUM = {hex};SKIPSECTORS = {};RHLISOSTATUS=0;FRAGMENT COUNT = 0;", self.skipped);
        let mut field = text.into_bytes();
        field.resize(FIELD_LENGTH, b' ');
        field
    }
}

/// Sums a medium from its first byte.
#[derive(Default)]
pub struct MediumDigester {
    md5: Md5,
    position: u64,
}

impl MediumDigester {
    /// Adds the next bytes; those that a sum does not depend on are replaced in `bytes`.
    pub fn update(&mut self, bytes: &mut [u8]) {
        self.mask(bytes, LATER_PARTITIONS.0, LATER_PARTITIONS.1, 0);
        self.mask(bytes, FIELD, FIELD + FIELD_LENGTH as u64, b' ');
        self.md5.update(&*bytes);
        self.position += bytes.len() as u64;
    }

    fn mask(&self, bytes: &mut [u8], from: u64, to: u64, with: u8) {
        let end = self.position + bytes.len() as u64;
        let (from, to) = (from.max(self.position), to.min(end));
        if from < to {
            bytes[(from - self.position) as usize..(to - self.position) as usize].fill(with);
        }
    }

    /// The sum of all bytes that were added, which are `Volume::summed`.
    pub fn finish(self) -> MediumSum {
        MediumSum { digest: self.md5.finalize().into(), skipped: SKIPPED }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn descriptor(field: &[u8]) -> Vec<u8> {
        let mut sector = vec![b' '; 2048];
        sector[..7].copy_from_slice(b"\x01CD001\x01");
        sector[40..44].copy_from_slice(b"LIVE");
        sector[80..84].copy_from_slice(&100u32.to_le_bytes());
        sector[190..196].copy_from_slice(b"ab-12 ");
        sector[883..883 + field.len()].copy_from_slice(field);
        sector
    }

    #[test]
    fn a_descriptor_is_read_with_its_sum() {
        let sum = MediumSum { digest: [0xab; 16], skipped: 15 };
        let volume = Volume::parse(&descriptor(&sum.field())).unwrap();
        assert_eq!((volume.id.as_str(), volume.set.as_str()), ("LIVE", "ab-12"));
        assert_eq!((volume.bytes, volume.summed(), volume.sum), (100 * 2048, 85 * 2048, Some(sum)));
        assert_eq!(Volume::parse(&descriptor(b"")).unwrap().sum, None);
        assert_eq!(Volume::parse(&[0; 2048]), None);
        assert_eq!(Volume::parse(b"\x01CD001\x01"), None);
    }

    #[test]
    fn the_sum_does_not_depend_on_its_field_nor_on_the_stick_part() {
        let image = |field: u8, entry: u8| {
            let mut image = vec![1u8; 40_000];
            image[478..510].fill(entry);
            image[33_651..33_651 + 512].fill(field);
            image
        };
        let sum = |mut image: Vec<u8>, step: usize| {
            let mut digester = MediumDigester::default();
            image.chunks_mut(step).for_each(|chunk| digester.update(chunk));
            digester.finish().digest
        };
        let expected: [u8; 16] = Md5::digest(image(b' ', 0)).into();
        assert_eq!(sum(image(b' ', 0), 40_000), expected);
        assert_eq!(sum(image(7, 9), 1000), expected);
        assert_ne!(sum(vec![1; 39_999], 1000), expected);
    }
}
