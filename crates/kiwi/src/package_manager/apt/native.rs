//! The native package path: kiwi unpacks, dpkg configures.
//!
//! ```text
//! one resolution -> packages in the cache
//!   -> layer of the essential packages: unpacked, their preinst scripts, dpkg --configure; meanwhile apt-get --simulate
//!      returns the order of the others
//!   -> layer of packages with scripts and their dependencies, in batches: preinst scripts, unpacked in parallel; dpkg
//!      --configure in apt's order, then triggers
//!   -> the others; one dpkg --configure, then triggers
//! ```
//!
//! A layer is restored if an earlier build saved it. Its content depends on the packages and their order alone. Scripts
//! take most of the time, and most packages have none.
//!
//! apt selects the packages and their order, and dpkg itself configures them; only the steps that cost most and need no
//! decision are done here.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::configuration::VIEW;
use super::counted::{Configured, Counted};
use super::fetch::Repacker;
use super::output::{Order, order};
use super::{Apt, EXTENDED_STATES};
use crate::context::Context;
use crate::failure::fail;
use crate::host::{Command, Host, RunningStage, StageTask, printable};
use crate::package_manager::deb::Deb;
use crate::package_manager::dpkg::{self, Database, Index, Rules, Unpacker};
use crate::package_manager::fetch::at_once;
use crate::package_manager::{Layer, Layers, ManagerFiles, NewTree, NextLayer, Package, Resolution};
use crate::parallel;
use crate::root_tree::RootTree;
use crate::stage::Stage;

/// dpkg's list of packages for the question about the order, in [`ManagerFiles`].
const ORDER_STATUS: &str = "state/status-of-order";

impl Apt<'_> {
    /// Installs everything into a new tree.
    pub(super) fn install_natively(&self, new: NewTree<'_>, layers: &mut dyn Layers) -> Result<()> {
        let NewTree { resolution, tree, files, context } = new;
        let host = &context.host;
        let bootstrap = resolution.bootstrap_layer();
        let ordered = in_layers(resolution, &bootstrap);
        let (paths, repacker) = self.fetch_to_read(&ordered, files, context)?;
        let mut first = open(&paths, &ordered, host)?;
        let rest = first.split_off(bootstrap.packages.len());
        let installed = status(&first);
        let mut work = Work::new(self, layers, &repacker, tree, host);
        let (order, bootstrapped) = parallel::both(
            || self.order(&installed, resolution, files, context),
            || work.layer(&bootstrap, first, Work::bootstrap),
        );
        bootstrapped?;
        let order = order?;
        let (scripted, others) = with_scripts(work.unpacker.packages(), sorted(rest, &order.unpack)?);
        if !scripted.is_empty() {
            work.layer(&scripts_layer(&scripted, &paths, &ordered, &order), scripted, Work::scripts)?;
        }
        work.layers.end()?;
        let others = work.unpacker.add(others);
        if !others.is_empty() {
            let title = format!("Unpacking {}", printable::count(others.len(), "package"));
            let stage = host.stage(StageTask::UnpackPackages, title);
            work.unpack(&others, &order.configure_early, &stage)?;
            stage.finish();
        }
        let stage = host.stage(StageTask::ConfigurePackages, "Configuring the packages");
        let configured = Configured::new(others.len(), &stage);
        work.configure(&order.configure_early, &configured)?;
        work.finish(&configured)?;
        drop(work);
        repacker.save()?;
        self.mark_automatic(order.unpack.iter().map(String::as_str), tree)?;
        self.release(tree, host)?;
        stage.finish();
        Ok(())
    }

    /// Returns the layer of packages with scripts in advance, if all packages are in the cache.
    pub(super) fn scripts_ahead(
        &self,
        resolution: &Resolution,
        files: &ManagerFiles,
        context: &Context,
    ) -> Result<NextLayer<Layer>> {
        let cache = context.cache()?;
        let host = &context.host;
        let bootstrap = resolution.bootstrap_layer();
        let ordered = in_layers(resolution, &bootstrap);
        let found: Vec<Option<PathBuf>> =
            ordered.iter().map(|package| cache.packages().find_any(&package.checksum)).collect();
        let missing = found.iter().filter(|found| found.is_none()).count();
        if missing > 0 {
            return Ok(NextLayer::Unread(missing));
        }
        let paths: Vec<PathBuf> = found.into_iter().flatten().collect();
        let mut first = open(&paths, &ordered, host)?;
        let rest = first.split_off(bootstrap.packages.len());
        let order = self.order(&status(&first), resolution, files, context)?;
        let (scripted, _) = with_scripts(&first, sorted(rest, &order.unpack)?);
        Ok(match scripted.is_empty() {
            true => NextLayer::None,
            false => NextLayer::Known(scripts_layer(&scripted, &paths, &ordered, &order)),
        })
    }

    /// Returns the order in which apt would unpack and configure the other packages if dpkg's status were `installed`.
    fn order(
        &self,
        installed: &str,
        resolution: &Resolution,
        files: &ManagerFiles,
        context: &Context,
    ) -> Result<Order> {
        let host = &context.host;
        let ask = || self.ask_for_order(installed, &self.requested(resolution), files, host);
        self.ordered_once(installed, files, context, ask)
    }

    fn ask_for_order(
        &self,
        installed: &str,
        requested: &[String],
        files: &ManagerFiles,
        host: &Host,
    ) -> Result<Order> {
        files.write(ORDER_STATUS, installed, host)?;
        let command = self
            .apt_get(files, host)
            .arg("--option")
            .arg(format!("Dir::State::status={VIEW}/{ORDER_STATUS}"))
            .args(["--yes", "--quiet=2", "--simulate", "install"])
            .args(requested);
        Ok(order(&command.output().map_err(|error| self.resolve_error(error, files, host))?))
    }

    /// Marks packages that were installed as dependencies: apt may remove them when no package needs them.
    pub(super) fn mark_automatic<'n>(
        &self,
        installed: impl Iterator<Item = &'n str>,
        tree: &RootTree,
    ) -> Result<()> {
        let named = self.named();
        let mut text = String::new();
        for name in installed.filter(|name| named.iter().all(|named| named != name)) {
            text +=
                &format!("Package: {name}\nArchitecture: {}\nAuto-Installed: 1\n\n", self.plan.architecture);
        }
        tree.write(EXTENDED_STATES, text, 0o644)
    }
}

/// One installation in progress.
struct Work<'a> {
    apt: &'a Apt<'a>,
    layers: &'a mut dyn Layers,
    tree: &'a RootTree,
    host: &'a Host,
    repacker: &'a Repacker<'a>,
    unpacker: Unpacker<'a>,
    database: Database<'a>,
    /// Names of the packages that dpkg has configured.
    configured: HashSet<String>,
}

impl<'a> Work<'a> {
    fn new(
        apt: &'a Apt<'a>,
        layers: &'a mut dyn Layers,
        repacker: &'a Repacker<'a>,
        tree: &'a RootTree,
        host: &'a Host,
    ) -> Self {
        let (unpacker, database) = (Unpacker::new(tree), Database::new(tree));
        Self { apt, layers, tree, host, repacker, unpacker, database, configured: HashSet::new() }
    }

    /// Restores one layer with its packages from the cache, or installs them with `make` and saves the layer.
    fn layer(
        &mut self,
        layer: &Layer,
        packages: Vec<Deb>,
        make: impl FnOnce(&mut Self, &Layer, &[Index]) -> Result<()>,
    ) -> Result<()> {
        let added = self.unpacker.add(packages);
        if let Some(note) = self.layers.restore(layer)? {
            self.unpacker.resume(&note)?;
            self.database.learn(&added, &self.unpacker);
        } else {
            make(self, layer, &added)?;
            // A path that is not UTF-8 cannot be part of the note.
            if let Ok(note) = self.unpacker.note() {
                self.layers.save(layer, &note)?;
            }
        }
        let names = self.names(&added);
        self.configured.extend(names);
        Ok(())
    }

    /// Installs the packages with which scripts and dpkg can run, and replaces programs for the installation of the
    /// others.
    fn bootstrap(&mut self, _: &Layer, batch: &[Index]) -> Result<()> {
        let stage = self.host.stage(
            StageTask::UnpackPackages,
            format!("Unpacking {}", printable::count(batch.len(), "bootstrap package")),
        );
        self.apt.merge_directories(self.tree)?;
        self.unpack_files(batch, &Rules::default(), &Counted::new(batch.len(), &stage))?;
        self.apt.hold_back_services(self.tree)?;
        self.database.create()?;
        self.run_preinst(batch)?;
        self.database.record(&mut self.unpacker, batch)?;
        stage.finish();
        let stage = self.host.stage(
            StageTask::ConfigurePackages,
            format!("Configuring {}", printable::count(batch.len(), "bootstrap package")),
        );
        let configured = Configured::new(batch.len(), &stage);
        self.dpkg()
            .args(["--force-depends", "--configure"])
            .args(self.names(batch))
            .run_watched(|line| configured.read(line))
            .context("configuring the bootstrap packages")?;
        self.apt.hold_back(self.tree, self.host)?;
        stage.finish();
        Ok(())
    }

    /// Installs the packages that have scripts, and their dependencies.
    fn scripts(&mut self, layer: &Layer, packages: &[Index]) -> Result<()> {
        let stage = self.host.stage(
            StageTask::UnpackPackages,
            format!("Unpacking {} with scripts", printable::count(packages.len(), "package")),
        );
        self.unpack(packages, &layer.configured_early, &stage)?;
        stage.finish();
        let stage = self.host.stage(
            StageTask::ConfigurePackages,
            format!("Configuring {} with scripts", printable::count(packages.len(), "package")),
        );
        let configured = Configured::new(packages.len(), &stage);
        self.configure(&layer.configured_early, &configured)?;
        // dpkg orders the others. Triggers run at the end, because later packages activate none of them.
        self.dpkg()
            .args(["--force-depends", "--configure", "--pending"])
            .run_watched(|line| configured.read(line))
            .context("configuring the packages with scripts")?;
        stage.finish();
        Ok(())
    }

    /// Unpacks packages in the batches that scripts and pre-dependencies require; `early` is the order of those that
    /// must be configured in between.
    fn unpack(&mut self, packages: &[Index], early: &[String], stage: &RunningStage<'_>) -> Result<()> {
        let counted = Counted::new(packages.len(), stage);
        let configured = Configured::none();
        let first = self.unpacker.packages().len() - packages.len();
        for batch in dpkg::batches(self.unpacker.packages(), &(0..first).collect::<Vec<_>>()) {
            let mut before = self.names(&batch.configured_before);
            before.sort_by_key(|name| early.iter().position(|early| early == name).unwrap_or(usize::MAX));
            self.configure(&before, &configured)?;
            self.run_preinst(&batch.packages)?;
            self.unpack_files(&batch.packages, &Rules::read(self.tree)?, &counted)?;
            self.database.record(&mut self.unpacker, &batch.packages)?;
        }
        Ok(())
    }

    fn names(&self, packages: &[Index]) -> Vec<String> {
        self.unpacker.chosen(packages).map(|package| package.name().to_owned()).collect()
    }

    fn unpack_files(&mut self, batch: &[usize], rules: &Rules, counted: &Counted<'_>) -> Result<()> {
        let open = |package: &Deb| {
            counted.next(package.name());
            self.repacker.open(package)
        };
        self.unpacker.unpack(batch, rules, open, self.host)
    }

    fn run_preinst(&self, batch: &[usize]) -> Result<()> {
        let shell = self.apt.in_tree("/bin/sh", self.tree, self.host);
        let dpkg = self.unpacker.packages().iter().find(|package| package.name() == "dpkg");
        let version = dpkg.map_or("", |package| package.control.version());
        dpkg::run_preinst(self.unpacker.chosen(batch), version, self.tree, shell)
    }

    /// Configures those packages that dpkg has not configured yet.
    fn configure(&mut self, names: &[String], configured: &Configured<'_>) -> Result<()> {
        let names: Vec<&String> =
            names.iter().filter(|name| self.configured.insert((*name).clone())).collect();
        if names.is_empty() {
            return Ok(());
        }
        self.dpkg()
            .args(["--force-depends", "--no-triggers", "--configure"])
            .args(names)
            .run_watched(|line| configured.read(line))
            .context("configuring the packages")
    }

    /// Runs pending triggers once, at the end, and configures any remaining packages.
    fn finish(&self, configured: &Configured<'_>) -> Result<()> {
        let command = self.dpkg().args(["--configure", "--pending"]);
        command.run_watched(|line| configured.read(line)).context("running the triggers of the packages")
    }

    /// Returns a command for dpkg that keeps files of scripts at the paths of conffiles.
    fn dpkg(&self) -> Command<'_> {
        self.apt.dpkg(self.tree, self.host).args(["--force-confdef", "--force-confold"])
    }
}

/// Opens the files of packages.
fn open(paths: &[PathBuf], packages: &[Package], host: &Host) -> Result<Vec<Deb>> {
    let files: Vec<(&PathBuf, &Package)> = paths.iter().zip(packages).collect();
    at_once(&files, host, |(path, package)| {
        Deb::open(path).with_context(|| format!("reading the package {package}"))
    })
}

/// Splits packages into those with scripts and their dependencies, and the others, in the same order; `ready` are
/// installed.
fn with_scripts(ready: &[Deb], packages: Vec<Deb>) -> (Vec<Deb>, Vec<Deb>) {
    let needed = dpkg::with_scripts(ready, &packages);
    let (scripted, others): (Vec<_>, Vec<_>) =
        packages.into_iter().enumerate().partition(|(index, _)| needed.contains(index));
    let packages = |numbered: Vec<(Index, Deb)>| numbered.into_iter().map(|(_, package)| package).collect();
    (packages(scripted), packages(others))
}

/// Returns all packages, those of the bootstrap layer first.
fn in_layers(resolution: &Resolution, bootstrap: &Layer) -> Vec<Package> {
    let others = resolution.packages.iter().filter(|package| !bootstrap.packages.contains(package));
    bootstrap.packages.iter().chain(others).cloned().collect()
}

/// Returns the layer of these packages; `paths` are the files of `all`.
fn scripts_layer(packages: &[Deb], paths: &[PathBuf], all: &[Package], order: &Order) -> Layer {
    let files: HashMap<&Path, &Package> = paths.iter().map(PathBuf::as_path).zip(all).collect();
    let names: HashSet<&str> = packages.iter().map(Deb::name).collect();
    let early = order.configure_early.iter().filter(|name| names.contains(name.as_str()));
    Layer {
        stage: Stage::Scripts,
        packages: packages.iter().map(|package| files[package.path()].clone()).collect(),
        configured_early: early.cloned().collect(),
    }
}

/// Returns dpkg's status file for these installed packages.
fn status(packages: &[Deb]) -> String {
    let paragraph = |package: &Deb| format!("{}\nStatus: install ok installed\n\n", package.control.text());
    packages.iter().map(paragraph).collect()
}

/// Sorts packages by `names`, which must contain each of them.
fn sorted(mut packages: Vec<Deb>, names: &[String]) -> Result<Vec<Deb>> {
    let positions: HashMap<&str, usize> =
        names.iter().enumerate().map(|(position, name)| (name.as_str(), position)).collect();
    let unexpected: Vec<&str> =
        packages.iter().map(Deb::name).filter(|name| !positions.contains_key(name)).collect();
    if !unexpected.is_empty() || positions.len() != packages.len() {
        fail!(
            Packages,
            "apt chose other packages when asked again: {} instead of {} (no longer chosen: {}); use \
             --package-path plain to let apt install them",
            positions.len(),
            packages.len(),
            unexpected.join(", ")
        );
    }
    packages.sort_by_key(|package| positions[package.name()]);
    Ok(packages)
}
