//! The repositories in the configuration of an image.

use anyhow::Result;

use super::{ImageRepositories, PackagePlan};
use crate::root_tree::RootTree;

/// Lists the repositories of the image, with their keys.
pub(super) fn write(plan: &PackagePlan, repositories: ImageRepositories, tree: &RootTree) -> Result<()> {
    let file = &plan.distribution.facts().repository_file;
    let known = match repositories {
        ImageRepositories::Keep => tree.read_text(file.path).ok(),
        ImageRepositories::Write => None,
    };
    let own: Vec<_> =
        plan.repositories.iter().filter_map(|repository| repository.in_image.as_ref()).collect();
    let new = if own.is_empty() || !tree.exists(file.directory) {
        None
    } else {
        file.replaces.iter().try_for_each(|path| tree.remove(path))?;
        (file.text)(&own, &|path| tree.read_text(path).ok())
    };
    if known.is_none() && new.is_some() {
        for key in own.iter().flat_map(|repository| &repository.keys) {
            tree.write(format!("{}/{}", file.keys, key.name), &key.bytes, 0o644)?;
        }
    }
    match known.or(new) {
        Some(text) => tree.write(file.path, text, 0o644),
        None => Ok(()),
    }
}
