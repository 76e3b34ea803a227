//! The forms of an OpenPGP public key in a file.

use anyhow::Result;

use crate::failure::fail;

/// A public key in a form that apt reads. apt recognises the form by the extension.
#[derive(Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// The content of its file.
    pub bytes: Vec<u8>,
    /// `asc` or `gpg`.
    pub extension: &'static str,
}

/// The first line of an armoured key.
const BEGIN: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";

/// Returns the public key in `bytes`, armoured or binary, whatever the name of its file is. `name` is for messages.
pub fn public_key(bytes: &[u8], name: &str) -> Result<PublicKey> {
    let text = String::from_utf8_lossy(bytes);
    if text.contains(BEGIN) {
        // apt reads neither the line ends of other systems nor blanks at the end of a line.
        let lines = text.trim_start_matches('\u{feff}').lines().map(|line| line.trim_end().to_owned() + "\n");
        return Ok(PublicKey { bytes: lines.collect::<String>().into_bytes(), extension: "asc" });
    }
    let what = if text.contains("-----BEGIN PGP PRIVATE KEY BLOCK-----") {
        "it is a private key; export the public one with gpg --export"
    } else if bytes.get(8..12) == Some(b"KBXf") {
        "it is a keybox of GnuPG; export its keys with gpg --no-default-keyring --keyring FILE --export"
    } else if bytes.is_empty() {
        "it is empty"
    } else if text.trim_start().starts_with('<') {
        "it is a web page"
    } else if is_packet(bytes[0]) {
        return Ok(PublicKey { bytes: bytes.to_vec(), extension: "gpg" });
    } else {
        "it is neither armoured nor binary"
    };
    fail!(Signature, "{name} is not an OpenPGP public key: {what}")
}

/// Returns whether a byte starts a packet with a public key, in the old or the new format.
fn is_packet(byte: u8) -> bool {
    const PUBLIC_KEY: u8 = 6;
    match byte >> 6 {
        0b11 => byte & 0x3f == PUBLIC_KEY,
        0b10 => (byte & 0x3f) >> 2 == PUBLIC_KEY,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_decides_about_the_form_of_a_key() {
        let armoured =
            "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQENBA==\n-----END PGP PUBLIC KEY BLOCK-----\n";
        let form = |bytes: &[u8]| public_key(bytes, "key").map(|key| (key.extension, key.bytes)).ok();
        let expected = Some(("asc", armoured.as_bytes().to_vec()));
        assert_eq!(form(armoured.as_bytes()), expected);
        assert_eq!(form(armoured.replace('\n', "\r\n").as_bytes()), expected);
        assert_eq!(form(format!("\u{feff}{}", armoured.replace('\n', " \n")).as_bytes()), expected);
        for first in [0x98, 0x99, 0xc6] {
            assert_eq!(form(&[first, 1, 2]), Some(("gpg", vec![first, 1, 2])));
        }
    }

    #[test]
    fn what_is_not_a_public_key_is_refused_with_the_reason() {
        let keybox = b"\0\0\0 \x01\x01\0\x02KBXf\0\0";
        for (bytes, reason) in [
            (&b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n"[..], "private"),
            (keybox, "keybox"),
            (b"", "empty"),
            (b"<html>404</html>", "web page"),
            (b"\x95\x01", "neither"),
            (b"ssh-rsa AAAA", "neither"),
        ] {
            let error = public_key(bytes, "key").unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }
}
