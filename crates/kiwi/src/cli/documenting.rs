//! The hidden verbs that packagers call: completion scripts and manual pages, made from the same definitions.

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory};

use super::Arguments;

#[derive(Debug, Args)]
pub(super) struct Completions {
    /// bash, zsh, fish, elvish or powershell.
    shell: clap_complete::Shell,
}

impl Completions {
    /// Prints the script and ends the program.
    pub(super) fn print(self) -> ! {
        clap_complete::generate(self.shell, &mut Arguments::command(), "kiwi", &mut std::io::stdout());
        std::process::exit(0)
    }
}

#[derive(Debug, Args)]
pub(super) struct ManPages {
    /// The folder.
    folder: PathBuf,
}

impl ManPages {
    /// Writes the pages and ends the program.
    pub(super) fn write(self) -> ! {
        match clap_mangen::generate_to(Arguments::command(), &self.folder) {
            Ok(()) => std::process::exit(0),
            Err(error) => Arguments::command()
                .error(ErrorKind::Io, format!("writing manual pages to {}: {error}", self.folder.display()))
                .exit(),
        }
    }
}
