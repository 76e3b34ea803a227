//! Collects the packages of a lock file in a directory: downloads each from its repository and checks its digest.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::configuration::{VIEW, write_credentials};
use super::output::file_name;
use super::{Apt, apt_program};
use crate::context::Context;
use crate::failure::fail;
use crate::host::StageTask;
use crate::lock::LockedPackage;
use crate::package_form::decoded;
use crate::package_manager::ManagerFiles;
use crate::repository::Resolved;

/// The file in [`ManagerFiles`] to which a package is downloaded.
const DOWNLOADED: &str = "tmp/package.deb";

impl Apt<'_> {
    /// Fills `directory` with these packages.
    pub(super) fn collect_packages(
        &self,
        packages: &[LockedPackage],
        directory: &Path,
        context: &Context,
    ) -> Result<Resolved> {
        let host = &context.host;
        host.create_directories(directory).with_context(|| format!("creating {}", directory.display()))?;
        let files = ManagerFiles::inside(directory.parent().unwrap_or(directory), host)?;
        self.prepare_files(&files, host)?;
        for (index, repository) in self.build_repositories() {
            write_credentials(repository, index, &files, host)?;
        }
        let stage =
            host.stage(StageTask::FetchPackages, format!("Collecting {} locked packages", packages.len()));
        let mut missing = Vec::new();
        for package in packages {
            host.check_interrupt()?;
            if !self.collect_package(package, directory, &files, context)? {
                let LockedPackage { name, version, architecture, repository, file, .. } = package;
                missing.push(format!("{name} {version} {architecture} ({repository} {file})"));
            }
        }
        if !missing.is_empty() {
            fail!(
                Packages,
                "kiwi.lock contains {} that neither the cache nor the repositories have any longer:\n  {}\nspecify a \
                 mirror that still has them (KIWI_DEBIAN_MIRROR may be a snapshot), or update the file with --lock",
                if missing.len() == 1 {
                    "a package".to_owned()
                } else {
                    format!("{} packages", missing.len())
                },
                missing.join("\n  ")
            );
        }
        stage.finish();
        Ok(Resolved::of_packages(directory.display().to_string()))
    }

    /// Copies one package into the directory; returns whether it was found.
    fn collect_package(
        &self,
        package: &LockedPackage,
        directory: &Path,
        files: &ManagerFiles,
        context: &Context,
    ) -> Result<bool> {
        let (cache, host) = (context.cache()?, &context.host);
        let packages = cache.packages();
        let target = directory.join(file_name(&package.name, &package.version, &package.architecture));
        if packages.find(&package.sha256).is_none() {
            let repositories = self.plan.repositories.iter();
            let mut repositories: Vec<&Resolved> =
                repositories.filter(|repository| repository.for_build).collect();
            repositories.sort_by_key(|repository| repository.lock_name != package.repository);
            for repository in repositories {
                let location = format!("{}/{}", repository.location.trim_end_matches('/'), package.file);
                let file = if location.starts_with('/') {
                    // Locks that older versions of kiwi wrote have the escapes of URLs in paths.
                    let paths = [location.clone(), decoded(&location)].map(PathBuf::from);
                    let [plain, escaped] = paths;
                    if plain.is_file() { plain } else { escaped }
                } else {
                    let fetched = apt_program("/usr/lib/apt/apt-helper", files, host)
                        .args(["download-file", &location])
                        .arg(format!("{VIEW}/{DOWNLOADED}"))
                        .arg(format!("SHA256:{}", package.sha256))
                        .network()
                        .run();
                    if fetched.is_err() {
                        host.check_interrupt()?;
                        continue;
                    }
                    files.path().join(DOWNLOADED)
                };
                if file.is_file() && packages.save(&package.sha256, &file, host)? {
                    break;
                }
            }
        }
        let Some(kept) = packages.find(&package.sha256) else { return Ok(false) };
        host.copy_file(&kept, &target).with_context(|| format!("writing {}", target.display()))?;
        Ok(true)
    }
}
