//! The header of an RPM file: the few tags that kiwi reads itself.
//!
//! ```text
//! lead (96 bytes) -> signature header, filled up to 8 bytes -> header -> compressed payload
//! header: magic, version (8 bytes) -> number of entries, bytes of data -> entries (tag, type, offset, count) -> data
//! ```

use std::io::{self, Read};

const LEAD: u64 = 96;
const LEAD_MAGIC: [u8; 4] = [0xed, 0xab, 0xee, 0xdb];
const MAGIC: [u8; 4] = [0x8e, 0xad, 0xe8, 0x01];
/// The limits of rpm itself.
const MOST_ENTRIES: u32 = 0x10_0000;
const MOST_BYTES: u32 = 0x1000_0000;

/// `BUILDTIME`
const BUILD_TIME: u32 = 1006;
/// The type of an entry with numbers of 32 bits.
const INT32: u32 = 4;
/// The types of an entry with texts: one, several, or one in several languages.
const TEXTS: [u32; 3] = [6, 8, 9];

/// The main header of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    entries: Vec<Entry>,
    data: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    tag: u32,
    kind: u32,
    offset: usize,
    count: u32,
}

impl Header {
    /// Reads the start of an RPM file.
    pub(super) fn read(mut file: impl Read) -> io::Result<Self> {
        let mut lead = [0; LEAD as usize];
        file.read_exact(&mut lead)?;
        if lead[..4] != LEAD_MAGIC {
            return Err(invalid("it is not an RPM file"));
        }
        let (_, signature) = section(&mut file)?;
        let padding = signature.len().next_multiple_of(8) - signature.len();
        io::copy(&mut file.by_ref().take(padding as u64), &mut io::sink())?;
        let (entries, data) = section(&mut file)?;
        Ok(Self { entries, data })
    }

    /// Returns the time of its build in seconds since 1970; 0 if it is unknown.
    pub(super) fn build_time(&self) -> u64 {
        self.numbers(BUILD_TIME).next().map_or(0, u64::from)
    }

    /// Returns whether it has one of these tags.
    pub(super) fn has_any(&self, tags: &[u32]) -> bool {
        self.entries.iter().any(|entry| tags.contains(&entry.tag))
    }

    /// Returns the texts of a tag.
    pub(super) fn texts(&self, tag: u32) -> Vec<&str> {
        let entry = self.entries.iter().find(|entry| entry.tag == tag && TEXTS.contains(&entry.kind));
        let Some((entry, data)) = entry.and_then(|entry| Some((entry, self.data.get(entry.offset..)?)))
        else {
            return Vec::new();
        };
        let texts = data.split(|byte| *byte == 0).take(entry.count as usize);
        texts.filter_map(|text| std::str::from_utf8(text).ok()).collect()
    }

    /// Returns the numbers of a tag.
    pub(super) fn numbers(&self, tag: u32) -> impl Iterator<Item = u32> {
        let entry = self.entries.iter().find(|entry| entry.tag == tag && entry.kind == INT32);
        let data = entry.and_then(|entry| Some((entry.count as usize, self.data.get(entry.offset..)?)));
        let (count, data) = data.unwrap_or_default();
        data.chunks_exact(4).take(count).map(number)
    }
}

/// Reads a package and the values of every tag that it has; returns how many tags these are.
#[cfg(feature = "fuzzing")]
pub(in crate::package_manager) fn read_all(bytes: &[u8]) -> Option<usize> {
    let header = Header::read(bytes).ok()?;
    for Entry { tag, .. } in &header.entries {
        assert!(header.has_any(&[*tag]));
        assert!(header.texts(*tag).iter().all(|text| text.len() <= header.data.len()));
        assert!(header.numbers(*tag).count() <= header.data.len() / 4);
    }
    let _ = header.build_time();
    Some(header.entries.len())
}

/// Reads one header.
fn section(file: &mut impl Read) -> io::Result<(Vec<Entry>, Vec<u8>)> {
    let mut start = [0; 16];
    file.read_exact(&mut start)?;
    if start[..4] != MAGIC {
        return Err(invalid("its header does not start with the mark of a header"));
    }
    let (count, bytes) = (number(&start[8..12]), number(&start[12..16]));
    if count > MOST_ENTRIES || bytes > MOST_BYTES {
        return Err(invalid("its header is larger than rpm allows"));
    }
    let mut index = Vec::new();
    file.by_ref().take(u64::from(count) * 16).read_to_end(&mut index)?;
    let mut data = Vec::new();
    file.by_ref().take(u64::from(bytes)).read_to_end(&mut data)?;
    if index.len() != count as usize * 16 || data.len() != bytes as usize {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let entry = |entry: &[u8]| Entry {
        tag: number(&entry[..4]),
        kind: number(&entry[4..8]),
        offset: number(&entry[8..12]) as usize,
        count: number(&entry[12..16]),
    };
    Ok((index.chunks_exact(16).map(entry).collect(), data))
}

/// Returns a big-endian number of up to 4 bytes.
fn number(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).fold(0, |number, byte| number << 8 | u32::from(*byte))
}

fn invalid(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a file whose signature has 5 bytes of data, and whose header has this entry and data.
    fn file(tag: u32, offset: u32, data: &[u8]) -> Vec<u8> {
        let mut file = LEAD_MAGIC.to_vec();
        file.resize(LEAD as usize, 0);
        for (entries, data) in [(Vec::new(), &b"12345"[..]), (vec![tag, INT32, offset, 1], data)] {
            file.extend(MAGIC);
            file.extend([0; 4]);
            file.extend((entries.len() as u32 / 4).to_be_bytes());
            file.extend((data.len() as u32).to_be_bytes());
            file.extend(entries.iter().flat_map(|number| number.to_be_bytes()));
            file.extend(data);
            if entries.is_empty() {
                file.extend([0; 3]);
            }
        }
        file
    }

    #[test]
    fn reads_the_time_of_the_build() {
        let time = |bytes: &[u8]| Header::read(bytes).map(|header| header.build_time()).ok();
        assert_eq!(time(&file(BUILD_TIME, 1, &[9, 0x65, 0x53, 0xf1, 0])), Some(1_700_000_000));
        assert_eq!(
            time(&file(BUILD_TIME, 2, &[9, 0x65, 0x53, 0xf1, 0])),
            Some(0),
            "it ends outside the data"
        );
        assert_eq!(time(&file(BUILD_TIME, u32::MAX, &[0; 4])), Some(0));
        assert_eq!(time(&file(BUILD_TIME + 1, 0, &[0; 4])), Some(0));
        assert_eq!(time(&file(BUILD_TIME, 0, &[0; 4])[..120]), None);
        assert_eq!(time(b"not a package"), None);
    }
}
