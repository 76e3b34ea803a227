//! Problems of a description and their positions.

use std::ops::Range;
use std::sync::Arc;

use crate::SchemaVersion;

/// A text with its name, kept for rendering.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Name shown to the user: the path that they specified.
    pub name: String,
    /// The whole text.
    pub text: String,
}

/// A range of a source text.
#[derive(Clone, PartialEq, Eq)]
pub struct Span {
    /// The text.
    pub file: Arc<SourceFile>,
    /// Byte range.
    pub range: Range<usize>,
}

impl Span {
    /// Returns line and column, both counted from 1; columns count characters.
    pub fn line_and_column(&self) -> (usize, usize) {
        let start = self.range.start.min(self.file.text.len());
        let before = &self.file.text[..start];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        (line, column)
    }

    /// Returns the text of the range, if it is one name of an element or attribute.
    pub(crate) fn keyword(&self) -> Option<&str> {
        let text = self.file.text.get(self.range.clone())?;
        let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        (!text.is_empty() && text.chars().all(name)).then_some(text)
    }
}

impl std::fmt::Debug for Span {
    /// Prints the position instead of the whole text of the file.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (line, column) = self.line_and_column();
        write!(f, "{}:{line}:{column}", self.file.name)
    }
}

/// Severity of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It does not prevent a build.
    Warning,
    /// It prevents a build.
    Error,
}

/// The rule of everything that makes a text unreadable.
const UNREADABLE: &str = "readable-text";

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its severity.
    pub severity: Severity,
    /// The name of the violated rule: lower-case words with dashes in between.
    pub rule: &'static str,
    /// The problem in one line.
    pub message: String,
    /// Its position.
    pub span: Span,
    /// The text at the caret, for example `not an attribute of <type>`.
    pub label: String,
    /// The remedy: the expected value, "did you mean", the modern spelling.
    pub help: Option<String>,
    /// The first schema in which kiwi reads a keyword that this version does not build.
    pub since: Option<SchemaVersion>,
}

impl Diagnostic {
    /// Returns an error at `span`; `label` and `help` are added to it.
    pub fn error(span: Span, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            rule: UNREADABLE,
            message: message.into(),
            span,
            label: String::new(),
            help: None,
            since: None,
        }
    }

    /// Returns a warning at `span`.
    pub fn warning(span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(span, message) }
    }

    /// Sets the name of the rule; the default is that of a text that cannot be read.
    #[must_use]
    pub fn rule(mut self, rule: &'static str) -> Self {
        self.rule = rule;
        self
    }

    /// Sets the text at the caret.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Sets the remedy.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// The maximum number of reported problems of one description.
const MOST: usize = 250;

/// All problems of a description, in the order of the text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Groups problems by file and sorts them by their position.
    pub fn sort(&mut self) {
        let mut files: Vec<String> = Vec::new();
        for diagnostic in &self.0 {
            if !files.iter().any(|name| *name == diagnostic.span.file.name) {
                files.push(diagnostic.span.file.name.clone());
            }
        }
        self.0.sort_by_key(|Diagnostic { span, .. }| {
            let file = files.iter().position(|name| *name == span.file.name);
            (file, span.range.start, span.range.end)
        });
    }

    /// Drops problems beyond the maximum, and reports that.
    pub(crate) fn shorten(&mut self) {
        let all = self.0.len();
        self.0.truncate(MOST);
        if all > MOST
            && let Some(last) = self.0.last().cloned()
        {
            let message =
                format!("there are {all} problems or more; those after this position are not shown");
            self.0.push(
                Diagnostic::error(last.span, message).rule("too-many-problems").label("told until here"),
            );
        }
    }

    /// Returns whether the maximum number of problems is reached.
    pub(crate) fn is_full(&self) -> bool {
        self.0.len() > MOST
    }

    /// Returns whether one of them is an error.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }
}
