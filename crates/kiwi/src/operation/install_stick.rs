//! `kiwi install-stick`: writes the medium of `install-cd` to a stick.

use anyhow::Result;

use super::install_cd::{self, Installation};
use super::outcome::Outcome;
use super::target::Target;
use crate::context::Context;
use crate::host::BeforeNamespaces;
use crate::media::boot_files::BootFiles;

/// The parts of the medium and the stick.
#[derive(Debug, Clone)]
pub struct Request {
    /// The parts of the medium.
    pub installation: Installation,
    /// The destination.
    pub target: Target,
}

impl Request {
    /// Validates the boot image, then chooses the stick.
    pub(super) fn reach(&mut self, outside: &BeforeNamespaces) -> Result<()> {
        BootFiles::find(&self.installation.initrd)?;
        self.target.reach(outside)
    }
}

/// Makes the stick.
pub fn run(request: &Request, context: &Context) -> Result<Outcome> {
    let host = &context.host;
    install_cd::make(&request.installation, &request.target, host)
}
