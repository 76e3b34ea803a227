//! Arguments of `kiwi shell`.

use std::path::PathBuf;

use clap::Args;

use super::build::Selecting;
use crate::operation::locking::LockMode;
use crate::operation::{Operation, shell};

#[derive(Debug, Args)]
#[command(
    after_help = "The program runs as root of the tree in the sandbox of the description's scripts. In a root tree, changes \
                        stay; of a description, the tree is a copy that is removed afterwards."
)]
pub(super) struct Shell {
    /// A root tree, a tree that a failed build kept, or a description whose last finished stage the cache has.
    target: PathBuf,
    #[command(flatten)]
    selecting: Selecting,
    /// The image type of the build.
    #[arg(long = "type", short = 't', value_name = "TYPE")]
    image_type: Option<String>,
    /// The build used kiwi.lock.
    #[arg(long)]
    locked: bool,
    /// Give the program access to the network, and find the stages of builds with --network.
    #[arg(long)]
    network: bool,
    /// Run this command instead of a shell.
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

impl Shell {
    pub(super) fn operation(self) -> Operation {
        Operation::Shell(shell::Request {
            target: self.target,
            image_type: self.image_type,
            profiles: self.selecting.profiles,
            overrides: self.selecting.sources.overrides(),
            lock: if self.locked { LockMode::Use } else { LockMode::Free },
            network: self.network,
            command: self.command,
        })
    }
}
