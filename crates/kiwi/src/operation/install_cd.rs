//! `kiwi install-cd`: makes a CD from a boot image and a system that installs the system on a machine.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use bootconfig::{InstallChoice, InstallConfig};

use super::deployed_disk;
use super::outcome::Outcome;
use super::target::Target;
use crate::context::Context;
use crate::failure::fail;
use crate::host::Host;
use crate::media::boot_files::{BootFiles, directory_of};
use crate::media::cd::Starts;
use crate::media::system_image::SystemImage;
use crate::media::{self, cd};

/// The parts of the medium and the destination of the CD.
#[derive(Debug, Clone)]
pub struct Request {
    /// The parts of the medium.
    pub installation: Installation,
    /// The CD's file; `None`: `N.install.iso` beside the system.
    pub output: Option<PathBuf>,
}

/// An installation: the boot image that runs it, the system, and the answers known in advance.
#[derive(Debug, Clone)]
pub struct Installation {
    /// The boot image, of the kind isoinstboot, with its kernel in the same directory.
    pub initrd: PathBuf,
    /// The disk, or the file system with its `N.config`.
    pub system: PathBuf,
    /// Whether the installation runs without questions.
    pub unattended: bool,
    /// The disk of the machine that is overwritten.
    pub disk: Option<String>,
}

/// Makes the CD.
pub fn run(request: &Request, context: &Context) -> Result<Outcome> {
    let host = &context.host;
    let target = request.output.clone().unwrap_or_else(|| usual_name(&request.installation.system));
    make(&request.installation, &Target::File(target), host)
}

/// Makes the medium at `target`.
pub(super) fn make(installation: &Installation, target: &Target, host: &Host) -> Result<Outcome> {
    let boot = BootFiles::find(&installation.initrd)?;
    let workspace = target.workspace(&installation.initrd, host)?;
    let system = SystemImage::open(&installation.system, workspace.scratch(), host)?;
    let firmware = system.firmware()?;
    for program in cd::programs(firmware) {
        host.find_program(program)?;
    }
    cd::check(firmware)?;
    let config = config(installation, &system)?;
    let system = deployed_disk::of(&boot, system, &config, &workspace, host)?;
    let sums = [&boot.sums(host)?[..], &[system.sum]].concat();
    let identity = media::identity(&format!("install cd {config}"), &sums, host);
    let plan = cd::plan_install(&boot, &system, &config, Starts { firmware, signed: None }, &identity);
    let medium = target.unfinished(&workspace)?;
    cd::create(&plan, &medium, &workspace, host)?;
    target.deliver(&medium, &workspace, host)?;
    workspace.close()?;
    Ok(target.outcome(host))
}

/// Returns the settings of `N.config` beside the system, overridden by those of this call.
fn config(installation: &Installation, system: &SystemImage) -> Result<InstallConfig> {
    let file = directory_of(&installation.system).join(format!("{}.config", system.name));
    let mut config = match file.is_file() {
        false => InstallConfig::new(&system.name),
        true => {
            let text =
                std::fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
            InstallConfig::parse(&text).with_context(|| format!("reading {}", file.display()))?
        }
    };
    config.image.clone_from(&system.name);
    if installation.unattended {
        config.choices.insert(InstallChoice::Unattended);
    }
    if let Some(disk) = &installation.disk {
        let name = disk.strip_prefix("/dev/").unwrap_or(disk);
        if name.is_empty() || name.contains(['/', ';', ',', '\n']) {
            fail!(Usage, "--disk {disk}: expected the kernel's name of a whole disk, such as /dev/sda");
        }
        config.disk = Some(name.to_owned());
    }
    Ok(config)
}

/// Returns `N.install.iso` for `N.raw` and `N`.
fn usual_name(system: &Path) -> PathBuf {
    let name = system.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    system.with_file_name(format!("{}.install.iso", name.strip_suffix(".raw").unwrap_or(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_cd_after_its_system() {
        for name in ["a.x86_64-1.0.0.raw", "a.x86_64-1.0.0.raw.gz", "a.x86_64-1.0.0"] {
            assert_eq!(usual_name(Path::new(name)), Path::new("a.x86_64-1.0.0.install.iso"));
        }
    }
}
