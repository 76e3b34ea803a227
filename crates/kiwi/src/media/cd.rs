//! A CD that starts a boot image (spec/kiwi-1.4, 7.2); with a system on it, one that installs it (7.3). The same file
//! works on a stick.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use description::Firmware;

use super::boot_files::BootFiles;
use super::boot_menu::{self, Start};
use super::iso::{self, Graft, IsoPlan};
use crate::host::Host;
use crate::identity::Identity;
use crate::workspace::Workspace;

/// What is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    iso: IsoPlan,
    /// Files with their places on the medium.
    files: Vec<(PathBuf, String)>,
    epoch: u64,
}

/// A CD that starts the boot image and nothing else.
pub fn plan_boot(boot: &BootFiles, identity: &Identity) -> Plan {
    plan(boot, "KIWI CD boot", "KIWIBOOT", Vec::new(), identity)
}

/// Programs of the host that it takes.
pub fn programs() -> Vec<&'static str> {
    iso::programs(Firmware::BiosAndUefi)
}

/// Looks for the boot loaders, before any work.
pub fn check() -> Result<()> {
    iso::check(Firmware::BiosAndUefi)
}

fn plan(
    boot: &BootFiles,
    title: &str,
    volume_id: &str,
    more: Vec<(PathBuf, String)>,
    identity: &Identity,
) -> Plan {
    let [kernel, initrd] = ["linux", "initrd"].map(|name| format!("{}/{name}", iso::LOADER));
    let start = Start { title, kernel: &kernel, initrd: &initrd, words: "" };
    let menu = boot_menu::menu(start, true);
    let iso = iso::plan(menu, volume_id, Firmware::BiosAndUefi, identity);
    let mut files = vec![(boot.kernel.clone(), kernel), (boot.initrd.clone(), initrd)];
    files.extend(more);
    Plan { iso, files, epoch: identity.epoch }
}

/// Makes the medium as the file `output`.
pub fn create(plan: &Plan, output: &Path, workspace: &Workspace, host: &Host) -> Result<()> {
    let stage = host.stage("Assembling the medium");
    let folder = workspace.scratch_file("cd");
    host.create_folders(&folder).context("making a folder for the medium's files")?;
    let mut grafts = Vec::new();
    for (number, (source, place)) in plan.files.iter().enumerate() {
        // A copy, as its time is set; it shares its bytes where the file system can do that.
        let copy = folder.join(number.to_string());
        host.copy_file(source, &copy).with_context(|| format!("copying {}", source.display()))?;
        iso::settle(&copy, plan.epoch, host)?;
        grafts.push(Graft::new(place, copy));
    }
    iso::create(&plan.iso, &grafts, output, workspace, host)?;
    stage.finish();
    Ok(())
}
