//! RPM packages: zypper or dnf of the host selects them, curl fetches them, rpm installs them in the tree.
//!
//! ```text
//! refresh: repomd.xml of all repositories; if the answer about them is not in the cache, the solver reads them (signatures
//!          checked)
//! resolve: the cached answer, or one solution for everything, one for the bootstrap packages
//! install: packages into the cache, each signature checked -> one transaction of rpm for each layer:
//!          bootstrap packages, packages that others or their scripts may need, late packages
//! finish:  the image's own repositories, all files of the build removed
//! ```
//!
//! A `Solver` works on [`ManagerFiles`] with a database of its own and never sees the tree. `rpm` of the host runs inside
//! the sandbox of the tree (`Runtime`), so that an empty tree needs no program and no script of a package runs elsewhere.

mod catalogue;
mod customize;
mod database;
mod directory;
mod dnf;
mod download;
mod failed;
mod fetch;
mod header;
mod heads;
mod identify;
mod image_keys;
mod index;
mod installed;
mod keys;
mod late;
mod layers;
mod locked;
pub mod metadata;
mod mirrors;
mod output;
mod removal;
mod reports;
mod resolve;
mod runtime;
mod solver;
mod solver_cache;
mod sources;
mod transaction;
mod transfer;
mod upgrade;
mod zypper;

use anyhow::{Context as _, Result};
use description::Selection;

use super::{
    ImageRepositories, Installed, InventoryItem, Layer, Layers, LockedPackages, ManagerFiles, NewTree,
    NextLayer, Package, PackageManager, PackagePlan, Resolution, RpmSettings, image_repositories,
};
use crate::context::Context;
use crate::distribution::Distribution;
use crate::host::Host;
use crate::repository::Resolved;
use crate::root_tree::RootTree;
#[cfg(feature = "fuzzing")]
pub(super) use header::read_all as read_header;
pub(super) use reports::{changes, verified};

use dnf::Dnf;
use fetch::Fetched;
use layers::Supply;
use runtime::Runtime;
use solver::Solver;
use transaction::Transaction;
use zypper::Zypper;

/// Returns the installed packages of any tree with their origin.
pub(super) fn inventory(tree: &RootTree, host: &Host) -> Result<Vec<InventoryItem>> {
    installed::inventory(tree, host)
}

/// Returns the entries of packages for a path that has these names in the tree.
pub(super) fn owners(tree: &RootTree, paths: &[String], host: &Host) -> Result<Vec<installed::PackageFile>> {
    installed::owners(tree, paths, host)
}

/// The files of databases in trees.
pub(super) const DATABASES: [&str; 2] = ["usr/lib/sysimage/rpm/rpmdb.sqlite", "var/lib/rpm/rpmdb.sqlite"];

/// Returns whether a tree has a database of rpm.
pub(super) fn has_database(tree: &RootTree) -> bool {
    database::path(tree).is_some()
}

pub(super) struct Rpm<'a> {
    plan: &'a PackagePlan,
    solver: &'a dyn Solver,
}

/// The numbers of the ways in which packages are divided into transactions and removed, and in which keys are imported, for the
/// keys of trees.
pub(super) const TRANSACTIONS: [u32; 3] = [layers::FORMAT, removal::FORMAT, image_keys::FORMAT];

/// Returns the family that the packages of a selection belong to: packages with the release of a distribution name it.
pub(super) fn distribution(selection: &Selection, default: Distribution) -> Distribution {
    const RELEASES: [(&str, Distribution); 7] = [
        ("redhat-release", Distribution::Rhel),
        ("centos-", Distribution::Rhel),
        ("rocky-release", Distribution::Rhel),
        ("almalinux-release", Distribution::Rhel),
        ("oraclelinux-release", Distribution::Rhel),
        ("fedora-release", Distribution::Fedora),
        ("openSUSE-release", Distribution::Suse),
    ];
    let mut names = selection.bootstrap.packages.iter().chain(&selection.image.packages);
    let found = names.find_map(|package| {
        let name = package.name.as_str();
        RELEASES.iter().find(|(start, _)| name.starts_with(start)).map(|(_, family)| *family)
    });
    found.unwrap_or(default)
}

impl<'a> Rpm<'a> {
    /// Returns the package manager with zypper as its solver.
    pub(super) fn zypper(plan: &'a PackagePlan) -> Self {
        Self { plan, solver: &Zypper }
    }

    /// Returns the package manager with dnf as its solver.
    pub(super) fn dnf(plan: &'a PackagePlan) -> Self {
        Self { plan, solver: &Dnf }
    }

    fn settings(&self) -> RpmSettings {
        self.plan.rpm.clone().unwrap_or_default()
    }

    /// Returns the directory of the database in a tree that has none.
    fn default_database(&self) -> &'static str {
        self.plan.distribution.facts().rpm_database.unwrap_or(database::DEFAULT)
    }

    /// Returns a transaction of rpm in the tree.
    fn transaction<'t>(
        &'t self,
        runtime: &'t Runtime,
        tree: &'t RootTree,
        host: &'t Host,
    ) -> Transaction<'t> {
        Transaction {
            scripts: &self.plan.distribution.facts().package_scripts,
            settings: self.settings(),
            default_database: self.default_database(),
            hidden: None,
            verified: sources::used(self.plan)
                .all(|(_, repository)| sources::checks_packages(repository, self.plan)),
            runtime,
            tree,
            host,
        }
    }
}

impl PackageManager for Rpm<'_> {
    fn start(&self, _tree: &RootTree) -> Result<()> {
        Ok(())
    }

    fn refresh(&self, files: &ManagerFiles, context: &Context) -> Result<u64> {
        let host = &context.host;
        self.prepare_files(files, host)?;
        self.read_keys(files, host)?;
        let time = if self.is_known(files, context)? {
            host.log().line(&format!("The repositories are unchanged; {} does not start", self.keyword()));
            self.time_of_heads(files)?
        } else {
            self.read_repositories(files, context)?;
            self.time(files)?
        };
        Ok(if time > 0 { time } else { host.now() })
    }

    fn resolve(&self, files: &ManagerFiles, context: &Context) -> Result<Resolution> {
        Ok(self.answer(files, context)?.resolution)
    }

    fn install(&self, new: NewTree<'_>, layers: &mut dyn Layers) -> Result<()> {
        let NewTree { resolution, tree, files, context } = new;
        let host = &context.host;
        let cache = context.cache()?.packages();
        let find = |package: &Package| cache.find(&package.checksum);
        let absent = resolution.packages.iter().filter(|package| find(package).is_none());
        let absent: Vec<Package> = absent.cloned().collect();
        let mut supply = Supply { rpm: self, all: None, files, context };
        // What a restored layer contains is not read again.
        if !absent.is_empty() && absent.len() < resolution.packages.len() {
            supply.verified(&absent)?.close()?;
        }
        let division = match self.divide(resolution, context, find).ok().flatten() {
            Some(division) => division,
            // All are absent, or one in the cache is damaged.
            None => {
                supply.all = Some(supply.verified(&resolution.packages)?);
                let division = self.divide(resolution, context, find)?;
                division.context("packages are no longer in the cache")?
            }
        };
        let runtime = Runtime::provide(self.scripts(), files, host)?;
        let transaction = self.transaction(&runtime, tree, host);
        self.install_layers(&division, layers, &transaction, &supply)?;
        supply.all.map_or(Ok(()), Fetched::close)
    }

    fn next_layer(
        &self,
        resolution: &Resolution,
        _: &ManagerFiles,
        context: &Context,
    ) -> Result<NextLayer<Layer>> {
        let packages = context.cache()?.packages();
        let missing = resolution.packages.iter().filter(|package| packages.find(&package.checksum).is_none());
        let division = self.divide(resolution, context, |package| packages.find(&package.checksum))?;
        Ok(match division {
            Some(division) => division.early_layer().map_or(NextLayer::None, NextLayer::Known),
            None => NextLayer::Unread(missing.count()),
        })
    }

    fn installed_size(&self, _: &Resolution, files: &ManagerFiles, context: &Context) -> Result<u64> {
        Ok(self.answer(files, context)?.installed_size)
    }

    fn upgrade(&self, tree: &RootTree, files: &ManagerFiles, context: &Context) -> Result<()> {
        self.upgrade_tree(tree, files, context)
    }

    fn remove(&self, tree: &RootTree, host: &Host) -> Result<()> {
        self.uninstall(tree, host)?;
        self.delete(tree, host)
    }

    fn installed(&self, tree: &RootTree, host: &Host) -> Result<Vec<Installed>> {
        installed::list(tree, self.default_database(), host)
    }

    fn finish(&self, repositories: ImageRepositories, tree: &RootTree, host: &Host) -> Result<()> {
        self.plan.distribution.facts().leftovers.clear_caches(tree)?;
        let keys = image_repositories::write(self.plan, repositories, tree)?;
        image_keys::import(&keys, tree, host)?;
        database::clean(tree, self.default_database())
    }

    fn exclude_documentation(&self, tree: &RootTree) -> Result<()> {
        // rpm has installed none; this makes rpm of the tree install none later.
        tree.write("etc/rpm/macros.kiwi-excludedocs", "%_excludedocs 1\n", 0o644)
    }

    fn file_name(&self, package: &Package) -> String {
        name_of(package)
    }

    fn collect_locked(&self, locked: LockedPackages<'_>) -> Result<Resolved> {
        self.collect_packages(locked)
    }
}

impl Rpm<'_> {
    fn scripts(&self) -> &'static crate::distribution::PackageScripts {
        &self.plan.distribution.facts().package_scripts
    }
}

/// Returns the file name of a package; its name contains no epoch.
fn file_name(name: &str, version: &str, architecture: &str) -> String {
    let version = version.split_once(':').map_or(version, |(_, version)| version);
    format!("{name}-{version}.{architecture}.rpm")
}

/// Returns the file name of a package of a resolution.
fn name_of(package: &Package) -> String {
    file_name(&package.name, &package.version, &package.architecture)
}
