//! Runs scripts of a description inside a tree: `config.sh`, `images.sh`, package scripts.

mod interpreter;
mod name_servers;
mod shell;
mod variables;

use anyhow::Result;
pub use interpreter::check_line_ends;
use name_servers::NameServers;
pub use shell::{shell, shell_of};

use crate::distribution::Distribution;
use crate::host::{Command, CommandError, Host};
use crate::root_tree::{DESCRIPTION, RootTree};

/// The description as shell variables.
const PROFILE: &str = ".profile";

/// A script in a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// Its path in the tree.
    path: String,
    /// Its name in the description, for messages.
    name: String,
    arguments: Vec<String>,
}

/// A script of the description failed.
#[derive(Debug, thiserror::Error)]
#[error("the script {name} of the description failed")]
pub struct ScriptFailed {
    name: String,
    #[source]
    source: CommandError,
}

impl Script {
    /// Returns the script `name` of the description in the tree, if it exists.
    pub fn of_tree(tree: &RootTree, name: &str) -> Option<Self> {
        let path = format!("{DESCRIPTION}/{name}");
        tree.exists(&path).then(|| Self { path, name: name.to_owned(), arguments: Vec::new() })
    }

    /// Returns the script at `path` in the tree; `name` is its name in the description.
    pub fn at(path: &str, name: &str) -> Self {
        Self { path: path.to_owned(), name: name.to_owned(), arguments: Vec::new() }
    }

    /// Returns the script with these arguments.
    #[must_use]
    pub fn with_arguments(self, arguments: &[String]) -> Self {
        Self { arguments: arguments.to_vec(), ..self }
    }

    /// Runs it as root of the tree, in `/`; one that cannot be executed runs with the shell in its first line, or with
    /// bash, or with sh.
    pub fn run(&self, tree: &RootTree, network: bool, host: &Host) -> Result<()> {
        self.run_prepared(tree, network, host, |command| command)
    }

    /// Like [`Script::run`], without the network; `prepare` completes the command.
    pub fn run_with<'h>(
        &self,
        tree: &RootTree,
        host: &'h Host,
        prepare: impl FnOnce(Command<'h>) -> Command<'h>,
    ) -> Result<()> {
        self.run_prepared(tree, false, host, prepare)
    }

    fn run_prepared<'h>(
        &self,
        tree: &RootTree,
        network: bool,
        host: &'h Host,
        prepare: impl FnOnce(Command<'h>) -> Command<'h>,
    ) -> Result<()> {
        let path = format!("/{}", self.path);
        let text = tree.read_text(&self.path)?;
        let mut command = if tree.is_executable(&self.path) {
            interpreter::check(&self.name, &text, tree)?;
            tree.command(host, &path)
        } else {
            match interpreter::named(&text).split_first() {
                Some((shell, arguments)) if tree.exists(shell) => tree.command(host, shell).args(arguments),
                _ if tree.exists("bin/bash") => tree.command(host, "/bin/bash"),
                _ => tree.command(host, "/bin/sh"),
            }
            .arg(&path)
        };
        command = prepare(with_environment(command.args(&self.arguments), tree)?);
        with_network(command, network, tree, |command| {
            command.run().map_err(|source| match source {
                CommandError::Interrupted(interrupted) => anyhow::Error::from(interrupted),
                source => ScriptFailed { name: self.name.clone(), source }.into(),
            })
        })
    }
}

/// Adds the working directory and the variables of scripts.
fn with_environment<'h>(command: Command<'h>, tree: &RootTree) -> Result<Command<'h>> {
    let mut command = command.current_dir("/").env("LANG", "C.UTF-8");
    if tree.exists(PROFILE) {
        for (name, value) in variables::exported(&tree.read_text(PROFILE)?) {
            command = command.env(name, value);
        }
    }
    for family in Distribution::ALL {
        for (name, value) in family.facts().package_scripts.unattended {
            command = command.env(name, value);
        }
    }
    Ok(command)
}

/// Calls `run` with the command, which has the network and the name servers of the host if `network` is set.
fn with_network<'h, T>(
    command: Command<'h>,
    network: bool,
    tree: &RootTree,
    run: impl FnOnce(Command<'h>) -> Result<T>,
) -> Result<T> {
    if !network {
        return run(command);
    }
    let (command, servers) = NameServers::share(command, tree)?;
    let result = run(command);
    servers.remove(tree)?;
    result
}
