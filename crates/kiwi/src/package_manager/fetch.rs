//! Fetches packages into the cache, whatever their format is: each is fetched once, and checked against the digest in its repository.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::Package;
use crate::context::Context;
use crate::host::{Host, RunningStage, StageTask, printable};
use crate::parallel;

/// Gets the number of packages that have arrived, and their bytes.
pub(super) type Arrived<'a> = dyn Fn(usize, u64) + Sync + 'a;

/// Returns what reports the transfer of these packages.
pub(super) fn transfer(stage: &RunningStage<'_>, packages: &[&Package]) -> impl Fn(usize, u64) + Sync {
    let count = packages.len();
    let bytes: Option<u64> = packages.iter().map(|package| package.size).sum();
    move |done, arrived| stage.advance_transfer(done, count, arrived, bytes)
}

/// The part of a package manager.
pub(super) trait Source {
    /// Returns the file name of a package.
    fn name(&self, package: &Package) -> String;
    /// Copies or downloads packages into a directory, with their file names.
    fn bring(&self, packages: &[&Package], directory: &Path, fetched: &Arrived<'_>) -> Result<()>;
    /// Returns the failure about a package that does not have the digest in its repository.
    fn damaged(&self, package: &Package) -> anyhow::Error;
}

/// The location of the file of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fetched {
    pub(super) path: PathBuf,
    /// It was fetched by this call.
    pub(super) new: bool,
}

/// Fetches the packages that are missing in the cache; returns the file of each package.
pub(super) fn fetch(packages: &[Package], source: &dyn Source, context: &Context) -> Result<Vec<Fetched>> {
    let (cache, host) = (context.cache()?.packages(), &context.host);
    let intact = at_once(packages, host, |package| cache.find_intact(&package.checksum, host))?;
    let found = packages.iter().zip(&intact);
    let missing: Vec<&Package> = found.filter(|(_, found)| found.is_none()).map(|found| found.0).collect();
    if !missing.is_empty() {
        let stage = host.stage(
            StageTask::FetchPackages,
            format!("Fetching {}", printable::count(missing.len(), "package")),
        );
        let arriving = cache.arriving(host)?;
        source.bring(&missing, arriving.path(), &transfer(&stage, &missing))?;
        for package in &missing {
            if !cache.adopt(&package.checksum, &arriving.path().join(source.name(package)), host)? {
                return Err(source.damaged(package));
            }
        }
        arriving.close().context("removing the directory of downloaded packages")?;
        stage.finish();
    }
    let fetched = |(package, found): (&Package, Option<PathBuf>)| {
        let gone = || format!("the package {package} is no longer in the cache");
        let new = found.is_none();
        let path = found.or_else(|| cache.find(&package.checksum)).with_context(gone)?;
        Ok(Fetched { path, new })
    };
    packages.iter().zip(intact).map(fetched).collect()
}

/// Copies the packages of local repositories into a directory; returns the others.
pub(super) fn copy_local<'p>(
    packages: &[&'p Package],
    directory: &Path,
    name: impl Fn(&Package) -> String,
    host: &Host,
) -> Result<Vec<&'p Package>> {
    let (local, remote): (Vec<&Package>, Vec<&Package>) =
        packages.iter().copied().partition(|package| package.location.starts_with('/'));
    for package in local {
        host.check_interrupt()?;
        host.copy_file(Path::new(&package.location), &directory.join(name(package)))
            .with_context(|| format!("copying the package {}", package.location))?;
    }
    Ok(remote)
}

/// Calls a function for each of `items`, on all processors; returns the results in their order.
pub(super) fn at_once<T: Sync, R: Send>(
    items: &[T],
    host: &Host,
    work: impl Fn(&T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    parallel::map(items, host.processors(), |item| {
        host.check_interrupt()?;
        work(item)
    })
}
