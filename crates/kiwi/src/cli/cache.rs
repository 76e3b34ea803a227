//! Arguments of `kiwi cache`.

use clap::{Args, Subcommand};

use crate::operation::{Limits, Operation, cache, parse_size};

#[derive(Debug, Args)]
pub(super) struct Cache {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List every finished stage with size, last use, saved time and image, and the totals of everything else in the
    /// cache.
    List,
    /// Remove stages, packages and indices, the least recently used first; without options down to KIWI_CACHE_SIZE, else
    /// cache.max_size of kiwi.yml, else 20G, and whatever has not been used for 90 days.
    Prune {
        /// Keep at most this much, e.g. 5G; 0 removes everything.
        #[arg(long, value_name = "SIZE", value_parser = size)]
        size: Option<u64>,
        /// Remove what has not been used for this number of days.
        #[arg(long, value_name = "DAYS")]
        days: Option<u64>,
    },
    /// Read everything in the cache and remove damaged entries.
    Verify,
}

fn size(text: &str) -> Result<u64, String> {
    parse_size(text).map_err(|error| error.to_string())
}

impl Cache {
    pub(super) fn operation(self) -> Operation {
        Operation::Cache(match self.action {
            Action::List => cache::Request::List,
            Action::Prune { size, days } => {
                cache::Request::Prune(Limits { size, age: days.map(|days| days * 86_400) })
            }
            Action::Verify => cache::Request::Verify,
        })
    }
}
