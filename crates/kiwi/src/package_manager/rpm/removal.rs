//! The removal of packages from a tree.
//!
//! `uninstall`: zypper or dnf decides what goes with the packages, on a copy of the database that says which packages the
//! description asks for. `delete`: rpm removes the packages alone.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use description::PackageName;

use super::runtime::Runtime;
use super::solver::Removal;
use super::upgrade::copy_database;
use super::{Rpm, database, installed};
use crate::host::{Host, Warning};
use crate::package_manager::{Installed, ManagerFiles, PackageManager as _};
use crate::root_tree::RootTree;

/// Raise it when other packages are removed for the same description.
pub(super) const FORMAT: u32 = 2;

/// One line for each capability of each package: package, name and version of the capability.
const PROVIDES: &str = "[%{=NAME}\\t%{PROVIDENAME}\\t%{PROVIDEVERSION}\\n]";

impl Rpm<'_> {
    /// Removes packages with those that need them, and with those that were installed for them and are not needed any more.
    pub(super) fn uninstall(&self, tree: &RootTree, host: &Host) -> Result<()> {
        let installed = self.installed_if_any(&self.plan.uninstall, tree, host)?;
        let present = present(&self.plan.uninstall, &installed, host);
        if present.is_empty() {
            return Ok(());
        }
        let files = ManagerFiles::beside(tree, host)?;
        self.prepare_files(&files, host)?;
        copy_database(tree, &files, host)?;
        let automatic = self.automatic(&installed, tree, host)?;
        let removal = Removal { names: &present, automatic: &automatic };
        let decided = self
            .solver
            .removed(&removal, self.session(&files, host))
            .with_context(|| format!("uninstalling the packages {}", present.join(", ")))?;
        let all: BTreeSet<&str> = decided.iter().map(String::as_str).chain(present.iter().copied()).collect();
        let all: Vec<&str> = all.into_iter().collect();
        host.log().line(&format!("uninstall removes {}", all.join(", ")));
        let runtime = Runtime::provide(self.scripts(), &files, host)?;
        self.transaction(&runtime, tree, host).erase(&all).context("uninstalling packages")
    }

    /// Removes packages even if others need them.
    pub(super) fn delete(&self, tree: &RootTree, host: &Host) -> Result<()> {
        let installed = self.installed_if_any(&self.plan.delete, tree, host)?;
        let present = present(&self.plan.delete, &installed, host);
        if present.is_empty() {
            return Ok(());
        }
        let files = ManagerFiles::beside(tree, host)?;
        let runtime = Runtime::provide(self.scripts(), &files, host)?;
        self.transaction(&runtime, tree, host).erase(&present).context("deleting packages")
    }

    fn installed_if_any(
        &self,
        names: &[PackageName],
        tree: &RootTree,
        host: &Host,
    ) -> Result<Vec<Installed>> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        database::check_form(tree)?;
        self.installed(tree, host)
    }

    /// Returns the installed packages that the description does not ask for; none if that is unknown.
    fn automatic(&self, installed: &[Installed], tree: &RootTree, host: &Host) -> Result<Vec<String>> {
        let request = self.request(&[&self.plan.bootstrap, &self.plan.image]);
        let provides = installed::query(tree, self.default_database(), PROVIDES, host)?;
        let has_groups = !self.solver.has_pattern_packages() && !request.patterns.is_empty();
        let known = match has_groups {
            true => Err(format!("the group {}", request.patterns.join(", "))),
            false => requested(&request.packages, &request.patterns, &provides),
        };
        match known {
            Ok(requested) => {
                let names = installed.iter().map(|package| package.name.clone());
                let names: BTreeSet<String> =
                    names.filter(|name| !requested.contains(name.as_str())).collect();
                Ok(names.into_iter().collect())
            }
            Err(unknown) => {
                let text = format!(
                    "uninstall removes no package that is no longer needed, because it is unknown which packages {unknown} \
                     stands for; name these packages in the description, or those to uninstall"
                );
                host.warn(Warning::Packages, &text);
                Ok(Vec::new())
            }
        }
    }
}

/// Returns those of the packages that are installed, and warns of the others.
fn present<'n>(names: &'n [PackageName], installed: &[Installed], host: &Host) -> Vec<&'n str> {
    let is_installed = |name: &&str| installed.iter().any(|package| package.name == *name);
    let (present, missing): (Vec<&str>, Vec<&str>) =
        names.iter().map(PackageName::as_str).partition(is_installed);
    for name in missing {
        let text = format!("the package {name} cannot be deleted because it is not installed");
        host.warn(Warning::Packages, &text);
    }
    present
}

/// Returns the installed packages that a request means, by the capabilities of all packages; otherwise the name that cannot be
/// assigned to packages.
fn requested<'p>(
    packages: &[String],
    patterns: &[String],
    provides: &'p str,
) -> Result<BTreeSet<&'p str>, String> {
    let lines = provides.lines().filter_map(|line| {
        let mut fields = line.split('\t');
        Some((fields.next()?, fields.next()?, fields.next().unwrap_or_default()))
    });
    let lines: Vec<(&str, &str, &str)> = lines.collect();
    let mut found = BTreeSet::new();
    for name in packages {
        let plain = name.split_whitespace().next().unwrap_or(name);
        // All names with the start of a pattern: none of these packages leaves.
        let start = plain.find(['*', '?', '[']).map(|end| &plain[..end]);
        let means = |line: &(&str, &str, &str)| match start {
            Some(start) => line.0.starts_with(start),
            None => line.0 == plain || line.1 == plain,
        };
        let meant: Vec<&str> = lines.iter().filter(|line| means(line)).map(|line| line.0).collect();
        if meant.is_empty() {
            return Err(name.clone());
        }
        found.extend(meant);
    }
    for pattern in patterns {
        let of_pattern = lines.iter().filter(|line| line.1 == "pattern()" && line.2 == pattern);
        found.extend(of_pattern.map(|line| line.0));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROVIDED: &str = "bash\tbash\t5-1\nbash\t/bin/sh\t\nlibc\tlibc\t2-1\npatterns-base\tpattern()\tbase\n\
                            tool-a\ttool-a\t1\ntool-b\ttool-b\t1\nfree\tfree\t1\n";

    fn of(packages: &[&str], patterns: &[&str]) -> Result<Vec<&'static str>, String> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        requested(&owned(packages), &owned(patterns), PROVIDED).map(|set| set.into_iter().collect())
    }

    #[test]
    fn names_capabilities_and_patterns_mean_packages() {
        assert_eq!(of(&["bash >= 4", "/bin/sh"], &["base"]).unwrap(), ["bash", "patterns-base"]);
        assert_eq!(of(&["tool-*", "libc"], &[]).unwrap(), ["libc", "tool-a", "tool-b"]);
        assert_eq!(of(&["/usr/bin/unknown"], &[]).unwrap_err(), "/usr/bin/unknown");
    }
}
