//! The removal of packages from a tree.
//!
//! `uninstall`: apt-get decides what goes with the packages, on copies of dpkg's status and of its own marks. `delete`: dpkg removes
//! the packages alone.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use description::PackageName;

use super::{Apt, DPKG_STATUS, apt_program};
use crate::context::Context;
use crate::deb822::{self, Comments};
use crate::failure::{Failure, Kind};
use crate::host::{Host, Warning};
use crate::package_manager::{ManagerFiles, PackageManager};
use crate::root_tree::RootTree;

impl Apt<'_> {
    /// Removes packages with those that need them, and with those that were installed for them and are not needed any more.
    pub(super) fn uninstall(&self, tree: &RootTree, host: &Host) -> Result<()> {
        let present = self.present(&self.plan.uninstall, tree, host)?;
        if present.is_empty() {
            return Ok(());
        }
        let files = ManagerFiles::beside(tree, host)?;
        self.prepare_files(&files, host)?;
        self.copy_state(tree, &files, host)?;
        let simulated = |action: &[&str]| -> Result<String> {
            let command = self.apt_get(&files, host).args(["--yes", "--quiet=2", "--simulate", "--purge"]);
            command.args(action).output().map_err(|error| {
                let message = format!("the packages {} cannot be uninstalled", present.join(", "));
                anyhow::Error::from(error).context(Failure::new(Kind::Packages, message))
            })
        };
        // What nothing needed before stays.
        let unneeded = simulated(&["autoremove"])?;
        let unneeded: BTreeSet<&str> = removed(&unneeded).collect();
        let decided = simulated(&[&["--auto-remove", "remove"], present.as_slice()].concat())?;
        let all = removed(&decided).filter(|name| !unneeded.contains(name) || present.contains(name));
        self.dpkg(tree, host).arg("--purge").args(all).run().context("uninstalling packages")
    }

    /// Removes packages even if others need them.
    pub(super) fn delete(&self, tree: &RootTree, host: &Host) -> Result<()> {
        let present = self.present(&self.plan.delete, tree, host)?;
        if present.is_empty() {
            return Ok(());
        }
        self.dpkg(tree, host)
            .args(["--purge", "--force-depends", "--force-remove-essential"])
            .args(present)
            .run()
            .context("deleting packages")
    }

    /// Returns those of the packages that are installed, and warns of the others.
    fn present<'n>(&self, names: &'n [PackageName], tree: &RootTree, host: &Host) -> Result<Vec<&'n str>> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let installed = self.installed(tree, host)?;
        let is_installed = |name: &&str| installed.iter().any(|package| package.name == *name);
        let (present, missing): (Vec<&str>, Vec<&str>) =
            names.iter().map(PackageName::as_str).partition(is_installed);
        for name in missing {
            let text = format!("the package {name} cannot be deleted because it is not installed");
            host.warn(Warning::Packages, &text);
        }
        Ok(present)
    }

    /// Returns whether the plan removes this package at the end.
    pub(super) fn removes(&self, name: &PackageName) -> bool {
        self.plan.delete.contains(name) || self.plan.uninstall.contains(name)
    }

    /// Returns dpkg's status of a tree to which the deleted packages are added as installed: an upgrade neither finds their
    /// dependents broken nor installs them again. Must be called after `refresh`.
    pub(super) fn with_deleted(
        &self,
        tree: &RootTree,
        files: &ManagerFiles,
        context: &Context,
    ) -> Result<String> {
        let mut status = tree.read_text(DPKG_STATUS)?;
        let installed = self.installed(tree, &context.host)?;
        let gone = self.plan.delete.iter().map(PackageName::as_str);
        for name in gone.filter(|name| installed.iter().all(|package| package.name != *name)) {
            let command = apt_program("apt-cache", files, &context.host).without_sync();
            // A repository may not have the package any more.
            let shown = command.args(["show", "--no-all-versions", "--", name]).output().unwrap_or_default();
            status =
                status.trim_end().to_owned() + "\n\n" + &pretended(name, &shown, &self.plan.architecture);
        }
        Ok(status)
    }
}

/// Returns a paragraph of dpkg's status for a package that counts as installed; `shown` is its paragraph in an index, if any.
fn pretended(name: &str, shown: &str, architecture: &str) -> String {
    let paragraphs = deb822::paragraphs(shown, Comments::Stray);
    let value = |field: &str| paragraphs.first().and_then(|paragraph| paragraph.value(field));
    let mut text = format!("Package: {name}\nStatus: install ok installed\n");
    let defaults = [
        ("Architecture", architecture),
        ("Version", "0"),
        ("Maintainer", "unknown"),
        ("Description", "deleted"),
    ];
    for (field, default) in defaults {
        text += &format!("{field}: {}\n", value(field).unwrap_or(default).lines().next().unwrap_or(default));
    }
    for field in ["Multi-Arch", "Provides"] {
        if let Some(value) = value(field) {
            text += &format!("{field}: {}\n", value.lines().collect::<Vec<_>>().join(" "));
        }
    }
    text + "\n"
}

/// Returns the packages that apt-get would remove, from the lines `Purg NAME [VERSION]` and `Remv NAME ..` of a simulation.
pub(super) fn removed(output: &str) -> impl Iterator<Item = &str> {
    output.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        matches!(words.next()?, "Purg" | "Remv").then(|| words.next()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_a_simulation_removes() {
        let text = "Purg grub2 [2.06-13]\nInst x (1 Debian [amd64])\nRemv y [1]\n";
        assert_eq!(removed(text).collect::<Vec<_>>(), ["grub2", "y"]);
    }

    #[test]
    fn a_deleted_package_counts_as_installed() {
        let shown = "Package: less\nVersion: 590-2\nArchitecture: amd64\nDepends: libc6\nProvides: pager\nDescription: pager\n more\n";
        let text = pretended("less", shown, "amd64");
        assert!(text.contains("\nVersion: 590-2\n") && text.contains("\nProvides: pager\n"), "{text}");
        assert!(!text.contains("Depends") && !text.contains("more"), "{text}");
        assert!(pretended("gone", "", "arm64").contains("\nVersion: 0\n"));
    }
}
