//! The program linuxrc as an input of stages.

use anyhow::{Context as _, Result};

use crate::share::Share;
use crate::stage::Inputs;

/// Adds linuxrc to the inputs of a stage; an error if the program is missing.
pub(super) fn add(share: &Share, inputs: &mut Inputs) -> Result<()> {
    if let Ok(path) = share.linuxrc() {
        let bytes = std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        inputs.bytes("linuxrc", bytes);
    }
    Ok(())
}
