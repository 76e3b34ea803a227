//! UUIDs, which partition tables call GUIDs.

use std::fmt;

/// A UUID: its sixteen bytes in the order in which they are written as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid(pub [u8; 16]);

impl Uuid {
    /// Reads the bytes of a GUID as a GPT stores it: the first three fields are little-endian.
    pub fn from_gpt(bytes: [u8; 16]) -> Self {
        Self(swapped(bytes))
    }

    /// Returns the bytes of a GUID as a GPT stores it.
    pub fn to_gpt(self) -> [u8; 16] {
        swapped(self.0)
    }
}

fn swapped(mut bytes: [u8; 16]) -> [u8; 16] {
    bytes[..4].reverse();
    bytes[4..6].reverse();
    bytes[6..8].reverse();
    bytes
}

impl fmt::Display for Uuid {
    /// Lower case, with dashes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guids_swap_their_first_three_fields() {
        let uuid = Uuid(std::array::from_fn(|at| at as u8));
        assert_eq!(uuid.to_string(), "00010203-0405-0607-0809-0a0b0c0d0e0f");
        assert_eq!(uuid.to_gpt()[..8], [3, 2, 1, 0, 5, 4, 7, 6]);
        assert_eq!(Uuid::from_gpt(uuid.to_gpt()), uuid);
    }
}
