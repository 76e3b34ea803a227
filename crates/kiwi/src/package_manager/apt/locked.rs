//! Collects the packages of a lock file in a directory: downloads each from its repository and checks its digest.

use std::path::PathBuf;

use anyhow::Result;

use super::configuration::{VIEW, write_credentials};
use super::output::file_name;
use super::{Apt, apt_program};
use crate::lock::LockedPackage;
use crate::package_form::decoded;
use crate::package_manager::LockedPackages;
use crate::package_manager::locked::Collection;
use crate::repository::Resolved;

/// The file in [`crate::package_manager::ManagerFiles`] to which a package is downloaded.
const DOWNLOADED: &str = "tmp/package.deb";

impl Apt<'_> {
    /// Fills `directory` with these packages.
    pub(super) fn collect_packages(&self, locked: LockedPackages<'_>) -> Result<Resolved> {
        let LockedPackages { directory, context, .. } = locked;
        let host = &context.host;
        let files = locked.create_directory()?;
        self.prepare_files(&files, host)?;
        for (index, repository) in self.build_repositories() {
            write_credentials(repository, index, &files, host)?;
        }
        let fetch = |package: &LockedPackage, _: (usize, &Resolved), location: &str| {
            if location.starts_with('/') {
                // Locks that older versions of kiwi wrote have the escapes of URLs in paths.
                let [plain, escaped] = [location.to_owned(), decoded(location)].map(PathBuf::from);
                return Ok(Some(if plain.is_file() { plain } else { escaped }));
            }
            let download = apt_program("/usr/lib/apt/apt-helper", &files, host)
                .args(["download-file", location])
                .arg(format!("{VIEW}/{DOWNLOADED}"))
                .arg(format!("SHA256:{}", package.sha256))
                .network()
                .run();
            Ok(download.is_ok().then(|| files.path().join(DOWNLOADED)))
        };
        let collection = Collection {
            directory,
            repositories: self.build_repositories().collect(),
            remedy: "specify a mirror that still has them (KIWI_DEBIAN_MIRROR may be a snapshot), or update the file with \
                     --lock",
            file_name,
            fetch: &fetch,
        };
        collection.fill(locked.packages, context)?;
        Ok(Resolved::of_packages(directory.display().to_string()))
    }
}
