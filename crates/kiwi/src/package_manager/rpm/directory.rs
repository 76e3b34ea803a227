//! Directories of packages without metadata: kiwi makes it in its own files, with createrepo_c.

use anyhow::{Context as _, Result};
use description::RepositoryType;

use super::metadata::REPOMD;
use super::solver::{HOME, VIEW};
use crate::failure::{Failure, Kind};
use crate::host::Host;
use crate::package_manager::ManagerFiles;
use crate::repository::Resolved;

/// Returns the directory of the metadata that [`index_directory`] makes, in [`ManagerFiles`].
pub(super) fn made(index: usize) -> String {
    format!("made/{index}")
}

/// Makes the metadata of a repository that is a directory of packages, once.
pub(super) fn index_directory(
    index: usize,
    repository: &Resolved,
    files: &ManagerFiles,
    host: &Host,
) -> Result<()> {
    if repository.kind != RepositoryType::RpmDir {
        return Ok(());
    }
    if !repository.location.starts_with('/') {
        let message =
            format!("kiwi reads a directory of packages only on this machine: {}", repository.described);
        let remedy = "Create its metadata with createrepo_c and write type=\"rpm-md\".";
        return Err(Failure::new(Kind::NotBuilt, message).remedy(remedy).into());
    }
    let directory = made(index);
    if files.path().join(&directory).join(REPOMD).exists() {
        return Ok(());
    }
    files.create_directory(&directory, host)?;
    host.command("createrepo_c")
        .writable(files.path())
        .bind(files.path(), VIEW, false)
        .env("HOME", format!("{VIEW}/{HOME}"))
        .args(["--quiet", "--no-database", "--general-compress-type", "gz", "--set-timestamp-to-revision"])
        .args(["--revision", "0", "--outputdir", &format!("{VIEW}/{directory}")])
        .arg(&repository.location)
        .run()
        .with_context(|| format!("reading the packages of the repository {}", repository.described))
}
