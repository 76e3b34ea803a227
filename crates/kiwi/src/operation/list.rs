//! `kiwi list`: the boot image descriptions that are supplied with kiwi.

use anyhow::Result;

use super::load;
use super::outcome::{BootImage, Outcome};
use crate::context::Context;

/// Has no options.
#[derive(Debug, Clone)]
pub struct Request;

/// Returns path and version of each.
pub fn run(_request: &Request, context: &Context) -> Result<Outcome> {
    let share = &context.share;
    share.require_images()?;
    let mut descriptions = Vec::new();
    for path in share.list() {
        let loaded = load::load(&share.description(&path)?, context)?;
        descriptions.push(BootImage { path, version: loaded.description.version.to_string() });
    }
    Ok(Outcome::BootImages { descriptions })
}
