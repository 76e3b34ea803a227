//! DNS messages as bytes: a query for the IPv4 address of a name, and the answer (RFC 1035).

use std::net::Ipv4Addr;

const HEADER: usize = 12;
const TYPE_A: u16 = 1;
const TYPE_CNAME: u16 = 5;
const CLASS_INTERNET: u16 = 1;
/// The longest chain of aliases that is followed.
const MOST_ALIASES: usize = 16;
/// The longest name, in the form of messages.
const LONGEST_NAME: usize = 255;

/// What an answer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The first address of the name.
    Address(Ipv4Addr),
    /// The name does not exist, or has no address.
    Unknown,
    /// The server cannot say.
    Failure,
}

/// Whether a name can be asked for.
pub fn is_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    name.len() <= LONGEST_NAME - 2
        && name.bytes().all(valid)
        && name.split('.').all(|label| (1..=63).contains(&label.len()))
}

/// Returns the query for a valid name, with the identifier that the answer has, too.
pub fn query(identifier: u16, name: &str) -> Vec<u8> {
    let mut bytes = identifier.to_be_bytes().to_vec();
    // The server shall ask others; there is one question.
    bytes.extend_from_slice(&[1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.strip_suffix('.').unwrap_or(name).split('.') {
        bytes.push(label.len() as u8);
        bytes.extend_from_slice(label.as_bytes());
    }
    bytes.push(0);
    bytes.extend_from_slice(&[TYPE_A.to_be_bytes(), CLASS_INTERNET.to_be_bytes()].concat());
    bytes
}

/// Reads a message. None: it is not the answer to this query, or its lengths contradict each other.
pub fn parse(message: &[u8], identifier: u16, name: &str) -> Option<Answer> {
    let header = message.first_chunk::<HEADER>()?;
    let count = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
    let (is_answer, result) = (header[2] & 0x80 != 0, header[3] & 0x0f);
    if count(0) != identifier || !is_answer || count(4) != 1 {
        return None;
    }
    let mut reader = Reader { message, at: HEADER };
    let asked = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    if reader.name()? != asked || reader.number()? != TYPE_A || reader.number()? != CLASS_INTERNET {
        return None;
    }
    match result {
        0 => {}
        3 => return Some(Answer::Unknown),
        _ => return Some(Answer::Failure),
    }
    let (mut aliases, mut addresses) = (Vec::new(), Vec::new());
    for _ in 0..count(6) {
        let owner = reader.name()?;
        let (kind, class) = (reader.number()?, reader.number()?);
        reader.take(4)?;
        let length = reader.number()?.into();
        let end = reader.at.checked_add(length).filter(|end| *end <= message.len())?;
        match (kind, class) {
            (TYPE_A, CLASS_INTERNET) => {
                let octets: [u8; 4] = reader.take(length)?.try_into().ok()?;
                addresses.push((owner, Ipv4Addr::from(octets)));
            }
            (TYPE_CNAME, CLASS_INTERNET) => aliases.push((owner, reader.name()?)),
            _ => {}
        }
        reader.at = end;
    }
    let mut current = asked;
    for _ in 0..MOST_ALIASES {
        if let Some((_, address)) = addresses.iter().find(|(owner, _)| *owner == current) {
            return Some(Answer::Address(*address));
        }
        match aliases.iter().find(|(owner, _)| *owner == current) {
            Some((_, target)) => current.clone_from(target),
            None => break,
        }
    }
    Some(Answer::Unknown)
}

struct Reader<'a> {
    message: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let piece = self.message.get(self.at..self.at.checked_add(count)?)?;
        self.at += count;
        Some(piece)
    }

    fn number(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(*self.take(2)?.first_chunk()?))
    }

    /// Reads a name in lower case. A pointer continues it at an earlier offset, so there is no circle.
    fn name(&mut self) -> Option<String> {
        let mut name = String::new();
        let (mut inner, mut after) = (Reader { message: self.message, at: self.at }, None);
        let mut start = self.at;
        loop {
            let [length] = *inner.take(1)? else { return None };
            match length {
                0 => break,
                1..=63 => {
                    if !name.is_empty() {
                        name.push('.');
                    }
                    name.extend(
                        inner.take(length.into())?.iter().map(|byte| char::from(byte.to_ascii_lowercase())),
                    );
                    if name.len() > LONGEST_NAME {
                        return None;
                    }
                }
                64..192 => return None,
                192..=255 => {
                    let [low] = *inner.take(1)? else { return None };
                    let target = usize::from(u16::from_be_bytes([length & 0x3f, low]));
                    after.get_or_insert(inner.at);
                    if target >= start {
                        return None;
                    }
                    (inner.at, start) = (target, target);
                }
            }
        }
        self.at = after.unwrap_or(inner.at);
        Some(name)
    }
}

#[cfg(test)]
mod tests;
