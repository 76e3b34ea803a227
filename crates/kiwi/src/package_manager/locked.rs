//! Plans and `kiwi.lock`: the entries of a resolution in a lock file, and a plan that is limited to the packages of
//! one.

use std::path::Path;

use anyhow::Result;

use super::{Package, PackagePlan, Resolution};
use crate::context::Context;
use crate::lock::LockedPackage;
use crate::repository::LOCAL;

impl PackagePlan {
    /// Returns the entries of a resolution in a lock file.
    pub fn locked(&self, resolution: &Resolution, image: &str) -> Vec<LockedPackage> {
        let numbered = resolution.packages.iter().enumerate();
        numbered.map(|(order, package)| self.locked_package(package, order, image)).collect()
    }

    fn locked_package(&self, package: &Package, order: usize, image: &str) -> LockedPackage {
        let location = package.location.trim_start_matches("file:");
        let found = self.repositories.iter().find_map(|repository| {
            let file = location.strip_prefix(repository.location.trim_end_matches('/'))?;
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
        let repository = self.manager().collect_locked(packages, directory, context)?;
        for other in &mut self.repositories {
            other.for_build = false;
        }
        self.repositories.push(repository);
        Ok(())
    }
}
