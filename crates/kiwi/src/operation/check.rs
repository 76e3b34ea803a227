//! `kiwi check`: everything that is wrong with a description, without building it.

use std::path::PathBuf;

use anyhow::Result;

use super::{Overrides, load};
use crate::host::Host;
use crate::share::Share;

/// What to check.
#[derive(Debug, Clone)]
pub struct Request {
    /// Directory or file.
    pub description: PathBuf,
    /// Profiles taken as active.
    pub profiles: Vec<String>,
    /// Image type, the primary one when not said.
    pub image_type: Option<String>,
}

/// Fails with all diagnostics; says so when there is nothing to say.
pub fn run(request: &Request, host: &Host) -> Result<()> {
    let loaded = load::load_and_warn(&request.description, &Share::find(host), host)?;
    let selection =
        load::select(&loaded, &request.profiles, request.image_type.as_deref(), &Overrides::default())?;
    host.say(&format!(
        "{}: {} {}, type {}, no errors",
        loaded.source.config().display(),
        selection.name,
        selection.version,
        selection.image_type.word()
    ));
    Ok(())
}
