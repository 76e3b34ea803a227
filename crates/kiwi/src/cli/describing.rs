//! What the verbs take that look at a description: check, list-profiles.

use std::path::PathBuf;

use clap::Args;

use crate::operation::{Operation, check, list_profiles};

/// Where a description is.
#[derive(Debug, Args, Clone)]
pub(super) struct Place {
    /// Directory of the description, or the file itself.
    description: PathBuf,
    /// Use this file of the directory instead of looking for one.
    #[arg(long, value_name = "NAME")]
    kiwi_file: Option<PathBuf>,
}

impl Place {
    pub(super) fn path(self) -> PathBuf {
        match self.kiwi_file {
            Some(file) => self.description.join(file),
            None => self.description,
        }
    }
}

/// `--format` of `check`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum CheckFormat {
    /// Each problem with its line and a caret, on standard error.
    Human,
    /// One JSON document on standard output.
    Json,
    /// One SARIF 2.1.0 document on standard output.
    Sarif,
}

impl From<CheckFormat> for check::Format {
    fn from(word: CheckFormat) -> Self {
        match word {
            CheckFormat::Human => Self::Human,
            CheckFormat::Json => Self::Json,
            CheckFormat::Sarif => Self::Sarif,
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 the description is right (there may be warnings), 3 it is not, \
                        1 it cannot be read, 2 a mistake on the command line.")]
pub(super) struct Check {
    #[command(flatten)]
    place: Place,
    /// Check with this profile active (may be repeated).
    #[arg(long = "add-profile", visible_alias = "profile", value_name = "NAME")]
    profiles: Vec<String>,
    /// Check this image type; without it the primary one, and what is wrong with the others is a warning.
    #[arg(long = "type", short = 't', value_name = "TYPE")]
    image_type: Option<String>,
    /// How the answer is shown.
    #[arg(long, value_enum, default_value_t = CheckFormat::Human)]
    format: CheckFormat,
}

impl Check {
    pub(super) fn operation(self) -> Operation {
        Operation::Check(check::Request {
            description: self.place.path(),
            profiles: self.profiles,
            image_type: self.image_type,
            format: self.format.into(),
        })
    }
}

#[derive(Debug, Args)]
pub(super) struct ListProfiles {
    #[command(flatten)]
    place: Place,
}

impl ListProfiles {
    pub(super) fn operation(self) -> Operation {
        Operation::ListProfiles(list_profiles::Request { description: self.place.path() })
    }
}
