//! What a description specifies for a virtual disk.

use ondisk::Filesystem;

use super::{BootImage, BootPartition, DiskKeyword, DiskPartition, Machine};
use crate::{Bootloader, DiskFormat, Firmware, Oem, SizeRule, VagrantBox};

/// Returns the options of `formatoptions`, which are separated by commas or blanks.
pub(crate) fn format_options(text: &str) -> Vec<String> {
    let options = text.split(|c: char| c == ',' || c.is_whitespace());
    options.filter(|option| !option.is_empty()).map(str::to_owned).collect()
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
    /// The formats that the command line asks for, each once; no description specifies them.
    pub requested_formats: Vec<DiskFormat>,
    /// `formatoptions`, options for `qemu-img -o`.
    pub format_options: Vec<String>,
    /// `vhdfixedtag`: an identifier in a fixed VHD, as written.
    pub vhd_tag: Option<String>,
    /// `gcelicense`: a licence in the archive for Google Compute Engine.
    pub gce_license: Option<String>,
    /// `<vagrantconfig>`
    pub boxes: Vec<VagrantBox>,
    /// `<size>`; none means the size of the tree plus about a tenth.
    pub size: Option<SizeRule>,
    /// `firmware=`.
    pub firmware: Firmware,
    /// `firmware="uefi"`: whether the signed programs of the tree start it, for Secure Boot.
    pub secure_boot: bool,
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
    /// `installpxe`: whether an archive is made that installs the disk over the network.
    pub install_archive: bool,
    /// `<oemconfig>`.
    pub oem: Oem,
    /// VMware settings of `packages type="vmware"` or `<machine>`.
    pub machine: Option<Machine>,
    /// `editbootconfig`: a script of the description that runs in the system when the boot loader is configured.
    pub edit_boot_config: Option<String>,
    /// `editbootinstall`: a script of the description that changes the finished disk.
    pub edit_boot_install: Option<String>,
}

impl Disk {
    /// Returns the formats in which the disk is published.
    pub fn formats(&self) -> Vec<DiskFormat> {
        match self.requested_formats.as_slice() {
            [] => vec![self.format],
            requested => requested.to_vec(),
        }
    }
}
