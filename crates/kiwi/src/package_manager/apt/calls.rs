//! The commands of dpkg for an installation, as apt-get decides them; they run in the tree.
//!
//! apt-get runs outside the tree and calls a program that only notes its arguments, and its input for the selections of
//! packages. apt-get does not wait for a result of one command before it decides the next, so the same commands give the
//! same tree when they run later.

use anyhow::{Context as _, Result, bail};

use super::configuration::{ARCHIVES, CALLS, VIEW};
use super::{Apt, EXTENDED_STATES};
use crate::host::Host;
use crate::package_manager::ManagerFiles;
use crate::package_manager::dpkg::MOUNT_POINT;
use crate::root_tree::RootTree;

/// One command of dpkg.
#[derive(Debug, PartialEq, Eq)]
struct Call {
    arguments: Vec<String>,
    input: String,
}

impl Apt<'_> {
    /// Lets apt-get decide what to do for packages that were fetched, and dpkg do it in the tree.
    pub(super) fn install_fetched(
        &self,
        action: &str,
        wanted: &[String],
        tree: &RootTree,
        files: &ManagerFiles,
        host: &Host,
    ) -> Result<()> {
        files.write(CALLS, "", host)?;
        self.apt_get(files, host)
            .args(["--yes", "--quiet=1", "--no-download", action])
            .args(wanted)
            .run()
            .map_err(|error| self.resolve_error(error, files, host))
            .context("selecting the packages to install")?;
        for call in calls(&files.read(CALLS)?)? {
            self.run_call(&call, tree, files, host).context("installing the packages")?;
        }
        match files.path().join("state/extended_states").is_file() {
            true => tree.write(EXTENDED_STATES, files.read("state/extended_states")?, 0o644),
            false => Ok(()),
        }
    }

    /// Runs dpkg in the tree, where it sees the fetched packages, read-only.
    fn run_call(&self, call: &Call, tree: &RootTree, files: &ManagerFiles, host: &Host) -> Result<()> {
        files.write("input", &call.input, host)?;
        let input = host.open_file(&files.path().join("input")).context("opening the input of dpkg")?;
        tree.remove(MOUNT_POINT)?;
        tree.create_dir(MOUNT_POINT, 0o755)?;
        // Others may need what the plan deletes.
        let deleted = if self.plan.delete.is_empty() { None } else { Some("--force-depends") };
        self.in_tree("/usr/bin/dpkg", tree, host)
            .args(deleted)
            .args(&call.arguments)
            .stdin(input)
            .bind(files.path().join(ARCHIVES), format!("/{MOUNT_POINT}"), true)
            .run()?;
        tree.remove(MOUNT_POINT)
    }

    /// Installs packages that were fetched with dpkg alone; the packages they depend on need not be installed yet.
    pub(super) fn install_first(
        &self,
        names: impl Iterator<Item = String>,
        tree: &RootTree,
        files: &ManagerFiles,
        host: &Host,
    ) -> Result<()> {
        let arguments = ["--force-unsafe-io", "--force-depends", "--install"].map(str::to_owned);
        let paths = names.map(|name| format!("/{MOUNT_POINT}/{name}"));
        let call = Call { arguments: arguments.into_iter().chain(paths).collect(), input: String::new() };
        self.run_call(&call, tree, files, host)
    }
}

/// Parses the notes of [`recorder`](super::recorder): arguments, an empty text, the input; each ends in NUL.
fn calls(notes: &[u8]) -> Result<Vec<Call>> {
    let mut calls = Vec::new();
    let text = std::str::from_utf8(notes).context("reading the commands of apt-get for dpkg")?;
    let mut parts = text.split_terminator('\0');
    while let Some(first) = parts.next() {
        let rest = parts.by_ref().take_while(|part| !part.is_empty());
        let arguments = without_status_fd(std::iter::once(first).chain(rest));
        let Some(input) = parts.next() else {
            bail!("the commands of apt-get for dpkg are incomplete");
        };
        calls.push(Call { arguments, input: format!("{input}\n") });
    }
    Ok(calls)
}

/// Removes the option by which dpkg reports to apt, and replaces the paths of packages by those inside the tree.
fn without_status_fd<'a>(mut arguments: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut kept = Vec::new();
    while let Some(argument) = arguments.next() {
        if argument == "--status-fd" {
            arguments.next();
            continue;
        }
        let package = argument.strip_prefix(VIEW).and_then(|path| path.strip_prefix('/'));
        let package = package.and_then(|path| path.strip_prefix(ARCHIVES));
        kept.push(package.map_or_else(|| argument.to_owned(), |name| format!("/{MOUNT_POINT}{name}")));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_commands_that_the_recorder_noted() {
        let notes = b"--force-unsafe-io\0--set-selections\0\0old:all deinstall\0\
                      --status-fd\x0012\0--unpack\0/sys/cache/archives/a_1_all.deb\0\0\0";
        let read = calls(notes).unwrap();
        assert_eq!(read[0].arguments, ["--force-unsafe-io", "--set-selections"]);
        assert_eq!(read[0].input, "old:all deinstall\n");
        assert_eq!(read[1].arguments, ["--unpack", "/.kiwi/a_1_all.deb"]);
        assert!(calls(b"").unwrap().is_empty());
        assert!(calls(b"--unpack\0").is_err() && calls(b"--unpack\0\0").is_err());
    }
}
