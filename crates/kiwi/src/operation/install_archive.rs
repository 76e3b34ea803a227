//! The files of an installation over the network, for a disk whose type has `installpxe`: `N.install.tar`
//! (docs/formats/image-files.md). Its boot image is made from the root tree, like that of an installation medium.

use anyhow::{Context as _, Result};
use bootconfig::{BootConfig, InstallSource, Kind};
use description::{Disk, Selection};

use super::image_input::ImageInput;
use super::installer;
use crate::artifact::{Artifact, Role, Sums};
use crate::context::Context;
use crate::file_archive::{self, Member, Packing};
use crate::host::StageTask;
use crate::media::boot_files::BootFiles;
use crate::pxe::{self, BootEntry};
use crate::record::Record;
use crate::root_tree::RootTree;
use crate::workspace::Workspace;

/// The disk that is installed over the network.
fn wanted(selection: &Selection) -> Option<&Disk> {
    installer::disk(selection).filter(|disk| disk.install_archive)
}

/// Returns an error for a type that cannot be installed, before any work.
pub(super) fn check(selection: &Selection) -> Result<()> {
    wanted(selection).map_or(Ok(()), installer::check)
}

/// Makes the boot image of the installation, if one is requested. The tree must still be complete.
pub(super) fn boot_files(
    selection: &Selection,
    tree: &RootTree,
    record: &Record,
    workspace: &Workspace,
    context: &Context,
) -> Result<Option<BootFiles>> {
    if wanted(selection).is_none() {
        return Ok(None);
    }
    // Without a medium it has the drivers of network cards.
    let config = BootConfig::new(Kind::Install);
    installer::create(&config, selection, "pxe", tree, record, workspace, context).map(Some)
}

/// Makes the archive of the finished disk among `artifacts`.
pub(super) fn of(boot: &BootFiles, artifacts: &[Artifact], input: ImageInput<'_>) -> Result<Artifact> {
    let ImageInput { selection, record, workspace, context, .. } = input;
    let host = &context.host;
    let name = crate::create::image_name(selection).to_string();
    let disk = wanted(selection).context("an installation archive needs a disk")?;
    let find = |role| artifacts.iter().find(|artifact| artifact.role == role);
    let image = &find(Role::Image).context("an installation archive needs a disk")?.path;
    let stage = host.stage(StageTask::ComputeDigests, "Checking sums");
    let sums = Sums::of(image, host)?;
    stage.finish();
    let stage = host.stage(StageTask::Compress, "Packing the system");
    let packed = workspace.scratch_file("install-image.xz");
    file_archive::compress(image, &packed, &stage, host)?;
    stage.finish();
    let stage = host.stage(StageTask::WriteArchive, "Packing the archive");
    let entry = BootEntry::of_linux(format!("pxeboot.{name}.kernel"), format!("pxeboot.{name}.initrd"));
    let member = |name: String, path: &std::path::Path| Member { name, path: path.to_owned() };
    let mut members = vec![
        member(entry.kernel.clone(), &boot.kernel),
        member(entry.initrd.clone(), &boot.initrd),
        member(format!("{name}.xz"), &packed),
    ];
    if let Some(settings) = find(Role::InstallSettings) {
        members.push(member(format!("{name}.config"), &settings.path));
    }
    let consoles = crate::create::console_parameters(disk).join(" ");
    let parameters = format!("{} {consoles}", InstallSource::parameters(&format!("{name}.xz")));
    let [of_pxelinux, of_grub] = pxe::install_entries(&name, &entry, parameters.trim_end());
    for (ending, text) in [
        ("md5", format!("{}\n", sums.md5)),
        ("sha256", format!("{}  {name}\n", sums.sha256)),
        ("append", format!("{}\n", parameters.trim_end())),
        ("pxelinux", of_pxelinux),
        ("grub", of_grub),
    ] {
        let path = workspace.scratch_file(&format!("install-archive.{ending}"));
        host.write_file(&path, text).with_context(|| format!("writing {}", path.display()))?;
        members.push(member(format!("{name}.{ending}"), &path));
    }
    let file = format!("{name}.install.tar");
    let output = workspace.unfinished(&file);
    file_archive::create(&members, Packing::Plain, record.identity().epoch, &output, &stage, host)?;
    host.remove_file(&packed).context("removing the packed system")?;
    stage.finish();
    Ok(Artifact::new(Role::InstallArchive, file, output))
}
