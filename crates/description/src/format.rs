//! The file formats of descriptions.
//!
//! All of them are read into the same tree. In YAML, TOML and JSON an element is a mapping; its attributes and its children
//! are keys, several children of the same name are a list, and text next to attributes has the key `#text`.

use std::fmt;
use std::sync::Arc;

use crate::document::Element;
use crate::{Diagnostic, SourceFile, Span, mapping, xml};

/// Maximum size of a text: many times that of the largest description.
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

    /// Maximum size of a file in bytes: a caller need not read more of it.
    pub const MAX_SIZE: usize = MAX_TEXT;

    /// Returns the keyword, which is also the file name extension.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Xml => "xml",
            Self::Yaml => "yaml",
            Self::Toml => "toml",
            Self::Json => "json",
        }
    }

    /// Returns the format for a keyword.
    pub fn parse(keyword: &str) -> Option<Self> {
        match keyword {
            "yml" => Some(Self::Yaml),
            _ => Self::ALL.iter().copied().find(|format| format.keyword() == keyword),
        }
    }

    /// Returns the format of a file with that name; XML unless the extension is known.
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

/// Reads the text of `file` in the format of its name.
pub(crate) fn read(file: &Arc<SourceFile>) -> Result<Element, Box<Diagnostic>> {
    if file.text.len() > MAX_TEXT {
        return Err(Box::new(
            Diagnostic::error(
                Span { file: Arc::clone(file), range: 0..0 },
                format!("the file has more than {} MiB", MAX_TEXT >> 20),
            )
            .label("too large")
            .help("no description is that large; include other files, or move data to an archive"),
        ));
    }
    match Format::of_name(&file.name) {
        Format::Xml => xml::read(file),
        Format::Yaml => mapping::read_yaml(file),
        Format::Toml => mapping::read_toml(file),
        Format::Json => mapping::read_json(file),
    }
}
