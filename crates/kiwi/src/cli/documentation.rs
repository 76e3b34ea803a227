//! Texts that are generated from definitions: the schemas for editors and, hidden, completion scripts and manual pages
//! for packagers.

use std::io::Write;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory};

use description::{SchemaVersion, vocabulary};

use super::Arguments;

/// A language of schemas.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Language {
    /// RELAX NG, for XML.
    Rng,
    /// JSON Schema, for YAML, TOML and JSON.
    Json,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Editors complete keywords and mark mistakes with it. What holds between keywords only \
                        `kiwi check` knows."
)]
pub(super) struct Schema {
    /// The language of the schema.
    language: Language,
    /// Version of the schema.
    #[arg(long, value_name = "VERSION", default_value = SchemaVersion::NEWEST.number(), value_parser = version)]
    schema: SchemaVersion,
}

fn version(number: &str) -> Result<SchemaVersion, String> {
    let (oldest, newest) = (SchemaVersion::OLDEST, SchemaVersion::NEWEST);
    SchemaVersion::parse(number).ok_or_else(|| format!("expected a schema from {oldest} to {newest}"))
}

impl Schema {
    /// Prints the schema and ends the program.
    pub(super) fn print(self) -> ! {
        let text = match self.language {
            Language::Rng => vocabulary::relax_ng(self.schema),
            Language::Json => vocabulary::json_schema(self.schema),
        };
        match std::io::stdout().write_all(text.as_bytes()) {
            // A reader that closes its end needs no more.
            Ok(()) => std::process::exit(0),
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
            Err(error) => {
                Arguments::command().error(ErrorKind::Io, format!("printing the schema: {error}")).exit()
            }
        }
    }
}

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
    /// The directory.
    directory: PathBuf,
}

impl ManPages {
    /// Writes the pages and ends the program.
    pub(super) fn write(self) -> ! {
        match clap_mangen::generate_to(Arguments::command(), &self.directory) {
            Ok(()) => std::process::exit(0),
            Err(error) => Arguments::command()
                .error(
                    ErrorKind::Io,
                    format!("writing manual pages to {}: {error}", self.directory.display()),
                )
                .exit(),
        }
    }
}
