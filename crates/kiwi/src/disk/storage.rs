//! The storage that a description specifies for a disk image.
//!
//! ```text
//! <type bootpartition= efipartsize= ..>, <oemconfig>, <partitions> -> Table -> identified -> laid out (DiskLayout)
//! ```
//!
//! The order is that of KIWI: boot code, EFI system partition, `/boot`, swap space, other partitions, the system, which
//! is last so that it can grow.

use anyhow::Result;
use bootconfig::{Content, FilesystemContent, FirstBoot, Mount, Partition, PlannedSize, Scheme, Table};
use description::{Disk, DiskPartition, Firmware};
use ondisk::{Filesystem, Mebibytes};

use crate::failure::fail;
use crate::identity::Identity;

/// Size of the partition with GRUB's core image for BIOS.
const BOOT_CODE: Mebibytes = Mebibytes(1);
/// Default size of the EFI system partition.
const ESP: Mebibytes = Mebibytes(64);
/// The number of partitions in an MBR.
pub const MBR_PARTITIONS: usize = 4;

/// A partition that has no number yet: name, size, content.
type Unnumbered = (String, Option<Mebibytes>, Content);

/// Returns the partitions of a disk image, without the size of the system and without UUIDs. What the first boot changes is
/// decided by `create::first_boot`.
pub fn of(disk: &Disk) -> Result<Table> {
    let mut partitions = match disk.firmware {
        Firmware::Bios => Vec::new(),
        Firmware::Uefi => vec![esp(disk)],
        Firmware::BiosAndUefi => vec![boot_code(), esp(disk)],
    };
    if let Some(boot) = &disk.boot_partition {
        let volume = volume(boot.filesystem, Some("BOOT"), Some(Mount::new("/boot", "defaults")));
        partitions.push(("p.lxboot".to_owned(), boot.size, volume));
    }
    if let (true, Some(size)) = (has_swap(disk), disk.oem.swap) {
        let content = Content::Swap { uuid: None, label: Some("SWAP".to_owned()) };
        partitions.push(("p.swap".to_owned(), Some(size), content));
    }
    for partition in &disk.partitions {
        partitions.push(further(partition));
    }
    let label = Some(disk.label.as_str()).filter(|label| !label.is_empty());
    let mount = Mount::new("/", disk.mount_options.as_deref().unwrap_or("defaults"));
    let system = volume(disk.filesystem, label, Some(mount));
    partitions.push(("p.lxroot".to_owned(), None, system));
    let scheme = match disk.firmware {
        Firmware::Bios => Scheme::Mbr,
        Firmware::Uefi | Firmware::BiosAndUefi => Scheme::Gpt,
    };
    if scheme != Scheme::Gpt && partitions.len() > MBR_PARTITIONS {
        fail!(
            InvalidDescription,
            "the disk has {} partitions and an MBR has room for {MBR_PARTITIONS}; choose a firmware with a GPT \
         (firmware=\"uefi\", which also boots by BIOS unless eficsm=\"false\")",
            partitions.len()
        );
    }
    Ok(Table { scheme, partitions: numbered(partitions) })
}

/// The kind of device that carries a finished system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// A stick.
    Stick,
    /// The disk of a machine.
    Disk,
}

/// Returns the partitions of a stick or disk that carries a boot image and, if there is one, a system that was written
/// before, without sizes, volume ids and UUIDs. The last partition grows at the first boot: the system, or a layer for
/// written data over one that is read-only.
pub fn carried(system: Option<Filesystem>, carrier: Carrier) -> Table {
    let mut partitions = match carrier {
        Carrier::Stick => Vec::new(),
        Carrier::Disk => vec![boot_code()],
    };
    partitions.push(("p.boot".to_owned(), None, Content::Fat { id: None, mount: None }));
    if let Some(kind) = system {
        let root = volume(kind, None, Some(Mount::new("/", "defaults")));
        partitions.push(("p.lxroot".to_owned(), None, root));
        if kind.is_read_only() {
            partitions.push(("p.lxrw".to_owned(), None, volume(Filesystem::Ext4, Some("KIWI-LAYER"), None)));
        }
    }
    let scheme = match carrier {
        // Every BIOS takes it from a stick.
        Carrier::Stick => Scheme::Mbr,
        // It has room for as many partitions as the machine is to get.
        Carrier::Disk => Scheme::Gpt,
    };
    let mut table = Table { scheme, partitions: numbered(partitions) };
    if let Some(last) = table.partitions.last_mut().filter(|_| system.is_some()) {
        last.first_boot = FirstBoot::Grows(PlannedSize::Rest);
    }
    table
}

/// Returns the storage of a system that the kernel parameters name: its partition, if it is in one, stays as it is.
pub fn bare(system: Option<Filesystem>) -> Table {
    let content = system.map_or(Content::Empty, |kind| volume(kind, None, Some(Mount::new("/", "defaults"))));
    Table { scheme: Scheme::Mbr, partitions: numbered(vec![("p.lxroot".to_owned(), None, content)]) }
}

/// Returns whether the description specifies partitions besides the system and those of the firmware.
pub fn is_divided(disk: &Disk) -> bool {
    disk.boot_partition.is_some() || !disk.partitions.is_empty() || has_swap(disk)
}

/// Returns whether the image itself has swap space. A disk with the system alone that grows at its first boot gets swap
/// space then, behind the system.
pub fn has_swap(disk: &Disk) -> bool {
    let divided = disk.boot_partition.is_some() || !disk.partitions.is_empty();
    disk.oem.swap.is_some() && (divided || !disk.resize)
}

/// Returns the partition for GRUB's core image for BIOS on a GPT.
pub fn boot_code() -> Unnumbered {
    ("p.legacy".to_owned(), Some(BOOT_CODE), Content::BootCode)
}

fn esp(disk: &Disk) -> Unnumbered {
    let mount = Some(Mount::new("/boot/efi", "umask=0077,nofail"));
    let size = disk.esp_size.unwrap_or(ESP);
    ("p.UEFI".to_owned(), Some(size), Content::Fat { id: None, mount })
}

fn further(partition: &DiskPartition) -> Unnumbered {
    let read_only = partition.filesystem.is_some_and(Filesystem::is_read_only);
    let options = if read_only { "ro" } else { "defaults" };
    let mount = partition.mountpoint.as_ref().map(|path| Mount::new(path, options));
    let content = match partition.filesystem {
        Some(kind) => volume(kind, partition.label.as_deref(), mount),
        None => Content::Empty,
    };
    (partition.partition_name.clone(), Some(partition.size), content)
}

fn volume(kind: Filesystem, label: Option<&str>, mount: Option<Mount>) -> Content {
    let label = label.map(str::to_owned);
    Content::Filesystem(FilesystemContent { kind, uuid: None, label, mount })
}

/// Numbers the partitions from 1.
pub fn numbered(partitions: Vec<Unnumbered>) -> Vec<Partition> {
    let number = |((name, size, content), number)| Partition {
        number,
        name,
        size,
        first_boot: FirstBoot::Unchanged,
        content,
    };
    partitions.into_iter().zip(1..).map(number).collect()
}

/// Sets all UUIDs, derived from the identity of this build.
pub fn identify(table: &mut Table, identity: &Identity) {
    for Partition { number, content, .. } in &mut table.partitions {
        match content {
            Content::Filesystem(volume) if !volume.kind.has_chosen_uuid() => {}
            Content::Filesystem(volume) => {
                let is_system = volume.mount.as_ref().is_some_and(|mount| mount.path == "/");
                let purpose = match is_system {
                    true => "root filesystem".to_owned(),
                    false => format!("filesystem of partition {number}"),
                };
                volume.uuid = Some(identity.uuid_text(&purpose));
            }
            Content::Fat { id, .. } => {
                *id = Some(u32::from_be_bytes(std::array::from_fn(|index| identity.bytes("esp")[index])));
            }
            Content::Swap { uuid, .. } => *uuid = Some(identity.uuid_text("swap")),
            Content::BootCode | Content::Empty => {}
        }
    }
}
