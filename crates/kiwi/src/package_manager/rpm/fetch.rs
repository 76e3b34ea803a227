//! Fetches packages into the cache: each is downloaded once and checked against the digest in its repository.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::{Rpm, download, name_of, sources};
use crate::cache::Packages;
use crate::context::Context;
use crate::failure::{Failure, Kind};
use crate::host::file::WorkDirectory;
use crate::host::{Host, StageTask};
use crate::package_manager::{ManagerFiles, Package};
use crate::parallel;

/// Packages with their own file names in a directory, which the sandbox of a tree sees.
pub(super) struct Fetched {
    directory: WorkDirectory,
}

impl Fetched {
    /// Returns the directory.
    pub(super) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Returns the path of a package.
    pub(super) fn path(&self, package: &Package) -> PathBuf {
        self.directory.path().join(name_of(package))
    }

    /// Removes the directory.
    pub(super) fn close(self) -> Result<()> {
        self.directory.close().context("removing the directory of packages")
    }
}

impl Rpm<'_> {
    /// Downloads the packages that are missing in the cache, and provides all of them in one directory.
    pub(super) fn fetch(
        &self,
        packages: &[Package],
        files: &ManagerFiles,
        context: &Context,
    ) -> Result<Fetched> {
        let (cache, host) = (context.cache()?.packages(), &context.host);
        let intact = parallel::map(packages, host.processors(), |package| {
            host.check_interrupt()?;
            cache.find_intact(&package.checksum, host)
        })?;
        let missing: Vec<&Package> = packages
            .iter()
            .zip(&intact)
            .filter(|(_, found)| found.is_none())
            .map(|(package, _)| package)
            .collect();
        if !missing.is_empty() {
            let stage = host.stage(StageTask::FetchPackages, format!("Fetching {} packages", missing.len()));
            self.fetch_missing(&missing, cache, files, host)?;
            stage.finish();
        }
        // The packages may stay on the file system of the cache, where a link costs nothing.
        let directory = cache.arriving(host)?;
        for package in packages {
            let missing = || format!("the package {package} is no longer in the cache");
            let from = cache.find(&package.checksum).with_context(missing)?;
            let to = directory.path().join(name_of(package));
            host.copy_file(&from, &to).with_context(|| format!("writing {}", to.display()))?;
        }
        Ok(Fetched { directory })
    }

    fn fetch_missing(
        &self,
        missing: &[&Package],
        cache: &Packages,
        files: &ManagerFiles,
        host: &Host,
    ) -> Result<()> {
        let arriving = cache.arriving(host)?;
        self.bring(missing, arriving.path(), files, host)?;
        for package in missing {
            if !cache.adopt(&package.checksum, &arriving.path().join(name_of(package)), host)? {
                return Err(self.damaged(package).into());
            }
        }
        arriving.close().context("removing the directory of downloaded packages")
    }

    /// Copies or downloads packages into a directory.
    pub(super) fn bring(
        &self,
        packages: &[&Package],
        directory: &Path,
        files: &ManagerFiles,
        host: &Host,
    ) -> Result<()> {
        let (local, remote): (Vec<&Package>, Vec<&Package>) =
            packages.iter().partition(|package| package.location.starts_with('/'));
        for package in local {
            host.check_interrupt()?;
            if !Path::new(&package.location).is_file() {
                return Err(self.missing(package).into());
            }
            host.copy_file(Path::new(&package.location), &directory.join(name_of(package)))
                .with_context(|| format!("copying the package {}", package.location))?;
        }
        if !remote.is_empty() {
            download::packages(&remote, directory, self.session(files, host))?;
        }
        match packages.iter().find(|package| !directory.join(name_of(package)).is_file()) {
            Some(package) => Err(self.missing(package).into()),
            None => Ok(()),
        }
    }

    fn missing(&self, package: &Package) -> Failure {
        let repository = self.described(package);
        let message = format!(
            "the repository {repository} lists the package {package} and does not have its file {}",
            package.location
        );
        Failure::new(Kind::Packages, message)
            .remedy("Create the metadata of the repository again, or wait until its mirror is complete.")
    }

    /// Returns the failure about a package that differs from the metadata.
    pub(super) fn damaged(&self, package: &Package) -> Failure {
        let repository = self.described(package);
        let message = format!(
            "the package {} does not have the digest in the metadata of its repository {repository}",
            package.location
        );
        Failure::new(Kind::Damaged, message)
            .remedy("Build again; if it fails again, the repository is inconsistent or somebody has changed the package.")
    }

    fn described(&self, package: &Package) -> &str {
        let found = sources::of_location(self.plan, &package.location);
        found.map_or("of the description", |(_, repository)| &repository.described)
    }
}
