//! `kiwi list-profiles`: the profiles a description declares.

use std::path::PathBuf;

use anyhow::Result;

use super::load;
use crate::context::Context;

/// Of which description.
#[derive(Debug, Clone)]
pub struct Request {
    /// Its directory.
    pub description: PathBuf,
}

/// Prints name and description of each, separated by a tab.
pub fn run(request: &Request, context: &Context) -> Result<()> {
    let host = &context.host;
    let loaded = load::load(&request.description, &context.share)?;
    let profiles = &loaded.description.profiles;
    if profiles.is_empty() {
        host.print("No profiles available");
    }
    for profile in profiles {
        host.print(&format!("{}\t{}", profile.name, profile.description));
    }
    Ok(())
}
