//! `kiwi run`: boots a finished disk, CD or stick in QEMU, with its serial console on this terminal.

use std::path::PathBuf;

use anyhow::Result;

use super::machine;
use super::outcome::Outcome;
use crate::context::Context;
use crate::failure::fail;

pub use super::machine::{Accelerator, Firmware, Network, Options};

/// The image and the options of the machine.
#[derive(Debug, Clone)]
pub struct Request {
    /// The disk, or the image of a CD.
    pub image: PathBuf,
    /// The machine.
    pub options: Options,
}

/// Runs the machine until it ends.
pub fn run(request: &Request, context: &Context) -> Result<Outcome> {
    let host = &context.host;
    let machine = machine::prepare(&request.image, &request.options, host)?;
    if !request.options.window {
        host.say("This terminal is the machine's serial console; press Ctrl-A, then X to leave.");
    }
    let status = host.attended(&machine.program, &machine.arguments)?;
    if !status.success() {
        fail!(CommandFailed, "QEMU ended with {status}");
    }
    Ok(Outcome::Done)
}
