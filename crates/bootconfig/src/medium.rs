//! The identity of kiwi's CDs and sticks (the volume descriptor of ISO 9660), and the checksum of the medium.
//!
//! A volume is identified by its volume set identifier, which is a UUID of the build; the volume id is for users. The
//! checksum is the SHA-256 of everything before the sector that stores it, so that one pass over an image gives this
//! checksum and that of the whole file. On a stick the first boot adds a partition for persistent data to the partition
//! table; its third and fourth entry, which are empty in the image, are therefore read as zeros.

use ondisk::Bytes;
use ondisk::digest::{Digest, Sha256, from_hex, hex};

/// Bytes of a sector in ISO 9660.
pub const SECTOR: u64 = 2048;
/// The offset of the primary volume descriptor in bytes.
pub const DESCRIPTOR: u64 = 16 * SECTOR;

/// The third and fourth entry of an MBR, as byte offsets.
const LATER_PARTITIONS: (u64, u64) = (478, 510);
/// Sectors at the end that are not summed, because CD drives fail to read them. The checksum is in the sector before.
const SKIPPED: u64 = 15;
/// The start of the sector that stores the checksum.
const MARK: &str = "kiwi medium sha256 ";

/// The volume of an ISO 9660 image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// The volume id, which users see.
    pub id: String,
    /// The volume set id: the UUID of a medium made by kiwi.
    pub set: String,
    /// The size that the volume descriptor states.
    pub bytes: Bytes,
}

impl Volume {
    /// Parses the sector at `DESCRIPTOR`; none when it is not a volume descriptor.
    pub fn parse(sector: &[u8]) -> Option<Self> {
        if sector.len() < SECTOR as usize || sector[..7] != *b"\x01CD001\x01" {
            return None;
        }
        let text = |from: usize, to: usize| String::from_utf8_lossy(&sector[from..to]).trim_end().to_owned();
        let sectors = u32::from_le_bytes(sector[80..84].try_into().ok()?);
        Some(Self { id: text(40, 72), set: text(190, 318), bytes: Bytes(u64::from(sectors) * SECTOR) })
    }

    /// Returns the offset of the sector with the checksum, which is also the number of bytes that are summed.
    pub fn summed(&self) -> u64 {
        self.bytes.saturating_sub(Bytes((SKIPPED + 1) * SECTOR)).0
    }
}

/// The SHA-256 of a medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MediumSum(pub [u8; 32]);

impl MediumSum {
    /// Parses the sector at `Volume::summed`; none when the medium has no checksum.
    pub fn parse(sector: &[u8]) -> Option<Self> {
        from_hex(sector.strip_prefix(MARK.as_bytes())?.get(..64)?).map(Self)
    }

    /// Returns the sector that stores the checksum.
    pub fn sector(&self) -> Vec<u8> {
        let mut sector = format!("{MARK}{}\n", hex(self.0)).into_bytes();
        sector.resize(SECTOR as usize, 0);
        sector
    }
}

/// Computes the checksum of a medium from its first byte on.
#[derive(Default)]
pub struct MediumDigester {
    sha256: Sha256,
    position: u64,
}

impl MediumDigester {
    /// Adds the next bytes. Bytes that the checksum ignores are replaced by zeros in `bytes`.
    pub fn update(&mut self, bytes: &mut [u8]) {
        let end = self.position + bytes.len() as u64;
        let (from, to) = (LATER_PARTITIONS.0.max(self.position), LATER_PARTITIONS.1.min(end));
        if from < to {
            bytes[(from - self.position) as usize..(to - self.position) as usize].fill(0);
        }
        self.sha256.update(&*bytes);
        self.position = end;
    }

    /// Returns the checksum of all bytes that were added.
    pub fn sum(&self) -> MediumSum {
        MediumSum(self.sha256.clone().finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_descriptor() {
        let mut sector = vec![b' '; 2048];
        sector[..7].copy_from_slice(b"\x01CD001\x01");
        sector[40..44].copy_from_slice(b"LIVE");
        sector[80..84].copy_from_slice(&100u32.to_le_bytes());
        sector[190..196].copy_from_slice(b"ab-12 ");
        let volume = Volume::parse(&sector).unwrap();
        assert_eq!((volume.id.as_str(), volume.set.as_str()), ("LIVE", "ab-12"));
        assert_eq!((volume.bytes, volume.summed()), (Bytes(100 * 2048), 84 * 2048));
        assert_eq!(Volume::parse(&[0; 2048]), None);
        assert_eq!(Volume::parse(b"\x01CD001\x01"), None);
    }

    #[test]
    fn reads_back_a_checksum() {
        let sum = MediumSum([0xab; 32]);
        assert_eq!(sum.sector().len(), 2048);
        assert_eq!(MediumSum::parse(&sum.sector()), Some(sum));
        assert_eq!(MediumSum::parse(&[0; 2048]), None);
        assert_eq!(MediumSum::parse(&sum.sector()[..60]), None);
        let mut broken = sum.sector();
        broken[30] = b'x';
        assert_eq!(MediumSum::parse(&broken), None);
    }

    #[test]
    fn ignores_the_persistent_partition_of_a_stick() {
        let image = |entry: u8| {
            let mut image = vec![1u8; 40_000];
            image[478..510].fill(entry);
            image
        };
        let sum = |mut image: Vec<u8>, step: usize| {
            let mut digester = MediumDigester::default();
            image.chunks_mut(step).for_each(|chunk| digester.update(chunk));
            digester.sum().0
        };
        let expected: [u8; 32] = Sha256::digest(image(0)).into();
        assert_eq!(sum(image(0), 40_000), expected);
        assert_eq!(sum(image(9), 500), expected);
        assert_ne!(sum(vec![1; 39_999], 1000), expected);
    }
}
