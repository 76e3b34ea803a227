//! The first stages: a tree with the bootstrap packages, then with every package installed and configured, without any
//! file of the description.

use anyhow::Result;
use description::PackageSet;

use super::post_bootstrap;
use crate::context::Context;
use crate::host::{RunningStage, StageTask, Unit, sampled};
use crate::package_manager::{
    ImageRepositories, Layer, Layers, ManagerFiles, NewTree, Package, PackageManager, PackagePlan, Resolution,
};
use crate::root_tree::RootTree;
use crate::stage::{Inputs, Stage};

/// Reads the repositories; returns the packages to install and the date of the newest index.
pub(super) fn decide(
    plan: &PackagePlan,
    files: &ManagerFiles,
    context: &Context,
) -> Result<(Resolution, u64)> {
    let host = &context.host;
    let manager = plan.manager();
    let stage = host.stage(StageTask::ReadRepositories, "Reading the repositories");
    let newest = refresh(manager.as_ref(), files, &stage, context)?;
    let resolution = manager.resolve(files, context)?;
    stage.finish();
    Ok((resolution, newest))
}

/// Reads the indices of the repositories and reports meanwhile how much of them is there; returns the date of the newest one.
pub(super) fn refresh(
    manager: &dyn PackageManager,
    files: &ManagerFiles,
    stage: &RunningStage<'_>,
    context: &Context,
) -> Result<u64> {
    // How much will come is known to none of the programs before it is there.
    let report = || stage.advance(files.size(), 0, Unit::Bytes);
    sampled(report, || manager.refresh(files, context))
}

/// Returns the inputs of the tree with the bootstrap packages; `None` if the package manager installs all packages at
/// once.
pub(super) fn bootstrap_inputs(plan: &PackagePlan, resolution: &Resolution) -> Result<Option<Inputs>> {
    // Without bootstrap packages rpm installs all at once.
    if !plan.has_layers() || resolution.bootstrap.is_empty() {
        return Ok(None);
    }
    layer_inputs(plan, &resolution.bootstrap_layer(), None, None).map(Some)
}

/// Returns the inputs of a layer of packages; `below` has the inputs of its parent layer, and `script` runs between the
/// bootstrap packages and all others.
pub(super) fn layer_inputs(
    plan: &PackagePlan,
    layer: &Layer,
    below: Option<&Inputs>,
    script: Option<&post_bootstrap::Plan>,
) -> Result<Inputs> {
    let Layer { stage, packages, configured_early } = layer;
    let mut inputs = of_packages(*stage, plan, packages.iter())?;
    inputs.value("the packages configured early", configured_early)?;
    if let Some(below) = below {
        inputs.after(below);
    }
    if let Some(script) = script.filter(|_| *stage != Stage::Bootstrap) {
        script.inputs(&mut inputs)?;
    }
    Ok(inputs)
}

/// Adds the digests of packages, their order, and the package manager that installs them.
fn of_packages<'a>(
    stage: Stage,
    plan: &PackagePlan,
    packages: impl Iterator<Item = &'a Package>,
) -> Result<Inputs> {
    let mut inputs = Inputs::new(stage);
    let mut order = Vec::new();
    for package in packages {
        // The name contains all other fields except the location.
        inputs.value(format!("the package {package}"), &package.checksum)?;
        order.push(package.to_string());
    }
    inputs.value("the order of packages", &order)?;
    inputs.value("the package manager", &(plan.manager, plan.distribution, &plan.architecture, plan.path))?;
    if let Some(settings) = &plan.rpm {
        inputs.value("the settings of rpm", settings)?;
    }
    Ok(inputs)
}

/// Returns the inputs of the tree with all packages: their digests, and the values of the description that the package
/// manager uses.
pub(super) fn inputs(
    plan: &PackagePlan,
    resolution: &Resolution,
    script: Option<&post_bootstrap::Plan>,
) -> Result<Inputs> {
    // `of_packages` adds the first four and the last; packages are deleted at the end of the stage `Tree`.
    let PackagePlan {
        manager: _,
        distribution: _,
        path: _,
        architecture: _,
        repositories,
        bootstrap,
        image,
        uninstall,
        delete: _,
        positions: _,
        rpm: _,
    } = plan;
    let Resolution { packages, bootstrap: first, replaced: _ } = resolution;
    let mut inputs = of_packages(Stage::Packages, plan, packages.iter())?;
    if let Some(transactions) = plan.rpm_transactions() {
        inputs.value("the transactions of rpm", &transactions)?;
        if !uninstall.is_empty() {
            // Their packages stay when packages are uninstalled.
            let sets = [bootstrap, image].map(|set| (&set.patterns, &set.products));
            inputs.value("the patterns and products", &sets)?;
        }
    }
    if let Some(script) = script {
        script.inputs(&mut inputs)?;
    }
    let first: Vec<String> = first.iter().map(Package::to_string).collect();
    inputs.value("the bootstrap packages", &first)?;
    inputs.value("the names of packages", &(requested(bootstrap), requested(image)))?;
    let lists: Vec<_> = repositories.iter().filter_map(|repository| repository.in_image.as_ref()).collect();
    inputs.value("the repositories of the image", &lists)?;
    Ok(inputs)
}

/// Returns the names that the package manager marks as requested in the database of the tree, unlike packages that are
/// installed as dependencies.
fn requested(set: &PackageSet) -> impl serde::Serialize {
    // Archives are unpacked in the stage `Tree`; patterns and products have already been resolved to packages.
    let PackageSet { packages, patterns: _, products: _, ignored, pattern_type, archives: _, files: _ } = set;
    (packages, pattern_type, ignored)
}

/// Installs the packages that [`decide`] returned in a tree that [`start`] created.
pub(super) fn create(plan: &PackagePlan, new: NewTree<'_>, layers: &mut dyn Layers) -> Result<()> {
    let manager = plan.manager();
    manager.install(new, layers)?;
    manager.finish(ImageRepositories::Write, new.tree, &new.context.host)
}

/// Creates the files that every tree starts with; the base packages contain the others.
pub(super) fn start(plan: &PackagePlan, tree: &RootTree) -> Result<()> {
    tree.set_mode(".", 0o755)?;
    for (directory, mode) in
        [("proc", 0o555), ("sys", 0o555), ("dev", 0o755), ("run", 0o755), ("tmp", 0o1777)]
    {
        tree.create_dir(directory, mode)?;
        tree.set_mode(directory, mode)?;
    }
    plan.manager().start(tree)
}
