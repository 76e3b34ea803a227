//! The prepare extend: a selection becomes a root tree, in the chapter's order.
//!
//! ```text
//! install    skeleton -> repositories -> packages                stages "bootstrap", "scripts", "packages"
//! customise  overlay -> users -> config-yast.xml -> settings -> .profile, .kconfig
//!            -> config.sh -> package scripts -> deletions                                stage "tree"
//! finish     description copied to image/ -> clean, times clamped                        always done
//! ```
//!
//! `plan` reads the description, `decide` the repositories: then the keys of all stages are known, and `make` takes
//! from the cache what is there (`reuse`).

mod clean;
mod customise;
mod finish;
mod install;
mod overlay;
mod password_days;
mod profile_file;
mod scripts;
mod secrets;
mod settings;
mod stage_cache;
mod upgrade;
mod users;

use std::path::Path;

use anyhow::{Result, bail};
use description::Selection;

use crate::context::Context;
use crate::host::Host;
use crate::lock::LockedPackage;
use crate::package_manager::{Installed, PackagePlan, Resolution};
pub use crate::package_manager::{NextLayer, Package, PackagePath};
use crate::record::Record;
use crate::repository;
use crate::root_tree::RootTree;
use crate::source::Source;
use crate::stage::Inputs;

pub use profile_file::{text as profile_text, variables as profile_variables};
pub use scripts::ask_for_type as scripts_ask_for_type;
pub use stage_cache::Reuse;
pub use upgrade::upgrade;

/// Everything `prepare` does, decided as far as the description says.
#[derive(Debug, Clone)]
pub struct PreparePlan {
    image: String,
    packages: PackagePlan,
    customise: customise::Plan,
    finish: finish::Plan,
    /// The time of the build, when a lock says it.
    epoch: Option<u64>,
    /// Digests of the locked packages in the order of their first installation: directories get their times by it.
    order: Vec<String>,
}

/// What the repositories made of a plan, and with it the keys of its stages.
#[derive(Debug, Clone)]
pub struct Decided {
    resolution: Resolution,
    epoch: u64,
    /// Inputs of the stage `Bootstrap`, where there is one.
    pub bootstrap: Option<Inputs>,
    /// Inputs of the stage `Packages`.
    pub packages: Inputs,
    /// Inputs of the stage `Tree`.
    pub tree: Inputs,
}

impl Decided {
    /// Returns every package that will be installed.
    pub fn installed(&self) -> &[Package] {
        &self.resolution.packages
    }

    /// The time of the build.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }
}

/// What the user decides about the work, not about its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PrepareOptions {
    /// Whether scripts may use the network.
    pub network: bool,
    /// Which way packages get into the tree.
    pub package_path: PackagePath,
}

/// What `prepare` gave besides the tree.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// What was written to the tree for `create`.
    pub record: Record,
    /// What is installed.
    pub packages: Vec<Installed>,
}

/// Decides everything the description says; what it names and what is not there is found now.
pub fn plan(
    selection: &Selection,
    source: &Source,
    options: PrepareOptions,
    host: &Host,
) -> Result<PreparePlan> {
    let repositories =
        repository::resolve(&selection.repositories, source.directory(), &selection.architecture, host)?;
    let packages = PackagePlan::new(selection, repositories, options.package_path)?;
    if packages.bootstrap.is_empty() && packages.image.is_empty() {
        bail!("the description names no packages; it needs a <packages type=\"image\"> section");
    }
    Ok(PreparePlan {
        image: selection.name.to_string(),
        packages,
        customise: customise::plan(selection, source, options.network)?,
        finish: finish::plan(selection, source)?,
        epoch: None,
        order: Vec::new(),
    })
}

impl PreparePlan {
    /// Limits it to the packages of a lock, which are put into `directory`.
    pub fn lock_to(
        &mut self,
        packages: &[LockedPackage],
        epoch: u64,
        directory: &Path,
        context: &Context,
    ) -> Result<()> {
        self.epoch = Some(epoch);
        let mut ordered: Vec<&LockedPackage> = packages.iter().collect();
        ordered.sort_by_key(|package| package.order);
        self.order = ordered.iter().map(|package| package.sha256.clone()).collect();
        self.packages.lock_to(packages, directory, context)
    }

    /// Returns the entries of a lock for what was decided.
    pub fn locked(&self, decided: &Decided, image: &str) -> Vec<LockedPackage> {
        self.packages.locked(&decided.resolution, image)
    }

    /// Returns the name of a package's file.
    pub fn file_name(&self, package: &Package) -> String {
        self.packages.manager().file_name(package)
    }

    /// Adds what of the description gets into images without being part of the tree's stages.
    pub fn image_inputs(&self, decided: &Decided, inputs: &mut Inputs) -> Result<()> {
        self.finish.inputs(decided.epoch, inputs)
    }

    /// Whether scripts use the network, so that their result is of this moment.
    pub fn uses_network(&self) -> bool {
        self.customise.uses_network()
    }
}

/// Decides the rest, which the repositories say. `tree` is new; it is where the package manager works.
pub fn decide(plan: &PreparePlan, tree: &RootTree, context: &Context) -> Result<Decided> {
    let host = &context.host;
    let (mut resolution, newest) = install::decide(&plan.packages, tree, context)?;
    if plan.epoch.is_some() {
        let position = |package: &Package| plan.order.iter().position(|digest| *digest == package.checksum);
        resolution.packages.sort_by_key(position);
        resolution.bootstrap.sort_by_key(position);
    }
    let epoch = finish::epoch(plan.epoch.unwrap_or(newest), host)?;
    let bootstrap = install::bootstrap_inputs(&plan.packages, &resolution)?;
    let packages = install::inputs(&plan.packages, &resolution)?;
    let tree = plan.customise.inputs(&packages, epoch)?;
    Ok(Decided { resolution, epoch, bootstrap, packages, tree })
}

/// What goes into the layer between the bootstrap packages and all packages, as far as it can be told; to be asked before
/// `make`.
pub fn next_layer(
    plan: &PreparePlan,
    decided: &Decided,
    tree: &RootTree,
    context: &Context,
) -> Result<NextLayer<Inputs>> {
    let packages = &plan.packages;
    Ok(match packages.manager().next_layer(&decided.resolution, tree, context)? {
        NextLayer::Known(layer) => {
            NextLayer::Known(install::layer_inputs(packages, &layer, decided.bootstrap.as_ref())?)
        }
        NextLayer::None => NextLayer::None,
        NextLayer::Unread(count) => NextLayer::Unread(count),
    })
}

/// Makes the tree that `decide` was asked for.
pub fn make(
    plan: &PreparePlan,
    decided: &Decided,
    tree: &RootTree,
    reuse: Reuse,
    context: &Context,
) -> Result<Prepared> {
    let host = &context.host;
    let mut stages = stage_cache::TreeStages::begin(plan, decided, tree, reuse, context)?;
    let manager = plan.packages.manager();
    if !stages.restore_packages()? {
        install::create(&plan.packages, &decided.resolution, &mut stages, tree, context)?;
        stages.save_packages()?;
    }
    if !stages.restore_tree()? {
        customise::create(&plan.customise, manager.as_ref(), tree, host)?;
        stages.save_tree()?;
    }
    let brought = |path: &str| plan.customise.provides(path);
    let (record, packages) =
        finish::create(&plan.finish, &plan.packages, &brought, decided.epoch, tree, host)?;
    Ok(Prepared { record, packages })
}
