//! Files that kiwi reads although anybody may have written them: records, entries of the cache. Their values are checked while
//! they are read, so that an error has a position, and used only then.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::de::{Deserialize, Deserializer, Error};

/// The most characters of a name.
const LONGEST: usize = 255;

/// Returns the bytes of a regular file of at most `most` bytes.
pub(crate) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let invalid = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
    // A pipe would block until somebody writes to it.
    if !path.metadata()?.is_file() {
        return Err(invalid("it is not a regular file".to_owned()));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(invalid(format!("it is larger than {} MiB", most >> 20)));
    }
    Ok(bytes)
}

/// Returns whether a text is a name without control characters.
fn is_name(text: &str) -> bool {
    text.len() <= LONGEST && !text.chars().any(char::is_control)
}

/// Returns whether a name stays in its directory.
pub(crate) fn is_file_name(text: &str) -> bool {
    !text.is_empty() && is_name(text) && text != "." && text != ".." && !text.contains('/')
}

/// Returns whether a text is a SHA-256 in lower-case hex.
pub(crate) fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn text<'d, D: Deserializer<'d>>(
    from: D,
    is_right: fn(&str) -> bool,
    what: &'static str,
) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    if is_right(&text) { Ok(text) } else { Err(D::Error::custom(Wrong { text, what })) }
}

/// A value of the wrong form.
struct Wrong {
    text: String,
    what: &'static str,
}

impl fmt::Display for Wrong {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: String = self.text.chars().take(80).collect();
        write!(to, "{shown:?} is not {}", self.what)
    }
}

/// Reads a name that becomes a part of file names and messages.
pub(crate) fn name<'d, D: Deserializer<'d>>(from: D) -> Result<String, D::Error> {
    text(
        from,
        |text| is_name(text) && !text.contains('/'),
        "a name: it contains '/' or control characters, or is too long",
    )
}

/// Reads the name of a file in the directory of the record.
pub(crate) fn file_name<'d, D: Deserializer<'d>>(from: D) -> Result<String, D::Error> {
    text(from, is_file_name, "the name of a file in this directory")
}

/// Like [`file_name`], of a field that may be missing.
pub(crate) fn optional_file_name<'d, D: Deserializer<'d>>(from: D) -> Result<Option<String>, D::Error> {
    file_name(from).map(Some)
}

/// Reads a SHA-256 in lower-case hex.
pub(crate) fn sha256<'d, D: Deserializer<'d>>(from: D) -> Result<String, D::Error> {
    text(from, is_sha256, "a SHA-256 of 64 lower-case hex digits")
}

/// Like [`sha256`], of a field that may be missing.
pub(crate) fn optional_sha256<'d, D: Deserializer<'d>>(from: D) -> Result<Option<String>, D::Error> {
    sha256(from).map(Some)
}

/// Returns the message about a JSON file with a mistake: its path, line and column, then the reason.
pub(crate) fn at(path: &Path, error: &serde_json::Error) -> String {
    let reason = error.to_string();
    let reason = reason.split(" at line ").next().unwrap_or_default();
    format!("{}:{}:{}: {reason}", path.display(), error.line(), error.column())
}

/// Reads a number of bytes that a file can have.
pub(crate) fn size<'d, D: Deserializer<'d>>(from: D) -> Result<u64, D::Error> {
    let size = u64::deserialize(from)?;
    i64::try_from(size).map_err(|_| D::Error::custom(format!("{size} is larger than a file can be")))?;
    Ok(size)
}
