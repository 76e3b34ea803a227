//! Collects the packages of a lock file in a directory: downloads each from its repository and checks its digest.

use anyhow::Result;
use description::RepositoryType;

use super::{Rpm, file_name, sources, transfer};
use crate::lock::LockedPackage;
use crate::package_manager::LockedPackages;
use crate::package_manager::locked::Collection;
use crate::repository::Resolved;

/// The file in [`crate::package_manager::ManagerFiles`] to which a package is downloaded.
const DOWNLOADED: &str = "tmp/package.rpm";

impl Rpm<'_> {
    /// Fills `directory` with these packages.
    pub(super) fn collect_packages(&self, locked: LockedPackages<'_>) -> Result<Resolved> {
        let LockedPackages { directory, context, .. } = locked;
        let host = &context.host;
        let files = locked.create_directory()?;
        self.prepare_files(&files, host)?;
        let fetch = |_: &LockedPackage, repository: &Resolved, location: &str| {
            if location.starts_with('/') {
                return Some(location.into());
            }
            let credentials = repository.credentials.as_ref();
            transfer::download(location, DOWNLOADED, credentials, &files, host).ok()?;
            Some(files.path().join(DOWNLOADED))
        };
        let collection = Collection {
            directory,
            repositories: sources::used(self.plan).map(|(_, repository)| repository).collect(),
            remedy: "specify a repository that still has them with --set-repo, or update the file with --lock",
            file_name,
            fetch: &fetch,
        };
        collection.fill(locked.packages, context)?;
        let directory = directory.display().to_string();
        Ok(Resolved { kind: RepositoryType::RpmDir, ..Resolved::of_packages(directory) })
    }
}
