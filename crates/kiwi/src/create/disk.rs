//! A virtual disk: boot loader, partitions and the system, all in one file, then in the format that was asked for.
//!
//! ```text
//! kernel, initrd, grub.cfg, fstab into the layer -> disk file: system where it stays, table, ESP, GRUB -> format
//! ```

use std::fs::File;
use std::path::PathBuf;

use anyhow::{Context, Result};
use bootconfig::{ImageName, InstallConfig};
use description::{Disk, DiskFormat, Firmware, Machine, Selection};

use super::{BootFiles, TreeFacts, install_settings, remove_build_files, size};
use crate::artifact::{Artifact, Role};
use crate::bootloader::esp::{self, EspPlan};
use crate::bootloader::grub2::{self, Menu, Platform};
use crate::disk::{self, DiskLayout, PartitionRole, SECTOR};
use crate::disk_format;
use crate::filesystem::{self, FilesystemPlan};
use crate::host::{Host, sparse};
use crate::identity::Identity;
use crate::root_tree::RootTree;
use crate::workspace::Workspace;

/// What is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub(super) name: ImageName,
    system: FilesystemPlan,
    layout: DiskLayout,
    menu: Menu,
    boot: BootFiles,
    fstab: String,
    esp_id: u32,
    format: DiskFormat,
    /// Where identifiers of the file's format come from.
    file_id: [u8; 16],
    format_options: Vec<String>,
    machine: Option<Machine>,
    install: Option<InstallConfig>,
}

pub(super) fn plan(
    disk: &Disk,
    selection: &Selection,
    name: ImageName,
    facts: &TreeFacts,
    identity: &Identity,
) -> Result<Plan> {
    let boot = facts.boot.clone().context("a disk needs a boot image")?;
    let mut measure = facts.measure;
    let initrd = boot.initrd.metadata().with_context(|| format!("reading {}", boot.initrd.display()))?;
    measure.bytes += initrd.len() + (1 << 20);
    let needed = filesystem::needed(disk.filesystem, &measure);
    let system = FilesystemPlan {
        filesystem: disk.filesystem,
        size: size::decide(needed, disk.size)? << 20,
        uuid: identity.uuid_text("root filesystem"),
        label: Some(disk.label.clone()).filter(|label| !label.is_empty()),
        options: disk.create_options.clone(),
        compression: None,
        entries: measure.entries,
        epoch: identity.epoch,
    };
    let unpartitioned = disk.size.map_or(0, |rule| rule.unpartitioned.0);
    let esp = disk.esp_size.map(|size| size.0);
    let layout = disk::plan(disk.firmware, system.size, esp, unpartitioned, identity);
    let esp_id = u32::from_be_bytes(std::array::from_fn(|index| identity.bytes("esp")[index]));
    let version = &boot.kernel_version;
    let menu = Menu {
        title: selection.settings.display_name.clone().unwrap_or_else(|| selection.name.to_string()),
        kernel: format!("/boot/vmlinuz-{version}"),
        initrd: format!("/boot/initrd.img-{version}"),
        command_line: command_line(disk, &system.uuid),
        bootloader: disk.bootloader.clone(),
        uuid: system.uuid.clone(),
        filesystem: disk.filesystem,
    };
    let install = install_settings::plan(selection, &disk.oem, &name, 1);
    Ok(Plan {
        fstab: fstab(disk, &system.uuid, layout.partition(PartitionRole::Esp).map(|_| esp_id)),
        name,
        system,
        layout,
        menu,
        boot,
        esp_id,
        format: disk.format,
        file_id: identity.uuid("disk file"),
        format_options: disk.format_options.clone(),
        machine: disk.machine.clone(),
        install,
    })
}

/// The root device, the consoles, then what the description says; a console it names takes the location of ours.
fn command_line(disk: &Disk, uuid: &str) -> String {
    let own = disk.kernel_command_line.as_deref().unwrap_or_default();
    let mut keywords = vec![format!("root=UUID={uuid}"), "rw".to_owned()];
    if !own.split_whitespace().any(|keyword| keyword.starts_with("console=")) {
        keywords.extend(grub2::console_keywords(&disk.bootloader).iter().map(ToString::to_string));
    }
    if disk.oem.silent_boot {
        keywords.push("quiet".to_owned());
    }
    keywords.extend(own.split_whitespace().map(str::to_owned));
    keywords.join(" ")
}

fn fstab(disk: &Disk, uuid: &str, esp: Option<u32>) -> String {
    let options = disk.mount_options.as_deref().unwrap_or("defaults");
    // Btrfs and XFS repair themselves when mounted: nothing to check before.
    let pass = u8::from(disk.filesystem.keyword().starts_with("ext"));
    let mut text = format!("UUID={uuid} / {} {options} 0 {pass}\n", disk.filesystem.keyword());
    if let Some(id) = esp {
        text += &format!("UUID={} /boot/efi vfat umask=0077,nofail 0 2\n", fat_uuid(id));
    }
    text
}

/// A FAT volume id as fstab has it.
fn fat_uuid(id: u32) -> String {
    format!("{:04X}-{:04X}", id >> 16, id & 0xffff)
}

pub(super) fn create(
    plan: &Plan,
    tree: &RootTree,
    workspace: &Workspace,
    host: &Host,
) -> Result<Vec<Artifact>> {
    let mut artifacts = super::package_list(&plan.name, tree, workspace, host)?;
    remove_build_files(tree)?;
    furnish(plan, tree)?;
    tree.clamp_times(plan.system.epoch)?;
    if let Some(install) = &plan.install {
        artifacts.push(install_settings::create(install, &plan.name, workspace, host)?);
    }
    let raw = format!("{}.raw", plan.name);
    let path = match plan.format {
        DiskFormat::Raw => workspace.unfinished(&raw),
        // Only read once more: in memory when there is room.
        _ => workspace.passing_file(&raw, plan.layout.sectors * SECTOR),
    };
    let file = host.create_file(&path).with_context(|| format!("creating {}", path.display()))?;
    file.set_len(plan.layout.sectors * SECTOR).context("sizing the disk")?;
    let system = plan.layout.partition(PartitionRole::System).context("the disk has no system partition")?;
    let boot = std::thread::scope(|scope| {
        let boot = scope.spawn(|| make_boot_loader(plan, workspace, host));
        let stage = host.stage(format!("Writing the {} file system", plan.system.filesystem.keyword()));
        filesystem::create_inside(&plan.system, tree, &path, system.start * SECTOR, workspace, host)?;
        stage.finish();
        boot.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })?;
    assemble(plan, &boot, file).context("assembling the disk")?;
    if plan.format == DiskFormat::Raw {
        artifacts.push(Artifact::new(Role::Image, raw, path));
        return Ok(artifacts);
    }
    let ending = disk_format::ending(plan.format);
    let file = format!("{}.{ending}", plan.name);
    let converted = workspace.unfinished(&file);
    let stage = host.stage(format!("Converting to {ending}"));
    let earlier = workspace.earlier(&file);
    let options = &plan.format_options;
    disk_format::convert(&path, plan.format, options, plan.file_id, &converted, earlier.as_deref(), host)?;
    host.remove_file(&path).context("removing the raw disk")?;
    stage.finish();
    if let (DiskFormat::Vmdk, Some(machine)) = (plan.format, &plan.machine) {
        let settings = format!("{}.vmx", plan.name);
        let location = workspace.unfinished(&settings);
        host.write_file(&location, vmx(&plan.name, machine, &file))
            .context("writing the machine's settings")?;
        artifacts.push(Artifact::new(Role::MachineSettings, settings, location));
    }
    artifacts.push(Artifact::new(Role::Image, file, converted));
    Ok(artifacts)
}

/// Puts into the layer what a disk has and a tree has not.
fn furnish(plan: &Plan, tree: &RootTree) -> Result<()> {
    let initrd = std::fs::read(&plan.boot.initrd)
        .with_context(|| format!("reading the boot image {}", plan.boot.initrd.display()))?;
    tree.write(plan.menu.initrd.trim_start_matches('/'), initrd, 0o644)?;
    grub2::configure(&plan.menu, tree)?;
    let own = if tree.exists("etc/fstab") { tree.read_text("etc/fstab")? } else { String::new() };
    if !own.lines().any(|line| line.split_whitespace().nth(1) == Some("/")) {
        let kept = own.lines().filter(|line| !line.trim_start().starts_with('#') && !line.trim().is_empty());
        let text = plan.fstab.clone() + &kept.flat_map(|line| [line, "\n"]).collect::<String>();
        tree.write("etc/fstab", text, 0o644)?;
    }
    if plan.layout.partition(PartitionRole::Esp).is_some() {
        tree.create_dir("boot/efi", 0o755)?;
    }
    Ok(())
}

/// What makes the disk boot, before it is put there.
struct BootLoader {
    /// GRUB's core image for BIOS.
    bios: Option<PathBuf>,
    /// The EFI system partition.
    esp: Option<PathBuf>,
}

/// Needs nothing of the system but its plan: made while the system is written.
fn make_boot_loader(plan: &Plan, workspace: &Workspace, host: &Host) -> Result<BootLoader> {
    let stage = host.stage("Making the boot loader");
    let bios = match plan.layout.firmware {
        Firmware::Uefi => None,
        _ => Some(grub2::core_image(Platform::Pc, &plan.menu, workspace, host)?),
    };
    let esp = match plan.layout.partition(PartitionRole::Esp) {
        Some(esp) => Some(system_partition(plan, esp.sectors * SECTOR, workspace, host)?),
        None => None,
    };
    stage.finish();
    Ok(BootLoader { bios, esp })
}

/// Puts everything but the system in its location: table, boot loader, ESP.
fn assemble(plan: &Plan, boot: &BootLoader, mut file: File) -> Result<()> {
    let layout = &plan.layout;
    disk::write(layout, &mut file)?;
    if let Some(core) = &boot.bios {
        let (location, room) = layout.bios_core();
        grub2::write_bios(core, location, room, &file)?;
    }
    if let (Some(image), Some(esp)) = (&boot.esp, layout.partition(PartitionRole::Esp)) {
        sparse::copy(image, &file, esp.start * SECTOR)?;
    }
    Ok(())
}

/// The EFI system partition with GRUB.
fn system_partition(plan: &Plan, size: u64, workspace: &Workspace, host: &Host) -> Result<PathBuf> {
    let image = workspace.scratch_file("esp");
    let core = grub2::core_image(Platform::Efi64, &plan.menu, workspace, host)?;
    let esp = EspPlan { size, id: plan.esp_id, epoch: plan.system.epoch };
    esp::create(&esp, &core, &image, workspace, host)?;
    Ok(image)
}

/// The settings VMware reads (spec/kiwi-1.4, 4.10; the disk's file is named right in both cases).
fn vmx(name: &ImageName, machine: &Machine, file: &str) -> String {
    let controller = machine.disk.as_str();
    let disk = match controller.starts_with("ide") {
        true => format!(
            "{controller}:0.present = \"true\"\n{controller}:0.fileName = \"{file}\"\n{controller}:0.redo = \"\"\n"
        ),
        false => format!(
            "{controller}.present = \"true\"\n{controller}.sharedBus = \"none\"\n{controller}.virtualDev = \"lsilogic\"\n\
             {controller}:0.present = \"true\"\n{controller}:0.fileName = \"{file}\"\n\
             {controller}:0.deviceType = \"scsi-hardDisk\"\n"
        ),
    };
    format!(
        "#!/usr/bin/env vmware\nconfig.version = \"8\"\nvirtualHW.version = \"3\"\nmemsize = \"{}\"\nguestOS = \"Linux\"\n\
         displayName = \"{name}\"\n{disk}Ethernet0.present = \"true\"\nethernet0.addressType = \"generated\"\n\
         usb.present = \"true\"\npriority.grabbed = \"normal\"\npriority.ungrabbed = \"normal\"\n\
         powerType.powerOff = \"hard\"\npowerType.powerOn = \"hard\"\npowerType.suspend = \"hard\"\n\
         powerType.reset = \"hard\"\n",
        machine.memory
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fat_ids_are_written_as_fstab_has_them() {
        assert_eq!(fat_uuid(0x1234_abcd), "1234-ABCD");
    }

    #[test]
    fn vmware_settings_name_the_disk_file() {
        let name = ImageName::new("n", "x86_64", "1.0.0");
        for disk in ["ide0", "scsi0"] {
            let text = vmx(&name, &Machine { memory: 512, disk: disk.to_owned() }, "n.vmdk");
            assert!(text.contains(&format!("{disk}:0.fileName = \"n.vmdk\"\n")), "{text}");
            assert!(text.contains("memsize = \"512\"\n"));
        }
    }
}
