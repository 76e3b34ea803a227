//! The options of a build that show what it does: shells, and what happens with the tree after a failure.

use clap::Args;

use crate::debugging::{OnFailure, Options, Point, Step};

/// `--on-failure`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
enum Action {
    /// Open a shell in the tree, then remove it.
    Shell,
    /// Keep the tree beside the log; 'kiwi shell' opens it.
    Keep,
    /// Remove the tree.
    #[default]
    Clean,
}

#[derive(Debug, Args, Clone)]
pub(super) struct Debug {
    /// What happens with the root tree if the build fails while it makes the tree or runs images.sh.
    #[arg(long, value_name = "ACTION", value_enum, default_value_t)]
    on_failure: Action,
    #[arg(long = "debug-shell", value_name = "POINT", value_parser = point, help = help())]
    points: Vec<Point>,
}

fn help() -> String {
    format!(
        "Open a shell in the tree at this point of the build, in the sandbox of scripts (may be repeated): before:STEP or \
         after:STEP, where STEP is one of {}. Nothing of such a build is saved in the cache",
        Step::ALL.map(Step::keyword).join(", ")
    )
}

fn point(text: &str) -> Result<Point, String> {
    let steps = || Step::ALL.map(Step::keyword).join(", ");
    Point::parse(text)
        .ok_or_else(|| format!("expected before:STEP or after:STEP, STEP being one of {}", steps()))
}

impl Debug {
    /// Returns the options; the shells have the network if the scripts have it.
    pub(super) fn options(self, network: bool) -> Options {
        let on_failure = match self.on_failure {
            Action::Shell => OnFailure::Shell,
            Action::Keep => OnFailure::Keep,
            Action::Clean => OnFailure::Clean,
        };
        Options { on_failure, points: self.points, network }
    }
}
