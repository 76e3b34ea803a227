//! Arguments of the verbs that compare: diff, repro.

use std::path::PathBuf;

use clap::Args;

use super::location::Location;
use crate::operation::{Operation, diff, repro};

#[derive(Debug, Args)]
pub(super) struct Diff {
    /// A root tree, a directory of images or a file.
    one: PathBuf,
    /// The other one.
    other: PathBuf,
    /// Ignore the modification times of files.
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
    /// Directory for trees and images of both builds; it must be new or empty.
    #[arg(long, short = 'd', value_name = "DIR")]
    destdir: PathBuf,
    /// Build this image type of the description (default: the primary one).
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
