//! The command line of KIWI 1.x: the operation is an option (docs/formats/command-lines.md).

use std::path::PathBuf;

use clap::Args;
use clap::error::ErrorKind;

use super::Problem;
use super::build::Selecting;
use crate::debugging::Options;
use crate::operation::{
    ImageOptions, Operation, Reuse, create, create_password, list, list_profiles, prepare, upgrade,
};

/// Options of KIWI 1.x at the top level.
#[derive(Debug, Args)]
#[group(id = "kiwi-1x", multiple = true)]
pub(super) struct Legacy1x {
    /// Build the root tree of this description.
    #[arg(
        long,
        short = 'p',
        value_name = "DESCRIPTION",
        group = "operation",
        help_heading = "Operations, KIWI 1.x compatible"
    )]
    prepare: Option<PathBuf>,
    /// Build images from this root tree.
    #[arg(
        long,
        short = 'c',
        value_name = "ROOT",
        group = "operation",
        help_heading = "Operations, KIWI 1.x compatible"
    )]
    create: Option<PathBuf>,
    /// Upgrade the packages of this root tree.
    #[arg(
        long,
        short = 'u',
        value_name = "ROOT",
        group = "operation",
        help_heading = "Operations, KIWI 1.x compatible"
    )]
    upgrade: Option<PathBuf>,
    /// List the profiles of this description.
    #[arg(
        long,
        short = 'i',
        value_name = "DESCRIPTION",
        group = "operation",
        help_heading = "Operations, KIWI 1.x compatible"
    )]
    list_profiles: Option<PathBuf>,
    /// List the boot image descriptions that are supplied with kiwi.
    #[arg(long, short = 'l', group = "operation", help_heading = "Operations, KIWI 1.x compatible")]
    list: bool,
    /// Ask for a password and print its hash for a description.
    #[arg(long, group = "operation", help_heading = "Operations, KIWI 1.x compatible")]
    createpassword: bool,
    #[command(flatten)]
    media: super::media::LegacyMedia,
    /// Print the version.
    #[arg(long, short = 'V', action = clap::ArgAction::Version)]
    version: Option<bool>,
    /// Write the new root tree to this directory.
    #[arg(long, short = 'r', value_name = "DIR", help_heading = "Options, KIWI 1.x compatible")]
    root: Option<PathBuf>,
    /// Write the images to this directory.
    #[arg(long, short = 'd', value_name = "DIR", help_heading = "Options, KIWI 1.x compatible")]
    destdir: Option<PathBuf>,
    /// Build this image type of the description.
    #[arg(long = "type", short = 't', value_name = "TYPE", help_heading = "Options, KIWI 1.x compatible")]
    image_type: Option<String>,
    /// Remove the symbols of programs and libraries.
    #[arg(long, short = 's', requires = "create", help_heading = "Options, KIWI 1.x compatible")]
    strip: bool,
    #[command(flatten, next_help_heading = "Options, KIWI 1.x compatible")]
    selecting: Selecting,
}

impl Legacy1x {
    /// Returns the profiles and the type, for a service of KIWI NG.
    pub(super) fn choice(self) -> (Vec<String>, Option<String>) {
        (self.selecting.profiles, self.image_type)
    }

    pub(super) fn operation(self) -> Result<Operation, Problem> {
        if let Some(description) = self.prepare {
            return Ok(Operation::Prepare(prepare::Request {
                description,
                root: self.root,
                image_type: self.image_type,
                network: false,
                reuse: Reuse::default(),
                profiles: self.selecting.profiles,
                overrides: self.selecting.sources.overrides(),
                debugging: Options::default(),
            }));
        }
        if let Some(root) = self.create {
            return Ok(Operation::Create(create::Request {
                root,
                destdir: self.destdir,
                make_destdir: false,
                image_type: self.image_type,
                reuse: Reuse::default(),
                image: ImageOptions { strip: self.strip, ..ImageOptions::default() },
                debugging: Options::default(),
            }));
        }
        if let Some(root) = self.upgrade {
            return Ok(Operation::Upgrade(upgrade::Request {
                root,
                overrides: self.selecting.sources.overrides(),
            }));
        }
        if let Some(description) = self.list_profiles {
            return Ok(Operation::ListProfiles(list_profiles::Request { description }));
        }
        if self.list {
            return Ok(Operation::List(list::Request));
        }
        if self.createpassword {
            return Ok(Operation::CreatePassword(create_password::Request));
        }
        self.media.operation().ok_or_else(|| Problem {
            kind: ErrorKind::MissingSubcommand,
            text: "no operation specified; see 'kiwi --help'".to_owned(),
        })
    }
}
