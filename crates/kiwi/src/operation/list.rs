//! `kiwi list`: the boot image descriptions that come with kiwi.

use anyhow::Result;

use super::load;
use crate::context::Context;

/// Nothing can be asked.
#[derive(Debug, Clone)]
pub struct Request;

/// Prints `path -> Version: x.y.z`, a line each.
pub fn run(_request: &Request, context: &Context) -> Result<()> {
    let share = &context.share;
    let host = &context.host;
    share.require_images()?;
    for path in share.list() {
        let loaded = load::load(&share.description(&path)?, share)?;
        host.print(&format!("{path} -> Version: {}", loaded.description.version));
    }
    Ok(())
}
