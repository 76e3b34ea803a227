//! The formats a description can be written in.

use std::fmt;

/// A format of descriptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `config.xml`, or any `*.kiwi`.
    Xml,
}

impl Format {
    /// Every format.
    pub const ALL: &[Format] = &[Self::Xml];

    /// The word, which is also what the names of such files end in.
    pub fn word(self) -> &'static str {
        match self {
            Self::Xml => "xml",
        }
    }

    /// The format of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|format| format.word() == word)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
