//! `kiwi boot-cd`: makes a bootable CD from a boot image.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::outcome::Outcome;
use super::target::Target;
use crate::context::Context;
use crate::media::boot_files::{BootFiles, base_name};
use crate::media::cd::Starts;
use crate::media::{self, cd};

/// The boot image and the destination of the CD.
#[derive(Debug, Clone)]
pub struct Request {
    /// The boot image, `N.gz`, with its kernel in the same directory.
    pub initrd: PathBuf,
    /// The CD's file; `None`: `N.cdboot.iso` beside the boot image.
    pub output: Option<PathBuf>,
}

/// Makes the CD.
pub fn run(request: &Request, context: &Context) -> Result<Outcome> {
    let host = &context.host;
    let Starts { firmware, .. } = Starts::default();
    for program in cd::programs(firmware) {
        host.find_program(program)?;
    }
    cd::check(firmware)?;
    let boot = BootFiles::find(&request.initrd)?;
    let target = Target::File(request.output.clone().unwrap_or_else(|| usual_name(&request.initrd)));
    let workspace = target.workspace(&request.initrd, host)?;
    let plan = cd::plan_boot(&boot, &media::identity("boot cd", &boot.sums(host)?, host));
    let medium = target.unfinished(&workspace)?;
    cd::create(&plan, &medium, &workspace, host)?;
    target.deliver(&medium, &workspace, host)?;
    workspace.close()?;
    Ok(target.outcome(host))
}

/// Returns the file name of KIWI 1.x: `initrd-....gz` gives `initrd-....cdboot.iso`.
fn usual_name(initrd: &Path) -> PathBuf {
    initrd.with_file_name(format!("{}.cdboot.iso", base_name(initrd)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_cd_like_kiwi_1x() {
        assert_eq!(
            usual_name(Path::new("/tmp/initrd-netboot-suse-10.2.i686-2.1.1.gz")),
            Path::new("/tmp/initrd-netboot-suse-10.2.i686-2.1.1.cdboot.iso")
        );
    }
}
