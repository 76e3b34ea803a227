//! Descriptions written as mappings: YAML, TOML and JSON.
//!
//! ```text
//! text -> yaml | toml | json -> Node (common to all three, with positions) -> element -> Element
//! ```
//!
//! Depth and number of nodes are limited while they are read, so that aliases and hostile input cannot exhaust memory.

mod element;
mod json;
mod toml;
mod yaml;

pub(crate) use element::{ATTRIBUTE_MARK, TEXT_KEY};

use std::ops::Range;
use std::sync::Arc;

use crate::document::{Element, MAX_DEPTH};
use crate::{Diagnostic, SourceFile, Span};

/// Maximum nesting of nodes: an element can be an item of a list in a mapping.
const MAX_NODE_DEPTH: usize = 2 * MAX_DEPTH;

/// Maximum number of nodes, more than any description has.
const MAX_NODES: usize = 200_000;

/// One value of the text.
#[derive(Debug, Clone)]
pub struct Node {
    /// Byte range: of a text without its quotes, of a mapping at least the start of its first entry.
    pub range: Range<usize>,
    /// Its content.
    pub kind: Kind,
}

/// The content of a value.
#[derive(Debug, Clone)]
pub enum Kind {
    /// `null`, or empty.
    Nothing,
    /// A text, a number or a boolean, as written.
    Scalar(String),
    /// A list.
    List(Vec<Node>),
    /// A mapping, in the order of the text.
    Mapping(Vec<(Key, Node)>),
}

/// The key of an entry.
#[derive(Debug, Clone)]
pub struct Key {
    /// The key without quotes.
    pub text: String,
    /// Its byte range.
    pub range: Range<usize>,
}

/// Whether a mapping may have two entries with the same key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DuplicateKeys {
    Kept,
    Refused,
}

/// Reads a YAML file that is not a description. Entries with the same key are all kept, in order.
pub fn yaml_values(file: &Arc<SourceFile>) -> Result<Node, Box<Diagnostic>> {
    let mut reader = Reader { file, nodes: 0, duplicate_keys: DuplicateKeys::Kept };
    yaml::read(&mut reader).map_err(Box::new)
}

/// Reads a YAML file.
pub(crate) fn read_yaml(file: &Arc<SourceFile>) -> Result<Element, Box<Diagnostic>> {
    read(file, yaml::read)
}

/// Reads a TOML file.
pub(crate) fn read_toml(file: &Arc<SourceFile>) -> Result<Element, Box<Diagnostic>> {
    read(file, toml::read)
}

/// Reads a JSON file.
pub(crate) fn read_json(file: &Arc<SourceFile>) -> Result<Element, Box<Diagnostic>> {
    read(file, json::read)
}

fn read(
    file: &Arc<SourceFile>,
    nodes: impl FnOnce(&mut Reader) -> Result<Node, Diagnostic>,
) -> Result<Element, Box<Diagnostic>> {
    let mut reader = Reader { file, nodes: 0, duplicate_keys: DuplicateKeys::Refused };
    nodes(&mut reader).and_then(|root| element::root(file, root)).map_err(Box::new)
}

/// State that the three readers share.
struct Reader<'a> {
    file: &'a Arc<SourceFile>,
    nodes: usize,
    duplicate_keys: DuplicateKeys,
}

impl<'a> Reader<'a> {
    fn text(&self) -> &'a str {
        &self.file.text
    }

    /// Returns an error for a byte range, which is adjusted to the length and the characters of the text.
    fn error(&self, range: Range<usize>, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(span(self.file, range), message)
    }

    /// Counts one more node at that depth.
    fn count(&mut self, range: &Range<usize>, depth: usize) -> Result<(), Diagnostic> {
        self.nodes += 1;
        if depth > MAX_NODE_DEPTH {
            return Err(self.too_deep(range.clone()));
        }
        if self.nodes > MAX_NODES {
            return Err(self.too_many(range.clone()));
        }
        Ok(())
    }

    fn too_deep(&self, range: Range<usize>) -> Diagnostic {
        self.error(range, format!("values are nested more than {MAX_NODE_DEPTH} deep"))
            .label("too deep")
            .help("no element of any schema is nested that deep")
    }

    fn too_many(&self, range: Range<usize>) -> Diagnostic {
        self.error(range, format!("the file has more than {MAX_NODES} values")).label("too many")
    }

    /// Returns the error for a duplicate key of a mapping.
    fn twice(&self, key: &Key) -> Diagnostic {
        self.error(key.range.clone(), format!("duplicate key `{}` in a mapping", key.text))
            .label("given a second time")
            .help("write several elements of the same name as a list")
    }
}

fn span(file: &Arc<SourceFile>, range: Range<usize>) -> Span {
    let text = &file.text;
    let start = text.floor_char_boundary(range.start.min(text.len()));
    let end = text.floor_char_boundary(range.end.min(text.len())).max(start);
    Span { file: Arc::clone(file), range: start..end }
}

/// Returns the part of a range in its first line, for errors that cover many lines.
fn first_line(text: &str, range: Range<usize>) -> Range<usize> {
    let covered = text.get(range.clone()).unwrap_or("");
    range.start..range.start + covered.lines().next().unwrap_or("").trim_end().len()
}

/// Returns the range of a text without its quotes.
fn unquoted(text: &str, range: Range<usize>) -> Range<usize> {
    let covered = text.get(range.clone()).unwrap_or("");
    for quote in ["\"\"\"", "'''", "\"", "'"] {
        let inside = covered.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
        if inside.is_some() {
            return range.start + quote.len()..range.end - quote.len();
        }
    }
    range
}
