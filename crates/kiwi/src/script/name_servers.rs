//! The name servers of the host for a script with network: the script sees the host's `/etc/resolv.conf` where the tree's
//! one leads, and the tree stays as it was.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::host::Command;
use crate::root_tree::RootTree;

const LOCATION: &str = "etc/resolv.conf";
/// Where the host's file is in `/run`, if the tree has no file at which it could be shown.
const IN_RUN: &str = "kiwi/resolv.conf";

/// What a tree lacks for the time of a script.
pub(super) struct NameServers {
    /// A link to [`IN_RUN`], and its missing directories, the innermost first.
    link: Option<(PathBuf, Vec<PathBuf>)>,
}

impl NameServers {
    /// Gives the command the network of the host with its name servers.
    pub(super) fn share<'h>(command: Command<'h>, tree: &RootTree) -> Result<(Command<'h>, Self)> {
        let servers = Path::new("/etc/resolv.conf");
        let nothing = Self { link: None };
        if !servers.exists() {
            return Ok((command.network(), nothing));
        }
        let source = servers.canonicalize().context("finding the name servers of the host")?;
        let command = command.network();
        let real = tree.real_path(LOCATION)?;
        if let Ok(in_run) = real.strip_prefix("run") {
            return Ok((command.bind_in_run(source, in_run), nothing));
        }
        if tree.exists(&real) {
            return Ok((command.bind(source, Path::new("/").join(real), true), nothing));
        }
        let parents = real.ancestors().skip(1).filter(|parent| !parent.as_os_str().is_empty());
        let missing = parents.filter(|parent| !tree.exists(parent)).map(Path::to_owned).collect();
        tree.symlink(&real, Path::new("/run").join(IN_RUN))
            .context("showing the name servers of the host in the tree")?;
        Ok((command.bind_in_run(source, IN_RUN), Self { link: Some((real, missing)) }))
    }

    /// Removes what was added to the tree, unless the script replaced it.
    pub(super) fn remove(self, tree: &RootTree) -> Result<()> {
        let Some((link, missing)) = self.link else { return Ok(()) };
        if tree.root().readlink(&link).is_ok_and(|target| target == Path::new("/run").join(IN_RUN)) {
            tree.remove(&link)?;
        }
        for directory in missing {
            if !tree.list(&directory)?.is_empty() {
                break;
            }
            tree.remove(&directory)?;
        }
        Ok(())
    }
}
