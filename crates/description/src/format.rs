//! The formats a description can be written in.
//!
//! All of them feed the same tree. In YAML, TOML and JSON an element is a mapping; its attributes and its children are
//! keys of it, several children of one name are a list, and a text beside attributes has the key `#text`.

use std::fmt;
use std::sync::Arc;

use crate::document::Element;
use crate::{Diagnostic, SourceFile, Span, mapping, xml};

/// The longest text that is read: many times what the largest description has.
const MAX_TEXT: usize = 2 << 20;

/// A format of descriptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `config.xml`, or any `*.kiwi`.
    Xml,
    /// `*.yaml`, `*.yml`
    Yaml,
    /// `*.toml`
    Toml,
    /// `*.json`
    Json,
}

impl Format {
    /// Every format.
    pub const ALL: &[Format] = &[Self::Xml, Self::Yaml, Self::Toml, Self::Json];

    /// The longest file that is read, in bytes: a caller need not load more of it.
    pub const MAX_SIZE: usize = MAX_TEXT;

    /// The keyword, which is also what the names of such files end in.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Xml => "xml",
            Self::Yaml => "yaml",
            Self::Toml => "toml",
            Self::Json => "json",
        }
    }

    /// The format of that keyword.
    pub fn parse(keyword: &str) -> Option<Self> {
        match keyword {
            "yml" => Some(Self::Yaml),
            _ => Self::ALL.iter().copied().find(|format| format.keyword() == keyword),
        }
    }

    /// The format of a file of that name; XML unless the name says something else.
    pub fn of_name(name: &str) -> Self {
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        Self::parse(&ending.to_ascii_lowercase()).unwrap_or(Self::Xml)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.keyword())
    }
}

/// Reads the text of `file` in the format that its name says.
pub(crate) fn read(file: &Arc<SourceFile>) -> Result<Element, Box<Diagnostic>> {
    if file.text.len() > MAX_TEXT {
        return Err(Box::new(
            Diagnostic::error(
                Span { file: Arc::clone(file), range: 0..0 },
                format!("the file has more than {} MiB", MAX_TEXT >> 20),
            )
            .label("too large")
            .help("no description is that large; include other files, or put data into an archive"),
        ));
    }
    match Format::of_name(&file.name) {
        Format::Xml => xml::read(file),
        Format::Yaml => mapping::read_yaml(file),
        Format::Toml => mapping::read_toml(file),
        Format::Json => mapping::read_json(file),
    }
}
