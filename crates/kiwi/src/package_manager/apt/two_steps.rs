//! Bootstrap packages and image packages that cannot be installed together, such as grub2 and then grub-efi-amd64.
//!
//! ```text
//! bootstrap packages alone -> image packages on a system with them: some are new, and replace others
//!   -> one installation without the replaced packages
//! ```

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Error, Result};

use super::configuration::VIEW;
use super::output::packages;
use super::removal::removed;
use super::{Apt, apt_program};
use crate::failure::{Failure, Kind};
use crate::host::Host;
use crate::package_manager::{ManagerFiles, Package, Resolution};

/// dpkg's list of packages of a system with the bootstrap packages, in [`ManagerFiles`].
const STATUS: &str = "state/status-of-bootstrap";

impl Apt<'_> {
    /// Resolves the bootstrap packages, which `first` returns, and then the image packages on top of them. Returns `together`, the error of
    /// a resolution at once, if that fails, too.
    pub(super) fn decide_in_two_steps(
        &self,
        together: Error,
        first: impl FnOnce() -> Result<Vec<Package>>,
        files: &ManagerFiles,
        host: &Host,
    ) -> Result<Resolution> {
        let is_conflict =
            together.downcast_ref::<Failure>().is_some_and(|failure| failure.kind == Kind::Packages);
        if !is_conflict || self.plan.bootstrap.packages.is_empty() {
            return Err(together);
        }
        let Ok(bootstrap) = first() else { return Err(together) };
        let Ok((image, gone)) = self.on_top_of(&bootstrap, files, host) else { return Err(together) };
        let newer: BTreeSet<&str> = image.iter().map(|package| package.name.as_str()).collect();
        let is_replaced =
            |package: &Package| gone.contains(&package.name) || newer.contains(package.name.as_str());
        let (replaced, bootstrap): (Vec<_>, Vec<_>) = bootstrap.into_iter().partition(is_replaced);
        Ok(Resolution { packages: bootstrap.iter().chain(&image).cloned().collect(), bootstrap, replaced })
    }

    /// Returns the packages that the image packages add to a system with these packages, and the names of those that they remove.
    fn on_top_of(
        &self,
        bootstrap: &[Package],
        files: &ManagerFiles,
        host: &Host,
    ) -> Result<(Vec<Package>, BTreeSet<String>)> {
        let shown = apt_program("apt-cache", files, host)
            .without_sync()
            .args(["show", "--no-all-versions"])
            .args(bootstrap.iter().map(exact))
            .output()?;
        files.write(STATUS, installed(&shown), host)?;
        let ask = |option| {
            let command =
                self.apt_get(files, host).arg("--option").arg(format!("Dir::State::status={VIEW}/{STATUS}"));
            let names = self.plan.image.packages.iter().map(|package| package.name.to_string());
            command.args(["--yes", "--quiet=2", option, "install"]).args(names).output()
        };
        let added = self.located(packages(&ask("--print-uris")?)?)?;
        Ok((added, removed(&ask("--simulate")?).map(str::to_owned).collect()))
    }

    /// Returns the arguments of apt that name the packages to install after the bootstrap packages.
    pub(super) fn requested(&self, resolution: &Resolution) -> Vec<String> {
        match resolution.replaced.is_empty() {
            true => self.named(),
            false => resolution.packages.iter().map(exact).collect(),
        }
    }
}

/// Returns the argument of apt for exactly this package.
pub(super) fn exact(package: &Package) -> String {
    format!("{}:{}={}", package.name, package.architecture, package.version).replace(":all=", "=")
}

/// Returns dpkg's status of a system with the packages of these paragraphs; two repositories may have the same package.
fn installed(shown: &str) -> String {
    let mut paragraphs: BTreeMap<&str, String> = BTreeMap::new();
    for text in shown.split("\n\n") {
        let Some(name) = text.lines().find_map(|line| line.strip_prefix("Package: ")) else { continue };
        let text = format!("{}\nStatus: install ok installed\n\n", text.trim_matches('\n'));
        paragraphs.entry(name).or_insert(text);
    }
    paragraphs.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packages_of_an_index_become_a_status() {
        let shown = "Package: b\nVersion: 1\n\nPackage: a\nVersion: 2\n\nPackage: b\nVersion: 1\n\n";
        let expected = "Package: a\nVersion: 2\nStatus: install ok installed\n\n\
                        Package: b\nVersion: 1\nStatus: install ok installed\n\n";
        assert_eq!(installed(shown), expected);
    }
}
