//! The command line: verbs and the options of KIWI 1.x in one parser, one Request per operation.
//!
//! ```text
//! arguments -> Arguments (clap) -> Call (an operation with its Request, or a help text)
//! ```
//!
//! `verb` names the verbs; each group of verbs has a file with its arguments and the conversion to a Request.
//! Only this module uses clap.

mod abbreviation;
mod advance;
mod build;
mod cache;
mod compare;
mod debug;
mod description;
mod documentation;
mod dropped_1x;
mod legacy_1x;
mod location;
mod lock;
mod media;
mod ng;
mod protocol;
mod pxe;
mod run;
mod session;
mod shell;
mod sources;
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

/// Builds bootable Linux system images from a description.
#[derive(Debug, Parser)]
#[command(
    name = "kiwi",
    version = env!("KIWI_VERSION"),
    disable_version_flag = true,
    infer_long_args = true,
    subcommand_negates_reqs = true,
    args_conflicts_with_subcommands = false,
    after_help = "The options of KIWI 1.x work too: kiwi --prepare DESCRIPTION --root DIR, \
                  kiwi --create ROOT --destdir DIR.\nSee 'kiwi VERB --help' for the options of one verb; 'kiwi completions SHELL' prints a completion \
                  script, 'kiwi man-pages DIR' writes manual pages."
)]
struct Arguments {
    #[command(subcommand)]
    verb: Option<verb::Verb>,
    #[command(flatten)]
    legacy: legacy_1x::Legacy1x,
    #[command(flatten)]
    global: Global,
    #[command(flatten)]
    ng: ng::Global,
}

/// Options of every verb.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every verb")]
struct Global {
    /// Write the log to FILE; "terminal" or "-" shows it on the terminal instead.
    #[arg(long, value_name = "FILE", global = true)]
    logfile: Option<PathBuf>,
    /// Write a report of run times to PATH.json and PATH.html, or into PATH if it is a directory.
    #[arg(long, value_name = "PATH", global = true)]
    timings: Option<PathBuf>,
    /// Print stages, warnings and results on standard output, one JSON object per line.
    #[arg(long, global = true)]
    json: bool,
    /// Let links of a description lead to files below DIR. May be given several times.
    #[arg(long, value_name = "DIR", global = true)]
    allow_path: Vec<PathBuf>,
    /// Print errors only.
    #[arg(long, short = 'q', global = true, conflicts_with = "json")]
    quiet: bool,
}

/// A parsed command line.
#[derive(Debug)]
pub struct Call {
    /// The operation with its request.
    pub operation: Operation,
    /// The renderer of events and the answer.
    pub display: Display,
    /// `--logfile`.
    pub logfile: Option<PathBuf>,
    /// `--timings`
    pub timings: Option<PathBuf>,
    /// `--allow-path`
    pub allowed: Vec<PathBuf>,
    /// Variables that are set in addition to the environment.
    pub variables: Vec<(&'static str, String)>,
}

/// How events and the answer are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Display {
    /// For a person: progress bars on a terminal, else lines, on standard error; the answer on standard output.
    Human,
    /// The protocol of `docs/json.md` on standard output.
    Json,
    /// Only the answer and errors.
    Quiet,
}

/// A mistake that clap cannot detect.
#[derive(Debug)]
struct Problem {
    kind: ErrorKind,
    text: String,
}

impl Problem {
    /// A request that this version cannot fulfil.
    fn refused(text: String) -> Self {
        Self { kind: ErrorKind::InvalidValue, text }
    }
}

/// Reads the command line; help, version, completions and mistakes end the program here.
pub fn parse() -> Call {
    let matches = Arguments::command().try_get_matches().unwrap_or_else(|error| {
        let words: Vec<String> =
            std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
        let error = dropped_1x::explained(error, Arguments::command(), &words);
        refuse(&abbreviation::explained(error, Arguments::command(), &words))
    });
    let early = early_option(&matches);
    let read = Arguments::from_arg_matches(&matches);
    read.map_or_else(|error| refuse(&error), |arguments| arguments.call(early))
        .unwrap_or_else(|problem| refuse(&Arguments::command().error(problem.kind, problem.text)))
}

/// Ends the program with help, version or a mistake on the command line; with `--json` a mistake is also an event.
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

/// Returns an error for an option of KIWI 1.x or KIWI NG before a verb.
fn early_option(matches: &ArgMatches) -> Option<String> {
    let written = |id: &&clap::Id| matches.value_source(id.as_str()) == Some(ValueSource::CommandLine);
    let everywhere = ["logfile", "timings", "allow_path", "json", "quiet"];
    let command = Arguments::command();
    let option = |id: &clap::Id| {
        let argument = command.get_arguments().find(|argument| argument.get_id() == id)?;
        Some(format!("--{}", argument.get_long()?))
    };
    matches.ids().filter(written).filter(|id| !everywhere.contains(&id.as_str())).find_map(option)
}

impl Arguments {
    /// `early` is an option before the verb, where only the services of KIWI NG have options.
    fn call(self, early: Option<String>) -> Result<Call, Problem> {
        let global = self.global;
        let mut settings = ng::Settings::default();
        let operation = match (self.verb, early) {
            (None, _) => self.legacy.operation()?,
            (Some(verb), Some(option)) if !verb.is_service() => {
                return Err(Problem::refused(format!(
                    "{option} stands before the verb; write it after the verb"
                )));
            }
            (Some(verb), _) => {
                let (profiles, image_type) = self.legacy.choice();
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
        let logfile = global.logfile.map(|path| {
            if path.as_os_str() == "stdout" || path.as_os_str() == "-" { TERMINAL.into() } else { path }
        });
        let logfile = logfile.or_else(on_terminal);
        Ok(Call {
            operation,
            display,
            logfile,
            timings: global.timings,
            allowed: global.allow_path,
            variables: settings.variables,
        })
    }
}

/// The value of `--logfile` that selects the terminal.
const TERMINAL: &str = "terminal";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::debugging::OnFailure;

    #[test]
    fn command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    fn call(keywords: &str) -> Operation {
        asked(keywords).unwrap().operation
    }

    /// Returns the call, or the kind and the message of the error.
    fn asked(keywords: &str) -> Result<Call, (ErrorKind, String)> {
        let of_clap = |error: clap::Error| (error.kind(), error.to_string());
        let matches = Arguments::command().try_get_matches_from(keywords.split(' ')).map_err(of_clap)?;
        let arguments = Arguments::from_arg_matches(&matches).map_err(of_clap)?;
        arguments.call(early_option(&matches)).map_err(|problem| (problem.kind, problem.text))
    }

    #[test]
    fn kiwi_1x_options_and_verbs_give_the_same_request() {
        for (legacy, today) in [
            ("kiwi --prepare d --root r", "kiwi prepare d --root r"),
            ("kiwi -p d -r r --add-profile x", "kiwi prepare d -r r --profile x"),
            ("kiwi --create r --destdir d --type vmx", "kiwi create r --destdir d --type vmx"),
            ("kiwi -c r -d d -s", "kiwi create r -d d --strip"),
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
            (
                "kiwi --bootvm i --bootvm-system s --bootvm-disksize 10G --bootvm-format vmdk",
                "kiwi boot-vm i --system s --disksize 10240 --format vmdk",
            ),
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
            assert_eq!(format!("{:?}", call(legacy)), format!("{:?}", call(today)), "{legacy}");
        }
    }

    #[test]
    fn rejects_no_operation_and_two_operations() {
        assert_eq!(asked("kiwi").unwrap_err().0, ErrorKind::MissingSubcommand);
        let two = Arguments::try_parse_from(["kiwi", "-p", "d", "-c", "r"]);
        assert!(two.is_err());
    }

    #[test]
    fn kiwi_ng_commands_and_verbs_give_the_same_request() {
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
            // Only the tree of a failed build is treated in another way.
            let asked = format!("{:?}", call(ng)).replace("on_failure: KeepInPlace", "on_failure: Clean");
            assert_eq!(asked, format!("{:?}", call(today)), "{ng}");
        }
        let build = call("kiwi --type oem system build --description d --target-dir t --delete-package p");
        let Operation::Build(request) = build else { panic!("{build:?}") };
        assert_eq!(request.root, Some("t/build/image-root".into()));
        assert_eq!((request.destdir, request.make_destdir), (Some("t".into()), true));
        assert_eq!(request.overrides.delete_packages, ["p"]);
        assert_eq!(request.debugging.on_failure, OnFailure::KeepInPlace);
    }

    #[test]
    fn global_options_of_kiwi_ng_apply_to_the_whole_run() {
        let call =
            asked("kiwi --debug --shared-cache-dir c --config f.yml system create --root r --target-dir t")
                .unwrap();
        assert_eq!(call.logfile, Some("terminal".into()));
        assert_eq!(call.variables, [("KIWI_CONFIG", "f.yml".to_owned()), ("KIWI_CACHE", "c".to_owned())]);
        let call = asked("kiwi --loglevel 40 --logfile stdout system update --root r").unwrap();
        assert_eq!((call.display, call.logfile), (Display::Quiet, Some("terminal".into())));
    }

    #[test]
    fn rejects_unsupported_options_of_kiwi_ng_by_name() {
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
            let (kind, said) = asked(keywords).unwrap_err();
            assert_eq!(kind, ErrorKind::InvalidValue, "{said}");
            assert!(said.contains(&format!("{named} ")), "{said}");
        }
    }

    #[test]
    fn rejects_an_option_before_a_verb() {
        let (kind, said) = asked("kiwi --type oem build d").unwrap_err();
        assert_eq!(kind, ErrorKind::InvalidValue, "{said}");
        assert!(said.contains("--type "), "{said}");
        assert!(asked("kiwi --quiet list").is_ok());
    }
}
