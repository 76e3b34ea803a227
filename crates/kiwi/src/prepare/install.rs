//! The first stages: a tree with the bootstrap packages, then with every package installed and configured, and nothing of
//! the description.

use anyhow::Result;

use crate::context::Context;
use crate::package_manager::{Archive, Layer, Layers, PackagePath, PackagePlan, Resolution};
use crate::root_tree::RootTree;
use crate::stage::{Inputs, Stage};

/// Reads the repositories by way of the tree, which is new: what will be installed, and the date of the newest index.
pub(super) fn decide(plan: &PackagePlan, tree: &RootTree, context: &Context) -> Result<(Resolution, u64)> {
    let host = &context.host;
    skeleton(tree)?;
    let manager = plan.manager();
    let stage = host.stage("Reading the repositories");
    let newest = manager.refresh(tree, context)?;
    let resolution = manager.resolve(tree, context)?;
    stage.finish();
    Ok((resolution, newest))
}

/// What goes into the tree with the bootstrap packages; none where the package manager installs everything in one go.
pub(super) fn bootstrap_inputs(plan: &PackagePlan, resolution: &Resolution) -> Option<Inputs> {
    match plan.path {
        PackagePath::Native => Some(layer_inputs(plan, &resolution.bootstrap_layer(), None)),
        PackagePath::Plain => None,
    }
}

/// What goes into a layer of packages that stands upon another one.
pub(super) fn layer_inputs(plan: &PackagePlan, layer: &Layer, below: Option<&Inputs>) -> Inputs {
    let mut inputs = of_packages(layer.stage, plan, layer.packages.iter());
    inputs.value("the packages configured early", &layer.configured_early);
    if let Some(below) = below {
        inputs.after(below);
    }
    inputs
}

/// Packages by digest, in their order, and who installs them.
fn of_packages<'a>(stage: Stage, plan: &PackagePlan, archives: impl Iterator<Item = &'a Archive>) -> Inputs {
    let mut inputs = Inputs::new(stage);
    let mut order = Vec::new();
    for archive in archives {
        inputs.value(format!("the package {}", archive.file), &archive.sha256);
        order.push(archive.file.as_str());
    }
    inputs.value("the order of packages", &order);
    inputs.value("the package manager", &(plan.manager, &plan.architecture, plan.path));
    inputs
}

/// What goes into the tree with all packages: they themselves by digest, and what of the description a package manager
/// knows.
pub(super) fn inputs(plan: &PackagePlan, resolution: &Resolution) -> Inputs {
    let mut inputs = of_packages(Stage::Packages, plan, resolution.archives.iter());
    let first: Vec<&str> = resolution.bootstrap.iter().map(|archive| archive.file.as_str()).collect();
    inputs.value("the bootstrap packages", &first);
    // What is asked for by name is marked in the tree's database, what comes along is not.
    let names = |set: &description::PackageSet| (set.packages.clone(), set.pattern_type, set.ignored.clone());
    inputs.value("the names of packages", &(names(&plan.bootstrap), names(&plan.image)));
    let lists: Vec<_> =
        plan.repositories.iter().filter_map(|repository| repository.in_image.as_ref()).collect();
    inputs.value("the repositories of the image", &lists);
    inputs
}

/// Carries it out on the tree that `decide` saw.
pub(super) fn create(
    plan: &PackagePlan,
    resolution: &Resolution,
    layers: &mut dyn Layers,
    tree: &RootTree,
    context: &Context,
) -> Result<()> {
    let host = &context.host;
    let manager = plan.manager();
    manager.install(resolution, layers, tree, context)?;
    manager.finish(tree, host)
}

/// The directories every tree starts with; the base packages bring the rest.
pub(super) fn skeleton(tree: &RootTree) -> Result<()> {
    tree.set_mode(".", 0o755)?;
    for (directory, mode) in
        [("proc", 0o555), ("sys", 0o555), ("dev", 0o755), ("run", 0o755), ("tmp", 0o1777)]
    {
        tree.create_dir(directory, mode)?;
        tree.set_mode(directory, mode)?;
    }
    Ok(())
}
