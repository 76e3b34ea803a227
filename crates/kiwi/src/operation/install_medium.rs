//! The installation medium of a disk whose type has `installiso` or `installstick`: one hybrid file, `N.install.iso`, for
//! CD and stick. Its boot image is made from the root tree, like that of the disk.

use anyhow::{Context as _, Result};
use bootconfig::{BootConfig, InstallConfig, Kind};
use description::{Boots, Disk, DiskFormat, Selection};

use crate::artifact::{self, Artifact, Role};
use crate::context::Context;
use crate::failure::fail;
use crate::host::Host;
use crate::initrd;
use crate::media::boot_files::BootFiles;
use crate::media::system_image::{Content, SystemImage};
use crate::media::{cd, iso};
use crate::record::Record;
use crate::root_tree::RootTree;
use crate::workspace::Workspace;

/// The disk that gets a medium.
fn wanted(selection: &Selection) -> Option<&Disk> {
    match selection.image_type.boots() {
        Some(Boots::Disk(disk)) => Some(disk).filter(|disk| disk.install_medium),
        Some(Boots::Usb(_) | Boots::Iso(_) | Boots::Pxe(_)) | None => None,
    }
}

/// Returns an error for a type that cannot be installed or a missing program, before any work.
pub(super) fn check(selection: &Selection, host: &Host) -> Result<()> {
    let Some(disk) = wanted(selection) else { return Ok(()) };
    if disk.format != DiskFormat::Raw {
        fail!(
            InvalidDescription,
            "installiso and installstick need a raw disk: remove either the format or the medium from the type"
        );
    }
    cd::programs().into_iter().try_for_each(|program| host.find_program(program).map(drop))?;
    cd::check()
}

/// Makes the boot image of the medium, if one is requested. The tree must still be complete: making the disk removes
/// the directories that get their own file systems.
pub(super) fn boot_files(
    selection: &Selection,
    tree: &RootTree,
    record: &Record,
    workspace: &Workspace,
    context: &Context,
) -> Result<Option<BootFiles>> {
    let Some(disk) = wanted(selection) else { return Ok(None) };
    let host = &context.host;
    let identity = record.identity();
    let config = BootConfig {
        medium: Some(iso::uuid_of(&identity)),
        // It is not for specific hardware.
        modules: vec!["isofs".to_owned()],
        ..BootConfig::new(Kind::Install)
    };
    let plan = initrd::plan(tree, disk.filesystem, &config, &identity)?;
    let [initrd, kernel] = ["install-initrd", "install-linux"].map(|name| workspace.scratch_file(name));
    initrd::create(&plan, tree, &context.share.linuxrc()?, &initrd, host)?;
    host.write_file(&kernel, tree.read(&plan.kernel.image)?)
        .context("writing the kernel of the installation medium")?;
    Ok(Some(BootFiles { initrd, kernel, kernel_version: plan.kernel.version }))
}

/// Makes the medium of the finished disk among `artifacts`.
pub(super) fn of(
    boot: &BootFiles,
    selection: &Selection,
    artifacts: &[Artifact],
    record: &Record,
    workspace: &Workspace,
    host: &Host,
) -> Result<Artifact> {
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
    let medium = cd::plan_install(boot, &system, &install, &identity);
    let file = format!("{name}.install.iso");
    let output = workspace.unfinished(&file);
    let sha256 = Some(cd::create(&medium, &output, workspace, host)?);
    Ok(Artifact { sha256, ..Artifact::new(Role::InstallMedium, file, output) })
}
