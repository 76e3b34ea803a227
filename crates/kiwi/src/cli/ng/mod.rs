//! The command line of KIWI NG: `kiwi [global] SERVICE COMMAND [options]` (docs/formats/command-lines.md).
//!
//! Every command becomes the Request of the corresponding verb. Options that this version does not support are rejected
//! by name while the command line is read.

mod image;
mod refused;
mod result;
mod system;
mod tuple;

use std::path::PathBuf;

use clap::Args;
use description::Architecture;

use super::Problem;
use crate::operation::{Operation, machine};
use refused::{Keyword, Keywords, Refused, flag, option};

/// Options before the service.
#[derive(Debug, Args)]
#[group(id = "ng-options")]
pub(super) struct Global {
    /// Use this file of the description directory.
    #[arg(long, value_name = "NAME", hide = true)]
    kiwi_file: Option<PathBuf>,
    /// Read this configuration file instead of those of the system and the user.
    #[arg(long, value_name = "FILE", hide = true)]
    config: Option<PathBuf>,
    /// Keep downloaded packages in this directory.
    #[arg(long, value_name = "DIR", hide = true)]
    shared_cache_dir: Option<PathBuf>,
    /// Build for this architecture, which must be that of the host.
    #[arg(long, value_name = "NAME", hide = true)]
    target_arch: Option<String>,
    /// Show the log on the terminal.
    #[arg(long, hide = true)]
    debug: bool,
    /// 10 shows the log on the terminal, 40 and more only errors.
    #[arg(long, value_name = "N", hide = true)]
    loglevel: Option<u32>,
    /// Accepted without effect: colours are used on a terminal.
    #[arg(long, hide = true)]
    color_output: bool,
    #[command(flatten)]
    refused: Refused<GlobalOptions>,
}

#[derive(Debug, Clone)]
struct GlobalOptions;

impl Keywords for GlobalOptions {
    const WORDS: &'static [Keyword] = &[
        flag("debug-run-scripts-in-screen", "the log contains the output of scripts"),
        option("logsocket", "--json prints events on standard output"),
        option("setenv", "write the variable into the description's scripts"),
        option("temp-dir", "a build works in memory, or below its target directory with KIWI_SCRATCH=disk"),
        flag("install-completion", "'kiwi completions SHELL' prints the script"),
        flag("show-completion", "'kiwi completions SHELL' prints the script"),
    ];
}

/// The options before the service, for its command.
#[derive(Debug, Clone, Default)]
pub(super) struct Before {
    pub(super) profiles: Vec<String>,
    pub(super) image_type: Option<String>,
    pub(super) kiwi_file: Option<PathBuf>,
}

impl Before {
    /// The description of a command: its directory or file.
    fn description(&self, directory: PathBuf) -> PathBuf {
        match &self.kiwi_file {
            Some(file) => directory.join(file),
            None => directory,
        }
    }
}

/// The effects of the options on the whole run.
#[derive(Debug, Default)]
pub(super) struct Settings {
    /// Variables that are set in addition to the environment.
    pub(super) variables: Vec<(&'static str, String)>,
    pub(super) log_on_terminal: bool,
    pub(super) quiet: bool,
}

impl Global {
    /// Separates the options by their effect.
    pub(super) fn split(
        self,
        profiles: Vec<String>,
        image_type: Option<String>,
    ) -> Result<(Before, Settings), Problem> {
        if let Some(keyword) = &self.target_arch {
            let (asked, here) = (Architecture::new(keyword), machine());
            if asked != here {
                return Err(Problem::refused(format!(
                    "--target-arch {keyword} is not built by this version of kiwi on {here}; build on such a machine"
                )));
            }
        }
        let text = |path: PathBuf| path.display().to_string();
        let mut variables = Vec::new();
        variables.extend(self.config.map(|path| ("KIWI_CONFIG", text(path))));
        variables.extend(self.shared_cache_dir.map(|path| ("KIWI_CACHE", text(path))));
        let settings = Settings {
            variables,
            log_on_terminal: self.debug || self.loglevel.is_some_and(|level| level <= 10),
            quiet: self.loglevel.is_some_and(|level| level >= 40),
        };
        Ok((Before { profiles, image_type, kiwi_file: self.kiwi_file }, settings))
    }
}

/// Help text below the help of every service.
const BEFORE: &str = "Options before the service, as in 'kiwi --profile P --type oem system build ...':
  --profile NAME, --type NAME, --kiwi-file NAME, --config FILE, --shared-cache-dir DIR, --target-arch NAME,
  --logfile FILE|stdout, --debug, --loglevel N, --color-output
A REPOSITORY is source,type,alias,priority,imageinclude,package_gpgcheck,{key;key},components,distribution,
  repo_gpgcheck,sourcetype; fields at the end may be missing.
docs/kiwi-ng.md says what each command does here.";

/// The commands of `system`.
#[derive(Debug, Args)]
#[command(after_help = BEFORE)]
pub(super) struct System {
    #[command(subcommand)]
    command: system::System,
}

/// The commands of `image`.
#[derive(Debug, Args)]
#[command(after_help = BEFORE)]
pub(super) struct Image {
    #[command(subcommand)]
    command: image::Image,
}

/// The commands of `result`.
#[derive(Debug, Args)]
#[command(after_help = BEFORE)]
pub(super) struct Results {
    #[command(subcommand)]
    command: result::Results,
}

impl Results {
    pub(super) fn operation(self) -> Operation {
        self.command.operation()
    }
}

impl System {
    pub(super) fn operation(self, before: Before) -> Result<Operation, Problem> {
        self.command.operation(before)
    }
}

impl Image {
    pub(super) fn operation(self, before: Before) -> Result<Operation, Problem> {
        self.command.operation(before)
    }
}

/// The arguments of an unsupported command, which are ignored.
#[derive(Debug, Args)]
struct Rest {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    keywords: Vec<String>,
}
