//! The document of `kiwi check --format json`, described in docs/check-and-convert.md.

use anyhow::Result;
use description::{Diagnostic, Diagnostics, Severity, SourceFile};
use serde::Serialize;

/// Version of the document. New fields keep it; a change of an existing one raises it.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    description: &'a str,
    valid: bool,
    errors: usize,
    warnings: usize,
    diagnostics: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    severity: &'static str,
    rule: &'static str,
    message: &'a str,
    label: &'a str,
    help: Option<&'a str>,
    file: &'a str,
    start: Location,
    end: Location,
}

/// A position in a text: line and column count from 1, columns in characters; the offset counts bytes from 0.
#[derive(Serialize, Debug, PartialEq, Eq)]
pub(super) struct Location {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) offset: usize,
}

impl Location {
    pub(super) fn of(file: &SourceFile, offset: usize) -> Self {
        let mut offset = offset.min(file.text.len());
        while !file.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &file.text[..offset];
        let line = before.rsplit('\n').next().unwrap_or_default();
        Self { line: before.matches('\n').count() + 1, column: line.chars().count() + 1, offset }
    }
}

/// Returns the document about the description at `path`.
pub fn json(path: &str, diagnostics: &Diagnostics) -> Result<String> {
    let count = |severity| diagnostics.0.iter().filter(|one| one.severity == severity).count();
    let errors = count(Severity::Error);
    let report = Report {
        version: VERSION,
        description: path,
        valid: errors == 0,
        errors,
        warnings: count(Severity::Warning),
        diagnostics: diagnostics.0.iter().map(entry).collect(),
    };
    Ok(serde_json::to_string_pretty(&report)?)
}

fn entry(diagnostic: &Diagnostic) -> Entry<'_> {
    let file = &diagnostic.span.file;
    Entry {
        severity: match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        rule: diagnostic.rule,
        message: &diagnostic.message,
        label: &diagnostic.label,
        help: diagnostic.help.as_deref(),
        file: &file.name,
        start: Location::of(file, diagnostic.span.range.start),
        end: Location::of(file, diagnostic.span.range.end),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_and_accept_every_offset() {
        let file = SourceFile { name: "x".to_owned(), text: "aä\nöb".to_owned() };
        assert_eq!(Location::of(&file, 3), Location { line: 1, column: 3, offset: 3 });
        assert_eq!(Location::of(&file, 4), Location { line: 2, column: 1, offset: 4 });
        assert_eq!(Location::of(&file, 5), Location { line: 2, column: 1, offset: 4 });
        assert_eq!(Location::of(&file, 999), Location { line: 2, column: 3, offset: 7 });
    }
}
