//! The identity of a build: every identifier and time stamp in an image is derived from it, so that two builds agree.

use ondisk::digest::{Digest, Sha256};

/// The time and the seed of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Seconds since 1970; no time in an image is later.
    pub epoch: u64,
    /// The seed of identifiers.
    pub seed: [u8; 32],
}

impl Identity {
    /// Returns an identity from everything that distinguishes this build from others (name, version, package list ...).
    pub fn new<'a>(epoch: u64, parts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut digest = Sha256::new();
        for part in parts {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part.as_bytes());
        }
        Self { epoch, seed: digest.finalize().into() }
    }

    /// Returns sixteen bytes for `purpose`, the same in every build with this identity.
    pub fn bytes(&self, purpose: &str) -> [u8; 16] {
        let digest = Sha256::new().chain_update(self.seed).chain_update(purpose.as_bytes()).finalize();
        std::array::from_fn(|index| digest[index])
    }

    /// Returns a number for `purpose`, such as the volume id of a FAT file system.
    pub fn number(&self, purpose: &str) -> u32 {
        let [a, b, c, d, ..] = self.bytes(purpose);
        u32::from_be_bytes([a, b, c, d])
    }

    /// Returns a version 4 UUID for `purpose`, as its sixteen bytes in text order.
    pub fn uuid(&self, purpose: &str) -> [u8; 16] {
        let mut bytes = self.bytes(purpose);
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        bytes
    }

    /// Returns the same UUID in its usual lower-case text form.
    pub fn uuid_text(&self, purpose: &str) -> String {
        uuid_text(self.uuid(purpose))
    }
}

/// Formats a UUID, its bytes in text order, in the usual lower-case text form.
pub fn uuid_text(uuid: [u8; 16]) -> String {
    ondisk::Uuid(uuid).to_string()
}

/// Formats a time in seconds since 1970 in the form of RFC 3339, in UTC.
pub fn rfc3339(epoch: u64) -> String {
    let (mut days, seconds) = (epoch / 86_400, epoch % 86_400);
    let is_leap =
        |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let mut year = 1970;
    loop {
        let length = if is_leap(year) { 366 } else { 365 };
        if days < length {
            break;
        }
        days -= length;
        year += 1;
    }
    let february = if is_leap(year) { 29 } else { 28 };
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z", days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_times_in_utc() {
        for (epoch, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (1_735_689_600, "2025-01-01T00:00:00Z"),
        ] {
            assert_eq!(rfc3339(epoch), text);
        }
    }

    #[test]
    fn identifiers_depend_on_seed_and_purpose() {
        let one = Identity::new(1, ["a", "b"]);
        assert_eq!(one.uuid_text("root"), Identity::new(1, ["a", "b"]).uuid_text("root"));
        assert_ne!(one.uuid_text("root"), one.uuid_text("esp"));
        assert_ne!(one.uuid_text("root"), Identity::new(1, ["ab"]).uuid_text("root"));
        assert_eq!(&one.uuid_text("root")[14..15], "4");
    }
}
