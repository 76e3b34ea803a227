//! Arguments of the verbs that work on a description: init, check, convert, info, list-profiles.

use std::path::PathBuf;

use clap::Args;

use super::build::Selecting;
use super::location::Location;
use crate::operation::init::MenuItem as _;
use crate::operation::{Operation, check, convert, info, init, list_profiles};

#[derive(Debug, Args)]
pub(super) struct Init {
    /// What the system is for: server, appliance, cloud, live-desktop, rescue, kiosk or pxe-client; kiwi asks if it is missing.
    #[arg(value_parser = init::Template::parse)]
    template: Option<init::Template>,
    /// debian-12, debian-13, opensuse-leap, opensuse-tumbleweed or fedora; the last three have the template server only
    /// (default: debian-13).
    #[arg(long, value_name = "DISTRIBUTION", value_parser = init::Distribution::parse)]
    distribution: Option<init::Distribution>,
    /// The new directory (default: the name of the image); existing files are never overwritten.
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
    /// Name of the image (default: DISTRIBUTION-TEMPLATE).
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Image type, instead of that of the template: oem is a disk, iso a live system.
    #[arg(long = "type", short = 't', value_name = "TYPE")]
    image_type: Option<String>,
    /// Source of the packages, instead of the distribution's default.
    #[arg(long, value_name = "SOURCE")]
    repository: Option<String>,
    /// Language and country of the system (default: en_US).
    #[arg(long, value_name = "LOCALE")]
    locale: Option<String>,
    /// Keyboard layout of the console (default: us).
    #[arg(long, value_name = "KEYMAP")]
    keytable: Option<String>,
    /// Time zone (default: Etc/UTC).
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    /// Name of a user who may become root.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Password hash of that user, as printed by 'kiwi create-password'.
    #[arg(long, value_name = "HASH")]
    password_hash: Option<String>,
    /// File with the public SSH key of that user, or of root if there is no user.
    #[arg(long, value_name = "FILE", value_parser = ssh_key)]
    ssh_key: Option<String>,
}

/// Reads the file of an option.
fn ssh_key(path: &str) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| error.to_string())
}

impl Init {
    pub(super) fn operation(self) -> Operation {
        Operation::Init(init::Request {
            template: self.template,
            distribution: self.distribution,
            directory: self.directory,
            answers: init::Answers {
                name: self.name,
                image_type: self.image_type,
                repository: self.repository,
                locale: self.locale,
                keytable: self.keytable,
                timezone: self.timezone,
                user: self.user,
                password_hash: self.password_hash,
                ssh_key: self.ssh_key,
            },
        })
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
    fn from(keyword: CheckFormat) -> Self {
        match keyword {
            CheckFormat::Human => Self::Human,
            CheckFormat::Json => Self::Json,
            CheckFormat::Sarif => Self::Sarif,
        }
    }
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 the description is right (there may be warnings), 3 it is wrong, 4 it is right \
                        but needs what this version does not build, 1 it cannot be read, 2 a mistake on the command \
                        line. The last line and --format json (verdict) say the same."
)]
pub(super) struct Check {
    #[command(flatten)]
    location: Location,
    /// Check with this profile active (may be repeated).
    #[arg(long = "add-profile", visible_alias = "profile", value_name = "NAME")]
    profiles: Vec<String>,
    /// Check this image type; without it the primary one is checked, and problems of the others are warnings.
    #[arg(long = "type", short = 't', value_name = "TYPE")]
    image_type: Option<String>,
    /// Format of the report.
    #[arg(long, value_enum, default_value_t = CheckFormat::Human)]
    format: CheckFormat,
}

impl Check {
    pub(super) fn operation(self) -> Operation {
        Operation::Check(check::Request {
            description: self.location.path(),
            profiles: self.profiles,
            image_type: self.image_type,
            format: self.format.into(),
        })
    }
}

#[derive(Debug, Args)]
#[command(after_help = "kiwi checks that the new text means the same before it writes it. \
                        Converting it once more changes nothing.")]
pub(super) struct Convert {
    #[command(flatten)]
    location: Location,
    /// A schema (default: 8.5 as KIWI NG reads it), `kiwi` (8.5 with the keywords that only kiwi has) or a format (default: the
    /// present one); may be given once for each.
    #[arg(long, value_name = "SCHEMA|kiwi|FORMAT", value_parser = convert::Target::parse)]
    to: Vec<convert::Target>,
    /// Write to this new file instead of standard output.
    #[arg(long, short = 'o', value_name = "FILE", conflicts_with = "in_place")]
    output: Option<PathBuf>,
    /// Replace the file of the description.
    #[arg(long)]
    in_place: bool,
}

impl Convert {
    pub(super) fn operation(self) -> Operation {
        Operation::Convert(convert::Request {
            description: self.location.path(),
            to: self.to,
            output: match (self.output, self.in_place) {
                (Some(path), _) => convert::Output::File(path),
                (None, true) => convert::Output::InPlace,
                (None, false) => convert::Output::Print,
            },
        })
    }
}

/// `--format` of `info`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum InfoFormat {
    /// Tables.
    Human,
    /// One JSON document.
    Json,
    /// Only .profile, the shell variables that scripts of the description see.
    Profile,
}

impl From<InfoFormat> for info::Format {
    fn from(keyword: InfoFormat) -> Self {
        match keyword {
            InfoFormat::Human => Self::Human,
            InfoFormat::Json => Self::Json,
            InfoFormat::Profile => Self::Profile,
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct DescriptionInfo {
    #[command(flatten)]
    location: Location,
    #[command(flatten)]
    selecting: Selecting,
    /// Show this image type (default: the primary one).
    #[arg(long = "type", short = 't', value_name = "TYPE")]
    image_type: Option<String>,
    /// Read the repositories and list every package that would be installed, with dependencies.
    #[arg(long)]
    resolve: bool,
    /// Format of the answer.
    #[arg(long, value_enum, default_value_t = InfoFormat::Human)]
    format: InfoFormat,
}

impl DescriptionInfo {
    pub(super) fn operation(self) -> Operation {
        Operation::Info(info::Request {
            description: self.location.path(),
            profiles: self.selecting.profiles,
            image_type: self.image_type,
            overrides: self.selecting.sources.overrides(),
            resolve: self.resolve,
            format: self.format.into(),
        })
    }
}

#[derive(Debug, Args)]
pub(super) struct ListProfiles {
    #[command(flatten)]
    location: Location,
}

impl ListProfiles {
    pub(super) fn operation(self) -> Operation {
        Operation::ListProfiles(list_profiles::Request { description: self.location.path() })
    }
}
