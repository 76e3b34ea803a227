//! The native package path: kiwi unpacks, dpkg configures.
//!
//! ```text
//! one resolution -> packages in the store -> essential ones unpacked, their preinst scripts, dpkg --configure, or all of
//!   that as an earlier build had it; beside it apt-get --simulate: the order of the others
//!   -> waves: preinst scripts, unpacked side by side -> one dpkg --configure in apt's order, triggers at its end
//! ```
//!
//! apt decides which packages and in which order, dpkg's own code brings them to life: what is done here is only what
//! costs most, and what needs no decision.

use std::collections::{HashMap, HashSet};

use anyhow::{Context, Result, bail};

use super::fetch::{Repacker, at_once};
use super::output::{Order, order, resolve_error};
use super::{Apt, WORK};
use crate::host::{Command, Host};
use crate::package_manager::deb::Deb;
use crate::package_manager::dpkg::{self, Database, Rules, Unpacker};
use crate::package_manager::{Foundation, Resolution};
use crate::root_tree::RootTree;
use crate::store::Store;

/// What apt writes about packages that nobody asked for by name.
const EXTENDED_STATES: &str = "var/lib/apt/extended_states";

impl Apt<'_> {
    /// Installs everything into a new tree.
    pub(super) fn install_natively(
        &self,
        resolution: &Resolution,
        foundation: &mut dyn Foundation,
        tree: &RootTree,
        store: &Store,
        host: &Host,
    ) -> Result<()> {
        let (bootstrap, others): (Vec<_>, Vec<_>) =
            resolution.archives.iter().cloned().partition(|archive| resolution.bootstrap.contains(archive));
        let archives = [bootstrap.as_slice(), &others].concat();
        let (paths, repacker) = self.fetch_to_read(&archives, tree, store, host)?;
        let mut first = at_once(&paths, host, |path| Deb::open(path))?;
        let rest = first.split_off(bootstrap.len());
        let words = &self.wanted()[1..];
        let installed = status(&first);
        let (order, work) = std::thread::scope(|scope| {
            let order = scope.spawn(|| {
                self.ordered_once(&installed, tree, store, host, || self.order(words, &installed, tree, host))
            });
            let work = Work::begin(self, first, foundation, &repacker, tree, host);
            let ended = |_| bail!("the thread that asks apt for the order ended unexpectedly");
            (order.join().unwrap_or_else(ended), work)
        });
        let ((mut work, mut database), order) = (work?, order?);
        let stage = host.stage(format!("Unpacking {} packages", rest.len()));
        work.unpack(sorted(rest, &order.unpack)?, &order, &mut database)?;
        stage.finish();
        let stage = host.stage(format!("Configuring {} packages", paths.len()));
        work.configure(&order.configure_early)?;
        work.finish()?;
        drop(work);
        repacker.keep()?;
        self.mark_automatic(&order, words, tree)?;
        self.release(tree, host)?;
        stage.finish();
        Ok(())
    }

    /// In which order apt would unpack and configure what is not installed yet, when dpkg's status is `installed`.
    fn order(&self, words: &[String], installed: &str, tree: &RootTree, host: &Host) -> Result<Order> {
        let status = format!("{WORK}/status");
        tree.write(&status, installed, 0o644)?;
        let command = self
            .apt_get(tree, host)
            .env("TMPDIR", tree.path().join(WORK))
            .arg("--option")
            .arg(format!("Dir::State::status={}", tree.path().join(status).display()))
            .args(["--yes", "--quiet=2", "--simulate", "install"])
            .args(words);
        Ok(order(&command.output().map_err(resolve_error)?))
    }

    /// Packages that came because others need them: apt may take them away again when nobody does.
    fn mark_automatic(&self, order: &Order, words: &[String], tree: &RootTree) -> Result<()> {
        let mut text = String::new();
        for name in order.unpack.iter().filter(|name| !words.contains(name)) {
            text +=
                &format!("Package: {name}\nArchitecture: {}\nAuto-Installed: 1\n\n", self.plan.architecture);
        }
        tree.write(EXTENDED_STATES, text, 0o644)
    }
}

/// One installation under way.
struct Work<'a> {
    apt: &'a Apt<'a>,
    tree: &'a RootTree,
    host: &'a Host,
    repacker: &'a Repacker<'a>,
    unpacker: Unpacker<'a>,
    /// Names of packages that dpkg configured.
    configured: HashSet<String>,
}

impl<'a> Work<'a> {
    /// The bootstrap packages, from an earlier build where there was one, and programs held back for all others.
    fn begin(
        apt: &'a Apt<'a>,
        packages: Vec<Deb>,
        foundation: &mut dyn Foundation,
        repacker: &'a Repacker<'a>,
        tree: &'a RootTree,
        host: &'a Host,
    ) -> Result<(Self, Database<'a>)> {
        let new = |unpacker| Work { apt, tree, host, repacker, unpacker, configured: HashSet::new() };
        if let Some(note) = foundation.take()? {
            let mut work = new(Unpacker::resume(tree, packages, &note)?);
            let database = Database::open(tree, &work.unpacker);
            work.configured.extend(work.unpacker.packages().iter().map(|package| package.name().to_owned()));
            return Ok((work, database));
        }
        let stage = host.stage(format!("Unpacking {} bootstrap packages", packages.len()));
        let mut work = new(Unpacker::new(tree));
        let database = work.bootstrap(packages)?;
        apt.hold_back(tree, host)?;
        stage.finish();
        if let Ok(note) = work.unpacker.note() {
            foundation.keep(&note)?;
        }
        Ok((work, database))
    }

    /// The packages that make a system in which scripts and dpkg run.
    fn bootstrap(&mut self, packages: Vec<Deb>) -> Result<Database<'a>> {
        self.apt.merge_folders(self.tree)?;
        let wave = self.unpacker.add(packages);
        self.unpack_files(&wave, &Rules::default())?;
        self.apt.hold_back_services(self.tree)?;
        let mut database = Database::create(self.tree)?;
        self.run_preinst(&wave)?;
        database.record(&mut self.unpacker, &wave)?;
        let names: Vec<String> =
            self.unpacker.chosen(&wave).map(|package| package.name().to_owned()).collect();
        self.dpkg()
            .args(["--force-depends", "--configure"])
            .args(&names)
            .run()
            .context("configuring the bootstrap packages")?;
        self.configured.extend(names);
        Ok(database)
    }

    /// Everything else, in waves that scripts and pre-dependencies ask for.
    fn unpack(&mut self, packages: Vec<Deb>, order: &Order, database: &mut Database<'_>) -> Result<()> {
        let configured: Vec<usize> = (0..self.unpacker.packages().len()).collect();
        self.unpacker.add(packages);
        for wave in dpkg::waves(self.unpacker.packages(), &configured) {
            let mut before: Vec<String> = self
                .unpacker
                .chosen(&wave.configured_before)
                .map(|package| package.name().to_owned())
                .collect();
            let apts = |name: &String| order.configure_early.iter().position(|early| early == name);
            before.sort_by_key(|name| apts(name).unwrap_or(usize::MAX));
            self.configure(&before)?;
            self.run_preinst(&wave.packages)?;
            self.unpack_files(&wave.packages, &Rules::read(self.tree)?)?;
            database.record(&mut self.unpacker, &wave.packages)?;
        }
        Ok(())
    }

    fn unpack_files(&mut self, wave: &[usize], rules: &Rules) -> Result<()> {
        self.unpacker.unpack(wave, rules, |package| self.repacker.open(package), self.host)
    }

    fn run_preinst(&self, wave: &[usize]) -> Result<()> {
        let shell = self.apt.in_tree("/bin/sh", self.tree, self.host);
        let dpkg = self.unpacker.packages().iter().find(|package| package.name() == "dpkg");
        let version = dpkg.map_or("", |package| package.control.version());
        dpkg::run_preinst(self.unpacker.chosen(wave), version, WORK, self.tree, shell)
    }

    /// dpkg configures those of the packages that it did not configure yet.
    fn configure(&mut self, names: &[String]) -> Result<()> {
        let names: Vec<&String> =
            names.iter().filter(|name| self.configured.insert((*name).clone())).collect();
        if names.is_empty() {
            return Ok(());
        }
        self.dpkg()
            .args(["--force-depends", "--no-triggers", "--configure"])
            .args(names)
            .run()
            .context("configuring the packages")
    }

    /// Triggers that were set off run once, at the end, as does whatever is not configured by then.
    fn finish(&self) -> Result<()> {
        self.dpkg().args(["--configure", "--pending"]).run().context("running the triggers of the packages")
    }

    /// dpkg that keeps what scripts wrote where a conffile goes.
    fn dpkg(&self) -> Command<'_> {
        self.apt.dpkg(self.tree, self.host).args(["--force-confdef", "--force-confold"])
    }
}

/// dpkg's status when these packages are installed.
fn status(packages: &[Deb]) -> String {
    let paragraph = |package: &Deb| format!("{}\nStatus: install ok installed\n\n", package.control.text());
    packages.iter().map(paragraph).collect()
}

/// Packages in the order of `names`, which names each of them.
fn sorted(mut packages: Vec<Deb>, names: &[String]) -> Result<Vec<Deb>> {
    let place: HashMap<&str, usize> =
        names.iter().enumerate().map(|(place, name)| (name.as_str(), place)).collect();
    let unexpected: Vec<&str> =
        packages.iter().map(Deb::name).filter(|name| !place.contains_key(name)).collect();
    if !unexpected.is_empty() || place.len() != packages.len() {
        bail!(
            "apt chose other packages when asked again: {} instead of {} (not any more: {}); --package-path plain leaves \
             the installation to it",
            place.len(),
            packages.len(),
            unexpected.join(", ")
        );
    }
    packages.sort_by_key(|package| place[package.name()]);
    Ok(packages)
}
