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

mod answers;
mod apt;
mod deb;
mod dpkg;
mod fetch;
mod files;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod image_repositories;
mod inventory;
mod inventory_item;
mod locked;
mod manager;
mod owner;
pub mod reports;
pub mod rpm;

use std::fmt;
use std::path::Path;

use anyhow::Result;
use description::{PackageName, PackageSet, Positions, Repository, Selection, Settings, SourceType};
use serde::{Deserialize, Serialize};

pub use files::ManagerFiles;
pub use inventory::{DATABASES, has_database, inventory};
pub use inventory_item::{InventoryItem, PackageForm};
pub(crate) use manager::Manager;
pub use owner::{Owner, owners};

use crate::context::Context;
use crate::distribution::Distribution;
use crate::failure::{Failure, Kind};
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
    /// Packages that are removed at the end, with those that need them and those that nothing needs any more.
    pub uninstall: Vec<PackageName>,
    /// Packages that are removed at the end, even if others need them.
    pub delete: Vec<PackageName>,
    /// The positions of names of packages in the description, for messages.
    pub positions: Positions,
    /// How rpm installs packages; `None` if it does not install them.
    pub(crate) rpm: Option<RpmSettings>,
}

/// Settings of a description for packages that rpm installs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub(crate) struct RpmSettings {
    /// Whether signatures are checked, unless a repository has a setting of its own.
    pub(crate) check_signatures: bool,
    /// Whether documentation is left out.
    pub(crate) exclude_documentation: bool,
    /// Whether packages replace files of others.
    pub(crate) force: bool,
    /// The languages whose files are installed; all if empty.
    pub(crate) languages: Vec<String>,
    /// The release of the distribution, for variables in repositories.
    pub(crate) release: Option<String>,
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
    /// Bytes of its file, if the repository lists them: for the progress only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
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
    /// Packages that the bootstrap packages alone would need, and that the image packages replace: they are not installed.
    #[serde(default)]
    pub replaced: Vec<Package>,
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
    /// Empties the tree, as if no layer had been restored or saved: the next one is the first.
    fn start_again(&mut self) -> Result<()>;
    /// Marks the end of the layers: packages that are installed later belong to none. One that never asks for layers calls it
    /// when the bootstrap packages are installed.
    fn end(&mut self) -> Result<()>;
}

impl Resolution {
    /// Returns the layer of the bootstrap packages.
    pub fn bootstrap_layer(&self) -> Layer {
        let packages = self.packages.iter().filter(|package| self.bootstrap.contains(package));
        Layer { stage: Stage::Bootstrap, packages: packages.cloned().collect(), configured_early: Vec::new() }
    }
}

/// The packages to install, the new tree that gets them, and what the work needs.
#[derive(Clone, Copy)]
pub struct NewTree<'t> {
    /// The packages.
    pub resolution: &'t Resolution,
    /// The tree.
    pub tree: &'t RootTree,
    /// The files with which the packages were selected.
    pub files: &'t ManagerFiles,
    /// Host and cache.
    pub context: &'t Context,
}

/// The packages of a lock file, and where they are collected.
#[derive(Clone, Copy)]
pub struct LockedPackages<'l> {
    /// The packages.
    pub packages: &'l [LockedPackage],
    /// The directory of the packages, which must not exist.
    pub directory: &'l Path,
    /// Host and cache.
    pub context: &'l Context,
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
    fn install(&self, new: NewTree<'_>, layers: &mut dyn Layers) -> Result<()>;
    /// Returns the layer that `install` will ask for after the bootstrap packages; downloads and installs nothing.
    fn next_layer(
        &self,
        resolution: &Resolution,
        files: &ManagerFiles,
        context: &Context,
    ) -> Result<NextLayer<Layer>>;
    /// Returns the bytes that the packages of a resolution occupy in a tree, as their maintainers estimate.
    fn installed_size(&self, resolution: &Resolution, files: &ManagerFiles, context: &Context)
    -> Result<u64>;
    /// Upgrades the packages of a tree and adds the image packages of the plan, without those that the plan removes.
    fn upgrade(&self, tree: &RootTree, files: &ManagerFiles, context: &Context) -> Result<()>;
    /// Removes the packages that the plan uninstalls, then those that it deletes.
    fn remove(&self, tree: &RootTree, host: &Host) -> Result<()>;
    /// Returns the installed packages, sorted by name.
    fn installed(&self, tree: &RootTree, host: &Host) -> Result<Vec<Installed>>;
    /// Removes all temporary files of the work and lists the repositories of the image.
    fn finish(&self, repositories: ImageRepositories, tree: &RootTree, host: &Host) -> Result<()>;
    /// Removes the documentation of packages, and configures the package manager of the tree to install none.
    fn exclude_documentation(&self, tree: &RootTree) -> Result<()>;
    /// Returns the file name of a package.
    fn file_name(&self, package: &Package) -> String;
    /// Collects exactly the packages of a lock file. Returns their directory as a repository.
    fn collect_locked(&self, locked: LockedPackages<'_>) -> Result<Resolved>;
}

/// Returns what to tell the user if another program than the description's package manager does the work.
pub fn substitution(selection: &Selection) -> Option<String> {
    Manager::of(selection).substitution(selection.package_manager)
}

/// Fails if the selection has patterns or products and its package manager has none.
pub fn check_patterns(selection: &Selection) -> Result<(), Failure> {
    let manager = Manager::of(selection);
    let sets = [&selection.bootstrap, &selection.image];
    let pattern = sets.iter().find_map(|set| set.patterns.first()).map(|name| ("pattern", name.to_string()));
    let product = || sets.iter().find_map(|set| set.products.first());
    let named = pattern.or_else(|| product().map(|name| ("product", name.to_string())));
    match named.filter(|_| !manager.has_patterns()) {
        Some((kind, name)) => {
            let message =
                format!("{} has no {kind}s, but the description names the {kind} {name}", manager.program());
            Err(Failure::new(Kind::NotBuilt, message).remedy("Name its packages instead."))
        }
        None => Ok(()),
    }
}

/// Fails if the package manager of the selection does not read a repository of this type, or not in this form.
pub fn check_repository(selection: &Selection, repository: &Repository) -> Result<(), Failure> {
    let manager = Manager::of(selection);
    if manager == Manager::Apt && repository.source_type != SourceType::BaseUrl {
        let keyword = repository.source_type.keyword();
        let message = format!("apt reads no list of mirrors (sourcetype=\"{keyword}\")");
        return Err(Failure::new(Kind::NotBuilt, message).remedy("Specify one of the mirrors itself."));
    }
    if manager == Manager::Apt && repository.customize.is_some() {
        let failure = Failure::new(Kind::NotBuilt, "kiwi customizes no repository of apt");
        return Err(failure.remedy("Remove the attribute customize."));
    }
    let Some(kind) = repository.kind.filter(|kind| !manager.reads(*kind)) else { return Ok(()) };
    let remedy = manager.repository_remedy();
    let manager = manager.program();
    let message = format!("{manager} does not read repositories of type {}", kind.keyword());
    Err(Failure::new(Kind::NotBuilt, message).remedy(remedy))
}

impl RpmSettings {
    fn new(settings: &Settings) -> Self {
        Self {
            check_signatures: settings.check_signatures.unwrap_or(true),
            exclude_documentation: settings.exclude_docs,
            force: settings.force,
            languages: if settings.filter_locales { languages(settings) } else { Vec::new() },
            release: settings.release_version.clone(),
        }
    }
}

/// Returns the languages of the locales, as packages mark their files: `de_DE.UTF-8` means `de_DE` and `de`; without a locale
/// only files without a language remain.
fn languages(settings: &Settings) -> Vec<String> {
    let mut languages = Vec::new();
    for locale in settings.locale.iter().flat_map(|list| list.split(',')) {
        let name = locale.trim().split(['.', '@']).next().unwrap_or_default();
        let short = name.split('_').next().unwrap_or_default();
        languages.extend([name, short].map(str::to_owned));
    }
    languages.push("C".to_owned());
    languages.dedup();
    languages
}

/// Fails if the selection has settings that its package manager cannot carry out.
pub fn check_settings(selection: &Selection) -> Result<(), Failure> {
    let manager = Manager::of(selection);
    if selection.settings.filter_locales && !manager.filters_locales() {
        let message =
            format!("{} does not filter the languages of packages", selection.package_manager.keyword());
        return Err(Failure::new(Kind::NotBuilt, message)
            .remedy("Remove <rpm-locale-filtering>, or the files of languages in config.sh."));
    }
    Ok(())
}

impl PackagePlan {
    /// Decides the tasks for a selection.
    pub fn new(selection: &Selection, repositories: Vec<Resolved>, path: PackagePath) -> Result<Self> {
        let manager = Manager::of(selection);
        check_patterns(selection)?;
        check_settings(selection)?;
        // Those of a boot image are not in its description.
        for repository in &selection.repositories {
            check_repository(selection, repository)?;
        }
        let distribution = manager.distribution(selection);
        Ok(Self {
            manager,
            distribution,
            path,
            architecture: (distribution.facts().architecture)(&selection.architecture).to_owned(),
            repositories,
            bootstrap: selection.bootstrap.clone(),
            image: selection.image.clone(),
            uninstall: selection.uninstall.clone(),
            delete: selection.delete.clone(),
            positions: selection.positions.clone(),
            rpm: (manager.form() == PackageForm::Rpm).then(|| RpmSettings::new(&selection.settings)),
        })
    }

    /// Returns the numbers of the ways in which rpm installs packages in layers and removes them; `None` if it does not install
    /// them.
    pub fn rpm_transactions(&self) -> Option<[u32; 3]> {
        self.rpm.as_ref().map(|_| rpm::TRANSACTIONS)
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
