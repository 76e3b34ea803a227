//! The options that name a description, which most verbs have.

use std::path::PathBuf;

use clap::Args;

/// Where a description is.
#[derive(Debug, Args, Clone)]
pub(super) struct Location {
    /// Directory of the description, or the file itself.
    description: PathBuf,
    /// Use this file of the directory instead of looking for one.
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
