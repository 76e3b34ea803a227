//! Collects the packages of a lock file in a directory: downloads each from its repository and checks its digest.

use std::cell::RefCell;
use std::collections::BTreeSet;

use anyhow::Result;
use description::RepositoryType;

use super::sources::{self, escaped};
use super::{Rpm, file_name, mirrors, transfer};
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
        // Lists of mirrors are fetched, and scripts of repositories run, only if a package is downloaded.
        let configured = RefCell::new(BTreeSet::new());
        let fetch = |package: &LockedPackage, (index, repository): (usize, &Resolved), location: &str| {
            if location.starts_with('/') {
                return Ok(Some(location.into()));
            }
            if configured.borrow_mut().insert(index) {
                self.solver.configure_repository((index, repository), self.session(&files, host))?;
            }
            let credentials = repository.credentials.as_ref();
            for url in mirrors::urls(index, repository, &files)? {
                host.check_interrupt()?;
                let url = format!("{url}/{}", escaped(&package.file));
                if transfer::download(&url, DOWNLOADED, credentials, &files, host).is_ok() {
                    return Ok(Some(files.path().join(DOWNLOADED)));
                }
            }
            Ok(None)
        };
        let collection = Collection {
            directory,
            repositories: sources::used(self.plan).collect(),
            remedy: "specify a repository that still has them with --set-repo, or update the file with --lock",
            file_name,
            fetch: &fetch,
        };
        collection.fill(locked.packages, context)?;
        let directory = directory.display().to_string();
        Ok(Resolved { kind: RepositoryType::RpmDir, ..Resolved::of_packages(directory) })
    }
}
