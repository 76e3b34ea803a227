//! `kiwi.yml` as a flat list of settings, in both of its forms.
//!
//! ```text
//! bundle: {compress: true}        current: a section is a mapping
//! bundle: [{compress: true}]      earlier: a section is a list of mappings with one key
//! ```

use std::path::Path;
use std::sync::Arc;

use description::{Key, Node, NodeKind, SourceFile};

/// One setting with its position.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) section: String,
    /// Line of the section's name, counted from 1.
    pub(super) section_line: usize,
    /// `None`: a section without settings.
    pub(super) key: Option<String>,
    /// A single value, or all of a list.
    pub(super) values: Vec<String>,
    /// Line of the setting's name.
    pub(super) line: usize,
}

/// Returns all settings of a file, or the problem and its line.
pub(super) fn settings(path: &Path, text: &str) -> Result<Vec<Setting>, (usize, String)> {
    let file = Arc::new(SourceFile { name: path.display().to_string(), text: text.to_owned() });
    let root = description::yaml_values(&file)
        .map_err(|diagnostic| (diagnostic.span.line_and_column().0, diagnostic.message))?;
    let lines = Lines::of(text);
    let sections = match root.kind {
        NodeKind::Mapping(sections) => sections,
        NodeKind::Nothing => return Ok(Vec::new()),
        NodeKind::Scalar(_) | NodeKind::List(_) => {
            return Err((lines.number(root.range.start), "expected sections such as `bundle:`".to_owned()));
        }
    };
    let mut settings = Vec::new();
    for (section, node) in sections {
        let section_line = lines.number(section.range.start);
        let entries = entries(&section.text, node).map_err(|problem| (section_line, problem))?;
        let setting =
            |key, values, line| Setting { section: section.text.clone(), section_line, key, values, line };
        if entries.is_empty() {
            settings.push(setting(None, Vec::new(), section_line));
        }
        for (key, node) in entries {
            let line = lines.number(key.range.start);
            let values = values(&key.text, node).map_err(|problem| (line, problem))?;
            settings.push(setting(Some(key.text), values, line));
        }
    }
    Ok(settings)
}

/// Returns the settings of a section, which may be mappings in a list.
fn entries(section: &str, node: Node) -> Result<Vec<(Key, Node)>, String> {
    let wrong = || format!("expected settings such as `name: value` in `{section}`");
    match node.kind {
        NodeKind::Mapping(entries) => Ok(entries),
        NodeKind::List(items) => {
            let mut entries = Vec::new();
            for item in items {
                let NodeKind::Mapping(more) = item.kind else { return Err(wrong()) };
                entries.extend(more);
            }
            Ok(entries)
        }
        NodeKind::Nothing => Ok(Vec::new()),
        NodeKind::Scalar(value) if value.is_empty() => Ok(Vec::new()),
        NodeKind::Scalar(_) => Err(wrong()),
    }
}

/// Returns a single value, or all of a list.
fn values(key: &str, node: Node) -> Result<Vec<String>, String> {
    match node.kind {
        NodeKind::Mapping(_) => Err(format!("expected one value of `{key}`")),
        NodeKind::List(items) => items
            .into_iter()
            .map(|item| scalar(item).ok_or_else(|| format!("expected texts in `{key}`")))
            .collect(),
        NodeKind::Nothing | NodeKind::Scalar(_) => Ok(scalar(node).into_iter().collect()),
    }
}

fn scalar(node: Node) -> Option<String> {
    match node.kind {
        NodeKind::Nothing => Some(String::new()),
        NodeKind::Scalar(text) => Some(text),
        NodeKind::List(_) | NodeKind::Mapping(_) => None,
    }
}

/// The offsets at which the lines of a text end.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(at, _)| at).collect())
    }

    /// Returns the number of the line that contains a byte, counted from 1.
    fn number(&self, offset: usize) -> usize {
        self.0.partition_point(|end| *end < offset) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> Result<Vec<Setting>, (usize, String)> {
        super::settings(Path::new("kiwi.yml"), text)
    }

    fn shown(text: &str) -> Vec<String> {
        let shown = |setting: &Setting| {
            let key = setting.key.as_deref().unwrap_or("-");
            format!("{}:{}.{key}={}", setting.line, setting.section, setting.values.join("|"))
        };
        settings(text).unwrap().iter().map(shown).collect()
    }

    #[test]
    fn both_forms_give_the_same_settings() {
        let mapping = "# comment\nbundle:\n  compress: false\n  shasum_size: 512\nruntime_checks:\n  disable: [a, b]\nobs:\n";
        let list = "# comment\nbundle:\n  - compress: false\n  - shasum_size: 512\nruntime_checks:\n  - disable: [a, b]\nobs:\n";
        let expected = [
            "3:bundle.compress=false",
            "4:bundle.shasum_size=512",
            "6:runtime_checks.disable=a|b",
            "7:obs.-=",
        ];
        assert_eq!(shown(mapping), expected);
        assert_eq!(shown(list), expected);
        assert_eq!(shown(""), Vec::<String>::new());
    }

    #[test]
    fn reports_the_line_of_an_invalid_file() {
        assert_eq!(settings("- a\n").unwrap_err(), (1, "expected sections such as `bundle:`".to_owned()));
        let said = settings("x: 1\nbundle: true\n").unwrap_err();
        assert_eq!(said, (1, "expected settings such as `name: value` in `x`".to_owned()));
        assert_eq!(settings("a:\n  b: {c: d}\n").unwrap_err().0, 2);
        assert!(settings("a: [\n").is_err());
        assert!(settings(&"- ".repeat(10_000)).is_err());
        assert_eq!(settings("a:\n  b: 1\n---\nc:\n  d: 2\n").unwrap_err().0, 4);
    }

    #[test]
    fn aliases_and_repeated_names_work_as_in_other_readers() {
        let text = "x:\n  a: &one [p, q]\n  b: *one\nx:\n  a: r\n";
        assert_eq!(shown(text), ["2:x.a=p|q", "3:x.b=p|q", "5:x.a=r"]);
    }
}
