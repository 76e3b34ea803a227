//! The prepare half: builds a root tree from a selection, in the order of KIWI 1.x.
//!
//! ```text
//! install    skeleton -> repositories -> packages                stages "bootstrap", "scripts", "packages"
//! customise  overlay -> users -> config-yast.xml -> settings -> .profile, .kconfig
//!            -> config.sh -> package scripts -> deletions                                stage "tree"
//! finish     description copied to image/ -> clean, times clamped                        always executed
//! ```
//!
//! `plan` reads the description, `decide` reads the repositories; the keys of all stages are then known, and `make`
//! restores stages from the cache (`stage_cache`).

mod archive;
mod clean;
mod customise;
mod files;
mod finish;
mod homes;
mod install;
mod keyboard;
mod last_stage;
mod links;
mod overlay;
mod password_days;
mod placement;
mod post_bootstrap;
mod profile_file;
mod scripts;
mod secrets;
mod settings;
mod stage_cache;
mod stage_files;
mod step_recorder;
mod unchanged;
mod unused;
mod upgrade;
mod users;

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use description::Selection;

use crate::context::Context;
use crate::debugging::{Point, Step};
use crate::failure::fail;
use crate::host::{Host, Warning};
use crate::lock::LockedPackage;
use crate::package_manager::{Installed, ManagerFiles, NewTree, PackagePlan, Resolution};
pub use crate::package_manager::{NextLayer, Package, PackagePath};
use crate::password;
use crate::record::Record;
use crate::repository;
use crate::root_tree::RootTree;
use crate::source::{Source, real};
use crate::stage::Inputs;

pub use last_stage::restore_last;
pub use links::{check_links, missing_keys};
pub use profile_file::{text as profile_text, variables as profile_variables};
pub use scripts::{ask_for_type as scripts_ask_for_type, mistakes as script_mistakes};
pub use stage_cache::Reuse;
pub use step_recorder::StepRecorder;
pub use unused::unused_files;
pub use upgrade::upgrade;

/// The steps of `prepare`, as far as the description determines them.
#[derive(Debug, Clone)]
pub struct PreparePlan {
    image: String,
    packages: PackagePlan,
    post_bootstrap: Option<post_bootstrap::Plan>,
    customise: customise::Plan,
    finish: finish::Plan,
    /// The build time of a lock file.
    epoch: Option<u64>,
    /// Digests of the locked packages in the order of their first installation, which determines the times of
    /// directories.
    order: Vec<String>,
    /// The bytes that overlays and archives add to the tree.
    added: u64,
    /// Whether shells are opened in the tree.
    debugged: bool,
}

/// A plan with the packages that the repositories provide, and the keys of its stages.
#[derive(Debug, Clone)]
pub struct Decided {
    resolution: Resolution,
    /// The files with which the packages were resolved.
    files: Arc<ManagerFiles>,
    epoch: u64,
    /// Inputs of the stage `Bootstrap`; `None` if the package manager has no such stage.
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

    /// Returns the build time.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }
}

/// Options of the user that affect how the tree is built, but not its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PrepareOptions {
    /// Whether scripts may use the network.
    pub network: bool,
    /// How packages are installed in the tree.
    pub package_path: PackagePath,
    /// Whether shells that the user asked for are opened in this tree; a boot image has none.
    pub debugged: bool,
}

/// The results of `prepare` besides the tree.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The record that was written to the tree for `create`.
    pub record: Record,
    /// The installed packages.
    pub packages: Vec<Installed>,
}

/// Plans all steps that the description determines; fails if a file that it names does not exist.
pub fn plan(
    selection: &Selection,
    source: &Source,
    options: PrepareOptions,
    host: &Host,
) -> Result<PreparePlan> {
    let repositories = repository::resolve(selection, source.files(), host)?;
    if let Some(substitution) = crate::package_manager::substitution(selection) {
        host.warn(Warning::Description, &substitution);
    }
    let packages = PackagePlan::new(selection, repositories, options.package_path)?;
    if packages.bootstrap.is_empty() && packages.image.is_empty() {
        fail!(
            InvalidDescription,
            "the description names no packages; add a <packages type=\"image\"> section"
        );
    }
    for unused in unused_files(selection, source)? {
        host.warn(Warning::Script, &unused);
    }
    if selection.settings.force && packages.rpm.is_none() {
        host.warn(Warning::Description, "<rpm-force> has no effect: rpm does not install the packages");
    }
    for user in &selection.users {
        if let Some(description::Password::Hash(text)) = &user.password
            && !password::is_hash(text)
        {
            let text = format!(
                "nobody can log in as {}: its password is not a hash; add pwdformat=\"plain\" if it is plain text, or write a \
                 hash that kiwi create-password prints",
                user.name
            );
            host.warn(Warning::Description, &text);
        }
    }
    let profile_file = profile_text(&profile_variables(selection));
    Ok(PreparePlan {
        image: selection.name.to_string(),
        packages,
        post_bootstrap: post_bootstrap::plan(source, profile_file, options.network)?,
        customise: customise::plan(selection, source, options.network)?,
        finish: finish::plan(selection, source)?,
        epoch: None,
        order: Vec::new(),
        added: added(selection, source)?,
        debugged: options.debugged,
    })
}

impl PreparePlan {
    /// Limits the plan to the packages of a lock file, which are stored in `directory`.
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

    /// Returns the entries of a lock file for these packages.
    pub fn locked(&self, decided: &Decided, image: &str) -> Vec<LockedPackage> {
        self.packages.locked(&decided.resolution, image)
    }

    /// Returns the file name of a package.
    pub fn file_name(&self, package: &Package) -> String {
        self.packages.manager().file_name(package)
    }

    /// Adds the values of the description that get into images without being inputs of the stages of the tree.
    pub fn image_inputs(&self, decided: &Decided, inputs: &mut Inputs) -> Result<()> {
        self.finish.inputs(decided.epoch, inputs)
    }

    /// Returns whether scripts use the network, so that their result is valid only for this run.
    pub fn uses_network(&self) -> bool {
        self.customise.uses_network()
            || self.post_bootstrap.as_ref().is_some_and(post_bootstrap::Plan::uses_network)
    }
}

/// Resolves packages with the repositories and prepares the empty `tree`; the files of the package manager are beside it.
pub fn decide(plan: &PreparePlan, tree: &RootTree, context: &Context) -> Result<Decided> {
    let host = &context.host;
    let files = Arc::new(ManagerFiles::beside(tree, host)?);
    install::start(&plan.packages, tree)?;
    let (mut resolution, newest) = install::decide(&plan.packages, &files, context)?;
    if plan.epoch.is_some() {
        let position = |package: &Package| plan.order.iter().position(|digest| *digest == package.checksum);
        resolution.packages.sort_by_key(position);
        resolution.bootstrap.sort_by_key(position);
    }
    let epoch = finish::epoch(plan.epoch.unwrap_or(newest), host)?;
    let bootstrap = install::bootstrap_inputs(&plan.packages, &resolution)?;
    let packages = install::inputs(&plan.packages, &resolution, plan.post_bootstrap.as_ref())?;
    let tree = plan.customise.inputs(&packages, epoch)?;
    Ok(Decided { resolution, files, epoch, bootstrap, packages, tree })
}

/// Returns the bytes that the tree needs: its packages, the overlays and archives of the description.
pub fn tree_size(plan: &PreparePlan, decided: &Decided, context: &Context) -> Result<u64> {
    let manager = plan.packages.manager();
    let packages = manager.installed_size(&decided.resolution, &decided.files, context)?;
    Ok(packages.saturating_add(plan.added))
}

/// Returns the bytes of the overlays of a description, and of its archives when they are unpacked.
fn added(selection: &Selection, source: &Source) -> Result<u64> {
    /// Bytes in a tree for each byte of a compressed archive.
    const COMPRESSION: u64 = 4;
    let mut added = 0;
    for name in std::iter::once("root").chain(selection.profiles.iter().map(description::ProfileName::as_str))
    {
        if let Some(directory) = source.find(name)? {
            let entries = walkdir::WalkDir::new(directory).into_iter().flatten();
            added +=
                entries.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum::<u64>();
        }
    }
    for name in selection.bootstrap.archives.iter().chain(&selection.image.archives) {
        if let Some(path) = source.find(&name.name)? {
            added += real::metadata(&path)?.len() * COMPRESSION;
        }
    }
    Ok(added)
}

/// Returns the contents of the layer between the bootstrap packages and all packages, as far as they are known; must be
/// called before `make`.
pub fn next_layer(plan: &PreparePlan, decided: &Decided, context: &Context) -> Result<NextLayer<Inputs>> {
    let packages = &plan.packages;
    Ok(match packages.manager().next_layer(&decided.resolution, &decided.files, context)? {
        NextLayer::Known(layer) => NextLayer::Known(install::layer_inputs(
            packages,
            &layer,
            decided.bootstrap.as_ref(),
            plan.post_bootstrap.as_ref(),
        )?),
        NextLayer::None => NextLayer::None,
        NextLayer::Unread(count) => NextLayer::Unread(count),
    })
}

/// Builds the tree that was passed to [`decide`].
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
        let Decided { resolution, files, .. } = decided;
        install::create(&plan.packages, NewTree { resolution, tree, files, context }, &mut stages)?;
        stages.save_packages()?;
    }
    decided.files.clear(host)?;
    let reach = |point| match plan.debugged {
        true => context.debugging.reach(point, tree, host),
        false => Ok(()),
    };
    reach(Point::After(Step::Packages))?;
    if !stages.restore_tree()? {
        reach(Point::Before(Step::Tree))?;
        let mut origins = customise::create(&plan.customise, manager.as_ref(), &reach, tree, host)?;
        let first = &decided.resolution.bootstrap;
        origins.bootstrap = first.iter().map(|package| package.name.clone()).collect();
        origins.write(tree)?;
        stages.save_tree()?;
    }
    reach(Point::After(Step::Tree))?;
    let brought = |path: &str| plan.customise.provides(path);
    let (record, packages) =
        finish::create(&plan.finish, &plan.packages, &brought, decided.epoch, tree, host)?;
    Ok(Prepared { record, packages })
}
