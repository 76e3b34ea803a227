//! Plans and `kiwi.lock`: the entries of a resolution in a lock file, a plan that is limited to the packages of one, and
//! the collection of these packages.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::{LockedPackages, ManagerFiles, Package, PackagePlan, Resolution};
use crate::context::Context;
use crate::failure::fail;
use crate::host::{StageTask, printable};
use crate::lock::LockedPackage;
use crate::repository::{LOCAL, Resolved};

/// Returns the file of a package at its location in a repository.
type Fetch<'a> = dyn Fn(&LockedPackage, (usize, &Resolved), &str) -> Result<Option<PathBuf>> + 'a;

/// A directory that is filled with the packages of a lock file, each of which has the digest of its entry.
pub(super) struct Collection<'a> {
    /// The directory, which exists.
    pub(super) directory: &'a Path,
    /// The repositories that packages are downloaded from, each with its index in the plan.
    pub(super) repositories: Vec<(usize, &'a Resolved)>,
    /// What to do if none of them has a package any longer.
    pub(super) remedy: &'a str,
    /// Returns the file name of a package with this name, version and architecture.
    pub(super) file_name: fn(&str, &str, &str) -> String,
    /// Returns the file of a package in a repository, downloaded or local; `None` if the download failed.
    pub(super) fetch: &'a Fetch<'a>,
}

impl LockedPackages<'_> {
    /// Creates the directory of the packages; returns files for the package manager beside it.
    pub(super) fn create_directory(&self) -> Result<ManagerFiles> {
        let (directory, host) = (self.directory, &self.context.host);
        host.create_directories(directory).with_context(|| format!("creating {}", directory.display()))?;
        ManagerFiles::inside(directory.parent().unwrap_or(directory), host)
    }
}

impl Collection<'_> {
    /// Copies every package into the directory, from the cache or from a repository.
    pub(super) fn fill(&self, packages: &[LockedPackage], context: &Context) -> Result<()> {
        let host = &context.host;
        let stage = host.stage(
            StageTask::FetchPackages,
            format!("Collecting {}", printable::count(packages.len(), "locked package")),
        );
        let mut missing = Vec::new();
        for (done, package) in packages.iter().enumerate() {
            host.check_interrupt()?;
            stage.advance_package(done, packages.len(), &package.name);
            if !self.copy(package, context)? {
                let LockedPackage { name, version, architecture, repository, file, .. } = package;
                missing.push(format!("{name} {version} {architecture} ({repository} {file})"));
            }
        }
        if !missing.is_empty() {
            fail!(
                Packages,
                "kiwi.lock contains {} that neither the cache nor the repositories have any longer:\n  {}\n{}",
                if missing.len() == 1 {
                    "a package".to_owned()
                } else {
                    format!("{} packages", missing.len())
                },
                missing.join("\n  "),
                self.remedy
            );
        }
        stage.finish();
        Ok(())
    }

    /// Copies one package; returns whether it was found.
    fn copy(&self, package: &LockedPackage, context: &Context) -> Result<bool> {
        let (cache, host) = (context.cache()?.packages(), &context.host);
        if cache.find(&package.sha256).is_none() {
            let mut repositories = self.repositories.clone();
            repositories.sort_by_key(|(_, repository)| repository.lock_name != package.repository);
            for (index, repository) in repositories {
                let location = format!("{}/{}", repository.location.trim_end_matches('/'), package.file);
                let Some(file) = (self.fetch)(package, (index, repository), &location)? else {
                    host.check_interrupt()?;
                    continue;
                };
                if file.is_file() && cache.save(&package.sha256, &file, host)? {
                    break;
                }
            }
        }
        let Some(kept) = cache.find(&package.sha256) else { return Ok(false) };
        let name = (self.file_name)(&package.name, &package.version, &package.architecture);
        let target = self.directory.join(name);
        host.copy_file(&kept, &target).with_context(|| format!("writing {}", target.display()))?;
        Ok(true)
    }
}

impl PackagePlan {
    /// Returns the entries of a resolution in a lock file.
    pub fn locked(&self, resolution: &Resolution, image: &str) -> Vec<LockedPackage> {
        // Without those that are replaced, the bootstrap packages could not be selected again.
        let numbered = resolution.packages.iter().chain(&resolution.replaced).enumerate();
        numbered.map(|(order, package)| self.locked_package(package, order, image)).collect()
    }

    fn locked_package(&self, package: &Package, order: usize, image: &str) -> LockedPackage {
        let location = package.location.trim_start_matches("file:");
        let found = self.repositories.iter().find_map(|repository| {
            // .../debian is not the beginning of .../debian-security.
            let file = location.strip_prefix(repository.location.trim_end_matches('/'))?;
            file.starts_with('/').then_some(())?;
            Some((repository.lock_name.clone(), file.trim_start_matches('/').to_owned()))
        });
        // The index of a directory of packages is elsewhere, and has no directories in the paths of files.
        let name_only = location.rsplit('/').next().unwrap_or(location).to_owned();
        let (repository, file) = found.unwrap_or((LOCAL.to_owned(), name_only));
        LockedPackage {
            image: image.to_owned(),
            name: package.name.clone(),
            version: package.version.clone(),
            architecture: package.architecture.clone(),
            order,
            sha256: package.checksum.clone(),
            repository,
            file,
        }
    }

    /// Limits the plan to the packages of a lock file, which are collected in `directory`. The repositories of the
    /// image do not change.
    pub fn lock_to(&mut self, packages: &[LockedPackage], directory: &Path, context: &Context) -> Result<()> {
        let repository = self.manager().collect_locked(LockedPackages { packages, directory, context })?;
        for other in &mut self.repositories {
            other.for_build = false;
        }
        self.repositories.push(repository);
        Ok(())
    }
}
