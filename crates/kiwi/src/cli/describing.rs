//! What the verbs take that look at a description: check, list-profiles.

use std::path::PathBuf;

use clap::Args;

use crate::operation::{Operation, check, list_profiles};

#[derive(Debug, Args)]
pub(super) struct Check {
    /// Directory or file of the description.
    description: PathBuf,
    /// Check with this profile active (may be repeated).
    #[arg(long = "add-profile", visible_alias = "profile", value_name = "NAME")]
    profiles: Vec<String>,
    /// Check this image type.
    #[arg(long = "type", short = 't', value_name = "TYPE")]
    image_type: Option<String>,
}

impl Check {
    pub(super) fn operation(self) -> Operation {
        Operation::Check(check::Request {
            description: self.description,
            profiles: self.profiles,
            image_type: self.image_type,
        })
    }
}

#[derive(Debug, Args)]
pub(super) struct ListProfiles {
    /// Directory of the description.
    description: PathBuf,
}

impl ListProfiles {
    pub(super) fn operation(self) -> Operation {
        Operation::ListProfiles(list_profiles::Request { description: self.description })
    }
}
