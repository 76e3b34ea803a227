//! Package managers behind one trait. Only they have the network.

mod apt;
mod deb;
mod dpkg;
mod locked;

use anyhow::{Result, bail};
use description::{PackageManager as Keyword, PackageName, PackageSet, Selection};
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::failure::{Failure, Kind};
use crate::host::Host;
use crate::repository::Resolved;
use crate::root_tree::RootTree;
use crate::stage::Stage;

/// What a package manager is to do, decided before anything is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackagePlan {
    /// By which package manager.
    pub manager: Keyword,
    /// Which way they get into a new tree.
    pub path: PackagePath,
    /// Debian's or RPM's name of the architecture.
    pub architecture: String,
    /// Where packages come from.
    pub repositories: Vec<Resolved>,
    /// Unpacked first, with what the distribution calls essential.
    pub bootstrap: PackageSet,
    /// Everything else.
    pub image: PackageSet,
    /// Taken out again at the end, whatever needs them.
    pub delete: Vec<PackageName>,
}

/// Which way packages get into a new tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub enum PackagePath {
    /// kiwi unpacks them side by side, the package manager configures them.
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

/// A package file, as a repository describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Archive {
    /// Where it is.
    pub uri: String,
    /// The name it is kept under during a build.
    pub file: String,
    /// SHA-256 of its bytes in lower-case hex.
    pub sha256: String,
}

/// What is to be installed into a new tree: one resolution for everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// Every package.
    pub archives: Vec<Archive>,
    /// Those of them that are there before all others.
    pub bootstrap: Vec<Archive>,
}

/// Packages that come into a new tree together, with everything that their scripts do there. A layer stands upon those
/// before it; what it is follows from the packages alone, never from what the cache has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// As what it is kept.
    pub stage: Stage,
    /// In the order of their installation.
    pub packages: Vec<Archive>,
    /// Names of those that are configured before the others, in this order.
    pub configured_early: Vec<String>,
}

/// What can be told of the layer upon the bootstrap packages before anything is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextLayer<T> {
    /// It will be this one.
    Known(T),
    /// There will be none.
    None,
    /// It shows once so many packages, which are not in the cache, were fetched and read.
    Unread(usize),
}

/// The layers of a tree as earlier builds had them. They are asked for one after the other, the lowest first; one that is
/// not there is made and kept before the next.
pub trait Layers {
    /// Brings the tree to where the layer is installed, but for the directories of `working_directories`, which stay as they are;
    /// what was noted of it then, or none where there is no such layer: then the tree stays as it is.
    fn restore(&mut self, layer: &Layer) -> Result<Option<String>>;
    /// Keeps what the layer made of the tree, with a note about it.
    fn save(&mut self, layer: &Layer, note: &str) -> Result<()>;
    /// All layers are there: what is installed from now on belongs to none.
    fn end(&mut self) -> Result<()>;
}

impl Resolution {
    /// The bootstrap packages.
    pub fn bootstrap_layer(&self) -> Layer {
        let packages = self.archives.iter().filter(|archive| self.bootstrap.contains(archive));
        Layer { stage: Stage::Bootstrap, packages: packages.cloned().collect(), configured_early: Vec::new() }
    }
}

/// What every package manager can do with a tree.
pub trait PackageManager {
    /// Reads the indices of all repositories and checks their signatures; the time stamp of the newest.
    fn refresh(&self, tree: &RootTree, context: &Context) -> Result<u64>;
    /// Decides which packages a new tree gets; nothing is fetched or installed. Comes after `refresh`.
    fn resolve(&self, tree: &RootTree, context: &Context) -> Result<Resolution>;
    /// Installs what `resolve` decided into the tree it was asked for.
    fn install(
        &self,
        resolution: &Resolution,
        layers: &mut dyn Layers,
        tree: &RootTree,
        context: &Context,
    ) -> Result<()>;
    /// The layer that `install` will ask for after the bootstrap packages; nothing is fetched or installed.
    fn next_layer(
        &self,
        resolution: &Resolution,
        tree: &RootTree,
        context: &Context,
    ) -> Result<NextLayer<Layer>>;
    /// Directories of the tree in which it works between `refresh` and `finish`: what they hold is none of the tree's.
    fn working_directories(&self) -> &'static [&'static str];
    /// Brings a tree up to date and adds the plan's image packages.
    fn upgrade(&self, tree: &RootTree, context: &Context) -> Result<()>;
    /// Takes out what the plan says to delete.
    fn delete(&self, tree: &RootTree, host: &Host) -> Result<()>;
    /// Lists what is installed, sorted by name.
    fn installed(&self, tree: &RootTree, host: &Host) -> Result<Vec<Installed>>;
    /// Removes what the package manager itself can fetch or make again: lists, caches, locks.
    fn clean_up(&self, tree: &RootTree, host: &Host) -> Result<()>;
    /// Writes the image's own configuration and removes every trace of the build's.
    fn finish(&self, tree: &RootTree, host: &Host) -> Result<()>;
}

fn not_built(manager: Keyword) -> Failure {
    let message = format!(
        "packages are installed with {} here, which this version of kiwi does not build with yet; \
         <packagemanager>apt</packagemanager> it can",
        manager.keyword()
    );
    Failure::new(Kind::NotBuilt, message)
}

/// Refuses, before anything is built, a package manager that this version does not build with.
pub fn check(manager: Keyword) -> Result<(), Failure> {
    match manager {
        Keyword::Apt => Ok(()),
        Keyword::Smart | Keyword::Zypper | Keyword::Dnf => Err(not_built(manager)),
    }
}

impl PackagePlan {
    /// Decides what is to be done for a selection.
    pub fn new(selection: &Selection, repositories: Vec<Resolved>, path: PackagePath) -> Result<Self> {
        let manager = selection.package_manager;
        let architecture = match manager {
            Keyword::Apt => selection.architecture.debian().to_owned(),
            Keyword::Smart | Keyword::Zypper | Keyword::Dnf => return Err(not_built(manager).into()),
        };
        for set in [&selection.bootstrap, &selection.image] {
            if let Some(pattern) = set.patterns.first() {
                bail!(
                    "apt knows no patterns, but the description names the pattern {pattern}; name its packages"
                );
            }
        }
        Ok(Self {
            manager,
            path,
            architecture,
            repositories,
            bootstrap: selection.bootstrap.clone(),
            image: selection.image.clone(),
            delete: selection.delete.clone(),
        })
    }

    /// The package manager that carries it out.
    pub fn manager(&self) -> Box<dyn PackageManager + '_> {
        match self.manager {
            Keyword::Apt | Keyword::Smart | Keyword::Zypper | Keyword::Dnf => Box::new(apt::Apt::new(self)),
        }
    }
}
