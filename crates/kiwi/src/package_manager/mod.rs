//! Package managers behind one trait. Only they have access to the network.
//!
//! ```text
//! refresh -> resolve -> install -> finish            a new tree
//! refresh -> upgrade -> finish                       a prepared tree
//! installed, remove                                  any time later
//! ```
//!
//! The formats of packages, databases and repository indices are known below this module only.

mod apt;
mod deb;
mod dpkg;
mod locked;
mod manager;

use std::fmt;
use std::path::Path;

use anyhow::{Result, bail};
use description::{PackageName, PackageSet, Selection};
use serde::{Deserialize, Serialize};

pub(crate) use manager::Manager;

use crate::context::Context;
use crate::distribution::Distribution;
use crate::failure::Failure;
use crate::host::Host;
use crate::lock::LockedPackage;
use crate::repository::Resolved;
use crate::root_tree::RootTree;
use crate::stage::Stage;

/// What a package manager has to do, decided before anything is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackagePlan {
    /// Which package manager carries it out.
    pub(crate) manager: Manager,
    /// The family of the packages.
    pub(crate) distribution: Distribution,
    /// How packages get into a new tree.
    pub path: PackagePath,
    /// The distribution's name of the architecture.
    pub architecture: String,
    /// Where packages come from.
    pub repositories: Vec<Resolved>,
    /// Installed first, with the packages that the distribution calls essential.
    pub bootstrap: PackageSet,
    /// All others.
    pub image: PackageSet,
    /// Removed again at the end, whatever needs them.
    pub delete: Vec<PackageName>,
}

/// How packages get into a new tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub enum PackagePath {
    /// kiwi unpacks them in parallel, the package manager configures them.
    #[default]
    Native,
    /// The package manager does everything.
    Plain,
}

/// An installed package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Installed {
    /// Its name.
    pub name: String,
    /// Its version, as the package manager writes it.
    pub version: String,
    /// Its architecture.
    pub architecture: String,
    /// Licences as the package declares them; `unknown` when it does not.
    pub licences: String,
}

/// A package of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version, as the package manager writes it.
    pub version: String,
    /// Its architecture, as the distribution names it.
    pub architecture: String,
    /// SHA-256 of its file in lower-case hex.
    pub checksum: String,
    /// URL or absolute path of its file.
    pub location: String,
}

impl fmt::Display for Package {
    /// `NAME_VERSION_ARCHITECTURE`, which is unique within a resolution.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}_{}", self.name, self.version, self.architecture)
    }
}

/// What will be installed into a new tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// Every package.
    pub packages: Vec<Package>,
    /// Those of them that are installed before all others.
    pub bootstrap: Vec<Package>,
}

/// Packages that are installed into a new tree together, with the effects of their scripts. A layer is based on those before it;
/// its contents depend on the packages alone, never on what the cache has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// The stage of the cache under which it is saved.
    pub stage: Stage,
    /// In the order of their installation.
    pub packages: Vec<Package>,
    /// Names of those that are configured before the others, in this order.
    pub configured_early: Vec<String>,
}

/// What is known about the layer above the bootstrap packages before anything is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextLayer<T> {
    /// It will be this one.
    Known(T),
    /// There will be none.
    None,
    /// Unknown until this number of packages, which are not in the cache, are downloaded and read.
    Unread(usize),
}

/// The layers of a tree that earlier builds saved. A package manager asks for them one after the other, the lowest first, and
/// creates and saves a missing one before it asks for the next. One that installs everything in one go never asks.
pub trait Layers {
    /// Changes the tree to the state with this layer, except for `working_directories`. Returns the note that was saved with it, or
    /// none if there is no such layer; then the tree is unchanged.
    fn restore(&mut self, layer: &Layer) -> Result<Option<String>>;
    /// Saves the tree with this layer, and a note.
    fn save(&mut self, layer: &Layer, note: &str) -> Result<()>;
    /// Marks the end of the layers: what is installed from now on belongs to none.
    fn end(&mut self) -> Result<()>;
}

impl Resolution {
    /// Returns the layer of the bootstrap packages.
    pub fn bootstrap_layer(&self) -> Layer {
        let packages = self.packages.iter().filter(|package| self.bootstrap.contains(package));
        Layer { stage: Stage::Bootstrap, packages: packages.cloned().collect(), configured_early: Vec::new() }
    }
}

/// What the image knows about repositories after the work on its tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageRepositories {
    /// Those of the plan.
    Write,
    /// What it knew before, if it knew any: repositories of one run are never stored.
    Keep,
}

/// What a package manager does with a tree.
pub trait PackageManager {
    /// Reads the indices of all repositories and checks their signatures. Returns the time of the newest one.
    fn refresh(&self, tree: &RootTree, context: &Context) -> Result<u64>;
    /// Decides which packages a new tree gets, after `refresh`; nothing is downloaded or installed.
    fn resolve(&self, tree: &RootTree, context: &Context) -> Result<Resolution>;
    /// Installs what `resolve` decided into the same tree.
    fn install(
        &self,
        resolution: &Resolution,
        layers: &mut dyn Layers,
        tree: &RootTree,
        context: &Context,
    ) -> Result<()>;
    /// Returns the layer that `install` will ask for after the bootstrap packages; nothing is downloaded or installed.
    fn next_layer(
        &self,
        resolution: &Resolution,
        tree: &RootTree,
        context: &Context,
    ) -> Result<NextLayer<Layer>>;
    /// Returns the directories of the tree in which it works between `refresh` and `finish`; their contents are not part of the tree.
    fn working_directories(&self) -> &'static [&'static str];
    /// Brings the packages of a tree up to date and adds the image packages of the plan.
    fn upgrade(&self, tree: &RootTree, context: &Context) -> Result<()>;
    /// Removes the packages that the plan deletes.
    fn remove(&self, tree: &RootTree, host: &Host) -> Result<()>;
    /// Returns what is installed, sorted by name.
    fn installed(&self, tree: &RootTree, host: &Host) -> Result<Vec<Installed>>;
    /// Removes every trace of the work and lists the repositories of the image.
    fn finish(&self, repositories: ImageRepositories, tree: &RootTree) -> Result<()>;
    /// Returns the name of a package's file.
    fn file_name(&self, package: &Package) -> String;
    /// Collects exactly the packages of a lock in `directory`, which does not exist. Returns it as a repository.
    fn collect_locked(
        &self,
        packages: &[LockedPackage],
        directory: &Path,
        context: &Context,
    ) -> Result<Resolved>;
}

/// Refuses, before anything is built, a package manager that this version of kiwi does not build with.
pub fn check(manager: description::PackageManager) -> Result<(), Failure> {
    Manager::try_from(manager).map(drop)
}

impl PackagePlan {
    /// Decides what has to be done for a selection.
    pub fn new(selection: &Selection, repositories: Vec<Resolved>, path: PackagePath) -> Result<Self> {
        let manager = Manager::try_from(selection.package_manager)?;
        let patterns = [&selection.bootstrap, &selection.image].map(|set| set.patterns.first());
        if let Some(pattern) = patterns.into_iter().flatten().next().filter(|_| !manager.has_patterns()) {
            bail!(
                "{} knows no patterns, but the description names the pattern {pattern}; name its packages",
                selection.package_manager.keyword()
            );
        }
        let distribution = manager.distribution();
        Ok(Self {
            manager,
            distribution,
            path,
            architecture: (distribution.facts().architecture)(&selection.architecture).to_owned(),
            repositories,
            bootstrap: selection.bootstrap.clone(),
            image: selection.image.clone(),
            delete: selection.delete.clone(),
        })
    }

    /// Returns whether packages are installed in layers, which the cache saves one by one.
    pub fn has_layers(&self) -> bool {
        self.manager.has_layers(self.path)
    }

    /// Returns the package manager that carries it out.
    pub fn manager(&self) -> Box<dyn PackageManager + '_> {
        self.manager.open(self)
    }
}
