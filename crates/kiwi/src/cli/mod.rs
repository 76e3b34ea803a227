//! The command line: today's verbs and the chapter's options, one tree, one Request per operation.
//!
//! ```text
//! arguments -> Arguments (clap) -> Call (an operation with its Request, or a word of help)
//! ```
//!
//! Only this module knows clap; an operation never sees it.

mod chapter;

use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::host::Output;
use crate::operation::{
    Operation, Overrides, boot_vm, build, check, create, create_password, list, list_profiles, prepare,
    upgrade,
};

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
    verb: Option<Verb>,
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

/// Profiles and the sources of packages, as they change one build.
#[derive(Debug, Args, Clone)]
struct Selecting {
    /// Activate a profile of the description (may be repeated).
    #[arg(long = "add-profile", visible_alias = "profile", value_name = "NAME")]
    profiles: Vec<String>,
    #[command(flatten)]
    sources: Sources,
}

/// Repositories and packages for this run only.
#[derive(Debug, Args, Clone, Default)]
struct Sources {
    /// Use one more repository in this run; it is never stored.
    #[arg(long = "add-repo", value_name = "SOURCE")]
    add_repo: Vec<String>,
    /// Type of the repository that --add-repo of the same position names (apt-deb, rpm-md, ...).
    #[arg(long = "add-repotype", value_name = "TYPE")]
    add_repotype: Vec<String>,
    /// Use this source instead of the first repository of the description.
    #[arg(long = "set-repo", value_name = "SOURCE")]
    set_repo: Option<String>,
    /// Type of the repository that --set-repo names.
    #[arg(long = "set-repotype", value_name = "TYPE")]
    set_repotype: Option<String>,
    /// Install one more package (may be repeated).
    #[arg(long = "add-package", value_name = "NAME")]
    add_package: Vec<String>,
}

/// `--accel` of `run`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Accelerator {
    Auto,
    Kvm,
    Tcg,
}

impl From<Accelerator> for boot_vm::Accelerator {
    fn from(word: Accelerator) -> Self {
        match word {
            Accelerator::Auto => Self::Auto,
            Accelerator::Kvm => Self::Kvm,
            Accelerator::Tcg => Self::Tcg,
        }
    }
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Build the root tree a description asks for (the physical extend).
    Prepare {
        /// Directory of the description.
        description: PathBuf,
        /// Where the new root tree goes (default: defaultroot of the description).
        #[arg(long, short = 'r', value_name = "DIR")]
        root: Option<PathBuf>,
        #[command(flatten)]
        selecting: Selecting,
        /// Choose the image type whose packages are installed too.
        #[arg(long = "type", short = 't', value_name = "TYPE")]
        image_type: Option<String>,
        /// Let the description's scripts use the network.
        #[arg(long)]
        network: bool,
    },
    /// Make images from a prepared root tree (the logical extend).
    Create {
        /// The root tree.
        root: PathBuf,
        #[command(flatten)]
        creating: Creating,
    },
    /// Prepare and create in one go; the root tree is kept only with --root.
    Build {
        /// Directory of the description.
        description: PathBuf,
        /// Keep the root tree here.
        #[arg(long, short = 'r', value_name = "DIR")]
        root: Option<PathBuf>,
        #[command(flatten)]
        creating: Creating,
        #[command(flatten)]
        selecting: Selecting,
        /// Let the description's scripts use the network.
        #[arg(long)]
        network: bool,
    },
    /// Upgrade the packages of a prepared root tree.
    Upgrade {
        /// The root tree.
        root: PathBuf,
        #[command(flatten)]
        sources: Sources,
    },
    /// Say everything that is wrong with a description, and where.
    Check {
        /// Directory or file of the description.
        description: PathBuf,
        /// Check with this profile active (may be repeated).
        #[arg(long = "add-profile", visible_alias = "profile", value_name = "NAME")]
        profiles: Vec<String>,
        /// Check this image type.
        #[arg(long = "type", short = 't', value_name = "TYPE")]
        image_type: Option<String>,
    },
    /// Boot a finished disk in QEMU, with its console on this terminal.
    Run {
        /// The disk image.
        image: PathBuf,
        /// Start with UEFI firmware instead of BIOS.
        #[arg(long)]
        uefi: bool,
        /// Memory of the machine in megabytes.
        #[arg(long, value_name = "MB", default_value_t = 1024)]
        memory: u32,
        /// Open a window instead of using this terminal as the serial console.
        #[arg(long)]
        window: bool,
        /// Keep what the system writes in the image; by default it is forgotten.
        #[arg(long)]
        keep: bool,
        /// What executes the machine's instructions: auto tries KVM and falls back to QEMU's interpreter.
        #[arg(long, value_enum, default_value_t = Accelerator::Auto)]
        accel: Accelerator,
        /// Forward a port of this host to the guest's ssh.
        #[arg(long, value_name = "PORT")]
        ssh: Option<u16>,
    },
    /// List the boot image descriptions that come with kiwi.
    List,
    /// List the profiles of a description.
    ListProfiles {
        /// Directory of the description.
        description: PathBuf,
    },
    /// Ask for a password and print its hash for a description.
    CreatePassword,
    /// Print a completion script for a shell.
    #[command(hide = true)]
    Completions {
        /// bash, zsh, fish, elvish or powershell.
        shell: clap_complete::Shell,
    },
    /// Write the manual pages into a folder.
    #[command(hide = true)]
    ManPages {
        /// The folder.
        folder: PathBuf,
    },
}

#[derive(Debug, Args, Clone)]
struct Creating {
    /// Where the images go; it must exist (default: defaultdestination of the description).
    #[arg(long, short = 'd', value_name = "DIR")]
    destdir: Option<PathBuf>,
    /// Make this one of the description's image types (default: the primary one).
    #[arg(long = "type", short = 't', value_name = "TYPE")]
    image_type: Option<String>,
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
    let output = match (global.json, global.quiet) {
        (true, _) => Output::Json,
        (_, true) => Output::Quiet,
        (false, false) => Output::Human,
    };
    let operation = match arguments.verb {
        Some(verb) => operation(verb),
        None => match arguments.chapter.operation() {
            Ok(operation) => operation,
            Err(problem) => Arguments::command().error(problem.kind, problem.text).exit(),
        },
    };
    Call { operation, output, logfile: global.logfile }
}

fn operation(verb: Verb) -> Operation {
    match verb {
        Verb::Prepare { description, root, selecting, image_type, network } => {
            Operation::Prepare(prepare::Request {
                description,
                root,
                image_type,
                network,
                profiles: selecting.profiles,
                overrides: overrides(selecting.sources),
            })
        }
        Verb::Create { root, creating } => Operation::Create(create::Request {
            root,
            destdir: creating.destdir,
            image_type: creating.image_type,
        }),
        Verb::Build { description, root, creating, selecting, network } => Operation::Build(build::Request {
            description,
            root,
            destdir: creating.destdir,
            image_type: creating.image_type,
            profiles: selecting.profiles,
            overrides: overrides(selecting.sources),
            network,
        }),
        Verb::Upgrade { root, sources } => {
            Operation::Upgrade(upgrade::Request { root, overrides: overrides(sources) })
        }
        Verb::Check { description, profiles, image_type } => {
            Operation::Check(check::Request { description, profiles, image_type })
        }
        Verb::Run { image, uefi, memory, window, keep, accel, ssh } => Operation::BootVm(boot_vm::Request {
            image,
            uefi,
            memory,
            window,
            keep,
            accelerator: accel.into(),
            ssh,
        }),
        Verb::List => Operation::List(list::Request),
        Verb::ListProfiles { description } => Operation::ListProfiles(list_profiles::Request { description }),
        Verb::CreatePassword => Operation::CreatePassword(create_password::Request),
        Verb::Completions { shell } => {
            clap_complete::generate(shell, &mut Arguments::command(), "kiwi", &mut std::io::stdout());
            std::process::exit(0)
        }
        Verb::ManPages { folder } => match clap_mangen::generate_to(Arguments::command(), &folder) {
            Ok(()) => std::process::exit(0),
            Err(error) => Arguments::command()
                .error(
                    clap::error::ErrorKind::Io,
                    format!("writing manual pages to {}: {error}", folder.display()),
                )
                .exit(),
        },
    }
}

fn overrides(sources: Sources) -> Overrides {
    Overrides {
        add_repositories: sources.add_repo,
        add_repository_types: sources.add_repotype,
        set_repository: sources.set_repo,
        set_repository_type: sources.set_repotype,
        add_packages: sources.add_package,
    }
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
            Some(verb) => operation(verb),
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
