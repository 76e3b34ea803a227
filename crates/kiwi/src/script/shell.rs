//! A shell for the user in a tree, in the sandbox and the environment of the description's scripts.

use anyhow::Result;

use super::{with_environment, with_network};
use crate::failure::fail;
use crate::host::{CommandError, Host};
use crate::root_tree::RootTree;

/// Returns the shell of a tree.
pub fn shell_of(tree: &RootTree) -> Result<&'static str> {
    match ["bin/bash", "bin/sh"].iter().position(|path| tree.exists(path)) {
        Some(0) => Ok("/bin/bash"),
        Some(_) => Ok("/bin/sh"),
        None => fail!(
            MissingProgram,
            "the tree {} has neither /bin/bash nor /bin/sh; no shell can run in it",
            tree.path().display()
        ),
    }
}

/// Runs `command`, or a shell, for the user and returns its exit code.
pub fn shell(tree: &RootTree, command: &[String], network: bool, host: &Host) -> Result<u8> {
    let prepared = match command.split_first() {
        Some((program, arguments)) => {
            tree.command(host, "/usr/bin/env").arg("--").arg(program).args(arguments)
        }
        None => tree.command(host, shell_of(tree)?),
    };
    let prepared = with_environment(prepared, tree)?;
    with_network(prepared, network, tree, |prepared| {
        prepared.interact().map_err(|error| match error {
            CommandError::Interrupted(interrupted) => anyhow::Error::from(interrupted),
            other => other.into(),
        })
    })
}
