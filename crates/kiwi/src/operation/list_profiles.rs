//! `kiwi list-profiles`: the profiles a description declares.

use std::path::PathBuf;

use anyhow::Result;

use super::load;
use crate::host::Host;
use crate::share::Share;

/// Of which description.
#[derive(Debug, Clone)]
pub struct Request {
    /// Its directory.
    pub description: PathBuf,
}

/// Prints name and description of each, separated by a tab.
pub fn run(request: &Request, host: &Host) -> Result<()> {
    let loaded = load::load(&request.description, &Share::find(host))?;
    let profiles = &loaded.description.profiles;
    if profiles.is_empty() {
        host.print("No profiles available");
    }
    for profile in profiles {
        host.print(&format!("{}\t{}", profile.name, profile.description));
    }
    Ok(())
}
