//! Options of KIWI NG that this version does not support; each is rejected by name before any work.
//!
//! One table holds an option's name, whether it has a value, and the alternative; the parser, the help and the
//! message are derived from it.

use std::marker::PhantomData;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, FromArgMatches};

/// An option that is rejected.
pub(in crate::cli) struct Keyword {
    /// Name without the dashes.
    pub(in crate::cli) name: &'static str,
    pub(in crate::cli) takes_value: bool,
    /// The alternative, or the reason.
    pub(in crate::cli) instead: &'static str,
}

pub(in crate::cli) const fn flag(name: &'static str, instead: &'static str) -> Keyword {
    Keyword { name, takes_value: false, instead }
}

pub(in crate::cli) const fn option(name: &'static str, instead: &'static str) -> Keyword {
    Keyword { name, takes_value: true, instead }
}

/// The rejected options of a command.
pub(in crate::cli) trait Keywords {
    const WORDS: &'static [Keyword];
}

/// Adds the options of the list to a command and rejects each that is used.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Refused<W>(PhantomData<W>);

impl<W: Keywords> FromArgMatches for Refused<W> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let written =
            |keyword: &&Keyword| matches.value_source(keyword.name) == Some(ValueSource::CommandLine);
        match W::WORDS.iter().find(written) {
            Some(keyword) => Err(clap::Error::raw(
                ErrorKind::InvalidValue,
                format!("--{} is not built by this version of kiwi; {}\n", keyword.name, keyword.instead),
            )),
            None => Ok(Self(PhantomData)),
        }
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        Self::from_arg_matches(matches).map(drop)
    }
}

impl<W: Keywords> clap::Args for Refused<W> {
    fn augment_args(command: Command) -> Command {
        W::WORDS.iter().fold(command, |command, keyword| {
            let argument = Arg::new(keyword.name).long(keyword.name).hide(true);
            command.arg(match keyword.takes_value {
                true => argument.action(ArgAction::Append).value_name("VALUE").allow_hyphen_values(true),
                false => argument.action(ArgAction::SetTrue),
            })
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}
