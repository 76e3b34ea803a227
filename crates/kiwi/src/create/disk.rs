//! A virtual disk: boot loader, partitions and system in one file, then converted to the requested format.
//!
//! ```text
//! kernel, initrd, grub.cfg, fstab into the layer -> scripts -> disk file: file systems at their offsets, table, swap, ESP, GRUB -> format
//! ```

mod formats;
mod ovf;
mod scripts;
mod vagrant;
mod vmx;

use std::fs::File;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use bootconfig::{Content, FilesystemContent, ImageName, InstallConfig, Partition, Table};
use description::{Disk, DiskFormat, Selection};
use ondisk::command_line::{MAX_COMMAND_LINE, split};
use ondisk::{Filesystem, Mebibytes, Sectors};

use super::disk_volumes::{self, VolumePlan};
use super::{BootImageFiles, ImageContext, TreeFacts, client_settings, install_settings, remove_build_files};
use crate::artifact::Artifact;
use crate::bootloader::esp::{self, EspPlan};
use crate::bootloader::menu::Menu;
use crate::bootloader::platform::Platform;
use crate::bootloader::signed::{SignedPrograms, Use};
use crate::bootloader::{console, selected};
use crate::disk::{self, DiskLayout, fstab, storage, swap};
use crate::disk_format::vhd_tag;
use crate::failure::fail;
use crate::filesystem;
use crate::host::{Host, StageTask, sparse};
use crate::identity::Identity;
use crate::parallel;
use crate::root_tree::RootTree;
use crate::workspace::Workspace;

/// The paths of kernel and initrd in the system.
const BOOT: &str = "/boot";

/// The plan of a virtual disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub(super) name: ImageName,
    layout: DiskLayout,
    /// Children precede parents; the system is last.
    volumes: Vec<VolumePlan>,
    menu: Menu,
    /// Whether the signed programs of the tree start it by UEFI.
    secure_boot: bool,
    boot: BootImageFiles,
    epoch: u64,
    files: formats::Plan,
    /// The tag of a fixed VHD.
    vhd_tag: Option<[u8; 16]>,
    install: Option<InstallConfig>,
    /// `editbootconfig`
    edit_boot_config: Option<String>,
    edit_boot_install: Option<String>,
}

/// Fails for a disk that cannot be built.
pub(super) fn check(disk: &Disk) -> Result<()> {
    filesystems(disk).into_iter().try_for_each(filesystem::refuse_to_start)?;
    storage::of(disk).map(drop)
}

/// Returns the file systems of the partitions, starting with that of the system.
pub(super) fn filesystems(disk: &Disk) -> Vec<Filesystem> {
    let boot = disk.boot_partition.iter().map(|boot| boot.filesystem);
    let further = disk.partitions.iter().filter_map(|partition| partition.filesystem);
    std::iter::once(disk.filesystem).chain(boot).chain(further).collect()
}

/// Returns the mount points other than `/` that have a Linux file system of their own.
pub(super) fn mount_points(disk: &Disk) -> Result<Vec<String>> {
    let path = |partition: Partition| match partition.content {
        Content::Filesystem(volume) => volume.mount.map(|mount| mount.path).filter(|path| path != "/"),
        Content::Fat { .. } | Content::Swap { .. } | Content::BootCode | Content::Empty => None,
    };
    Ok(storage::of(disk)?.partitions.into_iter().filter_map(path).collect())
}

pub(super) fn plan(
    disk: &Disk,
    selection: &Selection,
    name: ImageName,
    facts: &TreeFacts,
    identity: &Identity,
) -> Result<Plan> {
    let boot = facts.boot.clone().context("a disk needs a boot image")?;
    let mut table = storage::of(disk)?;
    storage::identify(&mut table, identity);
    let volumes = disk_volumes::plan(&mut table, disk, facts, &boot, identity.epoch)?;
    let unpartitioned = disk.size.map_or(Mebibytes(0), |rule| rule.unpartitioned);
    let files = formats::plan(disk, &name, selection, identity);
    let mut layout = DiskLayout::of(table, unpartitioned, identity);
    let more = files.more(layout.size())?;
    if more > Mebibytes(0) {
        layout = DiskLayout::of(layout.table, Mebibytes(unpartitioned.0 + more.0), identity);
    }
    let mut oem = disk.oem.clone();
    if storage::has_swap(disk) {
        oem.swap = None;
    }
    Ok(Plan {
        menu: menu(disk, selection, &layout.table, &boot.kernel_version)?,
        install: install_settings::plan(selection, &oem, &name, Mebibytes(1)),
        name,
        layout,
        volumes,
        secure_boot: disk.secure_boot,
        boot,
        epoch: identity.epoch,
        files,
        vhd_tag: disk.vhd_tag.as_deref().and_then(vhd_tag::parse),
        edit_boot_config: disk.edit_boot_config.clone(),
        edit_boot_install: disk.edit_boot_install.clone(),
    })
}

/// Returns the boot menu. Paths are those of the file system that contains `/boot`.
fn menu(disk: &Disk, selection: &Selection, table: &Table, version: &str) -> Result<Menu> {
    let (kernel, initrd) = (kernel_path(version), initrd_path(version));
    let of = |path: &str| -> Result<(FilesystemContent, String)> {
        let found = table.containing(path).with_context(|| format!("no partition contains {path}"))?;
        match found {
            (Partition { content: Content::Filesystem(volume), .. }, inside) => {
                Ok((volume.clone(), inside.to_owned()))
            }
            (partition, _) => {
                bail!("{path} is not on a Linux file system but on partition {}", partition.number)
            }
        }
    };
    let (volume, directory) = of(selected::directory(disk.bootloader.name))?;
    let uuid = volume.uuid.with_context(|| {
        format!("GRUB finds {BOOT} by the UUID of its file system, and {} has no UUID", volume.kind.keyword())
    })?;
    let command_line = command_line(disk, table)?;
    if command_line.len() > MAX_COMMAND_LINE {
        fail!(
            InvalidDescription,
            "the kernel command line has {} bytes and a kernel accepts {MAX_COMMAND_LINE}: shorten kernelcmdline",
            command_line.len()
        );
    }
    Ok(Menu {
        title: selection.settings.display_name.clone().unwrap_or_else(|| selection.name.to_string()),
        kernel: of(&kernel)?.1,
        initrd: of(&initrd)?.1,
        directory,
        command_line,
        bootloader: disk.bootloader.clone(),
        uuid,
        filesystem: volume.kind,
    })
}

fn kernel_path(version: &str) -> String {
    format!("{BOOT}/vmlinuz-{version}")
}

fn initrd_path(version: &str) -> String {
    format!("{BOOT}/initrd.img-{version}")
}

/// Returns the kernel command line: the root device, the consoles, then the parameters of the description. A console that
/// they contain replaces the default one.
fn command_line(disk: &Disk, table: &Table) -> Result<String> {
    let own = disk.kernel_command_line.as_deref().unwrap_or_default();
    let mut parameters = table.kernel_parameters().context("the system has no UUID")?.to_vec();
    if !split(own).iter().any(|parameter| parameter.starts_with("console=")) {
        parameters.extend(console::parameters(&disk.bootloader).iter().map(ToString::to_string));
    }
    if disk.oem.silent_boot {
        parameters.push("quiet".to_owned());
    }
    parameters.extend(split(own).into_iter().map(str::to_owned));
    Ok(parameters.join(" "))
}

pub(super) fn create(plan: &Plan, context: ImageContext<'_>) -> Result<Vec<Artifact>> {
    let ImageContext { tree, workspace, host, .. } = context;
    // The first step, because the packages may be missing.
    let signed = match plan.secure_boot {
        true => Some(SignedPrograms::copy(tree, Use::Disk, workspace, host)?),
        false => None,
    };
    let mut artifacts = context.package_list(&plan.name)?;
    furnish(plan, tree)?;
    if let Some(script) = &plan.edit_boot_config {
        scripts::edit_boot_config(script, &plan.layout.table, tree, host)?;
    }
    scripts::edit_fstab(tree, workspace, host)?;
    scripts::run(context)?;
    let texts = formats::vagrantfiles(&plan.files, tree)?;
    let last =
        plan.edit_boot_install.as_ref().map(|name| scripts::DiskScript::take(name, tree)).transpose()?;
    remove_build_files(tree)?;
    tree.clamp_times(plan.epoch)?;
    if let Some(install) = &plan.install {
        artifacts.push(client_settings::create(install, &plan.name, workspace, host)?);
    }
    let raw = format!("{}.raw", plan.name);
    let path = if plan.files.contains(DiskFormat::Raw) {
        workspace.unfinished(&raw)
    } else {
        // It is read once more only, so it is kept in memory when there is room.
        workspace.passing_file(&raw, plan.layout.size())
    };
    let file = host.create_file(&path).with_context(|| format!("creating {}", path.display()))?;
    file.set_len(plan.layout.size().0).context("sizing the disk")?;
    let (boot, volumes) = parallel::both(
        || make_boot_loader(plan, signed.as_ref(), workspace, host),
        || disk_volumes::create(&plan.volumes, &plan.layout, &path, context),
    );
    volumes?;
    assemble(plan, &boot?, file).context("assembling the disk")?;
    if let Some(script) = last {
        script.run(&plan.layout.table, &path, tree, host)?;
        remove_build_files(tree)?;
    }
    artifacts.extend(formats::create(&plan.files, path, &texts, context)?);
    Ok(artifacts)
}

/// Adds to the layer the files that a disk has and a tree has not.
fn furnish(plan: &Plan, tree: &RootTree) -> Result<()> {
    let initrd = std::fs::read(&plan.boot.initrd)
        .with_context(|| format!("cannot read the boot image {}", plan.boot.initrd.display()))?;
    tree.write(initrd_path(&plan.boot.kernel_version).trim_start_matches('/'), initrd, 0o644)?;
    selected::configure(&plan.menu, tree)?;
    let own = if tree.exists("etc/fstab") { tree.read_text("etc/fstab")? } else { String::new() };
    if let Some(text) = fstab::merged(&plan.layout, &own) {
        tree.write("etc/fstab", text, 0o644)?;
    }
    for (partition, _) in plan.layout.partitions() {
        if let Some(mount) = partition.content.mount().filter(|mount| mount.path != "/") {
            tree.create_dir(mount.path.trim_start_matches('/'), 0o755)?;
        }
    }
    Ok(())
}

/// The boot loader of a disk, before it is written to the disk.
struct BootLoader {
    /// The program for BIOS.
    bios: Option<PathBuf>,
    /// The EFI system partition.
    esp: Option<PathBuf>,
}

/// Builds the boot loader. It depends on the plan only, so that this runs while the system is written.
fn make_boot_loader(
    plan: &Plan,
    signed: Option<&SignedPrograms>,
    workspace: &Workspace,
    host: &Host,
) -> Result<BootLoader> {
    let stage = host.stage(StageTask::WriteBootloader, "Building the boot loader");
    let menu = &plan.menu;
    let bios = match plan.layout.bios_core() {
        None => None,
        Some(_) => Some(selected::core_image(Platform::Pc, menu, workspace, host)?),
    };
    let mut esp = None;
    for (partition, extent) in plan.layout.partitions() {
        if let Content::Fat { id: Some(id), .. } = partition.content {
            let plan = EspPlan { size: extent.size(), id, epoch: plan.epoch };
            esp = Some(system_partition(&plan, menu, signed, workspace, host)?);
        }
    }
    stage.finish();
    Ok(BootLoader { bios, esp })
}

/// Writes everything but the file systems to the disk: partition table, boot loader, swap space, ESP.
fn assemble(plan: &Plan, boot: &BootLoader, mut file: File) -> Result<()> {
    let layout = &plan.layout;
    disk::write(layout, &mut file)?;
    if let (Some(core), Some(room)) = (&boot.bios, bios_core(plan)) {
        selected::write_bios(plan.menu.bootloader.name, core, room, &file)?;
    }
    if let Some(tag) = tag(plan) {
        vhd_tag::write(tag, &file)?;
    }
    for (partition, extent) in layout.partitions() {
        let (offset, size) = (extent.offset(), extent.size());
        match &partition.content {
            Content::Fat { .. } => {
                if let Some(image) = &boot.esp {
                    sparse::copy(image, &file, offset.0)?;
                }
            }
            Content::Swap { uuid, label } => {
                let uuid = uuid.as_deref().context("swap space has no UUID")?;
                swap::write(&file, offset, size, uuid, label.as_deref())?;
            }
            // Already written, or in the first sectors.
            Content::Filesystem(_) | Content::BootCode | Content::Empty => {}
        }
    }
    Ok(())
}

/// Returns the tag, if the disk is a fixed VHD.
fn tag(plan: &Plan) -> Option<[u8; 16]> {
    plan.vhd_tag.filter(|_| plan.files.contains(DiskFormat::VhdFixed))
}

/// Returns the sectors for GRUB's core, which follow the tag of a fixed VHD.
fn bios_core(plan: &Plan) -> Option<(Sectors, Sectors)> {
    let (start, count) = plan.layout.bios_core()?;
    let first = tag(plan).map_or(start.0, |_| start.0.max(vhd_tag::OFFSET / 512 + 1));
    Some((Sectors(first), Sectors(count.0 - (first - start.0))))
}

/// Returns the EFI system partition with the boot loader.
fn system_partition(
    esp: &EspPlan,
    menu: &Menu,
    signed: Option<&SignedPrograms>,
    workspace: &Workspace,
    host: &Host,
) -> Result<PathBuf> {
    let image = workspace.scratch_file("esp");
    let files = selected::efi_files(menu, signed, workspace, host)?;
    esp::create(esp, &files, &image, workspace, host)?;
    Ok(image)
}

#[cfg(test)]
mod tests;
