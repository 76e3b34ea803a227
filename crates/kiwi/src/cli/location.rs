//! The arguments that name a description, which most verbs have.

use std::path::PathBuf;

use clap::Args;

/// The location of a description.
#[derive(Debug, Args, Clone)]
pub(super) struct Location {
    /// Directory of the description, or the file itself.
    description: PathBuf,
    /// Use this file of the directory instead of searching for one.
    #[arg(long, value_name = "NAME")]
    kiwi_file: Option<PathBuf>,
}

impl Location {
    pub(super) fn path(self) -> PathBuf {
        match self.kiwi_file {
            Some(file) => self.description.join(file),
            None => self.description,
        }
    }
}
