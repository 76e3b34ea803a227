//! The installation of a new tree in layers, each of which is a transaction of rpm.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::Result;
use description::PackageSet;

use super::Rpm;
use super::fetch::Fetched;
use super::late::{Facts, late};
use super::transaction::{Transaction, is_of_script};
use crate::context::Context;
use crate::host::{RunningStage, StageTask, Warning, printable};
use crate::package_manager::{Layer, Layers, ManagerFiles, Package, Resolution};
use crate::stage::{Digest, Stage, canonical};

/// Raise it when other packages are late, or when rpm installs the same packages otherwise: earlier trees and verdicts are not used
/// then.
pub(super) const FORMAT: u32 = 2;

/// The packages of a new tree in the layers to which they belong.
pub(super) struct Division {
    bootstrap: Layer,
    /// All others but the late ones.
    early: Vec<Package>,
    late: Vec<Package>,
}

impl Division {
    /// Returns the layer between the bootstrap packages and the late ones; `None` without late packages.
    pub(super) fn early_layer(&self) -> Option<Layer> {
        let exists = !self.late.is_empty() && !self.early.is_empty();
        exists.then(|| Layer {
            stage: Stage::Scripts,
            packages: self.early.clone(),
            configured_early: Vec::new(),
        })
    }

    /// Returns the division without late packages.
    fn together(&self) -> Self {
        let early = self.early.iter().chain(&self.late).cloned().collect();
        Self { bootstrap: self.bootstrap.clone(), early, late: Vec::new() }
    }
}

/// The packages of a new tree, each of which is checked before it is installed.
pub(super) struct Supply<'s> {
    pub(super) rpm: &'s Rpm<'s>,
    /// All of them, if some had to be fetched.
    pub(super) all: Option<Fetched>,
    pub(super) files: &'s ManagerFiles,
    pub(super) context: &'s Context,
}

impl Supply<'_> {
    /// Provides packages whose digests and signatures are checked.
    pub(super) fn verified(&self, packages: &[Package]) -> Result<Fetched> {
        let fetched = self.rpm.fetch(packages, self.files, self.context)?;
        self.rpm.check_signatures(packages, &fetched, self.files, self.context)?;
        Ok(fetched)
    }

    /// Installs some of the packages.
    fn install(
        &self,
        packages: &[Package],
        transaction: &Transaction<'_>,
        stage: &RunningStage<'_>,
    ) -> Result<()> {
        if let Some(all) = &self.all {
            return transaction.install(packages, all, stage);
        }
        let fetched = self.verified(packages)?;
        transaction.install(packages, &fetched, stage)?;
        fetched.close()
    }
}

impl Rpm<'_> {
    /// Divides the packages of a resolution; `None` if `find` does not have the file of each package.
    pub(super) fn divide(
        &self,
        resolution: &Resolution,
        context: &Context,
        find: impl Fn(&Package) -> Option<PathBuf>,
    ) -> Result<Option<Division>> {
        let bootstrap = resolution.bootstrap_layer();
        let mut facts = Vec::new();
        for package in &resolution.packages {
            let Some(path) = find(package) else { return Ok(None) };
            facts.push(Facts::read(&package.name, &path)?);
        }
        let PackageSet { packages: named, .. } = &self.plan.image;
        let named: BTreeSet<String> = named.iter().map(|package| package.name.to_string()).collect();
        let first: BTreeSet<String> = bootstrap.packages.iter().map(|package| package.name.clone()).collect();
        // Packages that replace files of others depend on the order.
        let is_late = match self.settings().force {
            true => vec![false; facts.len()],
            false => late(&facts, &named, &first),
        };
        let others = resolution.packages.iter().zip(is_late);
        let others = others.filter(|(package, _)| !first.contains(&package.name));
        let (late, early): (Vec<_>, Vec<_>) = others.partition(|(_, late)| *late);
        let packages = |part: Vec<(&Package, bool)>| part.into_iter().map(|found| found.0.clone()).collect();
        let division = Division { bootstrap, early: packages(early), late: packages(late) };
        let known = context.cache()?.indices().resolution(&verdict(&division)?, &context.host);
        Ok(Some(if known == Some(false) { division.together() } else { division }))
    }

    /// Installs the packages. If a script of the early ones fails, it may need a late one: then all others are one layer, in this
    /// build and in later ones.
    pub(super) fn install_layers(
        &self,
        division: &Division,
        layers: &mut dyn Layers,
        transaction: &Transaction<'_>,
        supply: &Supply<'_>,
    ) -> Result<()> {
        let Supply { context, .. } = supply;
        let host = &context.host;
        install_bootstrap(division, layers, transaction, supply)?;
        let Some(layer) = division.early_layer() else {
            layers.end()?;
            let all = [&division.early[..], &division.late].concat();
            return install(&all, transaction, supply);
        };
        if layers.restore(&layer)?.is_none() {
            match install(&layer.packages, transaction, supply) {
                Err(error) if is_of_script(&error) => {
                    host.log().line("A script failed; it runs again after all packages are installed");
                    layers.start_again()?;
                    let together = division.together();
                    self.install_layers(&together, layers, transaction, supply)?;
                    let saved = context.cache()?.indices().save_resolution(&verdict(division)?, &false, host);
                    return saved.or_else(|error| {
                        let text =
                            format!("the next build must try the scripts of packages twice: {error:#}");
                        host.warn(Warning::Cache, &text);
                        Ok(())
                    });
                }
                installed => installed?,
            }
            layers.save(&layer, "")?;
        }
        layers.end()?;
        install(&division.late, transaction, supply)
    }
}

fn install_bootstrap(
    division: &Division,
    layers: &mut dyn Layers,
    transaction: &Transaction<'_>,
    supply: &Supply<'_>,
) -> Result<()> {
    let layer = &division.bootstrap;
    if layer.packages.is_empty() || layers.restore(layer)?.is_some() {
        return Ok(());
    }
    let count = layer.packages.len();
    let title = format!("Installing {}", printable::count(count, "bootstrap package"));
    let stage = transaction.host.stage(StageTask::InstallPackages, title);
    supply.install(&layer.packages, transaction, &stage)?;
    stage.finish();
    layers.save(layer, "")
}

fn install(packages: &[Package], transaction: &Transaction<'_>, supply: &Supply<'_>) -> Result<()> {
    let title = format!("Installing {}", printable::count(packages.len(), "package"));
    let stage = transaction.host.stage(StageTask::InstallPackages, title);
    supply.install(packages, transaction, &stage)?;
    stage.finish();
    Ok(())
}

/// Returns the digest under which the cache knows that the early packages cannot be installed without the late ones.
fn verdict(division: &Division) -> Result<Digest> {
    let checksums = |packages: &[Package]| -> Vec<String> {
        packages.iter().map(|package| package.checksum.clone()).collect()
    };
    let packages = (checksums(&division.bootstrap.packages), checksums(&division.early));
    Ok(Digest::of(canonical(&("rpm layers", FORMAT, packages))?))
}
