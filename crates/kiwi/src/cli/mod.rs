//! The command line: today's verbs and the chapter's options, one tree, one Request per operation.
//!
//! ```text
//! arguments -> Arguments (clap) -> Call (an operation with its Request, or a keyword of help)
//! ```
//!
//! `verb` names the verbs; each group of verbs has a file with what they take and the Request they become.
//! Only this module knows clap; an operation never sees it.

mod build;
mod cache;
mod compare;
mod description;
mod documentation;
mod legacy_1x;
mod location;
mod media;
mod ng;
mod protocol;
mod run;
mod session;
mod terminal;
mod text;
mod verb;

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser};

use crate::failure::{Failure, Kind};
use crate::operation::Operation;

pub use session::run;

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
    chapter: legacy_1x::Legacy1x,
    #[command(flatten)]
    global: Global,
    #[command(flatten)]
    ng: ng::Global,
}

/// Options every verb has.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every verb")]
struct Global {
    /// Write the log to FILE; the keyword "terminal" shows it on the terminal instead.
    #[arg(long, value_name = "FILE", global = true)]
    logfile: Option<PathBuf>,
    /// Write where the time went to PLACE.json and PLACE.html, a page to look at; into PLACE when it is a directory.
    #[arg(long, value_name = "PLACE", global = true)]
    timings: Option<PathBuf>,
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
    /// How events and the answer are shown.
    pub display: Display,
    /// `--logfile`.
    pub logfile: Option<PathBuf>,
    /// `--timings`
    pub timings: Option<PathBuf>,
    /// Variables that hold as if they were in the environment.
    pub variables: Vec<(&'static str, String)>,
}

/// How events and the answer are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Display {
    /// For a person: bars on a terminal, lines elsewhere, on standard error; the answer on standard output.
    Human,
    /// The protocol of `docs/json.md` on standard output.
    Json,
    /// Nothing but the answer and errors.
    Quiet,
}

/// A mistake clap itself cannot see.
#[derive(Debug)]
struct Problem {
    kind: ErrorKind,
    text: String,
}

impl Problem {
    /// Something that cannot be done.
    fn refused(text: String) -> Self {
        Self { kind: ErrorKind::InvalidValue, text }
    }
}

/// Reads the command line; help, version, completions and mistakes end the program here.
pub fn parse() -> Call {
    let matches = Arguments::command().try_get_matches().unwrap_or_else(|error| refuse(&error));
    let early = early_option(&matches);
    let read = Arguments::from_arg_matches(&matches);
    read.map_or_else(|error| refuse(&error), |arguments| arguments.call(early))
        .unwrap_or_else(|problem| refuse(&Arguments::command().error(problem.kind, problem.text)))
}

/// Ends the program with help, version or a mistake on the command line; a program that reads events gets one of that, too.
fn refuse(error: &clap::Error) -> ! {
    if error.use_stderr() && std::env::args_os().any(|argument| argument == "--json") {
        let text = error.to_string();
        let message = text.trim_start_matches("error: ").lines().next().unwrap_or_default();
        let remedy = "see 'kiwi VERB --help'";
        let failure = anyhow::Error::from(Failure::new(Kind::Usage, message).remedy(remedy));
        protocol::error(&failure.into(), Kind::Usage.exit_code(), None);
    }
    error.exit()
}

/// An option of the chapter or of KIWI NG that was written before a verb.
fn early_option(matches: &ArgMatches) -> Option<String> {
    let written = |id: &&clap::Id| matches.value_source(id.as_str()) == Some(ValueSource::CommandLine);
    let everywhere = ["logfile", "timings", "json", "quiet"];
    let command = Arguments::command();
    let option = |id: &clap::Id| {
        let argument = command.get_arguments().find(|argument| argument.get_id() == id)?;
        Some(format!("--{}", argument.get_long()?))
    };
    matches.ids().filter(written).filter(|id| !everywhere.contains(&id.as_str())).find_map(option)
}

impl Arguments {
    /// `early` is an option that stands before the verb, where only the services of KIWI NG have options.
    fn call(self, early: Option<String>) -> Result<Call, Problem> {
        let global = self.global;
        let mut settings = ng::Settings::default();
        let operation = match (self.verb, early) {
            (None, _) => self.chapter.operation()?,
            (Some(verb), Some(option)) if !verb.is_service() => {
                return Err(Problem::refused(format!(
                    "{option} stands before the verb; write it after the verb"
                )));
            }
            (Some(verb), _) => {
                let (profiles, image_type) = self.chapter.choice();
                let (before, said) = self.ng.split(profiles, image_type)?;
                settings = said;
                verb.operation(before)?
            }
        };
        let display = match (global.json, global.quiet || settings.quiet) {
            (true, _) => Display::Json,
            (false, true) => Display::Quiet,
            (false, false) => Display::Human,
        };
        let on_terminal = || settings.log_on_terminal.then(|| PathBuf::from(TERMINAL));
        let logfile =
            global.logfile.map(|path| if path.as_os_str() == "stdout" { TERMINAL.into() } else { path });
        let logfile = logfile.or_else(on_terminal);
        Ok(Call { operation, display, logfile, timings: global.timings, variables: settings.variables })
    }
}

/// The keyword of `--logfile` that is no file.
const TERMINAL: &str = "terminal";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    fn call(keywords: &str) -> Operation {
        asked(keywords).unwrap().operation
    }

    /// The call, or what is said instead of it.
    fn asked(keywords: &str) -> Result<Call, String> {
        let matches =
            Arguments::command().try_get_matches_from(keywords.split(' ')).map_err(|e| e.to_string())?;
        let arguments = Arguments::from_arg_matches(&matches).map_err(|error| error.to_string())?;
        arguments.call(early_option(&matches)).map_err(|problem| problem.text)
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
            (
                "kiwi --bootstick i --bootstick-system s --bootstick-device /dev/sdb",
                "kiwi boot-stick i --system s --device /dev/sdb",
            ),
            ("kiwi --bootstick i --output f", "kiwi boot-stick i -o f"),
            ("kiwi --bootcd i", "kiwi boot-cd i"),
            ("kiwi --installcd i --installcd-system s", "kiwi install-cd i --system s"),
            (
                "kiwi --installstick i --installstick-system s --installstick-device sdb",
                "kiwi install-stick i --system s --device sdb",
            ),
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
        assert_eq!(asked("kiwi").unwrap_err(), "no operation specified; see 'kiwi --help'");
        let two = Arguments::try_parse_from(["kiwi", "-p", "d", "-c", "r"]);
        assert!(two.is_err());
    }

    #[test]
    fn ng_and_today_ask_for_the_same() {
        for (ng, today) in [
            (
                "kiwi --profile a --profile b --type oem system prepare --description d --root r --add-package p",
                "kiwi prepare d -r r --profile a --profile b -t oem --add-package p",
            ),
            ("kiwi --kiwi-file x.kiwi image info --description d", "kiwi info d/x.kiwi"),
            ("kiwi image info --description d --list-profiles", "kiwi list-profiles d"),
            ("kiwi image info --description d --print-kiwi-env", "kiwi info d --format profile"),
            ("kiwi image info --description d --print-xml", "kiwi convert d --to xml"),
            ("kiwi system update --root r --add-package p", "kiwi upgrade r --add-package p"),
        ] {
            assert_eq!(format!("{:?}", call(ng)), format!("{:?}", call(today)), "{ng}");
        }
        let build = call("kiwi --type oem system build --description d --target-dir t --delete-package p");
        let Operation::Build(request) = build else { panic!("{build:?}") };
        assert_eq!(request.root, Some("t/build/image-root".into()));
        assert_eq!((request.destdir, request.make_destdir), (Some("t".into()), true));
        assert_eq!(request.overrides.delete_packages, ["p"]);
    }

    #[test]
    fn global_options_of_ng_count_for_the_whole_run() {
        let call =
            asked("kiwi --debug --shared-cache-dir c --config f.yml system create --root r --target-dir t")
                .unwrap();
        assert_eq!(call.logfile, Some("terminal".into()));
        assert_eq!(call.variables, [("KIWI_CONFIG", "f.yml".to_owned()), ("KIWI_CACHE", "c".to_owned())]);
        let call = asked("kiwi --loglevel 40 --logfile stdout system update --root r").unwrap();
        assert_eq!((call.display, call.logfile), (Display::Quiet, Some("terminal".into())));
    }

    #[test]
    fn what_ng_can_and_kiwi_cannot_is_refused_by_name() {
        for (keywords, named) in [
            ("kiwi system build --description d --target-dir t --set-type-attr a=b", "--set-type-attr"),
            (
                "kiwi system build --description d --target-dir t --allow-existing-root",
                "--allow-existing-root",
            ),
            ("kiwi system prepare --description d --root r --ca-cert c", "--ca-cert"),
            ("kiwi --setenv A=b system create --root r --target-dir t", "--setenv"),
            ("kiwi --target-arch s390x system create --root r --target-dir t", "--target-arch"),
            ("kiwi system update --root r --delete-package p", "--delete-package"),
            ("kiwi system stash --root r --tag t --container-name n", "'system stash'"),
            ("kiwi system boxbuild --box b kiwi --description d", "'system boxbuild'"),
            ("kiwi system stackbuild --stash n --target-dir t", "'system stackbuild'"),
            ("kiwi image resize --target-dir t --size 5g", "'image resize'"),
        ] {
            let said = asked(keywords).unwrap_err();
            assert!(
                said.contains(&format!("{named} ")) && said.contains("is not built by this version"),
                "{said}"
            );
        }
    }

    #[test]
    fn an_option_before_todays_verbs_is_not_passed_over() {
        let said = asked("kiwi --type oem build d").unwrap_err();
        assert_eq!(said, "--type stands before the verb; write it after the verb");
        assert!(asked("kiwi --quiet list").is_ok());
    }
}
