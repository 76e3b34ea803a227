//! Lines of `KEY=value`, with their continuations and quotes.

use super::error::ClientConfigError;
use super::key::ClientKey;

/// The value of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Value {
    /// The line of the key.
    pub(super) line: usize,
    /// The value, without quotes and continuations.
    pub(super) text: String,
    /// Where each further line starts in `text`.
    starts: Vec<usize>,
}

impl Value {
    /// Returns a value that is not from a file.
    pub(super) fn of_parameter(text: &str) -> Self {
        Self { line: 0, text: text.to_owned(), starts: Vec::new() }
    }

    /// Returns the entries of a list, which commas separate, with their lines. Empty ones are left out.
    pub(super) fn entries(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut offset = 0;
        self.text
            .split(',')
            .map(move |entry| {
                let start = offset + (entry.len() - entry.trim_start().len());
                offset += entry.len() + 1;
                let further = self.starts.iter().filter(|begin| **begin <= start).count();
                (if self.line == 0 { 0 } else { self.line + further }, entry.trim())
            })
            .filter(|(_, entry)| !entry.is_empty())
    }

    /// Removes the quotes around the value, which must not have another meaning.
    fn unquote(&mut self) {
        let text = self.text.trim();
        let inner = |mark: char| {
            let inner = text.strip_prefix(mark)?.strip_suffix(mark)?;
            (!inner.contains(mark)).then_some(inner)
        };
        self.text = match (inner('\''), inner('"')) {
            (Some(literal), _) => literal.to_owned(),
            (None, Some(inner)) => inner.replace('\'', "").trim().to_owned(),
            (None, None) => text.replace('\'', "").trim().to_owned(),
        };
    }
}

/// Returns the keys and values of a text, in order.
pub(super) fn read(text: &str) -> Result<Vec<(ClientKey, Value)>, ClientConfigError> {
    let mut found: Vec<(ClientKey, Value)> = Vec::new();
    let mut lines = (1..).zip(text.lines());
    while let Some((line, written)) = lines.next() {
        let written = written.trim_start();
        if written.is_empty() || written.starts_with('#') {
            continue;
        }
        let Some((name, value)) = written.split_once('=') else {
            let text = format!("\"{}\" is not a setting: expected KEY=value", written.trim_end());
            return Err(ClientConfigError::new(line, text));
        };
        let name = name.trim_end();
        let key =
            ClientKey::parse(name).ok_or_else(|| ClientConfigError::new(line, ClientKey::unknown(name)))?;
        if let Some((_, first)) = found.iter().find(|(other, _)| *other == key) {
            let text = format!("duplicate key \"{name}\", which line {} has, too", first.line);
            return Err(ClientConfigError::new(line, text));
        }
        let mut value = Value { line, text: value.to_owned(), starts: Vec::new() };
        if key == ClientKey::Filter {
            // A regular expression contains quotes and backslashes of its own. Carriage returns belong to the end of the line.
            value.text.truncate(value.text.trim_end_matches('\r').len());
        } else {
            while let Some(kept) = value.text.trim_end().strip_suffix('\\') {
                value.text.truncate(kept.len());
                let Some((_, next)) = lines.next() else {
                    let text = format!("the value of {name} ends with \"\\\", but no line follows");
                    return Err(ClientConfigError::new(line + value.starts.len(), text));
                };
                value.starts.push(value.text.len());
                value.text.push_str(next.trim_start());
            }
            value.unquote();
        }
        found.push((key, value));
    }
    Ok(found)
}

/// Returns the value as it is written to a file.
pub(super) fn quoted(value: &str) -> String {
    let ambiguous = value.len() > 1 && value.starts_with('"') && value.ends_with('"');
    if ambiguous || value.ends_with('\\') || value.trim() != value {
        format!("'{value}'")
    } else {
        value.to_owned()
    }
}
