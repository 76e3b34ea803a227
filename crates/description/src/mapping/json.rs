//! JSON, strictly: no comments, no trailing commas.
//!
//! serde_json checks the whole text at once, without recursion, and then returns each value as the part of the text it was
//! read from; the start of that part is its position.

use std::fmt;
use std::ops::Range;

use serde_json::Error;
use serde_json::value::RawValue;

use super::{Key, Kind, MAX_NODE_DEPTH, Node, Reader, first_line, unquoted};
use crate::Diagnostic;

pub(super) fn read(reader: &mut Reader) -> Result<Node, Diagnostic> {
    let text = reader.text();
    if let Some(at) = too_deep(text) {
        return Err(reader.too_deep(at..at + 1));
    }
    let whole: &RawValue = serde_json::from_str(text).map_err(|error| broken(reader, 0, text, &error))?;
    node(reader, whole, 1)
}

/// Detects values that nest too deep; each level is parsed again for every level around it.
fn too_deep(text: &str) -> Option<usize> {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => depth += 1,
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_NODE_DEPTH {
            return Some(at);
        }
    }
    None
}

fn node(reader: &mut Reader, raw: &RawValue, depth: usize) -> Result<Node, Diagnostic> {
    let range = location(reader, raw);
    reader.count(&first_line(reader.text(), range.clone()), depth)?;
    let text = raw.get();
    let broken_here = |reader: &Reader, part: &str, error: &Error| {
        broken(reader, location_of(reader, part).start, part, error)
    };
    let (range, kind) = match text.as_bytes().first() {
        Some(b'{') => {
            let Entries(entries) =
                serde_json::from_str(text).map_err(|error| broken_here(reader, text, &error))?;
            let mut mapping: Vec<(Key, Node)> = Vec::with_capacity(entries.len());
            let mut seen = std::collections::BTreeSet::new();
            for (name, value) in entries {
                let key = Key {
                    text: serde_json::from_str(name.get())
                        .map_err(|error| broken_here(reader, name.get(), &error))?,
                    range: unquoted(reader.text(), location(reader, name)),
                };
                if !seen.insert(key.text.clone()) {
                    return Err(reader.twice(&key));
                }
                mapping.push((key, node(reader, value, depth + 1)?));
            }
            (first_line(reader.text(), range), Kind::Mapping(mapping))
        }
        Some(b'[') => {
            let items: Vec<&RawValue> =
                serde_json::from_str(text).map_err(|error| broken_here(reader, text, &error))?;
            let items: Result<_, _> = items.into_iter().map(|item| node(reader, item, depth + 1)).collect();
            (first_line(reader.text(), range), Kind::List(items?))
        }
        Some(b'"') => {
            let content = serde_json::from_str(text).map_err(|error| broken_here(reader, text, &error))?;
            (unquoted(reader.text(), range), Kind::Scalar(content))
        }
        _ if text == "null" => (range, Kind::Nothing),
        _ => (range, Kind::Scalar(text.to_owned())),
    };
    Ok(Node { range, kind })
}

fn location(reader: &Reader, raw: &RawValue) -> Range<usize> {
    location_of(reader, raw.get())
}

/// Returns the range of a part of the text.
fn location_of(reader: &Reader, part: &str) -> Range<usize> {
    let start = (part.as_ptr() as usize).saturating_sub(reader.text().as_ptr() as usize);
    start..start + part.len()
}

fn broken(reader: &Reader, start: usize, part: &str, error: &Error) -> Diagnostic {
    let line_start = match error.line() {
        0 | 1 => 0,
        line => part.match_indices('\n').nth(line - 2).map_or(part.len(), |(at, _)| at + 1),
    };
    let at = start + (line_start + error.column().saturating_sub(1)).min(part.len());
    let keywords = error.to_string();
    let message = keywords.split(" at line ").next().unwrap_or(&keywords);
    let diagnostic = reader.error(at..at + 1, format!("this is not JSON: {message}")).label("cannot be read");
    let found = reader.text().get(at..).and_then(|rest| rest.chars().next());
    match (message, found) {
        ("trailing comma", _) | ("key must be a string", Some('}')) => {
            diagnostic.help("remove the comma after the last entry")
        }
        ("expected `,` or `}`" | "expected `,` or `]`", _) => {
            diagnostic.help("a comma is missing before this position")
        }
        ("key must be a string" | "expected value", Some('/' | '#')) => {
            diagnostic.help("JSON has no comments; YAML and TOML have")
        }
        ("key must be a string", _) => diagnostic.help("write keys in double quotes"),
        _ => diagnostic,
    }
}

/// The entries of a mapping, in the order of the text.
struct Entries<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'de> serde::Deserialize<'de> for Entries<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'de> serde::de::Visitor<'de> for EntriesVisitor {
    type Value = Entries<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping")
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Entries(entries))
    }
}
