//! The schemas a description can be written in.

use std::fmt;

/// The version of a schema: which words a description may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SchemaVersion {
    /// The chapter's schema, of 2007, `schemeversion="1.4"`.
    V1_4,
    /// Today's schema, `schemaversion="8.5"`.
    V8_5,
}

impl SchemaVersion {
    /// Every version, oldest first.
    pub const ALL: [SchemaVersion; 2] = [Self::V1_4, Self::V8_5];

    /// The number as descriptions write it.
    pub fn number(self) -> &'static str {
        match self {
            Self::V1_4 => "1.4",
            Self::V8_5 => "8.5",
        }
    }

    /// The attribute of `<image>` that carries the number; its name changed once.
    pub fn attribute(self) -> &'static str {
        match self {
            Self::V1_4 => "schemeversion",
            Self::V8_5 => "schemaversion",
        }
    }

    /// The other vocabulary, for messages about a word that is not of this one.
    pub(crate) fn other(self) -> Self {
        match self {
            Self::V1_4 => Self::V8_5,
            Self::V8_5 => Self::V1_4,
        }
    }
}

impl fmt::Display for SchemaVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.number())
    }
}
