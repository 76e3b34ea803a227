//! Runs scripts of a description inside a tree: `config.sh`, `images.sh`, package scripts.

use std::path::Path;

use anyhow::{Context, Result};

use crate::distribution::Distribution;
use crate::host::{CommandError, Host};
use crate::root_tree::{DESCRIPTION, RootTree};

/// A script in a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// Its path in the tree.
    path: String,
    /// Its name in the description, for messages.
    name: String,
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
        tree.exists(&path).then(|| Self { path, name: name.to_owned() })
    }

    /// Returns the script at `path` in the tree; `name` is its name in the description.
    pub fn at(path: &str, name: &str) -> Self {
        Self { path: path.to_owned(), name: name.to_owned() }
    }

    /// Runs it as root of the tree, in `/`; one that cannot be executed runs with the shell in its first line, or with
    /// bash, or with sh.
    pub fn run(&self, tree: &RootTree, network: bool, host: &Host) -> Result<()> {
        let path = format!("/{}", self.path);
        let mut command = if tree.is_executable(&self.path) {
            tree.command(host, &path)
        } else {
            let first = tree.read_text(&self.path)?.lines().next().unwrap_or_default().to_owned();
            let named: Vec<&str> = first.strip_prefix("#!").unwrap_or_default().split_whitespace().collect();
            match named.split_first() {
                Some((shell, arguments)) if tree.exists(shell) => tree.command(host, shell).args(arguments),
                _ if tree.exists("bin/bash") => tree.command(host, "/bin/bash"),
                _ => tree.command(host, "/bin/sh"),
            }
            .arg(&path)
        };
        command = command.current_dir("/").env("LANG", "C.UTF-8");
        for family in Distribution::ALL {
            for (name, value) in family.facts().package_scripts.unattended {
                command = command.env(name, value);
            }
        }
        if network {
            command = with_network(command, tree)?;
        }
        command.run().map_err(|source| match source {
            CommandError::Interrupted(interrupted) => anyhow::Error::from(interrupted),
            source => ScriptFailed { name: self.name.clone(), source }.into(),
        })
    }
}

/// Gives the command the network of the host with its name servers.
fn with_network<'h>(command: crate::host::Command<'h>, tree: &RootTree) -> Result<crate::host::Command<'h>> {
    let servers = Path::new("/etc/resolv.conf");
    if !servers.exists() {
        return Ok(command.network());
    }
    if !tree.exists("etc/resolv.conf") {
        tree.remove("etc/resolv.conf")?;
        tree.write("etc/resolv.conf", "", 0o644)
            .context("creating /etc/resolv.conf for the name servers of the host")?;
    }
    let real = servers.canonicalize().context("finding the name servers of the host")?;
    Ok(command.network().bind(real, "/etc/resolv.conf", true))
}
