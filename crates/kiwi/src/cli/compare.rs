//! What the verbs take that compare: diff, repro.

use std::path::PathBuf;

use clap::Args;

use super::location::Location;
use crate::operation::{Operation, diff, repro};

#[derive(Debug, Args)]
pub(super) struct Diff {
    /// A directory: a root tree, or one of images.
    one: PathBuf,
    /// Another one.
    other: PathBuf,
    /// Leave out when files were last changed.
    #[arg(long)]
    no_times: bool,
}

impl Diff {
    pub(super) fn operation(self) -> Operation {
        Operation::Diff(diff::Request { one: self.one, other: self.other, times: !self.no_times })
    }
}

#[derive(Debug, Args)]
pub(super) struct Repro {
    #[command(flatten)]
    location: Location,
    /// Where both builds go, trees and images; a directory that is new or empty.
    #[arg(long, short = 'd', value_name = "DIR")]
    destdir: PathBuf,
    /// Make this one of the description's image types (default: the primary one).
    #[arg(long = "type", short = 't', value_name = "TYPE")]
    image_type: Option<String>,
    /// Activate a profile of the description (may be repeated).
    #[arg(long = "add-profile", visible_alias = "profile", value_name = "NAME")]
    profiles: Vec<String>,
}

impl Repro {
    pub(super) fn operation(self) -> Operation {
        Operation::Repro(repro::Request {
            description: self.location.path(),
            destdir: self.destdir,
            image_type: self.image_type,
            profiles: self.profiles,
        })
    }
}
