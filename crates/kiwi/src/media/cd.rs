//! A CD that starts a boot image (docs/formats/media.md); with a system on it, a CD that installs it. The same file works
//! on a stick.
//!
//! ```text
//! /boot/ARCH/loader/linux, initrd     the boot image
//! /config.isoclient                   settings of the installation
//! /image/N.gz, /image/N.md5           the compressed disk, and the checksum of the uncompressed one
//! ```

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use bootconfig::{Checksum, InstallConfig};
use description::{BootloaderName, Firmware};

use super::boot_files::BootFiles;
use super::boot_menu::{self, Start};
use super::iso::{self, Graft, IsoPlan};
use super::system_image::SystemImage;
use crate::bootloader::signed::SignedPrograms;
use crate::gzip::GzipWriter;
use crate::host::{Host, StageTask, Unit};
use crate::identity::Identity;
use crate::workspace::Workspace;

/// A CD to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    iso: IsoPlan,
    /// Files with their paths on the medium.
    files: Vec<(PathBuf, String)>,
    install: Option<Install>,
    epoch: u64,
}

/// An installation.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Install {
    image: PathBuf,
    sum: Checksum,
    config: InstallConfig,
}

/// The firmwares that start a CD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Starts {
    /// The firmwares.
    pub firmware: Firmware,
    /// Signed programs that start it by UEFI; none: a GRUB that is made here.
    pub signed: Option<SignedPrograms>,
}

impl Default for Starts {
    /// Every firmware, without Secure Boot.
    fn default() -> Self {
        Self { firmware: Firmware::BiosAndUefi, signed: None }
    }
}

/// Plans a CD that only starts the boot image.
pub fn plan_boot(boot: &BootFiles, identity: &Identity) -> Plan {
    plan(boot, "KIWI CD boot", "KIWIBOOT", Starts::default(), identity)
}

/// Plans a CD that installs the disk `system` with the settings `config`. It `starts` by the firmwares by which the disk does.
pub fn plan_install(
    boot: &BootFiles,
    system: &SystemImage,
    config: &InstallConfig,
    starts: Starts,
    identity: &Identity,
) -> Plan {
    let title = format!("Install {}", system.name);
    let plan = plan(boot, &title, "KIWIINSTALL", starts, identity);
    Plan {
        install: Some(Install { image: system.path.clone(), sum: system.sum, config: config.clone() }),
        ..plan
    }
}

/// Returns the host programs that it needs.
pub fn programs(firmware: Firmware) -> Vec<&'static str> {
    iso::programs(BootloaderName::default(), firmware)
}

/// Checks that the boot loaders are installed, before any work.
pub fn check(firmware: Firmware) -> Result<()> {
    iso::check(BootloaderName::default(), firmware)
}

fn plan(boot: &BootFiles, title: &str, volume_id: &str, starts: Starts, identity: &Identity) -> Plan {
    let [kernel, initrd] = ["linux", "initrd"].map(|name| format!("{}/{name}", iso::LOADER));
    let start = Start { title, kernel: &kernel, initrd: &initrd, parameters: "" };
    let menu = boot_menu::menu(start);
    let Starts { firmware, signed } = starts;
    let iso = iso::plan(menu, volume_id, firmware, identity).started_by(signed);
    let files = vec![(boot.kernel.clone(), kernel), (boot.initrd.clone(), initrd)];
    Plan { iso, files, install: None, epoch: identity.epoch }
}

/// Writes the medium to the file `output`; returns its SHA-256.
pub fn create(plan: &Plan, output: &Path, workspace: &Workspace, host: &Host) -> Result<String> {
    let directory = workspace.scratch_file("cd");
    host.create_directories(&directory).context("making a directory for the medium's files")?;
    let mut grafts = match &plan.install {
        Some(install) => installed(install, plan.epoch, &directory, host)?,
        None => Vec::new(),
    };
    let stage = host.stage(StageTask::WriteMedium, "Assembling the medium");
    for (number, (source, location)) in plan.files.iter().enumerate() {
        // A copy, because its time is set; it shares blocks where the file system allows it.
        let copy = directory.join(number.to_string());
        host.copy_file(source, &copy).with_context(|| format!("copying {}", source.display()))?;
        iso::finish(&copy, plan.epoch, host)?;
        grafts.push(Graft::new(location, copy));
    }
    let grafts = iso::with_boot_files(&plan.iso, &grafts, workspace, host)?;
    let sha256 = iso::create(&plan.iso, &grafts, &[], None, output, workspace, host)?;
    stage.finish();
    Ok(sha256)
}

/// Writes the files of an installation to `directory`.
fn installed(install: &Install, epoch: u64, directory: &Path, host: &Host) -> Result<Vec<Graft>> {
    let [packed, sum, config] = ["image.gz", "image.md5", "config"].map(|name| directory.join(name));
    pack(&install.image, &packed, host)?;
    host.write_file(&sum, format!("{}\n", install.sum)).context("writing the checksum of the system")?;
    host.write_file(&config, install.config.to_string())
        .context("writing the settings of the installation")?;
    for file in [&packed, &sum, &config] {
        iso::finish(file, epoch, host)?;
    }
    Ok(vec![
        Graft::new(install.config.image_path(), packed),
        Graft::new(install.config.checksum_path(), sum),
        Graft::new(InstallConfig::PATH, config),
    ])
}

fn pack(image: &Path, packed: &Path, host: &Host) -> Result<()> {
    let what = || format!("packing {}", image.display());
    let size = image.metadata().with_context(what)?.len();
    let stage = host.stage(StageTask::WriteFilesystem, "Packing the system");
    let mut source = File::open(image).with_context(what)?;
    let target = host.create_file(packed).with_context(what)?;
    let mut writer = GzipWriter::new(target, host.processors()).with_context(what)?;
    let (mut block, mut done) = (vec![0; 1 << 20], 0);
    loop {
        host.check_interrupt()?;
        let count = source.read(&mut block).with_context(what)?;
        if count == 0 {
            break;
        }
        writer.write_all(&block[..count]).with_context(what)?;
        done += count as u64;
        stage.advance(done, size, Unit::Bytes);
    }
    writer.finish().with_context(what)?;
    stage.finish();
    Ok(())
}
