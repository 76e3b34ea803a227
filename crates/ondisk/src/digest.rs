//! Digests of images, packages and media, and their hexadecimal form.

use std::fmt::Write as _;

pub use md5::Md5;
pub use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

/// Returns bytes as lower-case hexadecimal digits.
pub fn hex(bytes: impl AsRef<[u8]>) -> String {
    let mut text = String::new();
    for byte in bytes.as_ref() {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Returns the `N` bytes that a text of `2 * N` hexadecimal digits specifies.
pub fn from_hex<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, digits) in bytes.iter_mut().zip(text.chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_digits_are_written_and_read_back() {
        let sum = "900150983cd24fb0d6963f7d28e17f72";
        assert_eq!(hex(Md5::digest("abc")), sum);
        assert_eq!(from_hex::<16>(sum.as_bytes()).map(hex).as_deref(), Some(sum));
        assert_eq!(from_hex(b"aB"), Some([0xab]));
        for wrong in ["", "a", "abc", "+1", "g0", "\u{e4}"] {
            assert_eq!(from_hex::<1>(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
