//! The installation medium of a disk whose type has `installiso` or `installstick`: one hybrid file, `N.install.iso`, for
//! CD and stick. Its boot image is made from the root tree, like that of the disk.

use anyhow::{Context as _, Result};
use bootconfig::{BootConfig, InstallConfig, Kind};
use description::{Disk, Firmware, Selection};

use super::image_input::ImageInput;
use super::installer;
use crate::artifact::{self, Artifact, Role};
use crate::bootloader::signed::{SignedPrograms, Use};
use crate::context::Context;
use crate::host::Host;
use crate::media::boot_files::BootFiles;
use crate::media::cd::Starts;
use crate::media::system_image::{Content, SystemImage};
use crate::media::{cd, iso};
use crate::record::Record;
use crate::root_tree::RootTree;
use crate::workspace::Workspace;

/// The disk that gets a medium.
fn wanted(selection: &Selection) -> Option<&Disk> {
    installer::disk(selection).filter(|disk| disk.install_medium)
}

/// Returns an error for a type that cannot be installed or a missing program, before any work.
pub(super) fn check(selection: &Selection, host: &Host) -> Result<()> {
    let Some(disk) = wanted(selection) else { return Ok(()) };
    installer::check(disk)?;
    cd::programs(disk.firmware).into_iter().try_for_each(|program| host.find_program(program).map(drop))?;
    cd::check(disk.firmware)
}

/// What an installation medium has of the tree.
pub(super) struct Installer {
    boot: BootFiles,
    /// The firmwares by which the disk starts.
    starts: Starts,
}

/// Copies what the medium has of the tree, if one is requested: its boot image and boot programs. The tree must still be complete: making the disk removes
/// the directories that get their own file systems.
pub(super) fn installer(
    selection: &Selection,
    tree: &RootTree,
    record: &Record,
    workspace: &Workspace,
    context: &Context,
) -> Result<Option<Installer>> {
    let Some(disk) = wanted(selection) else { return Ok(None) };
    let host = &context.host;
    let config = BootConfig {
        medium: Some(iso::uuid_of(&record.identity())),
        // It is not for specific hardware.
        modules: vec!["isofs".to_owned()],
        ..BootConfig::new(Kind::Install)
    };
    let boot = installer::create(&config, selection, "medium", tree, record, workspace, context)?;
    let signed = match disk.secure_boot && disk.firmware != Firmware::Bios {
        true => Some(SignedPrograms::copy(tree, Use::Medium, workspace, host)?),
        false => None,
    };
    Ok(Some(Installer { boot, starts: Starts { firmware: disk.firmware, signed } }))
}

/// Makes the medium of the finished disk among `artifacts`.
pub(super) fn of(installer: &Installer, artifacts: &[Artifact], input: ImageInput<'_>) -> Result<Artifact> {
    let ImageInput { selection, record, workspace, context, .. } = input;
    let host = &context.host;
    let identity = record.identity();
    let name = crate::create::image_name(selection).to_string();
    let find = |role| artifacts.iter().find(|artifact| artifact.role == role);
    let path = find(Role::Image).context("an installation medium needs a disk")?.path.clone();
    let sum = artifact::checksum(&path, host)?;
    let install = match find(Role::InstallSettings) {
        None => InstallConfig::new(&name),
        Some(settings) => {
            let reading = || format!("reading {}", settings.path.display());
            let text = std::fs::read_to_string(&settings.path).with_context(reading)?;
            InstallConfig::parse(&text).with_context(reading)?
        }
    };
    let system = SystemImage { path, name: name.clone(), content: Content::Disk, filesystem: None, sum };
    let medium = cd::plan_install(&installer.boot, &system, &install, installer.starts.clone(), &identity);
    let file = format!("{name}.install.iso");
    let output = workspace.unfinished(&file);
    let sha256 = Some(cd::create(&medium, &output, workspace, host)?);
    Ok(Artifact { sha256, ..Artifact::new(Role::InstallMedium, file, output) })
}
