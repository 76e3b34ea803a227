//! apt: apt-get of the host resolves and fetches, dpkg runs in the tree.
//!
//! ```text
//! refresh: kiwi's source lists -> apt-get update (signatures checked)
//! resolve: one resolution for everything
//! install: packages into the cache -> natively or plainly into the tree
//! finish:  the image's own source lists, all files of the build removed
//! ```
//!
//! `native` unpacks packages in process and runs dpkg to configure them; `plain` runs dpkg and apt-get for everything.
//! Both run without network, services and initramfs generators, and give the same tree.
//!
//! No apt configuration of the host is read or written: every directory of apt is in the tree.

mod configuration;
mod fetch;
mod indices;
mod locked;
mod native;
mod output;
mod plain;
mod preferences;

use anyhow::{Context as _, Result};
use std::collections::BTreeSet;
use std::path::Path;

use super::{
    ImageRepositories, Installed, Layer, Layers, NextLayer, Package, PackageManager, PackagePath,
    PackagePlan, Resolution,
};
use crate::context::Context;
use crate::deb822::{self, Comments};
use crate::distribution::PackageScripts;
use crate::host::{Command, Host, Warning};
use crate::lock::LockedPackage;
use crate::repository::Resolved;
use crate::root_tree::RootTree;
use indices::LISTS;
pub(super) use output::release_date;
use output::{file_name, packages, resolve_error, update_error};

/// kiwi's directory in the tree during the work.
pub(super) const WORK: &str = ".kiwi";
pub(super) struct Apt<'a> {
    pub(super) plan: &'a PackagePlan,
}

impl<'a> Apt<'a> {
    pub(super) fn new(plan: &'a PackagePlan) -> Self {
        Self { plan }
    }

    /// Returns a command that runs the host's `apt-get` on the tree, with a read-only view of the host and kiwi's
    /// configuration.
    fn apt_get<'h>(&self, tree: &RootTree, host: &'h Host) -> Command<'h> {
        let command = host
            .command("apt-get")
            .writable(tree.path())
            .needs_room(tree.path())
            .without_sync()
            .env("APT_CONFIG", tree.path().join(WORK).join("apt.conf"));
        self.for_scripts(command)
    }

    fn scripts(&self) -> &'static PackageScripts {
        &self.plan.distribution.facts().package_scripts
    }

    /// Sets the environment that package scripts need.
    fn for_scripts<'h>(&self, command: Command<'h>) -> Command<'h> {
        let variables = self.scripts().environment.iter();
        variables.fold(command, |command, (name, value)| command.env(name, value))
    }

    /// Returns the arguments of apt that name all packages to install.
    fn wanted(&self) -> Vec<String> {
        let mut wanted = vec!["?essential".to_owned()];
        wanted.extend(self.named());
        wanted
    }

    /// Returns the packages that the description names.
    fn named(&self) -> Vec<String> {
        let packages = self.plan.bootstrap.packages.iter().chain(&self.plan.image.packages);
        packages.map(|package| package.name.to_string()).collect()
    }

    /// Resolves all packages at once.
    fn decide(&self, tree: &RootTree, context: &Context) -> Result<Resolution> {
        let host = &context.host;
        let to_fetch = |wanted: &[String]| {
            self.packages_once(wanted, tree, context, || self.to_fetch(wanted, "install", tree, host))
        };
        let everything = to_fetch(&self.wanted())?;
        let mut first = vec!["?essential".to_owned()];
        first.extend(self.plan.bootstrap.packages.iter().map(|package| package.name.to_string()));
        let bootstrap = to_fetch(&first)?;
        // Uses the versions of the complete resolution: the bootstrap packages alone might resolve to others.
        let names: BTreeSet<String> = everything.iter().map(Package::to_string).collect();
        let bootstrap =
            bootstrap.into_iter().filter(|package| names.contains(&package.to_string())).collect();
        Ok(Resolution { packages: everything, bootstrap })
    }

    /// Returns the packages that apt would fetch to install `wanted` in the current tree.
    fn to_fetch(
        &self,
        wanted: &[String],
        action: &str,
        tree: &RootTree,
        host: &Host,
    ) -> Result<Vec<Package>> {
        let command = self
            .apt_get(tree, host)
            .env("TMPDIR", tree.path().join(WORK))
            .args(["--yes", "--quiet=2", "--print-uris", action])
            .args(wanted);
        packages(&command.output().map_err(resolve_error)?)
    }

    /// Returns a command for a program of the tree that asks no questions.
    fn in_tree<'h>(&self, program: &str, tree: &RootTree, host: &'h Host) -> Command<'h> {
        self.for_scripts(tree.command(host, program).without_sync()).env("DPKG_MAINTSCRIPT_DEBUG", "0")
    }

    /// Returns a command for dpkg in the tree.
    fn dpkg<'h>(&self, tree: &RootTree, host: &'h Host) -> Command<'h> {
        self.in_tree("/usr/bin/dpkg", tree, host).arg("--force-unsafe-io")
    }

    /// Creates the links of a merged `/usr`, because some packages still contain files in the old directories.
    fn merge_directories(&self, tree: &RootTree) -> Result<()> {
        for name in self.scripts().merged_directories {
            tree.create_dir(format!("usr/{name}"), 0o755)?;
            tree.symlink(name, format!("usr/{name}"))?;
        }
        Ok(())
    }

    /// Prevents scripts from starting services, until `release`.
    fn hold_back_services(&self, tree: &RootTree) -> Result<()> {
        let (path, text) = self.scripts().service_guard;
        tree.write(path, text, 0o755)
    }

    /// Prevents the start of services and the creation of an initramfs, until `release`.
    fn hold_back(&self, tree: &RootTree, host: &Host) -> Result<()> {
        self.hold_back_services(tree)?;
        self.divert("--no-rename --add --divert \"$path.kiwi\"", tree, host)?;
        for (path, instead) in self.scripts().held_back {
            if tree.exists(path) {
                let program = tree.read(path)?;
                tree.write(format!("{path}.kiwi"), program, 0o755)?;
            }
            tree.write(path, instead, 0o755)?;
        }
        Ok(())
    }

    /// Restores the programs that were replaced.
    fn release(&self, tree: &RootTree, host: &Host) -> Result<()> {
        tree.remove(self.scripts().service_guard.0)?;
        for (path, _) in self.scripts().held_back {
            tree.remove(path)?;
        }
        self.divert("--rename --remove", tree, host)
    }

    /// Adds or removes dpkg's diversions for the replaced programs.
    fn divert(&self, action: &str, tree: &RootTree, host: &Host) -> Result<()> {
        let script = format!("for path; do dpkg-divert --quiet --local {action} \"$path\"; done");
        let paths = self.scripts().held_back.iter().map(|(path, _)| format!("/{path}"));
        let shell = self.in_tree("/bin/sh", tree, host).args(["-e", "-c", &script, "divert"]);
        shell.args(paths).run().context("diverting programs")
    }
}

impl PackageManager for Apt<'_> {
    fn refresh(&self, tree: &RootTree, context: &Context) -> Result<u64> {
        let host = &context.host;
        self.configure(tree, host)?;
        self.restore_indices(tree, context)?;
        let before = self.indices_digest(tree)?;
        self.apt_get(tree, host)
            .env("TMPDIR", tree.path().join(WORK))
            // Only resolutions need apt's binary cache of the indices.
            .args(["--quiet=1", "--option", "pkgCacheFile::Generate=false", "update"])
            .network()
            .run()
            .map_err(|error| update_error(error, "the indices of the repositories"))?;
        self.save_indices(&before, tree, context)?;
        self.pin_by_release(tree, host)?;
        let lists = tree.list(LISTS)?;
        let releases = lists.iter().filter(|name| name.ends_with("Release"));
        let dates = releases
            .filter_map(|name| release_date(&tree.read_text(format!("var/lib/apt/lists/{name}")).ok()?));
        Ok(dates.max().unwrap_or_else(|| host.now()))
    }

    fn resolve(&self, tree: &RootTree, context: &Context) -> Result<Resolution> {
        self.decide(tree, context)
    }

    fn install(
        &self,
        resolution: &Resolution,
        layers: &mut dyn Layers,
        tree: &RootTree,
        context: &Context,
    ) -> Result<()> {
        match self.plan.path {
            PackagePath::Native => self.install_natively(resolution, layers, tree, context),
            PackagePath::Plain => self.install_plainly(resolution, tree, context),
        }
    }

    fn next_layer(
        &self,
        resolution: &Resolution,
        tree: &RootTree,
        context: &Context,
    ) -> Result<NextLayer<Layer>> {
        match self.plan.path {
            PackagePath::Native => self.scripts_ahead(resolution, tree, context),
            PackagePath::Plain => Ok(NextLayer::None),
        }
    }

    fn working_directories(&self) -> &'static [&'static str] {
        &[WORK, LISTS]
    }

    fn upgrade(&self, tree: &RootTree, context: &Context) -> Result<()> {
        self.upgrade_plainly(tree, context)
    }

    fn remove(&self, tree: &RootTree, host: &Host) -> Result<()> {
        let installed = self.installed(tree, host)?;
        let present: Vec<&str> = self
            .plan
            .delete
            .iter()
            .map(description::PackageName::as_str)
            .filter(|name| installed.iter().any(|package| package.name == *name))
            .collect();
        for name in self.plan.delete.iter().filter(|name| !present.contains(&name.as_str())) {
            host.warn(
                Warning::Packages,
                &format!("the package {name} cannot be deleted because it is not installed"),
            );
        }
        if present.is_empty() {
            return Ok(());
        }
        self.dpkg(tree, host)
            .args(["--purge", "--force-depends", "--force-remove-essential"])
            .args(present)
            .run()
            .context("deleting packages")
    }

    fn installed(&self, tree: &RootTree, _host: &Host) -> Result<Vec<Installed>> {
        let status = tree.read_text("var/lib/dpkg/status")?;
        let mut packages: Vec<Installed> = deb822::paragraphs(&status, Comments::Stray)
            .iter()
            .filter_map(|paragraph| {
                paragraph.value("Status")?.ends_with(" installed").then_some(())?;
                let name = paragraph.value("Package")?.to_owned();
                Some(Installed {
                    version: paragraph.value("Version")?.to_owned(),
                    architecture: paragraph.value("Architecture")?.to_owned(),
                    licences: licences(tree, &name),
                    name,
                })
            })
            .collect();
        packages.sort();
        Ok(packages)
    }

    fn finish(&self, repositories: ImageRepositories, tree: &RootTree) -> Result<()> {
        let facts = self.plan.distribution.facts();
        tree.remove(WORK)?;
        facts.leftovers.clear_caches(tree)?;
        let file = &facts.repository_file;
        let known = match repositories {
            ImageRepositories::Keep => tree.read_text(file.path).ok(),
            ImageRepositories::Write => None,
        };
        let own: Vec<_> =
            self.plan.repositories.iter().filter_map(|repository| repository.in_image.as_ref()).collect();
        let new = if own.is_empty() || !tree.exists(file.directory) {
            None
        } else {
            file.replaces.iter().try_for_each(|path| tree.remove(path))?;
            (file.text)(&own, &|path| tree.read_text(path).ok())
        };
        match known.or(new) {
            Some(text) => tree.write(file.path, text, 0o644),
            None => Ok(()),
        }
    }

    fn file_name(&self, package: &Package) -> String {
        file_name(&package.name, &package.version, &package.architecture)
    }

    fn collect_locked(
        &self,
        packages: &[LockedPackage],
        directory: &Path,
        context: &Context,
    ) -> Result<Resolved> {
        self.collect_packages(packages, directory, context)
    }
}

/// Returns the licences in a package's machine-readable copyright file.
fn licences(tree: &RootTree, package: &str) -> String {
    let text = tree.read_text(format!("usr/share/doc/{package}/copyright")).unwrap_or_default();
    let paragraphs = deb822::paragraphs(&text, Comments::Skipped);
    let licences =
        paragraphs.iter().flat_map(|paragraph| &paragraph.fields).filter(|field| field.name == "License");
    let names = licences.filter_map(|field| field.value.lines().next()).map(str::trim);
    let names: BTreeSet<&str> = names.filter(|name| !name.is_empty()).collect();
    match names.is_empty() {
        true => "unknown".to_owned(),
        false => names.into_iter().collect::<Vec<_>>().join(", "),
    }
}
