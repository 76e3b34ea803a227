//! The image types: one variant per kind, carrying what a description specifies for it.

mod container;
mod feature;
mod table;

pub use container::{Container, ContainerConfig, ContainerKeyword, ContainerName, LayerCompression};
pub(crate) use feature::Feature;
pub(crate) use table::{Model, listed_types};
pub use table::{TYPES, TypeRow, built_types, type_row};

use crate::{Bootloader, DiskFormat, Firmware, Oem, SizeRule};
use ondisk::Filesystem;

/// One `<type>` of the description.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub enum ImageType {
    /// `ext2 ext3 ext4 reiserfs xfs btrfs squashfs`: the tree in one file system.
    Filesystem(FilesystemImage),
    /// `cpio`: an initrd, together with the kernel of the tree.
    Cpio,
    /// `tbz`: a compressed tar archive of the tree.
    Tbz,
    /// `vmx` and today's `oem`: a virtual disk.
    Disk(Box<Disk>),
    /// `iso`: a live system.
    Iso(Iso),
    /// `usb`: system and boot image for a stick.
    Usb(Usb),
    /// `xen`: a para-virtual guest.
    Xen(Xen),
    /// `pxe`: system and boot image for network clients.
    Pxe(Box<Pxe>),
    /// `oci` and `docker`: a container image.
    Container(Box<Container>),
    /// `split`: writable and read-only part.
    Split(Split),
}

/// The settings of a boot image, for types that boot.
#[derive(Debug, Clone, Copy)]
pub enum Boots<'a> {
    /// A virtual disk.
    Disk(&'a Disk),
    /// A stick.
    Usb(&'a Usb),
    /// A live system.
    Iso(&'a Iso),
    /// A network client.
    Pxe(&'a Pxe),
}

impl ImageType {
    /// Returns the keyword of this type in a description and for `--type`.
    pub fn keyword(&self) -> &'static str {
        match self {
            Self::Filesystem(image) => image.filesystem.keyword(),
            Self::Cpio => "cpio",
            Self::Tbz => "tbz",
            Self::Disk(disk) => disk.keyword.keyword(),
            Self::Iso(_) => "iso",
            Self::Usb(_) => "usb",
            Self::Xen(_) => "xen",
            Self::Pxe(_) => "pxe",
            Self::Container(container) => container.keyword.keyword(),
            Self::Split(_) => "split",
        }
    }

    /// Returns what this version of kiwi makes a boot image for; none for types that do not boot or are not built.
    pub fn boots(&self) -> Option<Boots<'_>> {
        match self {
            Self::Disk(disk) => Some(Boots::Disk(disk)),
            Self::Usb(usb) => Some(Boots::Usb(usb)),
            Self::Iso(live) => Some(Boots::Iso(live)),
            Self::Pxe(pxe) => Some(Boots::Pxe(pxe)),
            Self::Filesystem(_)
            | Self::Cpio
            | Self::Tbz
            | Self::Container(_)
            | Self::Xen(_)
            | Self::Split(_) => None,
        }
    }

    /// Returns `<size>`.
    pub fn size(&self) -> Option<SizeRule> {
        match self {
            Self::Filesystem(image) => image.size,
            Self::Disk(disk) => disk.size,
            Self::Usb(usb) => usb.image.size,
            Self::Xen(xen) => xen.image.size,
            Self::Pxe(pxe) => pxe.image.size,
            Self::Cpio | Self::Tbz | Self::Iso(_) | Self::Container(_) | Self::Split(_) => None,
        }
    }

    /// Returns whether the image file is uncompressed, so that a bundle compresses it.
    pub fn is_uncompressed(&self) -> bool {
        match self {
            Self::Disk(disk) => disk.format == DiskFormat::Raw,
            Self::Filesystem(image) => image.filesystem != Filesystem::Squashfs && !image.compressed,
            Self::Container(container) => container.compression == LayerCompression::None,
            Self::Cpio
            | Self::Tbz
            | Self::Iso(_)
            | Self::Usb(_)
            | Self::Xen(_)
            | Self::Pxe(_)
            | Self::Split(_) => false,
        }
    }

    /// Adds what a description specifies outside of `<type>`: `compressed`, and the machine of a packages section.
    pub(crate) fn complete(&mut self, compressed: bool, machine: impl Fn(&str) -> Option<Machine>) {
        match self {
            Self::Filesystem(image) => image.compressed |= compressed,
            Self::Usb(usb) => usb.image.compressed |= compressed,
            Self::Pxe(pxe) => pxe.image.compressed |= compressed,
            Self::Xen(xen) => {
                xen.image.compressed |= compressed;
                xen.machine = xen.machine.take().or_else(|| machine("xen"));
            }
            Self::Disk(disk) => disk.machine = disk.machine.take().or_else(|| machine("vmware")),
            Self::Cpio | Self::Tbz | Self::Iso(_) | Self::Container(_) | Self::Split(_) => {}
        }
    }
}

/// `boot="..."`: the description of a boot image, a path relative to the share directory's `image/` or absolute.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct BootImage {
    /// The path as written, e.g. `vmxboot/debian-12`.
    pub path: String,
    /// `bootprofile="..."`: the profile of that description to build.
    pub profile: Option<String>,
}

/// A plain file system image.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FilesystemImage {
    /// Its file system.
    pub filesystem: Filesystem,
    /// `<size>`; none means the size of the tree plus about a tenth.
    pub size: Option<SizeRule>,
    /// Whether the finished file is compressed with gzip.
    pub compressed: bool,
    /// `fscreateoptions`, options for the mkfs program.
    pub create_options: Vec<String>,
    /// `squashfscompression` or `erofscompression`, as written (none: zstd, lz4hc).
    pub squashfs_compression: Option<String>,
}

/// The keyword that named the disk: they differ in defaults only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub enum DiskKeyword {
    /// The keyword of KIWI 1.x.
    Vmx,
    /// The keyword of today's schema.
    Oem,
}

impl DiskKeyword {
    /// Returns the keyword as descriptions write it.
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Vmx => "vmx",
            Self::Oem => "oem",
        }
    }
}

/// A virtual disk.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Disk {
    /// The keyword of the description.
    pub keyword: DiskKeyword,
    /// File system of the system partition.
    pub filesystem: Filesystem,
    /// `boot=`; none: the boot image is made from the system tree itself.
    pub boot: Option<BootImage>,
    /// `format=`; `Raw` when absent.
    pub format: DiskFormat,
    /// `formatoptions`, options for `qemu-img -o`.
    pub format_options: Vec<String>,
    /// `<size>`; none means the size of the tree plus about a tenth.
    pub size: Option<SizeRule>,
    /// `firmware=`.
    pub firmware: Firmware,
    /// `<bootloader>`.
    pub bootloader: Bootloader,
    /// `kernelcmdline`, appended to the kernel command line.
    pub kernel_command_line: Option<String>,
    /// Label of the system's file system (`rootfs_label`, default `ROOT`).
    pub label: String,
    /// `fscreateoptions`, options for the mkfs program.
    pub create_options: Vec<String>,
    /// `fsmountoptions`, for the root line of fstab.
    pub mount_options: Option<String>,
    /// `efipartsize`, in mebibytes; none is the default.
    pub esp_size: Option<ondisk::Mebibytes>,
    /// `bootpartition`, with `bootpartsize` and `bootfilesystem`: a partition for `/boot`.
    pub boot_partition: Option<BootPartition>,
    /// `<partitions>`: partitions besides those that every disk has, in their order.
    pub partitions: Vec<DiskPartition>,
    /// Whether the root file system grows to the disk at first boot (`oem-resize`, default true).
    pub resize: bool,
    /// `installiso` or `installstick`: whether an installation medium is made for the disk.
    pub install_medium: bool,
    /// `<oemconfig>`.
    pub oem: Oem,
    /// VMware settings of `packages type="vmware"` or `<machine>`.
    pub machine: Option<Machine>,
}

/// The partition for `/boot`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct BootPartition {
    /// `bootpartsize`; none is our default.
    pub size: Option<ondisk::Mebibytes>,
    /// `bootfilesystem`; the system's when absent.
    pub filesystem: Filesystem,
}

/// One `<partition>` of `<partitions>`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct DiskPartition {
    /// `name`, by which messages name it.
    pub name: String,
    /// `size`
    pub size: ondisk::Mebibytes,
    /// `partition_name`: its name in a GPT (default `p.lx` and the name).
    pub partition_name: String,
    /// Its mount point in the system.
    pub mountpoint: Option<String>,
    /// Its file system; none: it stays empty.
    pub filesystem: Option<Filesystem>,
    /// Label of the file system (default: the name in capital letters, where the file system allows labels of that length).
    pub label: Option<String>,
}

/// `memory` and `disk` of a Xen or VMware package section, or today's `<machine>`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Machine {
    /// Memory in mebibytes.
    pub memory: u64,
    /// Name of the disk or its controller in the virtual machine (`/dev/hda`, `ide0`, `scsi0`).
    pub disk: String,
}

/// The layout of the read-only part of a live system on the medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub enum IsoLayout {
    /// No `flags`: plain directories.
    Plain,
    /// `compressed`: a squashfs for the read-only directories.
    Compressed,
    /// `unified`: the whole tree in a squashfs under an overlay.
    Unified,
    /// `overlay`, today's live layout.
    Overlay,
    /// `dmsquash`, dracut's live layout.
    DmSquash,
}

/// A live system.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Iso {
    /// `boot=`; required in KIWI 1.x, optional today.
    pub boot: Option<BootImage>,
    /// `flags=`.
    pub layout: IsoLayout,
    /// File system of the read-only part: squashfs, or erofs.
    pub filesystem: Filesystem,
    /// `squashfscompression` or `erofscompression`, as written (none: zstd, lz4hc).
    pub compression: Option<String>,
    /// `firmware=`.
    pub firmware: Firmware,
    /// `<bootloader>`: the consoles and the time limit of the menu.
    pub bootloader: Bootloader,
    /// `kernelcmdline`, appended to the kernel command line.
    pub kernel_command_line: Option<String>,
    /// `mediacheck`: whether the menu offers to check the medium (default true).
    pub media_check: bool,
    /// `hybridpersistent`: the file system of the persistent partition of a stick.
    pub persistent: Option<Filesystem>,
    /// `volid` (default `CDROM`).
    pub volume_id: String,
    /// `application_id`
    pub application_id: Option<String>,
    /// `publisher`
    pub publisher: Option<String>,
}

/// A stick.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Usb {
    /// `boot=`; required in KIWI 1.x; in later schemas none means: made from the system tree itself.
    pub boot: Option<BootImage>,
    /// The file system of the system.
    pub image: FilesystemImage,
}

/// A Xen guest.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Xen {
    /// `boot=`
    pub boot: BootImage,
    /// The file system of the system.
    pub image: FilesystemImage,
    /// Settings of `packages type="xen"`.
    pub machine: Option<Machine>,
}

/// An image in two parts, which a network client combines. Its boot image is built separately.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Split {
    /// The file system of the writable part.
    pub read_write: Filesystem,
    /// The file system of the read-only part.
    pub read_only: Filesystem,
}

/// A network client.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Pxe {
    /// `boot=`; required in KIWI 1.x; in later schemas none means: made from the system tree itself.
    pub boot: Option<BootImage>,
    /// The file system of the system.
    pub image: FilesystemImage,
    /// Label of the file system (`rootfs_label`, default `ROOT`), where it has labels.
    pub label: String,
    /// `kernelcmdline`, kernel parameters of boots from the client's disk.
    pub kernel_command_line: Option<String>,
}
