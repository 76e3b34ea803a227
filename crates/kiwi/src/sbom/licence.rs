//! What a package declares as its licence.

use spdx::{Expression, ParseMode};

/// A declared licence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Licence {
    /// An SPDX licence expression, and the texts of the licences in it that SPDX has no identifier for.
    Declared {
        /// The expression.
        expression: String,
        /// Sorted by identifier, each once.
        texts: Vec<LicenceText>,
    },
    /// No expression: the file in the image with the text, or the value of the tag, if there is one.
    Unknown {
        /// The path of a file and its SHA-256.
        file: Option<(String, String)>,
        /// The value of a tag that is not an SPDX expression.
        tag: Option<String>,
    },
}

/// The text of a licence without an SPDX identifier.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LicenceText {
    /// `LicenseRef-NAME-DIGEST`
    pub(super) id: String,
    /// The name in the copyright file.
    pub(super) name: String,
    /// The text.
    pub(super) text: String,
}

impl Licence {
    /// Returns the licence in the tag of an RPM package: an expression if it is one of SPDX, with current identifiers only.
    pub(super) fn of_tag(tag: Option<&str>) -> Self {
        match tag {
            Some(tag) if is_expression(tag) => {
                Self::Declared { expression: tag.to_owned(), texts: Vec::new() }
            }
            tag => Self::Unknown { file: None, tag: tag.map(str::to_owned) },
        }
    }
}

/// Returns whether a text is an SPDX expression whose identifiers are in the list of SPDX and not deprecated.
pub(super) fn is_expression(text: &str) -> bool {
    Expression::parse_mode(text, ParseMode::STRICT).is_ok()
}
