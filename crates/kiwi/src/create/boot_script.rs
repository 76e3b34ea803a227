//! The scripts of a description that change a boot loader, which a tree keeps for `create`.

use anyhow::Result;

use crate::failure::fail;
use crate::root_tree::RootTree;
use crate::script::Script;

/// Returns the script that the description calls `name` and the tree `kept`.
pub(super) fn of_tree(name: &str, attribute: &str, kept: &str, tree: &RootTree) -> Result<Script> {
    let Some(script) = Script::of_tree(tree, kept) else {
        fail!(
            File,
            "the tree does not contain the script {name} of {attribute}: it was prepared for another image type; prepare it again"
        );
    };
    Ok(script)
}
