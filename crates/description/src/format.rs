//! The file formats of descriptions.
//!
//! All of them are read into the same tree. In YAML, TOML and JSON an element is a mapping, as KIWI NG reads it: its
//! attributes are keys with the mark `@`, its children are keys, several children of the same name are a list, and text next
//! to attributes has the key `#text`. Attributes without the mark are read as well.

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

    /// Returns the format of a file. The content decides, as in KIWI NG, because the extension `.kiwi` says nothing; the
    /// extension decides where the content fits several formats.
    pub fn of(file: &SourceFile) -> Self {
        let ending = file.name.rsplit_once('.').map_or("", |(_, ending)| ending);
        let named = Self::parse(&ending.to_ascii_lowercase());
        let first = first_line(&file.text);
        match (first.chars().next(), named) {
            (Some('<'), _) => Self::Xml,
            (Some('{'), Some(Self::Yaml)) => Self::Yaml,
            (Some('{'), _) => Self::Json,
            (_, Some(named @ (Self::Yaml | Self::Toml | Self::Json))) => named,
            (_, Some(Self::Xml) | None) if is_key_of(first, ':') => Self::Yaml,
            (_, Some(Self::Xml) | None) if first.starts_with('[') || is_key_of(first, '=') => Self::Toml,
            (_, Some(Self::Xml) | None) => Self::Xml,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.keyword())
    }
}

/// Returns the first line with content: not blank, a comment, or the beginning of a YAML document.
fn first_line(text: &str) -> &str {
    let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim_start);
    let mut lines =
        lines.filter(|line| !line.is_empty() && !line.starts_with(['#', '%']) && !line.starts_with("---"));
    lines.next().unwrap_or_default()
}

/// Returns whether a line begins with a key and the character that follows keys.
fn is_key_of(line: &str, end: char) -> bool {
    let Some((key, value)) = line.split_once(end) else { return false };
    let key = key.trim_end().trim_matches(['"', '\'']);
    let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '@');
    !key.is_empty()
        && key.chars().all(name)
        && (end != ':' || value.is_empty() || value.starts_with(char::is_whitespace))
}

/// Reads the text of `file` in the format of its content.
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
    match Format::of(file) {
        Format::Xml => xml::read(file),
        Format::Yaml => mapping::read_yaml(file),
        Format::Toml => mapping::read_toml(file),
        Format::Json => mapping::read_json(file),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(name: &str, text: &str) -> Format {
        Format::of(&SourceFile { name: name.to_owned(), text: text.to_owned() })
    }

    #[test]
    fn the_content_decides_before_the_extension() {
        for name in ["config.kiwi", "config.xml", "config", "config.txt"] {
            assert_eq!(format(name, "\u{feff}<?xml version=\"1.0\"?>\n<image/>"), Format::Xml, "{name}");
            assert_eq!(format(name, "\n<!-- a: b -->\n<image/>"), Format::Xml, "{name}");
            assert_eq!(format(name, "# one\n---\nimage:\n  '@name': x\n"), Format::Yaml, "{name}");
            assert_eq!(format(name, "\"image\": {}\n"), Format::Yaml, "{name}");
            assert_eq!(format(name, "{\"image\": {}}"), Format::Json, "{name}");
            assert_eq!(format(name, "[image]\n\"@name\" = \"x\"\n"), Format::Toml, "{name}");
            assert_eq!(format(name, "image.name = \"x\"\n"), Format::Toml, "{name}");
            assert_eq!(format(name, ""), Format::Xml, "{name}");
            assert_eq!(format(name, "xml version=\"1.0\"?>\n<image/>"), Format::Xml, "{name}");
        }
        assert_eq!(format("config.yaml", "<image/>"), Format::Xml);
        assert_eq!(format("config.yml", "{image: {}}"), Format::Yaml);
        assert_eq!(format("config.toml", "image: x"), Format::Toml);
        assert_eq!(format("config.json", "[1]"), Format::Json);
    }
}
