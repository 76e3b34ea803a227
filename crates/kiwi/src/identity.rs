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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_depend_on_seed_and_purpose() {
        let one = Identity::new(1, ["a", "b"]);
        assert_eq!(one.uuid_text("root"), Identity::new(1, ["a", "b"]).uuid_text("root"));
        assert_ne!(one.uuid_text("root"), one.uuid_text("esp"));
        assert_ne!(one.uuid_text("root"), Identity::new(1, ["ab"]).uuid_text("root"));
        assert_eq!(&one.uuid_text("root")[14..15], "4");
    }
}
