//! What is wrong with a description, and where.

use std::ops::Range;
use std::sync::Arc;

/// A text with its name, kept for rendering.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Name shown to the user: the path as they gave it.
    pub name: String,
    /// The whole text.
    pub text: String,
}

/// A place in a source text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The text.
    pub file: Arc<SourceFile>,
    /// Bytes of it.
    pub range: Range<usize>,
}

impl Span {
    /// Line and column, both counted from 1; columns count characters.
    pub fn line_and_column(&self) -> (usize, usize) {
        let start = self.range.start.min(self.file.text.len());
        let before = &self.file.text[..start];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        (line, column)
    }
}

/// How bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It still builds.
    Warning,
    /// It does not build.
    Error,
}

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad.
    pub severity: Severity,
    /// What is wrong, one line.
    pub message: String,
    /// Where.
    pub span: Span,
    /// What stands at the caret, e.g. `not an attribute of <type>`.
    pub label: String,
    /// What to do: the expectation, "did you mean", the modern word.
    pub help: Option<String>,
}

/// All problems of a description, in the order of the text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// Whether there is an error among them.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }
}
