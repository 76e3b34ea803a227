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

/// A location in a source text.
#[derive(Clone, PartialEq, Eq)]
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

    /// What stands there, when it is one name of an element or attribute.
    pub(crate) fn keyword(&self) -> Option<&str> {
        let text = self.file.text.get(self.range.clone())?;
        let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        (!text.is_empty() && text.chars().all(name)).then_some(text)
    }
}

impl std::fmt::Debug for Span {
    /// Names the location instead of printing the whole text of the file.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (line, column) = self.line_and_column();
        write!(f, "{}:{line}:{column}", self.file.name)
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

/// The rule of whatever makes a text unreadable.
const UNREADABLE: &str = "readable-text";

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad.
    pub severity: Severity,
    /// The name of the rule that was broken: lower-case keywords with dashes between.
    pub rule: &'static str,
    /// What is wrong, one line.
    pub message: String,
    /// Where.
    pub span: Span,
    /// What stands at the caret, e.g. `not an attribute of <type>`.
    pub label: String,
    /// What to do: the expectation, "did you mean", the modern keyword.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error at `span`; `label` and `help` are added to it.
    pub fn error(span: Span, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            rule: UNREADABLE,
            message: message.into(),
            span,
            label: String::new(),
            help: None,
        }
    }

    /// A warning at `span`.
    pub fn warning(span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(span, message) }
    }

    /// Sets the name of the rule; without, it is that of a text that cannot be read.
    #[must_use]
    pub fn rule(mut self, rule: &'static str) -> Self {
        self.rule = rule;
        self
    }

    /// Sets what stands at the caret.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Sets what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// How many problems of one description are told.
const MOST: usize = 250;

/// All problems of a description, in the order of the text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Puts those of one file together, and into the order of its text.
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

    /// Leaves out those that nobody reads any more, and says so.
    pub(crate) fn shorten(&mut self) {
        let all = self.0.len();
        self.0.truncate(MOST);
        if all > MOST
            && let Some(last) = self.0.last().cloned()
        {
            let message = format!("there are {all} problems or more; those after this location are not told");
            self.0.push(
                Diagnostic::error(last.span, message).rule("too-many-problems").label("told until here"),
            );
        }
    }

    /// Whether there are so many that nobody reads more.
    pub(crate) fn is_full(&self) -> bool {
        self.0.len() > MOST
    }

    /// Whether there is an error among them.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }
}
