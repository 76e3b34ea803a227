//! The members of a tar archive: ustar, the pax format and that of GNU tar.
//!
//! The crate `tar` decodes the headers. It cannot read pax records whose values contain line breaks, as access control
//! lists and binary attributes do, so the records and the order of headers and contents are read here.

use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use rustix::fs::Timespec;
use tar::{EntryType, GnuExtSparseHeader, Header};

use super::holes::{self, Parts};

/// Size in bytes of a block.
const BLOCK: u64 = 512;
/// Maximum size in bytes of the records or the long name of a member.
const RECORDS: u64 = 1 << 20;

/// Everything about a member but its content.
pub(super) struct Member {
    pub(super) path: PathBuf,
    /// The target of a link.
    pub(super) target: PathBuf,
    pub(super) kind: EntryType,
    pub(super) header: Header,
    pub(super) user: u32,
    pub(super) group: u32,
    pub(super) time: Timespec,
    /// Keys and values of the pax records.
    pub(super) records: Vec<(String, Vec<u8>)>,
    /// The data of a sparse file.
    pub(super) parts: Option<Parts>,
}

/// Reads an archive member by member; as a reader, it is the content of the current one.
pub(super) struct Members<R> {
    input: R,
    /// Bytes of the current content that were not read yet.
    content: u64,
    padding: u64,
}

impl<R: Read> Members<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, content: 0, padding: 0 }
    }

    /// Returns the input after the last member.
    pub(super) fn into_input(self) -> R {
        self.input
    }

    /// Returns the next member; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<Member>> {
        let (mut name, mut target, mut records) = (None, None, Vec::new());
        loop {
            let Some(header) = self.header()? else { return Ok(None) };
            match header.entry_type() {
                EntryType::GNULongName => name = Some(self.text()?),
                EntryType::GNULongLink => target = Some(self.text()?),
                EntryType::XHeader => records = parse_records(&self.extension()?)?,
                EntryType::XGlobalHeader => {}
                kind => return self.member(header, kind, name, target, records).map(Some),
            }
        }
    }

    fn member(
        &mut self,
        header: Header,
        kind: EntryType,
        name: Option<Vec<u8>>,
        target: Option<Vec<u8>>,
        records: Vec<(String, Vec<u8>)>,
    ) -> Result<Member> {
        let record =
            |key: &str| records.iter().find(|(known, _)| known == key).map(|(_, value)| value.clone());
        let number = |key: &str| -> Result<Option<u64>> {
            let text = record(key).map(|value| String::from_utf8_lossy(&value).into_owned());
            text.map(|text| text.parse().with_context(|| format!("reading the record {key}={text}")))
                .transpose()
        };
        if let Some(size) = number("size")? {
            self.content = size;
            self.padding = padding(size);
        }
        let path = |bytes: Vec<u8>| PathBuf::from(OsString::from_vec(bytes));
        let name = record("GNU.sparse.name").or_else(|| record("path")).or(name);
        let target = record("linkpath").or(target);
        let id = |known: Option<u64>, other: io::Result<u64>| -> Result<u32> {
            Ok(u32::try_from(known.map_or(other, Ok)?)?)
        };
        let (user, group) = (id(number("uid")?, header.uid())?, id(number("gid")?, header.gid())?);
        let seconds = i64::try_from(header.mtime()?)?;
        let time = record("mtime").and_then(|value| moment(&String::from_utf8_lossy(&value)));
        let parts = match kind {
            EntryType::GNUSparse => Some(self.gnu_parts(&header)?),
            _ => holes::in_records(&record, self)?,
        };
        Ok(Member {
            path: path(name.unwrap_or_else(|| header.path_bytes().into_owned())),
            target: path(
                target
                    .or_else(|| header.link_name_bytes().map(std::borrow::Cow::into_owned))
                    .unwrap_or_default(),
            ),
            kind,
            user,
            group,
            time: time.unwrap_or(Timespec { tv_sec: seconds, tv_nsec: 0 }),
            header,
            records,
            parts,
        })
    }

    /// Reads the next header; none at the end.
    fn header(&mut self) -> Result<Option<Header>> {
        let rest = self.content + self.padding;
        let skipped = io::copy(&mut self.input.by_ref().take(rest), &mut io::sink())?;
        if skipped < rest {
            bail!("it ends within a member");
        }
        (self.content, self.padding) = (0, 0);
        let mut header = Header::new_old();
        let bytes = header.as_mut_bytes();
        let mut count = 0;
        while count < bytes.len() {
            match self.input.read(&mut bytes[count..]) {
                Ok(0) => break,
                Ok(more) => count += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        if count == 0 || bytes.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        if count < bytes.len() {
            bail!("it ends within a header");
        }
        // The field of the checksum counts as blanks.
        let sum = bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>()
            - bytes[148..156].iter().map(|byte| u32::from(*byte)).sum::<u32>()
            + 8 * u32::from(b' ');
        if header.cksum().context("reading a header")? != sum {
            bail!("a header has a wrong checksum");
        }
        self.content = header.entry_size().context("reading a header")?;
        self.padding = padding(self.content);
        Ok(Some(header))
    }

    /// Reads the content of a header that describes the next member.
    fn extension(&mut self) -> Result<Vec<u8>> {
        if self.content > RECORDS {
            bail!("the attributes of a member have {} bytes; kiwi reads at most {RECORDS}", self.content);
        }
        let mut bytes = Vec::new();
        self.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Reads a long name.
    fn text(&mut self) -> Result<Vec<u8>> {
        let mut bytes = self.extension()?;
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        bytes.truncate(end);
        Ok(bytes)
    }

    /// Reads the map of a sparse file in the format of GNU tar: in the header, then in blocks of their own.
    fn gnu_parts(&mut self, header: &Header) -> Result<Parts> {
        let gnu = header.as_gnu().context("a sparse file without a header of GNU tar")?;
        let mut found = Vec::new();
        let mut add = |slots: &[tar::GnuSparseHeader]| -> Result<()> {
            for slot in slots.iter().filter(|slot| !slot.is_empty()) {
                found.push((slot.offset()?, slot.length()?));
            }
            Ok(())
        };
        add(&gnu.sparse)?;
        let mut is_continued = gnu.is_extended();
        while is_continued {
            let mut more = GnuExtSparseHeader::new();
            self.input.read_exact(more.as_mut_bytes()).context("reading the map of a sparse file")?;
            add(&more.sparse)?;
            is_continued = more.is_extended();
        }
        Parts::new(found, gnu.real_size()?)
    }
}

impl<R: Read> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.by_ref().take(self.content).read(buffer)?;
        if count == 0 && self.content > 0 && !buffer.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.content -= count as u64;
        Ok(count)
    }
}

fn padding(size: u64) -> u64 {
    (BLOCK - size % BLOCK) % BLOCK
}

/// Returns keys and values of pax records: `LENGTH KEY=VALUE` and a line break, where LENGTH counts all of it.
fn parse_records(mut bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let record = (|| {
            let blank = bytes.iter().position(|byte| *byte == b' ')?;
            let length: usize = std::str::from_utf8(&bytes[..blank]).ok()?.parse().ok()?;
            let record = bytes.get(blank + 1..length)?.strip_suffix(b"\n")?;
            let equals = record.iter().position(|byte| *byte == b'=')?;
            let key = String::from_utf8(record[..equals].to_vec()).ok()?;
            Some((length, (key, record[equals + 1..].to_vec())))
        })();
        let Some((length, record)) = record else { bail!("a pax record is damaged") };
        found.push(record);
        bytes = &bytes[length..];
    }
    Ok(found)
}

/// Returns the time of a pax record, such as `1700000000.25`.
fn moment(text: &str) -> Option<Timespec> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{:0<9}", fraction.get(..fraction.len().min(9))?);
    Some(Timespec { tv_sec: seconds.parse().ok()?, tv_nsec: digits.parse().ok()? })
}
