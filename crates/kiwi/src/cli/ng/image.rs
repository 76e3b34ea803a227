//! `kiwi image info|resize`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use description::Format;

use super::system::Added;
use super::{Before, Problem, Rest};
use crate::operation::{Operation, Overrides, convert, info, list_profiles};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Image {
    /// Show what a description offers.
    Info(Info),
    /// Not supported: changing the size of a finished disk.
    #[command(hide = true)]
    Resize(Rest),
}

impl Image {
    pub(super) fn operation(self, before: Before) -> Result<Operation, Problem> {
        match self {
            Self::Info(command) => command.operation(before),
            Self::Resize(_) => Err(Problem::refused(
                "'image resize' is not built by this version of kiwi; 'qemu-img resize DISK SIZE' does it, and the \
                 system grows into its disk at the next boot"
                    .to_owned(),
            )),
        }
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Info {
    /// Directory of the description.
    #[arg(long, value_name = "DIR")]
    description: PathBuf,
    /// Read the repositories and list every package that would be installed.
    #[arg(long)]
    resolve_package_list: bool,
    /// List the profiles only.
    #[arg(long, group = "answer")]
    list_profiles: bool,
    /// Print the variables of .profile only.
    #[arg(long, group = "answer")]
    print_kiwi_env: bool,
    /// Print the description with the keywords of schema 8.5, as XML.
    #[arg(long, group = "answer")]
    print_xml: bool,
    /// Print it as YAML.
    #[arg(long, group = "answer")]
    print_yaml: bool,
    /// Print it as TOML.
    #[arg(long, group = "answer")]
    print_toml: bool,
    #[command(flatten)]
    added: Added,
}

impl Info {
    fn operation(self, before: Before) -> Result<Operation, Problem> {
        let description = before.description(self.description);
        if self.list_profiles {
            return Ok(Operation::ListProfiles(list_profiles::Request { description }));
        }
        let printed =
            [(self.print_xml, Format::Xml), (self.print_yaml, Format::Yaml), (self.print_toml, Format::Toml)];
        if let Some((_, format)) = printed.into_iter().find(|(asked, _)| *asked) {
            return Ok(Operation::Convert(convert::Request {
                description,
                to: vec![convert::Target::Format(format)],
                output: convert::Output::Print,
            }));
        }
        Ok(Operation::Info(info::Request {
            description,
            profiles: before.profiles,
            image_type: before.image_type,
            overrides: Overrides {
                ignore_repositories: self.added.repositories.ignored(),
                add_repositories: self.added.options()?,
                ..Overrides::default()
            },
            resolve: self.resolve_package_list,
            format: match self.print_kiwi_env {
                true => info::Format::Profile,
                false => info::Format::Human,
            },
        }))
    }
}
