//! The indices of the repositories and apt's answers about them, which are cached: an update only asks for changes, and
//! the same question about the same indices is asked once.

use anyhow::Result;
use serde::{Serialize, de::DeserializeOwned};

use super::Apt;
use super::configuration::{LISTS, SOURCES};
use super::output::Order;
use super::preferences::is_directory;
use crate::context::Context;
use crate::host::Warning;
use crate::package_manager::answers::once;
use crate::package_manager::{ManagerFiles, Package};
use crate::stage::{Digest, canonical};

/// Raise it when kiwi asks apt in another way or reads another answer out of the same output: answers of another format
/// are not restored from the cache.
const RESOLUTION_FORMAT: u32 = 4;

impl Apt<'_> {
    /// Returns the digest of the source lists.
    fn repositories(&self, files: &ManagerFiles) -> Result<Digest> {
        // The source lists do not contain the path of a local repository. That of a directory of packages, whose index
        // is new in every build, does not identify it either.
        let local = self.build_repositories().map(|(_, repository)| repository);
        let local: Vec<&str> = local
            .filter(|repository| repository.location.starts_with('/') && !is_directory(repository))
            .map(|repository| repository.location.as_str())
            .collect();
        let sources = files.read_text(SOURCES)?;
        Ok(Digest::of(canonical(&(&self.plan.architecture, sources, local))?))
    }

    /// Copies the indices of the last update.
    pub(super) fn restore_indices(&self, files: &ManagerFiles, context: &Context) -> Result<()> {
        let cache = context.cache()?;
        let host = &context.host;
        cache.indices().restore(&self.repositories(files)?, &files.path().join(LISTS), host)
    }

    /// Saves the indices unless they are unchanged: `before` is their digest after `restore_indices`.
    pub(super) fn save_indices(
        &self,
        before: &Digest,
        files: &ManagerFiles,
        context: &Context,
    ) -> Result<()> {
        let cache = context.cache()?;
        let host = &context.host;
        if self.indices_digest(files)? == *before {
            return Ok(());
        }
        let kept = cache.indices().save(&self.repositories(files)?, &files.path().join(LISTS), host);
        if let Err(error) = kept {
            host.warn(
                Warning::Cache,
                &format!("the next build must fetch the indices of the repositories again: {error:#}"),
            );
        }
        Ok(())
    }

    /// Returns the digest of the state of the repositories. A release file contains the digests of its indices, which
    /// apt has checked; without one, the indices themselves are digested.
    pub(super) fn indices_digest(&self, files: &ManagerFiles) -> Result<Digest> {
        let names = files.list(LISTS)?;
        let releases: Vec<&str> = names
            .iter()
            .filter_map(|name| name.strip_suffix("Release"))
            .map(|name| name.trim_end_matches("In"))
            .collect();
        let mut text = String::new();
        for name in &names {
            let release = name.ends_with("Release");
            let covered = releases.iter().any(|start| name.starts_with(start));
            if name != "lock" && (release || !covered) {
                text += &format!("{name} {}\n", Digest::of(files.read(&format!("{LISTS}/{name}"))?));
            }
        }
        Ok(Digest::of(text))
    }

    /// Returns all inputs of apt's answer to a request for `wanted`.
    fn question(&self, wanted: &[String], files: &ManagerFiles) -> Result<String> {
        let indices = (self.repositories(files)?, self.indices_digest(files)?);
        canonical(&(RESOLUTION_FORMAT, wanted, self.apt_conf()?, self.preferences(files)?, indices))
    }

    /// Returns the packages that `wanted` require, with their locations as apt sees them: the cached result of `decide` for the same indices, or a new one.
    pub(super) fn packages_once(
        &self,
        wanted: &[String],
        files: &ManagerFiles,
        context: &Context,
        decide: impl FnOnce() -> Result<Vec<Package>>,
    ) -> Result<Vec<Package>> {
        once(&Digest::of(self.question(wanted, files)?), "apt", context, decide)
    }

    /// Returns the cached answer to another question about these packages, or that of `decide`.
    pub(super) fn answered_once<T: Serialize + DeserializeOwned>(
        &self,
        about: &str,
        packages: &[String],
        files: &ManagerFiles,
        context: &Context,
        decide: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let question = Digest::of(format!("{about} {}", self.question(packages, files)?));
        once(&question, "apt", context, decide)
    }

    /// Returns the order of installation from the cache or from `decide`; `installed` is dpkg's status.
    pub(super) fn ordered_once(
        &self,
        installed: &str,
        files: &ManagerFiles,
        context: &Context,
        decide: impl FnOnce() -> Result<Order>,
    ) -> Result<Order> {
        let question = format!("order {} {installed}", self.question(&self.wanted(), files)?);
        once(&Digest::of(question), "apt", context, decide)
    }
}
