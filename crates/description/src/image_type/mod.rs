//! The image types: one variant per kind, carrying what a description specifies for it.

mod container;
mod disk;
mod feature;
mod machine;
mod table;

pub use container::{Container, ContainerConfig, ContainerKeyword, ContainerName, LayerCompression};
pub use disk::Disk;
pub(crate) use disk::format_options;
pub(crate) use feature::Feature;
pub use machine::{Adapter, Machine, NetworkCard, Range};
pub(crate) use table::{Model, listed_types};
pub use table::{TYPES, TypeRow, built_types, type_row};

use crate::{Bootloader, Firmware, SizeRule, SplitFiles, VagrantBox};
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
    /// `kis`: kernel, initrd and system.
    Kis(Box<Kis>),
    /// `oci` and `docker`: a container image.
    Container(Box<Container>),
    /// `split`: writable and read-only part.
    Split(Split),
}

/// A script of the description that changes the boot loader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BootScript<'a> {
    /// The attribute that names it.
    pub attribute: &'static str,
    /// Its name in the description.
    pub script: &'a str,
    /// Its name in a tree.
    pub kept: &'static str,
}

impl BootScript<'_> {
    /// The name under which a tree keeps the script of `editbootconfig`.
    pub const EDIT_CONFIG: &'static str = "edit_boot_config.sh";
    /// The name under which a tree keeps the script of `editbootinstall`.
    pub const EDIT_INSTALL: &'static str = "edit_boot_install.sh";
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
    /// A system whose kernel and initrd are started without a boot loader of its own.
    Kis(&'a Kis),
    /// A guest of Xen.
    Xen(&'a Xen),
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
            Self::Kis(_) => "kis",
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
            Self::Kis(kis) => Some(Boots::Kis(kis)),
            Self::Xen(xen) => Some(Boots::Xen(xen)),
            Self::Filesystem(_) | Self::Cpio | Self::Tbz | Self::Container(_) | Self::Split(_) => None,
        }
    }

    /// Returns the scripts of the boot loader.
    pub fn boot_scripts(&self) -> Vec<BootScript<'_>> {
        let (config, install) = match self {
            Self::Disk(disk) => (&disk.edit_boot_config, &disk.edit_boot_install),
            Self::Iso(live) => (&live.edit_boot_config, &None),
            Self::Filesystem(_)
            | Self::Cpio
            | Self::Tbz
            | Self::Usb(_)
            | Self::Xen(_)
            | Self::Pxe(_)
            | Self::Kis(_)
            | Self::Container(_)
            | Self::Split(_) => (&None, &None),
        };
        [
            ("editbootconfig", config, BootScript::EDIT_CONFIG),
            ("editbootinstall", install, BootScript::EDIT_INSTALL),
        ]
        .into_iter()
        .filter_map(|(attribute, script, kept)| {
            Some(BootScript { attribute, script: script.as_deref()?, kept })
        })
        .collect()
    }

    /// Returns the Vagrant boxes of a disk.
    pub(crate) fn boxes(&self) -> &[VagrantBox] {
        if let Self::Disk(disk) = self { &disk.boxes } else { &[] }
    }

    /// Returns `<size>`.
    pub fn size(&self) -> Option<SizeRule> {
        match self {
            Self::Filesystem(image) => image.size,
            Self::Disk(disk) => disk.size,
            Self::Usb(usb) => usb.image.size,
            Self::Xen(xen) => xen.image.size,
            Self::Pxe(pxe) => pxe.image.size,
            Self::Kis(kis) => kis.image.as_ref()?.size,
            Self::Cpio | Self::Tbz | Self::Iso(_) | Self::Container(_) | Self::Split(_) => None,
        }
    }

    /// Returns whether this file of the image is uncompressed, so that a bundle compresses it.
    pub fn is_uncompressed(&self, file: &str) -> bool {
        match self {
            Self::Disk(_) => file.ends_with(".raw"),
            Self::Filesystem(image) => image.filesystem != Filesystem::Squashfs && !image.compressed,
            Self::Container(container) => container.compression == LayerCompression::None,
            Self::Cpio
            | Self::Tbz
            | Self::Iso(_)
            | Self::Usb(_)
            | Self::Xen(_)
            | Self::Pxe(_)
            | Self::Kis(_)
            | Self::Split(_) => false,
        }
    }

    /// Adds what a description specifies outside of `<type>`: `compressed`, and the machine of a packages section.
    pub(crate) fn complete(&mut self, compressed: bool, machine: impl Fn(&str) -> Option<Machine>) {
        match self {
            Self::Filesystem(image) => image.compressed |= compressed,
            Self::Usb(usb) => usb.image.compressed |= compressed,
            Self::Pxe(pxe) => pxe.image.compressed |= compressed,
            Self::Kis(kis) => {
                if let Some(image) = &mut kis.image {
                    image.compressed |= compressed;
                }
            }
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
    /// `firmware="uefi"`: whether the signed programs of the tree start it, for Secure Boot.
    pub secure_boot: bool,
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
    /// `editbootconfig`: a script of the description that changes the boot files of the medium.
    pub edit_boot_config: Option<String>,
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
    /// `kernelcmdline`, kernel parameters.
    pub kernel_command_line: Option<String>,
    /// Settings of `packages type="xen"` or `<machine>`.
    pub machine: Option<Machine>,
}

/// An image in two parts, which a network client combines. Its boot image is built separately.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Split {
    /// The file system of the writable part.
    pub read_write: Filesystem,
    /// The file system of the read-only part.
    pub read_only: Filesystem,
    /// `<split>`: paths that are writable wherever they are.
    pub files: Option<SplitFiles>,
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

/// Kernel, initrd and system, started by the boot loader of another machine. The boot image is made from the system tree.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Kis {
    /// The file system of the system; none: there are kernel and initrd only.
    pub image: Option<FilesystemImage>,
    /// Label of the file system (`rootfs_label`, default `ROOT`), where it has labels.
    pub label: String,
    /// `kernelcmdline`, kernel parameters.
    pub kernel_command_line: Option<String>,
    /// `archive`: whether the files are put into one archive.
    pub archive: bool,
}
