//! Reads a description from its text and the texts of the files it includes.
//!
//! ```text
//! texts -> one tree, checked against their schemas -> upgrade -> decode -> Description
//! ```
//!
//! All errors of the files are collected; a description exists only if there is none.

use std::sync::Arc;

use crate::include::Loader;
use crate::{Description, Diagnostics, SourceFile, decode, include, upgrade};

/// The result of reading a description.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// The description; none if one of the diagnostics is an error.
    pub description: Option<Description>,
    /// All diagnostics of the file, in the order of its lines.
    pub diagnostics: Diagnostics,
    /// Deprecated keywords, each with the current one.
    pub deprecated: Diagnostics,
}

impl Description {
    /// Reads the text of a description of any schema that includes no other file.
    pub fn parse(file: SourceFile) -> Parsed {
        Self::load(file, &mut |_| Err("the other files of the description are not available".to_owned()))
    }

    /// Reads a description with the files it includes, whose texts `loader` returns.
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
