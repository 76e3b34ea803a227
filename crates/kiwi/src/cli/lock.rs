//! Arguments of the verbs about the packages of a description and their versions: lock, outdated.

use clap::Args;

use super::build::Sources;
use super::location::Location;
use crate::debugging;
use crate::operation::lock_update::{Action, Request};
use crate::operation::locking::LockMode;
use crate::operation::{Operation, Reuse, build};

#[derive(Debug, Args)]
pub(super) struct Lock {
    #[command(flatten)]
    resolving: Resolving,
    /// Replace the versions in kiwi.lock by those that the repositories provide now.
    #[arg(long)]
    update: bool,
    /// Replace only versions for which there is a security update (debian://SUITE-security).
    #[arg(long, requires = "update")]
    security_only: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "The exit code is 0 if every package is up to date, and 1 if there is another version."
)]
pub(super) struct Outdated {
    #[command(flatten)]
    resolving: Resolving,
}

/// A description and the part of it whose packages are resolved.
#[derive(Debug, Args)]
struct Resolving {
    #[command(flatten)]
    location: Location,
    #[arg(
        long = "type",
        short = 't',
        value_name = "TYPE",
        help = "Lock the packages of this image type (default: the primary one)"
    )]
    image_type: Option<String>,
    /// Every image type of the description and of its profiles.
    #[arg(long, conflicts_with = "image_type")]
    all_types: bool,
    /// Activate a profile of the description (may be repeated).
    #[arg(long = "add-profile", visible_alias = "profile", value_name = "NAME")]
    profiles: Vec<String>,
    #[command(flatten)]
    sources: Sources,
}

impl Resolving {
    fn operation(self, action: Action) -> Operation {
        let build = build::Request {
            description: self.location.path(),
            root: None,
            destdir: None,
            make_destdir: false,
            image_type: self.image_type,
            all_types: self.all_types,
            profiles: self.profiles,
            overrides: self.sources.overrides(),
            network: false,
            reuse: Reuse { off: false, network: false },
            explain: true,
            lock: LockMode::Write,
            debugging: debugging::Options::default(),
        };
        Operation::Lock(Request { build, action })
    }
}

impl Lock {
    pub(super) fn operation(self) -> Operation {
        let action = match (self.update, self.security_only) {
            (false, _) => Action::Create,
            (true, false) => Action::Update,
            (true, true) => Action::UpdateSecurity,
        };
        self.resolving.operation(action)
    }
}

impl Outdated {
    pub(super) fn operation(self) -> Operation {
        self.resolving.operation(Action::Outdated)
    }
}
