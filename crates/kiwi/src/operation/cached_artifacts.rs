//! Saves finished files in the cache and restores them.

use anyhow::{Context as _, Result};
use serde::{Serialize, de::DeserializeOwned};

use crate::artifact::{Artifact, Role};
use crate::cache::{Damaged, Entry};
use crate::context::Context;
use crate::host::usage::FromCache;
use crate::host::{Host, Interrupted, StageTask, Warning};
use crate::stage::Inputs;
use crate::workspace::Workspace;

const FILES: &str = "files";
const MORE: &str = "more";

/// Restores the files that these inputs gave before into the workspace, with the note that was saved with them; `None` if
/// the cache has no entry or only a damaged one.
pub(super) fn restore<T: DeserializeOwned>(
    inputs: &Inputs,
    workspace: &Workspace,
    context: &Context,
) -> Result<Option<(Vec<Artifact>, T)>> {
    let cache = context.cache()?;
    let host = &context.host;
    let key = inputs.key();
    let Some(entry) = cache.stages().find(&key, host) else { return Ok(None) };
    let stage = host
        .stage(
            StageTask::Restore,
            format!("Restoring the {} from the cache", key.stage.title().to_lowercase()),
        )
        .of_cache(FromCache::Taken, key.stage.keyword());
    let taken = copied(&entry, workspace, host);
    drop(entry);
    match taken {
        Ok(taken) => {
            stage.finish();
            Ok(Some(taken))
        }
        Err(error) if error.is::<Damaged>() => {
            host.warn(
                Warning::Cache,
                &format!("cannot restore from the cache: {error:#}; rebuilding this stage"),
            );
            cache.stages().remove(&key, host)?;
            stage.finish_unrestored();
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn copied<T: DeserializeOwned>(
    entry: &Entry,
    workspace: &Workspace,
    host: &Host,
) -> Result<(Vec<Artifact>, T)> {
    let note = |name: &str| entry.contents().notes.get(name).map_or("null", String::as_str);
    let files: Vec<(Role, String)> = serde_json::from_str(note(FILES)).context("reading a cache entry")?;
    let mut artifacts = Vec::new();
    for (role, name) in files {
        let path = workspace.unfinished(&name);
        entry.copy(&name, &path, host)?;
        artifacts.push(Artifact::new(role, name, path));
    }
    Ok((artifacts, serde_json::from_str(note(MORE)).context("reading a cache entry")?))
}

/// Saves finished files with a note, which is requested when they are copied. A cache that cannot be written does not fail the build.
pub(super) fn save<T: Serialize>(
    inputs: &Inputs,
    image: &str,
    artifacts: &[Artifact],
    more: impl FnOnce() -> Result<T>,
    took: std::time::Duration,
    context: &Context,
) -> Result<()> {
    let cache = context.cache()?;
    let host = &context.host;
    let stage = host
        .stage(StageTask::Save, format!("Saving the {} in the cache", inputs.stage().title().to_lowercase()))
        .of_cache(FromCache::Kept, inputs.stage().keyword());
    let kept = (|| {
        let mut making = cache.stages().make(inputs, image, host)?;
        making.took(took);
        for artifact in artifacts {
            making.copy(&artifact.name, &artifact.path, host)?;
        }
        let files: Vec<(Role, &str)> =
            artifacts.iter().map(|artifact| (artifact.role, artifact.name.as_str())).collect();
        making.note(FILES, serde_json::to_string(&files)?);
        making.note(MORE, serde_json::to_string(&more()?)?);
        cache.stages().finish(making, host).map(|_| ())
    })();
    stage.finish();
    match kept {
        Err(error) if !error.is::<Interrupted>() => {
            host.warn(Warning::Cache, &format!("the next build cannot reuse this stage: {error:#}"));
            Ok(())
        }
        other => other,
    }
}
