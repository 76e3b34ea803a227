//! The indices of the repositories and apt's answers about them, which are cached: an update only asks for changes, and
//! the same question about the same indices is asked once.

use std::fs::File;

use anyhow::{Context as _, Result};
use serde::{Serialize, de::DeserializeOwned};

use super::output::Order;
use super::{Apt, WORK};
use crate::context::Context;
use crate::host::Warning;
use crate::package_manager::Package;
use crate::root_tree::RootTree;
use crate::stage::{Digest, canonical};

pub(super) const LISTS: &str = "var/lib/apt/lists";

/// Raise it when kiwi asks apt in another way or reads another answer out of the same output: answers of another format
/// are not restored from the cache.
const RESOLUTION_FORMAT: u32 = 2;

impl Apt<'_> {
    /// Returns the digest of the source lists.
    fn repositories(&self, tree: &RootTree) -> Result<Digest> {
        let sources = tree.read(format!("{WORK}/etc/sources.list.d/kiwi.sources"))?;
        // The index of a directory of packages is inside the tree, whose path does not identify the repository.
        let text = String::from_utf8_lossy(&sources).replace(&tree.path().display().to_string(), "");
        Ok(Digest::of(format!("{} {text}", self.plan.architecture)))
    }

    /// Copies the indices of the last update into the tree.
    pub(super) fn restore_indices(&self, tree: &RootTree, context: &Context) -> Result<()> {
        let cache = context.cache()?;
        let host = &context.host;
        cache.indices().restore(&self.repositories(tree)?, &tree.path().join(LISTS), host)
    }

    /// Saves the indices unless they are unchanged: `before` is their digest after `restore_indices`.
    pub(super) fn save_indices(&self, before: &Digest, tree: &RootTree, context: &Context) -> Result<()> {
        let cache = context.cache()?;
        let host = &context.host;
        if self.indices_digest(tree)? == *before {
            return Ok(());
        }
        let kept = cache.indices().save(&self.repositories(tree)?, &tree.path().join(LISTS), host);
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
    pub(super) fn indices_digest(&self, tree: &RootTree) -> Result<Digest> {
        let names = tree.list(LISTS)?;
        let releases: Vec<&str> = names
            .iter()
            .filter_map(|name| name.strip_suffix("Release"))
            .map(|name| name.trim_end_matches("In"))
            .collect();
        let mut text = String::new();
        for name in &names {
            let release = name.ends_with("Release");
            let covered = releases.iter().any(|start| name.starts_with(start));
            if name != "lock" && (release || !covered) && is_file(tree, name) {
                text += &format!("{name} {}\n", Digest::of(tree.read(format!("{LISTS}/{name}"))?));
            }
        }
        Ok(Digest::of(text))
    }

    /// Returns all inputs of apt's answer to a request for `wanted`.
    fn question(&self, wanted: &[String], tree: &RootTree) -> Result<String> {
        let configuration = self.apt_conf(std::path::Path::new(""));
        let indices = (self.repositories(tree)?, self.indices_digest(tree)?);
        canonical(&(RESOLUTION_FORMAT, wanted, configuration, self.preferences(tree)?, indices))
    }

    /// Returns the packages that `wanted` require: the cached result of `decide` for the same indices, or a new one.
    pub(super) fn packages_once(
        &self,
        wanted: &[String],
        tree: &RootTree,
        context: &Context,
        decide: impl FnOnce() -> Result<Vec<Package>>,
    ) -> Result<Vec<Package>> {
        // The path of a package inside the tree differs in every build.
        let here = tree.path().display().to_string();
        let lasting =
            |packages: &Vec<Package>| packages.iter().all(|package| !package.location.contains(&here));
        once(&Digest::of(self.question(wanted, tree)?), context, decide, lasting)
    }

    /// Returns the order of installation from the cache or from `decide`; `installed` is dpkg's status.
    pub(super) fn ordered_once(
        &self,
        installed: &str,
        tree: &RootTree,
        context: &Context,
        decide: impl FnOnce() -> Result<Order>,
    ) -> Result<Order> {
        let question = format!("order {} {installed}", self.question(&self.wanted(), tree)?);
        once(&Digest::of(question), context, decide, |_| true)
    }
}

/// Returns the cached answer to a question, or the answer of `decide`, which is saved if it is `lasting`.
fn once<T: Serialize + DeserializeOwned>(
    inputs: &Digest,
    context: &Context,
    decide: impl FnOnce() -> Result<T>,
    lasting: impl FnOnce(&T) -> bool,
) -> Result<T> {
    let cache = context.cache()?;
    let host = &context.host;
    if let Some(known) = cache.indices().resolution(inputs, host) {
        return Ok(known);
    }
    let answer = decide()?;
    if lasting(&answer)
        && let Err(error) = cache.indices().save_resolution(inputs, &answer, host)
    {
        host.warn(
            Warning::Cache,
            &format!("the next build must ask apt again which packages to install: {error:#}"),
        );
    }
    Ok(answer)
}

fn is_file(tree: &RootTree, name: &str) -> bool {
    let file: Result<File> = tree.open_file(format!("{LISTS}/{name}"));
    file.and_then(|file| file.metadata().context("reading an index")).is_ok_and(|metadata| metadata.is_file())
}
