//! A stick that boots any PC: boot loader, kernel and boot image on FAT, optionally followed by a whole system.
//!
//! ```text
//! MBR + GRUB | 1: FAT (kernel, initrd, GRUB for UEFI) | 2: the system | 3: overlay data over a read-only system
//! ```
//!
//! The last partition grows to the end of the stick at its first boot, so the same file fits sticks of every size
//! (docs/formats/media.md).
//!
//! A disk that an installation writes to a machine is the same with a GPT, which has room for as many partitions as the
//! machine needs.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use bootconfig::{Checksum, Content as Inside, Scheme, fat_uuid};
use ondisk::{Bytes, Filesystem, Mebibytes};

use super::boot_files::BootFiles;
use super::boot_menu::{self, Start};
use super::system_image::{Content, SystemImage};
use crate::bootloader::medium_menu::{Action, MediumMenu};
use crate::bootloader::platform::Platform;
use crate::bootloader::selected;
pub use crate::disk::storage::{Carrier, carried};
use crate::disk::{self, DiskLayout};
use crate::failure::fail;
use crate::filesystem::fat::{self, FatPlan};
use crate::filesystem::{FilesystemJob, FilesystemPlan};
use crate::host::{Host, RunningStage, StageTask, sparse};
use crate::identity::Identity;
use crate::root_tree::RootTree;
use crate::workspace::Workspace;

/// Initial size in bytes of the overlay partition over a read-only system.
const LAYER: Bytes = Bytes(64 << 20);
/// Maximum size of GRUB and its menu.
const GRUB: Bytes = Bytes(2 << 20);

/// A stick to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    boot: BootFiles,
    system: Option<PathBuf>,
    layout: DiskLayout,
    fat: FatPlan,
    layer: Option<FilesystemPlan>,
    menu: MediumMenu,
}

impl Plan {
    /// Returns the minimum size of a stick.
    pub fn size(&self) -> Bytes {
        self.layout.size()
    }
}

/// Returns the host programs that it needs.
pub fn programs() -> &'static [&'static str] {
    &["grub-mkimage", "mkfs.vfat", "mmd", "mcopy", "mke2fs"]
}

/// Returns the identity of a stick of these parts.
pub fn identity(boot: &[Checksum], system: Option<&SystemImage>, host: &Host) -> Identity {
    let sums: Vec<Checksum> = boot.iter().copied().chain(system.map(|system| system.sum)).collect();
    super::identity("stick", &sums, host)
}

/// Plans the layout of the stick or disk.
pub fn plan(
    boot: BootFiles,
    system: Option<&SystemImage>,
    carrier: Carrier,
    identity: &Identity,
) -> Result<Plan> {
    let fat = FatPlan {
        size: fat::size_for(boot.size()?.saturating_add(GRUB)),
        label: "KIWI",
        id: u32::from_be_bytes(std::array::from_fn(|index| identity.bytes("fat")[index])),
        epoch: identity.epoch,
    };
    let kind = system.map(filesystem_of).transpose()?;
    let mut table = carried(kind, carrier);
    let mut layer = None;
    for partition in &mut table.partitions {
        let size = match &mut partition.content {
            Inside::Fat { id, .. } => {
                *id = Some(fat.id);
                Some(fat.size)
            }
            Inside::Filesystem(volume) if volume.mount.is_some() => system.map(SystemImage::size),
            Inside::Filesystem(volume) => {
                let plan = layer_plan(identity, volume.label.clone());
                volume.uuid = Some(plan.uuid.clone());
                layer = Some(plan);
                Some(LAYER)
            }
            Inside::Swap { .. } | Inside::BootCode | Inside::Empty => None,
        };
        partition.size = size.map(Bytes::to_mebibytes_up).or(partition.size);
    }
    let layout = DiskLayout::of(table, Mebibytes(0), identity);
    let root = layout.mounted_at("/").map(|(system, extent)| layout.partition_uuid(system, extent));
    let mut menu = match (carrier, system) {
        (Carrier::Disk, Some(system)) => menu(&system.name, root),
        (Carrier::Disk | Carrier::Stick, _) => {
            menu(&format!("KIWI Stick boot, Linux {}", boot.kernel_version), root)
        }
    };
    if carrier == Carrier::Disk {
        menu.entries.retain(|entry| entry.action != Action::NextDevice);
    }
    Ok(Plan { boot, system: system.map(|system| system.path.clone()), layout, fat, layer, menu })
}

/// Returns the file system of a system that can be carried.
fn filesystem_of(system: &SystemImage) -> Result<Filesystem> {
    match (system.content, system.filesystem) {
        (Content::Writable | Content::ReadOnly, Some(kind)) => Ok(kind),
        (Content::Disk, _) | (_, None) => fail!(
            Usage,
            "{} is a whole disk with its own boot loader; write it unchanged, or make an installation stick from it",
            system.path.display()
        ),
    }
}

fn layer_plan(identity: &Identity, label: Option<String>) -> FilesystemPlan {
    FilesystemPlan {
        filesystem: Filesystem::Ext4,
        size: LAYER,
        uuid: identity.uuid_text("layer"),
        label,
        options: Vec::new(),
        compression: None,
        // Every file of the system may end up in the overlay; it gets more inodes as it grows.
        entries: 2048,
        epoch: identity.epoch,
    }
}

fn menu(title: &str, root: Option<String>) -> MediumMenu {
    let parameters = root.map(|uuid| format!("root=PARTUUID={uuid} rw")).unwrap_or_default();
    let start = Start { title, kernel: "/boot/linux", initrd: "/boot/initrd", parameters: &parameters };
    boot_menu::menu(start)
}

/// Writes it to the file `output`.
pub fn create(plan: &Plan, output: &Path, workspace: &Workspace, host: &Host) -> Result<()> {
    let stage = host.stage(
        StageTask::WriteMedium,
        match plan.layout.table.scheme {
            Scheme::Mbr => "Assembling the stick",
            Scheme::Gpt => "Assembling the disk",
        },
    );
    let fat = boot_partition(plan, workspace, host)?;
    let layer = plan.layer.as_ref().map(|layer| layer_file(layer, workspace, &stage, host)).transpose()?;
    let layout = &plan.layout;
    let mut file = host.create_file(output).with_context(|| format!("creating {}", output.display()))?;
    file.set_len(plan.size().0).with_context(|| format!("sizing {}", output.display()))?;
    disk::write(layout, &mut file)?;
    let uuid = fat_uuid(plan.fat.id);
    let loader = plan.menu.settings.name;
    let core = selected::stick_core_image(loader, Platform::Pc, &uuid, workspace, host)?;
    let room = layout.bios_core().context("there is no room for the boot loader")?;
    selected::write_bios(loader, &core, room, &file)?;
    for (partition, extent) in layout.partitions() {
        let content = match &partition.content {
            Inside::Fat { .. } => Some(&fat),
            Inside::Filesystem(volume) if volume.mount.is_some() => plan.system.as_ref(),
            Inside::Filesystem(_) => layer.as_ref(),
            Inside::Swap { .. } | Inside::BootCode | Inside::Empty => None,
        };
        if let Some(content) = content {
            sparse::copy(content, &file, extent.offset().0)?;
        }
    }
    stage.finish();
    Ok(())
}

/// Writes the files for the firmware.
fn boot_partition(plan: &Plan, workspace: &Workspace, host: &Host) -> Result<PathBuf> {
    let [output, menu, kernel, initrd] =
        ["boot.fat", "grub.cfg", "linux", "initrd"].map(|name| workspace.scratch_file(name));
    let (menu_path, text) = selected::medium_configuration(&plan.menu);
    host.write_file(&menu, text).context("writing the boot menu")?;
    for (from, to) in [(&plan.boot.kernel, &kernel), (&plan.boot.initrd, &initrd)] {
        host.copy_file(from, to).with_context(|| format!("copying {}", from.display()))?;
    }
    let efi = selected::stick_core_image(
        plan.menu.settings.name,
        Platform::Efi64,
        &fat_uuid(plan.fat.id),
        workspace,
        host,
    )?;
    let files = [
        (efi, "EFI/BOOT/BOOTX64.EFI"),
        (menu, menu_path.trim_start_matches('/')),
        (kernel, "boot/linux"),
        (initrd, "boot/initrd"),
    ];
    fat::create(&plan.fat, &["EFI", "EFI/BOOT", "boot", "boot/grub"], &files, &output, workspace, host)?;
    Ok(output)
}

/// Creates an empty file system for overlay data over a read-only system.
fn layer_file(
    plan: &FilesystemPlan,
    workspace: &Workspace,
    stage: &RunningStage<'_>,
    host: &Host,
) -> Result<PathBuf> {
    let output = workspace.scratch_file("layer.ext4");
    let tree = RootTree::create(host, &workspace.scratch_file("layer"))?;
    tree.clamp_times(plan.epoch)?;
    FilesystemJob { plan, tree: &tree, workspace, host, helper: None, stage }.create(&output)?;
    Ok(output)
}
