//! apt: apt-get of the host resolves and fetches, dpkg runs in the tree.
//!
//! ```text
//! refresh: kiwi's source lists -> apt-get update (signatures checked)
//! resolve: one resolution for everything
//! install: packages into the cache -> natively or plainly into the tree
//! finish:  the image's own source lists, all files of the build removed
//! ```
//!
//! `native` unpacks packages in process and runs dpkg to configure them; `plain` runs the commands of dpkg that apt-get
//! decides. Both run without network, services and initramfs generators, and give the same tree.
//!
//! No apt configuration of the tree is read, and of the host's only proxies: every directory of apt is in [`ManagerFiles`], which apt
//! sees at a fixed path. apt never sees the tree, only copies of dpkg's status and its own marks, and no script of a
//! package runs outside the sandbox of the tree.

mod calls;
mod configuration;
mod counted;
mod fetch;
mod fetch_error;
mod indices;
mod locked;
mod native;
mod output;
mod owners;
mod plain;
mod preferences;
mod recorder;
mod removal;
pub(super) mod reports;
mod resolve_error;
mod two_steps;

use anyhow::{Context as _, Result};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::OnceLock;

use super::dpkg::MOUNT_POINT;
use super::{
    ImageRepositories, Installed, Layer, Layers, LockedPackages, ManagerFiles, NewTree, NextLayer, Package,
    PackageManager, PackagePath, PackagePlan, Resolution, image_repositories,
};
use crate::context::Context;
use crate::deb822::{self, Comments};
use crate::distribution::PackageScripts;
use crate::host::{Command, Host};
use crate::repository::Resolved;
use crate::root_tree::{DESCRIPTION, RootTree};
use configuration::{LISTS, NO_PROXY, VIEW};
use fetch_error::Report;
pub(super) use output::release_date;
use output::{file_name, packages};
pub(super) use owners::owners;

/// dpkg's list of packages in a tree.
pub(super) const DPKG_STATUS: &str = "var/lib/dpkg/status";
/// The file in which apt marks packages of a tree that were not requested by name.
const EXTENDED_STATES: &str = "var/lib/apt/extended_states";

pub(super) struct Apt<'a> {
    pub(super) plan: &'a PackagePlan,
    /// An empty directory that programs of a prepared tree see instead of its description, which may contain passwords.
    hiding: OnceLock<PathBuf>,
}

impl<'a> Apt<'a> {
    pub(super) fn new(plan: &'a PackagePlan) -> Self {
        Self { plan, hiding: OnceLock::new() }
    }

    /// Returns a command that runs the host's `apt-get` with kiwi's configuration and a read-only view of the host.
    fn apt_get<'h>(&self, files: &ManagerFiles, host: &'h Host) -> Command<'h> {
        self.for_scripts(apt_program("apt-get", files, host).without_sync())
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

    /// Resolves all packages at once, or in two steps where they conflict.
    fn decide(&self, files: &ManagerFiles, context: &Context) -> Result<Resolution> {
        let host = &context.host;
        let to_fetch = |wanted: &[String]| {
            let packages =
                self.packages_once(wanted, files, context, || self.to_fetch(wanted, "install", files, host))?;
            self.located(packages)
        };
        let mut first = vec!["?essential".to_owned()];
        first.extend(self.plan.bootstrap.packages.iter().map(|package| package.name.to_string()));
        let everything = match to_fetch(&self.wanted()) {
            Ok(everything) => everything,
            Err(together) => return self.decide_in_two_steps(together, || to_fetch(&first), files, host),
        };
        let bootstrap = to_fetch(&first)?;
        // Uses the versions of the complete resolution: the bootstrap packages alone might resolve to others.
        let names: BTreeSet<String> = everything.iter().map(Package::to_string).collect();
        let bootstrap =
            bootstrap.into_iter().filter(|package| names.contains(&package.to_string())).collect();
        Ok(Resolution { packages: everything, bootstrap, replaced: Vec::new() })
    }

    /// Returns the packages that apt would fetch to install `wanted`, with their locations as apt sees them.
    fn to_fetch(
        &self,
        wanted: &[String],
        action: &str,
        files: &ManagerFiles,
        host: &Host,
    ) -> Result<Vec<Package>> {
        let command = self.apt_get(files, host).args(["--yes", "--quiet=2", "--print-uris", action]);
        packages(&command.args(wanted).output().map_err(|error| {
            // Only here apt writes why packages conflict.
            let simulation = self.apt_get(files, host).args(["--yes", "--quiet=1", "--simulate", action]);
            let reason = simulation.args(wanted).run().err();
            self.resolve_error(reason.unwrap_or(error), files, host)
        })?)
    }

    /// Returns a command for a program of the tree that asks no questions.
    fn in_tree<'h>(&self, program: &str, tree: &RootTree, host: &'h Host) -> Command<'h> {
        let command = tree.command(host, program).without_sync();
        let command = match self.hiding.get() {
            Some(empty) => command.bind(empty, format!("/{DESCRIPTION}"), true),
            None => command,
        };
        self.for_scripts(command).env("DPKG_MAINTSCRIPT_DEBUG", "0")
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
        let guard = self.scripts().service_guard;
        guard.map_or(Ok(()), |(path, text)| tree.write(path, text, 0o755))
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
        if let Some((path, _)) = self.scripts().service_guard {
            tree.remove(path)?;
        }
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
    fn start(&self, tree: &RootTree) -> Result<()> {
        tree.create_dir("var/lib/apt/lists", 0o755)?;
        tree.create_dir("var/lib/dpkg", 0o755)?;
        match tree.exists(DPKG_STATUS) {
            true => Ok(()),
            false => tree.write(DPKG_STATUS, "", 0o644),
        }
    }

    fn refresh(&self, files: &ManagerFiles, context: &Context) -> Result<u64> {
        let host = &context.host;
        self.configure(files, host)?;
        self.restore_indices(files, context)?;
        let before = self.indices_digest(files)?;
        let mut report = Report::default();
        self.apt_get(files, host)
            // Only resolutions need apt's binary cache of the indices.
            .args(["--quiet=1", "--option", "pkgCacheFile::Generate=false", "update"])
            .network()
            .run_watched(|line| report.add(line))
            .map_err(|error| self.update_error(error, &report, "the indices of the repositories", host))?;
        self.warn_of_components(&report, files, host);
        self.save_indices(&before, files, context)?;
        self.pin_by_release(files, host)?;
        let lists = files.list(LISTS)?;
        let releases = lists.iter().filter(|name| name.ends_with("Release"));
        let dates =
            releases.filter_map(|name| release_date(&files.read_text(&format!("{LISTS}/{name}")).ok()?));
        Ok(dates.max().unwrap_or_else(|| host.now()))
    }

    fn resolve(&self, files: &ManagerFiles, context: &Context) -> Result<Resolution> {
        self.decide(files, context)
    }

    fn install(&self, new: NewTree<'_>, layers: &mut dyn Layers) -> Result<()> {
        match self.plan.path {
            PackagePath::Native => self.install_natively(new, layers),
            PackagePath::Plain => self.install_plainly(new, layers),
        }
    }

    fn next_layer(
        &self,
        resolution: &Resolution,
        files: &ManagerFiles,
        context: &Context,
    ) -> Result<NextLayer<Layer>> {
        match self.plan.path {
            PackagePath::Native => self.scripts_ahead(resolution, files, context),
            PackagePath::Plain => Ok(NextLayer::None),
        }
    }

    fn installed_size(
        &self,
        resolution: &Resolution,
        files: &ManagerFiles,
        context: &Context,
    ) -> Result<u64> {
        let packages = resolution.packages.iter();
        let named: Vec<String> = packages.map(two_steps::exact).collect();
        self.answered_once("installed size", &named, files, context, || {
            let command = apt_program("apt-cache", files, &context.host).without_sync();
            let text = command.args(["show", "--no-all-versions"]).args(&named).output()?;
            let sizes = text
                .lines()
                .filter_map(|line| line.strip_prefix("Installed-Size: ")?.trim().parse::<u64>().ok());
            Ok(sizes.sum::<u64>() << 10)
        })
    }

    fn upgrade(&self, tree: &RootTree, files: &ManagerFiles, context: &Context) -> Result<()> {
        self.upgrade_plainly(tree, files, context)
    }

    fn remove(&self, tree: &RootTree, host: &Host) -> Result<()> {
        self.uninstall(tree, host)?;
        self.delete(tree, host)
    }

    fn installed(&self, tree: &RootTree, _host: &Host) -> Result<Vec<Installed>> {
        let status = tree.read_text(DPKG_STATUS)?;
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

    fn finish(&self, repositories: ImageRepositories, tree: &RootTree, _: &Host) -> Result<()> {
        let facts = self.plan.distribution.facts();
        // Layers in the cache that older versions of kiwi saved have this directory.
        tree.remove(MOUNT_POINT)?;
        facts.leftovers.clear_caches(tree)?;
        image_repositories::write(self.plan, repositories, tree).map(|_| ())
    }

    fn exclude_documentation(&self, tree: &RootTree) -> Result<()> {
        crate::distribution::exclude_documentation(tree)
    }

    fn file_name(&self, package: &Package) -> String {
        file_name(&package.name, &package.version, &package.architecture)
    }

    fn collect_locked(&self, locked: LockedPackages<'_>) -> Result<Resolved> {
        self.collect_packages(locked)
    }
}

/// Returns a command that runs a program of apt with kiwi's configuration and a read-only view of the host.
fn apt_program<'h>(program: &str, files: &ManagerFiles, host: &'h Host) -> Command<'h> {
    host.command(program)
        .env("no_proxy", files.read_text(NO_PROXY).unwrap_or_default())
        .writable(files.path())
        .bind(files.path(), VIEW, false)
        .needs_room(files.path())
        .env("APT_CONFIG", format!("{VIEW}/apt.conf"))
        .env("TMPDIR", format!("{VIEW}/tmp"))
}

/// Returns a command for `dpkg-deb`, which reads packages of any origin: it cannot change the files of apt.
fn dpkg_deb<'h>(files: &ManagerFiles, host: &'h Host) -> Command<'h> {
    let temporary = files.path().join("tmp");
    host.command("dpkg-deb").writable(&temporary).bind(&temporary, VIEW, false).env("TMPDIR", VIEW)
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
