//! TFTP packets as bytes: RFC 1350, with the options of RFC 2347 to 2349 and 7440.

/// A packet of a transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packet<'a> {
    /// A block of the file.
    Data {
        /// Its number, which starts again after 65535.
        block: u16,
        /// Its bytes.
        bytes: &'a [u8],
    },
    /// Everything up to this block has arrived.
    Acknowledge {
        /// The number of the block.
        block: u16,
    },
    /// The transfer ends.
    Error {
        /// The reason.
        code: u16,
        /// The same for people.
        text: String,
    },
    /// The options that the server agrees to.
    Options(Vec<(String, String)>),
}

/// The codes of errors.
pub mod code {
    /// See the text.
    pub const UNDEFINED: u16 = 0;
    /// No such file.
    pub const NOT_FOUND: u16 = 1;
    /// Not allowed.
    pub const ACCESS_VIOLATION: u16 = 2;
    /// A file of this name exists.
    pub const EXISTS: u16 = 6;
    /// The options cannot be used.
    pub const OPTIONS: u16 = 8;
}

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// The client gets the file.
    Read = 1,
    /// The client sends the file.
    Write = 2,
}

const DATA: u16 = 3;
const ACKNOWLEDGE: u16 = 4;
const ERROR: u16 = 5;
const OPTIONS: u16 = 6;
/// The length of a block's header.
pub(super) const DATA_HEADER: usize = 4;
/// The most options that are read.
const MOST_OPTIONS: usize = 32;

impl<'a> Packet<'a> {
    /// Reads a packet of a server; none if it is not one.
    pub fn parse(packet: &'a [u8]) -> Option<Self> {
        let (head, rest) = packet.split_first_chunk::<2>()?;
        match u16::from_be_bytes(*head) {
            DATA => {
                let (block, bytes) = rest.split_first_chunk::<2>()?;
                Some(Self::Data { block: u16::from_be_bytes(*block), bytes })
            }
            ACKNOWLEDGE => Some(Self::Acknowledge { block: u16::from_be_bytes(*rest.first_chunk::<2>()?) }),
            ERROR => {
                let (code, text) = rest.split_first_chunk::<2>()?;
                let text = text.split(|byte| *byte == 0).next()?;
                let printable = |character: char| if character.is_control() { ' ' } else { character };
                let text = String::from_utf8_lossy(text).chars().take(200).map(printable).collect();
                Some(Self::Error { code: u16::from_be_bytes(*code), text })
            }
            OPTIONS => Some(Self::Options(options(rest)?)),
            _ => None,
        }
    }

    /// Returns the packet as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let head = |operation: u16, number: u16| [operation.to_be_bytes(), number.to_be_bytes()].concat();
        match self {
            Self::Data { block, bytes } => [&head(DATA, *block), *bytes].concat(),
            Self::Acknowledge { block } => head(ACKNOWLEDGE, *block),
            Self::Error { code, text } => [&head(ERROR, *code), text.as_bytes(), b"\0"].concat(),
            Self::Options(options) => {
                let mut bytes = OPTIONS.to_be_bytes().to_vec();
                add_options(&mut bytes, options.iter().map(|(name, value)| (name.as_str(), value.as_str())));
                bytes
            }
        }
    }
}

/// Returns a request for the file `name` in binary mode as bytes. Neither the name nor an option contains a zero byte.
pub fn request(operation: Operation, name: &str, options: &[(&str, String)]) -> Vec<u8> {
    let mut bytes = (operation as u16).to_be_bytes().to_vec();
    let all =
        [(name, "octet")].into_iter().chain(options.iter().map(|(name, value)| (*name, value.as_str())));
    add_options(&mut bytes, all);
    bytes
}

fn add_options<'a>(bytes: &mut Vec<u8>, options: impl Iterator<Item = (&'a str, &'a str)>) {
    for text in options.flat_map(|(name, value)| [name, value]) {
        bytes.extend_from_slice(text.as_bytes());
        bytes.push(0);
    }
}

/// Reads pairs of texts, each of which ends with a zero byte. Names of options are returned in lower case.
fn options(bytes: &[u8]) -> Option<Vec<(String, String)>> {
    let mut texts = match bytes.strip_suffix(b"\0") {
        Some(bytes) => bytes.split(|byte| *byte == 0),
        None if bytes.is_empty() => return Some(vec![]),
        None => return None,
    };
    let mut options = Vec::new();
    while let Some(name) = texts.next() {
        if options.len() == MOST_OPTIONS {
            return None;
        }
        let (name, value) = (std::str::from_utf8(name).ok()?, std::str::from_utf8(texts.next()?).ok()?);
        options.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    Some(options)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn text() -> impl Strategy<Value = String> {
        "[a-z0-9 ]{0,20}"
    }

    proptest! {
        #[test]
        fn packets_read_back(
            number in any::<u16>(), bytes in vec(any::<u8>(), 0..600), text in text(),
            options in vec((text(), text()), 0..8),
        ) {
            for packet in [
                Packet::Data { block: number, bytes: &bytes },
                Packet::Acknowledge { block: number },
                Packet::Error { code: number, text },
                Packet::Options(options),
            ] {
                let encoded = packet.encode();
                prop_assert_eq!(Packet::parse(&encoded), Some(packet));
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(kind in 0..9_u8, bytes in vec(any::<u8>(), 0..200)) {
            let _ = Packet::parse(&[&[0, kind], bytes.as_slice()].concat());
        }
    }

    #[test]
    fn incomplete_packets_are_refused() {
        for packet in [
            &b""[..],
            b"\0",
            b"\0\x03\0",
            b"\0\x04\0",
            b"\0\x05\0",
            b"\0\x06blksize\0",
            b"\0\x06blksize\x008",
            b"\0\x01a\0octet\0",
        ] {
            assert_eq!(Packet::parse(packet), None, "{packet:?}");
        }
        let many = [&b"\0\x06"[..], &b"a\x001\0".repeat(MOST_OPTIONS + 1)].concat();
        assert_eq!(Packet::parse(&many), None);
    }

    #[test]
    fn requests_name_the_binary_mode() {
        let bytes = request(Operation::Read, "image/a", &[("tsize", "0".to_owned())]);
        assert_eq!(bytes, b"\0\x01image/a\0octet\0tsize\x000\0");
        assert_eq!(request(Operation::Write, "b", &[]), b"\0\x02b\0octet\0");
    }

    #[test]
    fn texts_of_errors_cannot_change_the_screen() {
        let packet = Packet::parse(b"\0\x05\0\x01no\x1b[2J\0rest").unwrap();
        assert_eq!(packet, Packet::Error { code: 1, text: "no [2J".to_owned() });
    }
}
