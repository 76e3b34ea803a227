//! The division of a tree into a read-only part and the rest, for live media and the type `split`.

use anyhow::{Context, Result};

use crate::host::Host;
use crate::root_tree::RootTree;
use crate::workspace::Workspace;

/// The directories of the read-only part. A directory that is a link (`bin` to `usr/bin` on merged systems) stays with the rest.
const READ_ONLY: [&str; 6] = ["bin", "boot", "lib", "opt", "sbin", "usr"];

/// Returns the directories of [`READ_ONLY`] that the tree contains, in order.
pub(super) fn read_only_directories(tree: &RootTree) -> Result<Vec<&'static str>> {
    let is_directory =
        |name: &&str| tree.path().join(name).symlink_metadata().is_ok_and(|metadata| metadata.is_dir());
    let found: Vec<&str> = READ_ONLY.into_iter().filter(is_directory).collect();
    anyhow::ensure!(!found.is_empty(), "the root tree has none of the directories {}", READ_ONLY.join(", "));
    Ok(found)
}

/// Returns all other names at the top of the tree.
pub(super) fn rest_of(tree: &RootTree, directories: &[&str]) -> Result<Vec<String>> {
    let names = tree.list("/")?;
    Ok(names.into_iter().filter(|name| !directories.contains(&name.as_str())).collect())
}

/// Copies these names at the top of the tree to the new directory `name` of the scratch directory, with all attributes.
pub(super) fn copy(
    tree: &RootTree,
    names: &[String],
    name: &str,
    workspace: &Workspace,
    host: &Host,
) -> Result<RootTree> {
    let directory = workspace.scratch_file(name);
    host.create_directories(&directory)
        .with_context(|| format!("cannot create a directory for the {name}"))?;
    let mut copy = host.command("cp").args(["--archive", "--reflink=auto"]);
    for name in names {
        copy = copy.arg(tree.path().join(name));
    }
    copy.arg(&directory)
        .writable(workspace.scratch())
        .run()
        .with_context(|| format!("cannot copy the {name}"))?;
    RootTree::merged(&directory)
}
