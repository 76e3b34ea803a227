//! The files of selected packages, from the metadata of the repositories.

use std::collections::HashMap;

use anyhow::{Context as _, Result, bail};

use super::index::Index;
use super::metadata::{Checksum, PrimaryPackage};
use super::solver::Solved;
use super::{Rpm, sources};
use crate::failure::{Failure, Kind};
use crate::package_manager::{ManagerFiles, Package};

/// A selected package with its file.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) solved: Solved,
    pub(super) package: Package,
    pub(super) installed_size: u64,
    /// The checksum in the metadata; [`Package::checksum`] is empty until it is known, if this is not a SHA-256.
    pub(super) listed: Checksum,
    priority: i64,
}

/// Returns the file of each selected package, sorted by name. If several repositories have it, priority and order decide.
pub(super) fn find(solved: &[Solved], rpm: &Rpm<'_>, files: &ManagerFiles) -> Result<Vec<Found>> {
    let mut found: HashMap<Solved, Option<Found>> =
        solved.iter().map(|package| (package.clone(), None)).collect();
    for (index, repository) in sources::used(rpm.plan) {
        let priority = repository.priority.unwrap_or(sources::PRIORITY);
        let index = Index::of(repository, rpm.solver.metadata(index, files)?);
        let read = index.packages(|package| {
            let key = Solved {
                name: package.name.clone(),
                edition: package.edition.clone(),
                architecture: package.architecture.clone(),
            };
            let Some(entry) = found.get_mut(&key) else { return Ok(()) };
            if entry.as_ref().is_none_or(|known| priority < known.priority) {
                *entry = Some(of_repository(key, package, &repository.location, priority)?);
            }
            Ok(())
        });
        read.with_context(|| format!("reading the metadata of the repository {}", repository.described))?;
    }
    let mut all = Vec::new();
    for (solved, found) in found {
        let Some(found) = found else {
            bail!(
                "{} selected {}-{}.{}, which the metadata of no repository contains",
                rpm.keyword(),
                solved.name,
                solved.edition,
                solved.architecture
            );
        };
        all.push(found);
    }
    all.sort_by(|one, other| one.solved.cmp(&other.solved));
    Ok(all)
}

/// Returns the names of all packages in the repositories.
pub(super) fn names(rpm: &Rpm<'_>, files: &ManagerFiles) -> Vec<String> {
    let mut names = Vec::new();
    for (index, repository) in sources::used(rpm.plan) {
        let Ok(directory) = rpm.solver.metadata(index, files) else { continue };
        // The names only improve a message.
        let _ = Index::of(repository, directory).packages(|package| {
            names.push(package.name);
            Ok(())
        });
    }
    names
}

fn of_repository(solved: Solved, package: PrimaryPackage, location: &str, priority: i64) -> Result<Found> {
    let listed = package.checksum.clone();
    if listed.algorithm.is_weak() {
        let keyword = listed.to_string();
        let keyword = keyword.split(':').next().unwrap_or_default();
        let message = format!(
            "the metadata lists the package {} with a checksum of type {keyword}, which can be forged",
            package.nevra()
        );
        return Err(Failure::new(Kind::NotBuilt, message)
            .remedy("Create it again with createrepo_c --checksum sha256.")
            .into());
    }
    let installed_size = package.installed_size;
    let size = Some(package.file_size).filter(|size| *size > 0);
    let package = Package {
        name: package.name.clone(),
        version: package.edition.to_string(),
        architecture: package.architecture.clone(),
        checksum: listed.sha256().unwrap_or_default().to_owned(),
        location: format!("{}/{}", location.trim_end_matches('/'), package.location),
        size,
    };
    Ok(Found { solved, package, installed_size, listed, priority })
}
