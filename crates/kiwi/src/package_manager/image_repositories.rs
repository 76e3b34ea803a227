//! The repositories in the configuration of an image.

use anyhow::Result;

use super::{ImageRepositories, PackagePlan};
use crate::distribution::ImageKey;
use crate::root_tree::RootTree;

/// Lists the repositories of the image, with their keys. Returns the keys that are new in the tree.
pub(super) fn write<'p>(
    plan: &'p PackagePlan,
    repositories: ImageRepositories,
    tree: &RootTree,
) -> Result<Vec<&'p ImageKey>> {
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
    let mut keys = Vec::new();
    if known.is_none() && new.is_some() {
        keys.extend(own.iter().flat_map(|repository| &repository.keys));
        for key in &keys {
            tree.write(format!("{}/{}", file.keys, key.name), &key.bytes, 0o644)?;
        }
    }
    if let Some(text) = known.or(new) {
        tree.write(file.path, text, 0o644)?;
    }
    Ok(keys)
}
