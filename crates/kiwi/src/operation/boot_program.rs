//! The boot program linuxrc as an input of stages.

use anyhow::{Context as _, Result};

use crate::share::Share;
use crate::stage::Inputs;

/// Adds the boot program to the inputs of a stage. Without the program, nothing that needs it is built.
pub(super) fn add(share: &Share, inputs: &mut Inputs) -> Result<()> {
    if let Ok(path) = share.linuxrc() {
        let bytes = std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        inputs.bytes("linuxrc", bytes);
    }
    Ok(())
}
