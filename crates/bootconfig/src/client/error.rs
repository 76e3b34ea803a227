//! The error for a text that is not a valid configuration of a client.

use std::fmt;

/// An invalid line of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientConfigError {
    /// The line number, counted from 1; 0 when the error has no line.
    pub line: usize,
    /// What is wrong and what is expected.
    pub text: String,
}

impl ClientConfigError {
    pub(super) fn new(line: usize, text: impl Into<String>) -> Self {
        Self { line, text: text.into() }
    }
}

impl fmt::Display for ClientConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.text),
            line => write!(f, "line {line}: {}", self.text),
        }
    }
}

impl std::error::Error for ClientConfigError {}
