//! What the database of a tree says about its packages besides their names: their change logs, and the files that differ from
//! what the packages contain. The tree is only read; nothing in it runs.

use anyhow::Result;

use super::{apt, rpm};
use crate::distribution::Distribution;
use crate::failure::fail;
use crate::host::Host;
use crate::root_tree::RootTree;

/// Returns the change logs of these packages: for each its name, the text, and an empty line.
pub fn changes(packages: &[String], tree: &RootTree, host: &Host) -> Result<Vec<u8>> {
    match family(tree)? {
        Distribution::Debian => apt::reports::changes(packages, tree),
        Distribution::Suse | Distribution::Fedora | Distribution::Rhel => rpm::changes(tree, host),
    }
}

/// Returns a line for each file that differs from its package or is missing, as the package manager writes it.
pub fn verified(tree: &RootTree, host: &Host) -> Result<String> {
    match family(tree)? {
        Distribution::Debian => apt::reports::verified(tree, host),
        Distribution::Suse | Distribution::Fedora | Distribution::Rhel => rpm::verified(tree, host),
    }
}

fn family(tree: &RootTree) -> Result<Distribution> {
    let Some(family) = Distribution::detect(tree) else {
        fail!(
            Packages,
            "the root tree has no os-release that names its distribution, so its packages cannot be read"
        );
    };
    Ok(family)
}
