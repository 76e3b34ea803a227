//! Answers of package managers that are cached: the same question about the same indices is asked once.

use anyhow::Result;
use serde::{Serialize, de::DeserializeOwned};

use crate::context::Context;
use crate::host::Warning;
use crate::stage::Digest;

/// Returns the cached answer to a question, or the answer of `decide`, which is saved.
pub(super) fn once<T: Serialize + DeserializeOwned>(
    question: &Digest,
    manager: &str,
    context: &Context,
    decide: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let cache = context.cache()?;
    let host = &context.host;
    if let Some(known) = cache.indices().resolution(question, host) {
        return Ok(known);
    }
    let answer = decide()?;
    if let Err(error) = cache.indices().save_resolution(question, &answer, host) {
        host.warn(
            Warning::Cache,
            &format!("the next build must ask {manager} again which packages to install: {error:#}"),
        );
    }
    Ok(answer)
}
