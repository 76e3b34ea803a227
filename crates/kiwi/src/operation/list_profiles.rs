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
    let mut profiles: Vec<Profile> = Vec::new();
    for profile in &loaded.description.profiles {
        // A profile can have one declaration for each architecture.
        if !profiles.iter().any(|known| known.name == profile.name.as_str()) {
            profiles
                .push(Profile { name: profile.name.to_string(), description: profile.description.clone() });
        }
    }
    Ok(Outcome::Profiles { profiles })
}
