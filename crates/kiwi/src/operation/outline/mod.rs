//! `kiwi info`: what a description offers, and what one build would take of it.
//!
//! ```text
//! description -> types, profiles;  selection -> packages, repositories, .profile;  shown as tables or one JSON document
//! ```

mod facts;
mod table;

use std::path::PathBuf;

use anyhow::Result;

use super::{Overrides, load};
use crate::host::Host;
use crate::share::Share;

/// Of which build.
#[derive(Debug, Clone)]
pub struct Request {
    /// Directory or file.
    pub description: PathBuf,
    /// Profiles taken as active.
    pub profiles: Vec<String>,
    /// Image type; none: the primary one.
    pub image_type: Option<String>,
    /// Changes for this run.
    pub overrides: Overrides,
    /// How the answer is shown.
    pub format: Format,
}

/// How the answer of `info` is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Tables for a person.
    Human,
    /// One JSON document.
    Json,
    /// `.profile` alone, as shell variables.
    Profile,
}

/// Prints it on standard output.
pub fn run(request: &Request, host: &Host) -> Result<()> {
    let loaded = load::load_and_warn(&request.description, &Share::find(host), host)?;
    let selection =
        load::select(&loaded, &request.profiles, request.image_type.as_deref(), &request.overrides)?;
    let outline = facts::Outline::new(&loaded.description, &selection);
    host.print_document(&match request.format {
        Format::Human => table::text(&outline),
        Format::Json => serde_json::to_string_pretty(&outline)?,
        Format::Profile => outline.profile_text().to_owned(),
    });
    Ok(())
}
