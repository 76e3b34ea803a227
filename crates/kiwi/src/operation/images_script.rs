//! `images.sh`, the script of a description that changes the tree of one image.

use anyhow::Result;

use crate::host::{Host, StageTask};
use crate::root_tree::RootTree;
use crate::script::Script;

/// Runs the description's `images.sh`. Its changes stay in the layer; the root tree is not modified.
pub(super) fn run(layered: &RootTree, host: &Host) -> Result<()> {
    if let Some(images_sh) = Script::of_tree(layered, "images.sh") {
        let stage = host.stage(StageTask::RunScript, "Running images.sh");
        images_sh.run(layered, false, host)?;
        stage.finish();
    }
    Ok(())
}
