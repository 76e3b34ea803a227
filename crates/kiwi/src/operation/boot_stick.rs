//! `kiwi boot-stick`: makes a bootable stick from a boot image and, optionally, a system.

use std::path::PathBuf;

use anyhow::Result;

use super::outcome::Outcome;
use super::target::Target;
use crate::context::Context;
use crate::host::BeforeNamespaces;
use crate::media::boot_files::BootFiles;
use crate::media::stick::{self, Carrier};
use crate::media::system_image::SystemImage;
use crate::media::system_kernel;

/// The contents of the stick and its destination.
#[derive(Debug, Clone)]
pub struct Request {
    /// The boot image, `N.gz`, with its kernel in the same directory.
    pub initrd: PathBuf,
    /// The system, an image of type usb.
    pub system: Option<PathBuf>,
    /// The destination.
    pub target: Target,
}

impl Request {
    /// Validates the boot image, then chooses the stick.
    pub(super) fn reach(&mut self, outside: &BeforeNamespaces) -> Result<()> {
        BootFiles::find(&self.initrd)?;
        self.target.reach(outside)
    }
}

/// Makes the stick.
pub fn run(request: &Request, context: &Context) -> Result<Outcome> {
    let host = &context.host;
    for program in stick::programs() {
        host.find_program(program)?;
    }
    let boot = BootFiles::find(&request.initrd)?;
    let workspace = request.target.workspace(&request.initrd, host)?;
    let system = request.system.as_deref();
    let system = system.map(|path| SystemImage::open(path, workspace.scratch(), host)).transpose()?;
    if let Some(system) = &system {
        system_kernel::compare(&boot, system, host)?;
    }
    let identity = stick::identity(&boot.sums(host)?, system.as_ref(), host);
    let plan = stick::plan(boot, system.as_ref(), Carrier::Stick, &identity)?;
    let medium = request.target.unfinished(&workspace)?;
    stick::create(&plan, &medium, &workspace, host)?;
    request.target.deliver(&medium, &workspace, host)?;
    workspace.close()?;
    Ok(request.target.outcome(host))
}
