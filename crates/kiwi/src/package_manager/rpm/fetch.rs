//! Fetches packages into the cache: each is downloaded once and checked against the digest in its repository.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::{Rpm, download, name_of, sources};
use crate::context::Context;
use crate::failure::{Failure, Kind};
use crate::host::Host;
use crate::host::file::WorkDirectory;
use crate::package_manager::fetch::{self, Arrived, Source, copy_local};
use crate::package_manager::{ManagerFiles, Package};

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

/// The repositories of RPM packages as the source of packages.
struct RpmSource<'s> {
    rpm: &'s Rpm<'s>,
    files: &'s ManagerFiles,
    host: &'s Host,
}

impl Source for RpmSource<'_> {
    fn name(&self, package: &Package) -> String {
        name_of(package)
    }

    fn bring(&self, packages: &[&Package], directory: &Path, fetched: &Arrived<'_>) -> Result<()> {
        self.rpm.bring(packages, directory, fetched, self.files, self.host)
    }

    fn damaged(&self, package: &Package) -> anyhow::Error {
        self.rpm.damaged(package).into()
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
        let fetched = fetch::fetch(packages, &RpmSource { rpm: self, files, host }, context)?;
        // The packages may stay on the file system of the cache, where a link costs nothing.
        let directory = cache.arriving(host)?;
        for (package, fetched) in packages.iter().zip(fetched) {
            let to = directory.path().join(name_of(package));
            host.copy_file(&fetched.path, &to).with_context(|| format!("writing {}", to.display()))?;
        }
        Ok(Fetched { directory })
    }

    /// Copies or downloads packages into a directory.
    pub(super) fn bring(
        &self,
        packages: &[&Package],
        directory: &Path,
        fetched: &Arrived<'_>,
        files: &ManagerFiles,
        host: &Host,
    ) -> Result<()> {
        let is_missing = |package: &&&Package| {
            package.location.starts_with('/') && !Path::new(&package.location).is_file()
        };
        if let Some(package) = packages.iter().find(is_missing) {
            return Err(self.missing(package).into());
        }
        let remote = copy_local(packages, directory, name_of, host)?;
        if !remote.is_empty() {
            download::packages(&remote, directory, fetched, self.session(files, host))?;
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
