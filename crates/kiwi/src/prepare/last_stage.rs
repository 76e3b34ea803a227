//! The tree of the last finished stage of a build, for a user who looks at it.

use anyhow::Result;

use super::Decided;
use super::stage_files::{packed_size, put};
use crate::context::Context;
use crate::host::StageTask;
use crate::host::usage::FromCache;
use crate::root_tree::RootTree;
use crate::stage::{Inputs, Stage};

/// Restores the last stage of a build that the cache has into the empty `tree`, and returns it. `layer` has the inputs of the
/// packages with scripts.
pub fn restore_last(
    decided: &Decided,
    layer: impl FnOnce() -> Result<Option<Inputs>>,
    tree: &RootTree,
    context: &Context,
) -> Result<Option<Stage>> {
    for inputs in [&decided.tree, &decided.packages] {
        if restore_whole(inputs, tree, context)? {
            return Ok(Some(inputs.stage()));
        }
    }
    for inputs in layer()?.iter().chain(&decided.bootstrap) {
        if restore_whole(inputs, tree, context)? {
            return Ok(Some(inputs.stage()));
        }
    }
    Ok(None)
}

/// Restores a stage with all its parents if the cache has them.
fn restore_whole(inputs: &Inputs, tree: &RootTree, context: &Context) -> Result<bool> {
    let host = &context.host;
    let Some(entries) = context.cache()?.stages().find_whole(&inputs.key(), host) else { return Ok(false) };
    let title = format!("Restoring the stage '{}' from the cache", inputs.stage().keyword());
    let stage = host.stage(StageTask::Restore, title).of_cache(FromCache::Taken, inputs.stage().keyword());
    tree.clear_dir(".")?;
    let meter = stage.meter(entries.iter().map(packed_size).sum());
    for entry in entries {
        put(&entry, tree, &meter, host)?;
    }
    stage.finish();
    Ok(true)
}
