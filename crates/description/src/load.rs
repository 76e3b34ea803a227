//! Reads a description from its text and the texts of the files it includes.
//!
//! ```text
//! texts -> one tree, checked against the keywords of their schemas -> upgrade -> decode -> Description
//! ```
//!
//! All errors of the files are collected on the way; a description exists only when there is none.

use std::sync::Arc;

use crate::include::Loader;
use crate::{Description, Diagnostics, SourceFile, decode, include, upgrade};

/// The result of reading a description.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// The description; none when there is an error among the diagnostics.
    pub description: Option<Description>,
    /// All diagnostics of the file, in the order of its lines.
    pub diagnostics: Diagnostics,
    /// Deprecated keywords, each with the current one.
    pub deprecated: Diagnostics,
}

impl Description {
    /// Reads the text of a description, of whichever schema it is, which includes no other.
    pub fn parse(file: SourceFile) -> Parsed {
        Self::load(file, &mut |_| Err("the other files of the description are not at hand".to_owned()))
    }

    /// Reads a description with the files it includes, whose texts `loader` gives.
    pub fn load(file: SourceFile, loader: &mut Loader) -> Parsed {
        let mut diagnostics = Diagnostics::default();
        let mut deprecated = Diagnostics::default();
        let whole = include::read(&Arc::new(file), loader, &mut diagnostics);
        let description = whole.and_then(|mut whole| {
            deprecated = whole.deprecated;
            upgrade::upgrade(&mut whole.root, whole.schema);
            decode::decode(&whole.root, whole.schema, &mut diagnostics)
        });
        diagnostics.sort();
        diagnostics.shorten();
        Parsed { description: description.filter(|_| !diagnostics.has_errors()), diagnostics, deprecated }
    }
}
