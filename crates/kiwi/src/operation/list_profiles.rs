//! `kiwi list-profiles`: the profiles that a description declares.

use std::path::PathBuf;

use anyhow::Result;

use super::load;
use super::outcome::{Outcome, Profile};
use crate::context::Context;

/// The description.
#[derive(Debug, Clone)]
pub struct Request {
    /// Its directory.
    pub description: PathBuf,
}

/// Returns name and description of each.
pub fn run(request: &Request, context: &Context) -> Result<Outcome> {
    let loaded = load::load(&request.description, context)?;
    let profiles = loaded.description.profiles.iter();
    let profiles = profiles
        .map(|profile| Profile { name: profile.name.to_string(), description: profile.description.clone() });
    Ok(Outcome::Profiles { profiles: profiles.collect() })
}
