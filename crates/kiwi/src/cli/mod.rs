//! The command line: today's verbs and the chapter's options, one tree, one Request per operation.
//!
//! ```text
//! arguments -> Arguments (clap) -> Call (an operation with its Request, or a word of help)
//! ```
//!
//! `verb` names the verbs; each group of verbs has a file with what they take and the Request they become.
//! Only this module knows clap; an operation never sees it.

mod building;
mod chapter;
mod describing;
mod documenting;
mod running;
mod verb;

use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser};

use crate::host::Output;
use crate::operation::Operation;

/// Builds Linux system images that boot, from a description.
#[derive(Debug, Parser)]
#[command(
    name = "kiwi",
    version,
    disable_version_flag = true,
    infer_long_args = true,
    subcommand_negates_reqs = true,
    args_conflicts_with_subcommands = false,
    after_help = "The options of the 2007 chapter work too: kiwi --prepare DESCRIPTION --root DIR, \
                  kiwi --create ROOT --destdir DIR.\nSee 'kiwi VERB --help' for the options of one verb."
)]
struct Arguments {
    #[command(subcommand)]
    verb: Option<verb::Verb>,
    #[command(flatten)]
    chapter: chapter::Chapter,
    #[command(flatten)]
    global: Global,
}

/// Options every verb has.
#[derive(Debug, Args)]
struct Global {
    /// Write the log to FILE; the word "terminal" shows it on the terminal instead.
    #[arg(long, value_name = "FILE", global = true)]
    logfile: Option<PathBuf>,
    /// Print one JSON object a line about stages, warnings and results on standard output.
    #[arg(long, global = true)]
    json: bool,
    /// Print errors only.
    #[arg(long, short = 'q', global = true, conflicts_with = "json")]
    quiet: bool,
}

/// What the command line asks for.
#[derive(Debug)]
pub struct Call {
    /// The operation with its request.
    pub operation: Operation,
    /// How progress is shown.
    pub output: Output,
    /// `--logfile`.
    pub logfile: Option<PathBuf>,
}

/// Reads the command line; help, version, completions and mistakes end the program here.
pub fn parse() -> Call {
    let arguments = Arguments::parse();
    let global = arguments.global;
    let mut operation = match arguments.verb {
        Some(verb) => verb.operation(),
        None => match arguments.chapter.operation() {
            Ok(operation) => operation,
            Err(problem) => Arguments::command().error(problem.kind, problem.text).exit(),
        },
    };
    let output = match (global.json, global.quiet) {
        // An answer is one document; events would be mixed into it.
        (true, _) if operation.answer_as_json() => Output::Quiet,
        (true, _) => Output::Json,
        (_, true) => Output::Quiet,
        (false, false) => Output::Human,
    };
    Call { operation, output, logfile: global.logfile }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    fn call(words: &str) -> Operation {
        let arguments = Arguments::try_parse_from(words.split(' ')).unwrap();
        match arguments.verb {
            Some(verb) => verb.operation(),
            None => arguments.chapter.operation().unwrap(),
        }
    }

    #[test]
    fn chapter_and_today_ask_for_the_same() {
        for (chapter, today) in [
            ("kiwi --prepare d --root r", "kiwi prepare d --root r"),
            ("kiwi -p d -r r --add-profile x", "kiwi prepare d -r r --profile x"),
            ("kiwi --create r --destdir d --type vmx", "kiwi create r --destdir d --type vmx"),
            ("kiwi -c r -d d -t vmx", "kiwi create r -d d -t vmx"),
            (
                "kiwi --upgrade r --add-repo a --add-repotype apt-deb",
                "kiwi upgrade r --add-repo a --add-repotype apt-deb",
            ),
            ("kiwi -u r --add-package p", "kiwi upgrade r --add-package p"),
            ("kiwi -i d", "kiwi list-profiles d"),
            ("kiwi --list-profiles d", "kiwi list-profiles d"),
            ("kiwi -l", "kiwi list"),
            ("kiwi --createpassword", "kiwi create-password"),
            (
                "kiwi --prep d --set-repo s --set-repotype t --root r",
                "kiwi prepare d --set-repo s --set-repotype t -r r",
            ),
        ] {
            assert_eq!(format!("{:?}", call(chapter)), format!("{:?}", call(today)), "{chapter}");
        }
    }

    #[test]
    fn nothing_asked_for_and_two_things_asked_for_are_errors() {
        let none = Arguments::try_parse_from(["kiwi"]).unwrap().chapter.operation();
        assert_eq!(none.unwrap_err().text, "no operation specified; see 'kiwi --help'");
        let two = Arguments::try_parse_from(["kiwi", "-p", "d", "-c", "r"]);
        assert!(two.is_err());
    }
}
