//! Package managers behind one trait. Only they have access to the network.
//!
//! ```text
//! start -> refresh -> resolve -> install -> finish    a new tree
//! start -> refresh -> upgrade -> finish               a prepared tree
//! installed, remove                                  any time later
//! ```
//!
//! Only this module knows the formats of packages, databases and repository indices. What a package manager reads as
//! configuration is in [`ManagerFiles`], outside the tree.

mod apt;
mod deb;
mod dpkg;
mod files;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod locked;
mod manager;

use std::fmt;
use std::path::Path;

use anyhow::Result;
use description::{PackageName, PackageSet, Selection};
use serde::{Deserialize, Serialize};

pub use files::ManagerFiles;
pub(crate) use manager::Manager;

use crate::context::Context;
use crate::distribution::Distribution;
use crate::failure::{Failure, fail};
use crate::host::Host;
use crate::lock::LockedPackage;
use crate::repository::Resolved;
use crate::root_tree::RootTree;
use crate::stage::Stage;

/// The tasks of a package manager, decided before anything is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackagePlan {
    /// The package manager that carries it out.
    pub(crate) manager: Manager,
    /// The family of the packages.
    pub(crate) distribution: Distribution,
    /// How packages are installed in a new tree.
    pub path: PackagePath,
    /// The distribution's name of the architecture.
    pub architecture: String,
    /// The repositories that provide packages.
    pub repositories: Vec<Resolved>,
    /// Packages that are installed first, together with the essential packages of the distribution.
    pub bootstrap: PackageSet,
    /// All other packages.
    pub image: PackageSet,
    /// Packages that are removed at the end, even if others need them.
    pub delete: Vec<PackageName>,
}

/// How packages are installed in a new tree.
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
    /// Licences in the package's metadata; `unknown` if they are missing.
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

/// The packages that will be installed in a new tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// Every package.
    pub packages: Vec<Package>,
    /// Those of them that are installed before all others.
    pub bootstrap: Vec<Package>,
}

/// Packages that are installed together in a new tree, with the effects of their scripts. A layer is based on the
/// earlier ones; its contents depend on the packages alone, never on the state of the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// The stage of the cache under which it is saved.
    pub stage: Stage,
    /// The packages in the order of their installation.
    pub packages: Vec<Package>,
    /// Names of those that are configured before the others, in this order.
    pub configured_early: Vec<String>,
}

/// The layer above the bootstrap packages, as far as it is known before the installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextLayer<T> {
    /// The layer.
    Known(T),
    /// There is no such layer.
    None,
    /// Unknown until this number of packages, which are not in the cache, are downloaded and read.
    Unread(usize),
}

/// The layers of a tree that earlier builds saved. A package manager asks for one after the other, the lowest first,
/// and creates and saves a missing one before it asks for the next. One that installs everything at once never asks.
pub trait Layers {
    /// Changes the tree to the state with this layer. Returns the note that was saved with it; `None` if there is no such
    /// layer, with the tree unchanged.
    fn restore(&mut self, layer: &Layer) -> Result<Option<String>>;
    /// Saves the tree with this layer, and a note.
    fn save(&mut self, layer: &Layer, note: &str) -> Result<()>;
    /// Marks the end of the layers: packages that are installed later belong to none.
    fn end(&mut self) -> Result<()>;
}

impl Resolution {
    /// Returns the layer of the bootstrap packages.
    pub fn bootstrap_layer(&self) -> Layer {
        let packages = self.packages.iter().filter(|package| self.bootstrap.contains(package));
        Layer { stage: Stage::Bootstrap, packages: packages.cloned().collect(), configured_early: Vec::new() }
    }
}

/// The repositories in the configuration of the image after the work on its tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageRepositories {
    /// Those of the plan.
    Write,
    /// Those that were configured before, if any: repositories of one run are never stored.
    Keep,
}

/// The operations of a package manager on a tree.
pub trait PackageManager {
    /// Creates the files that a tree must have before the first package is installed.
    fn start(&self, tree: &RootTree) -> Result<()>;
    /// Reads the indices of all repositories and checks their signatures. Returns the time of the newest one in seconds
    /// since 1970.
    fn refresh(&self, files: &ManagerFiles, context: &Context) -> Result<u64>;
    /// Selects the packages of a new tree, after `refresh`; downloads and installs nothing.
    fn resolve(&self, files: &ManagerFiles, context: &Context) -> Result<Resolution>;
    /// Installs the packages that `resolve` selected with the same files.
    fn install(
        &self,
        resolution: &Resolution,
        layers: &mut dyn Layers,
        tree: &RootTree,
        files: &ManagerFiles,
        context: &Context,
    ) -> Result<()>;
    /// Returns the layer that `install` will ask for after the bootstrap packages; downloads and installs nothing.
    fn next_layer(
        &self,
        resolution: &Resolution,
        files: &ManagerFiles,
        context: &Context,
    ) -> Result<NextLayer<Layer>>;
    /// Upgrades the packages of a tree and adds the image packages of the plan.
    fn upgrade(&self, tree: &RootTree, files: &ManagerFiles, context: &Context) -> Result<()>;
    /// Removes the packages that the plan deletes.
    fn remove(&self, tree: &RootTree, host: &Host) -> Result<()>;
    /// Returns the installed packages, sorted by name.
    fn installed(&self, tree: &RootTree, host: &Host) -> Result<Vec<Installed>>;
    /// Removes all temporary files of the work and lists the repositories of the image.
    fn finish(&self, repositories: ImageRepositories, tree: &RootTree) -> Result<()>;
    /// Returns the file name of a package.
    fn file_name(&self, package: &Package) -> String;
    /// Collects exactly the packages of a lock file in `directory`, which must not exist. Returns it as a repository.
    fn collect_locked(
        &self,
        packages: &[LockedPackage],
        directory: &Path,
        context: &Context,
    ) -> Result<Resolved>;
}

/// Rejects, before anything is built, a package manager that this version of kiwi does not support.
pub fn check(manager: description::PackageManager) -> Result<(), Failure> {
    Manager::try_from(manager).map(drop)
}

impl PackagePlan {
    /// Decides the tasks for a selection.
    pub fn new(selection: &Selection, repositories: Vec<Resolved>, path: PackagePath) -> Result<Self> {
        let manager = Manager::try_from(selection.package_manager)?;
        let patterns = [&selection.bootstrap, &selection.image].map(|set| set.patterns.first());
        if let Some(pattern) = patterns.into_iter().flatten().next().filter(|_| !manager.has_patterns()) {
            fail!(
                InvalidDescription,
                "{} does not support patterns, but the description names the pattern {pattern}; name its packages",
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

    /// Returns the package manager that carries out the plan.
    pub fn manager(&self) -> Box<dyn PackageManager + '_> {
        self.manager.open(self)
    }
}
