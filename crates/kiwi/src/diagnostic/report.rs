//! The document of `kiwi check --format json`, described in docs/check-and-convert.md.

use anyhow::Result;
use description::{Diagnostic, Diagnostics, SchemaVersion, Severity, SourceFile};
use serde::Serialize;

/// Version of the document. New fields keep it; a change of an existing one raises it.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    description: &'a str,
    valid: bool,
    verdict: Verdict,
    errors: usize,
    warnings: usize,
    diagnostics: Vec<Entry<'a>>,
    builds: &'a [CheckedBuild],
}

/// What `check` says about a description, or about one build of it.
#[derive(Serialize, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It can be built.
    Right,
    /// It is right, and needs something that this version of kiwi does not build.
    NotBuilt,
    /// It has mistakes.
    Wrong,
}

impl Verdict {
    /// Returns the verdict to which these diagnostics lead.
    pub fn of<'d>(diagnostics: impl IntoIterator<Item = &'d Diagnostic>) -> Self {
        let errors = diagnostics.into_iter().filter(|one| one.severity == Severity::Error);
        let verdicts = errors.map(|error| match error.rule {
            description::NOT_BUILT => Self::NotBuilt,
            _ => Self::Wrong,
        });
        verdicts.max().unwrap_or(Self::Right)
    }
}

/// One build of a description that was checked: a type with profiles.
#[derive(Serialize, Debug, Clone, PartialEq, Eq)]
pub struct CheckedBuild {
    /// Its profiles; empty: those that are imported by default.
    pub profiles: Vec<String>,
    /// The keyword of the type.
    #[serde(rename = "type")]
    pub image_type: String,
    /// Whether the user selected it, so that its problems are errors.
    pub selected: bool,
    /// What was found.
    pub verdict: Verdict,
}

#[derive(Serialize)]
struct Entry<'a> {
    severity: &'static str,
    rule: &'static str,
    message: &'a str,
    label: &'a str,
    help: Option<&'a str>,
    /// Of something that is not built: the first schema in which kiwi reads it.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<&'static str>,
    /// Of something that is not built: whether the selected type needs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    needed: Option<bool>,
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
pub fn json(path: &str, diagnostics: &Diagnostics, builds: &[CheckedBuild]) -> Result<String> {
    let count = |severity| diagnostics.0.iter().filter(|one| one.severity == severity).count();
    let errors = count(Severity::Error);
    let report = Report {
        version: VERSION,
        description: path,
        valid: errors == 0,
        verdict: Verdict::of(&diagnostics.0),
        errors,
        warnings: count(Severity::Warning),
        diagnostics: diagnostics.0.iter().map(entry).collect(),
        builds,
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
        since: diagnostic.since.map(SchemaVersion::number),
        needed: (diagnostic.rule == description::NOT_BUILT).then_some(diagnostic.severity == Severity::Error),
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
