//! The address of a network card.

use std::fmt;

/// A MAC address. It is written in capital letters with colons, as the names of files contain it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MacAddress(pub [u8; 6]);

/// The error for a text that is not a MAC address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MacAddressError(String);

impl fmt::Display for MacAddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" is not a MAC address: expected six bytes such as 52:54:00:12:34:56", self.0)
    }
}

impl std::error::Error for MacAddressError {}

impl MacAddress {
    /// Parses an address whose bytes are separated by colons or hyphens.
    pub fn parse(text: &str) -> Result<Self, MacAddressError> {
        let separator = if text.contains('-') { '-' } else { ':' };
        let mut bytes = text.split(separator).map(|byte| {
            let valid = byte.len() == 2 && byte.bytes().all(|digit| digit.is_ascii_hexdigit());
            valid.then(|| u8::from_str_radix(byte, 16).ok()).flatten()
        });
        let mut address = [0; 6];
        let read = address.iter_mut().all(|to| match bytes.next() {
            Some(Some(byte)) => {
                *to = byte;
                true
            }
            _ => false,
        });
        match read && bytes.next().is_none() {
            true => Ok(Self(address)),
            false => Err(MacAddressError(text.to_owned())),
        }
    }

    /// Parses the value of the parameter `BOOTIF`, which has the number of the hardware type in front of the address. The
    /// type is that of Ethernet in all cases.
    pub fn parse_bootif(text: &str) -> Result<Self, MacAddressError> {
        Self::parse(text.strip_prefix("01-").filter(|rest| rest.len() == 17).unwrap_or(text))
    }
}

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02X}:{b:02X}:{c:02X}:{d:02X}:{e:02X}:{g:02X}")
    }
}

impl From<[u8; 6]> for MacAddress {
    fn from(bytes: [u8; 6]) -> Self {
        Self(bytes)
    }
}
