//! `kiwi boot-cd`: a boot image becomes a CD that starts it.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::outcome::Outcome;
use super::target::Target;
use crate::context::Context;
use crate::media::boot_files::{BootFiles, base_name};
use crate::media::{self, cd};

/// What is started, and where the CD goes.
#[derive(Debug, Clone)]
pub struct Request {
    /// The boot image, `N.gz`; its kernel lies beside it.
    pub initrd: PathBuf,
    /// The file; none: `N.cdboot.iso` beside the boot image.
    pub output: Option<PathBuf>,
}

/// Makes the CD.
pub fn run(request: &Request, context: &Context) -> Result<Outcome> {
    let host = &context.host;
    for program in cd::programs() {
        host.find_program(program)?;
    }
    cd::check()?;
    let boot = BootFiles::find(&request.initrd)?;
    let target = Target::File(request.output.clone().unwrap_or_else(|| usual_name(&request.initrd)));
    let workspace = target.workspace(&request.initrd, host)?;
    let plan = cd::plan_boot(&boot, &media::identity("boot cd", &boot.sums()?, host));
    let medium = target.unfinished(&workspace)?;
    cd::create(&plan, &medium, &workspace, host)?;
    target.deliver(&medium, &workspace, host)?;
    workspace.close()?;
    Ok(target.outcome(host))
}

/// The chapter's name: `initrd-....gz` gives `initrd-....cdboot.iso`.
fn usual_name(initrd: &Path) -> PathBuf {
    initrd.with_file_name(format!("{}.cdboot.iso", base_name(initrd)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cd_is_named_as_in_the_chapter() {
        assert_eq!(
            usual_name(Path::new("/tmp/initrd-netboot-suse-10.2.i686-2.1.1.gz")),
            Path::new("/tmp/initrd-netboot-suse-10.2.i686-2.1.1.cdboot.iso")
        );
    }
}
