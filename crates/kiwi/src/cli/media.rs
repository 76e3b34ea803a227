//! Arguments of the verbs that make media and disks of finished images: boot-stick, boot-cd, boot-vm, install-cd, install-stick, and their KIWI 1.x spelling.

use std::path::PathBuf;

use clap::Args;
use description::DiskFormat;
use ondisk::Bytes;

use crate::operation::install_cd::Installation;
use crate::operation::target::Target;
use crate::operation::{Operation, boot_cd, boot_stick, install_cd, install_stick, virtual_disk};

/// The destination of a stick.
#[derive(Debug, Args)]
#[group(multiple = false)]
struct Stick {
    /// Write to this stick, such as /dev/sdb, instead of asking for one; its contents are lost.
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
    /// Write to a file instead: for virtual machines, or to copy to a stick later.
    #[arg(long, short = 'o', value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Stick {
    fn target(self) -> Target {
        target(self.device, self.output)
    }
}

fn target(device: Option<String>, output: Option<PathBuf>) -> Target {
    match output {
        Some(file) => Target::StickFile(file),
        None => Target::Stick(device),
    }
}

#[derive(Debug, Args)]
pub(super) struct BootStick {
    /// The boot image, such as initrd-usbboot-debian-12.x86_64-1.0.0.gz, with its kernel in the same directory.
    initrd: PathBuf,
    /// Put this system on the stick, an image of type usb.
    #[arg(long, value_name = "IMAGE")]
    system: Option<PathBuf>,
    #[command(flatten)]
    stick: Stick,
}

impl BootStick {
    pub(super) fn operation(self) -> Operation {
        let target = self.stick.target();
        Operation::BootStick(boot_stick::Request { initrd: self.initrd, system: self.system, target })
    }
}

#[derive(Debug, Args)]
pub(super) struct BootCd {
    /// The boot image, with its kernel in the same directory.
    initrd: PathBuf,
    /// Name of the CD's file (default: that of the boot image with .cdboot.iso).
    #[arg(long, short = 'o', value_name = "FILE")]
    output: Option<PathBuf>,
}

impl BootCd {
    pub(super) fn operation(self) -> Operation {
        Operation::BootCd(boot_cd::Request { initrd: self.initrd, output: self.output })
    }
}

#[derive(Debug, Args)]
pub(super) struct BootVm {
    /// The boot image, such as initrd-usbboot-debian-12.x86_64-1.0.0.gz, with its kernel in the same directory.
    initrd: PathBuf,
    /// The system, an image of type usb.
    #[arg(long, value_name = "IMAGE")]
    system: PathBuf,
    /// Make the disk this large, such as 10G (default: what its contents need); the system grows at its first boot.
    #[arg(long, value_name = "SIZE", value_parser = size)]
    disksize: Option<Bytes>,
    /// Write the disk in this format, such as qcow2, vmdk or vdi (default: raw).
    #[arg(long, value_name = "FORMAT", value_parser = format)]
    format: Option<DiskFormat>,
    /// Name of the disk's file (default: that of the system with the extension of the format).
    #[arg(long, short = 'o', value_name = "FILE")]
    output: Option<PathBuf>,
}

impl BootVm {
    pub(super) fn operation(self) -> Operation {
        let Self { initrd, system, disksize, format, output } = self;
        let format = format.unwrap_or(DiskFormat::Raw);
        Operation::VirtualDisk(virtual_disk::Request { initrd, system, size: disksize, format, output })
    }
}

/// Parses a size such as `10G`, or a number of megabytes, as KIWI 1.x.
fn size(text: &str) -> Result<Bytes, String> {
    let (digits, unit) = match text.strip_suffix(['G', 'g']) {
        Some(digits) => (digits, 1 << 30),
        None => (text.strip_suffix(['M', 'm']).unwrap_or(text), 1 << 20),
    };
    let number: Option<u64> = digits.parse().ok();
    let bytes = number.and_then(|number| number.checked_mul(unit)).filter(|bytes| *bytes > 0);
    bytes.map(Bytes).ok_or_else(|| "expected a size such as 10G or 512M".to_owned())
}

/// Parses the format of a disk in one file.
fn format(text: &str) -> Result<DiskFormat, String> {
    let archives = [DiskFormat::Gce, DiskFormat::Ova, DiskFormat::Vagrant];
    let is_disk = |format: &DiskFormat| !archives.contains(format);
    DiskFormat::parse(text).filter(is_disk).ok_or_else(|| {
        let known = DiskFormat::WORDS.iter().filter(|(_, format)| is_disk(format));
        format!("expected one of {}", known.map(|(keyword, _)| *keyword).collect::<Vec<_>>().join(", "))
    })
}

/// The system to install and the answers that are known in advance.
#[derive(Debug, Args)]
struct Installing {
    /// The boot image, such as initrd-isoinstboot-debian-12.x86_64-1.0.0.gz, with its kernel in the same directory.
    initrd: PathBuf,
    /// The system: a raw disk image of type oem or vmx, or a file system whose description has a deploy section.
    #[arg(long, value_name = "IMAGE")]
    system: PathBuf,
    /// Overwrite the only disk of the machine, or the one of --disk, without asking.
    #[arg(long)]
    unattended: bool,
    /// Install on this disk of the machine, such as /dev/sda.
    #[arg(long, value_name = "DEVICE")]
    disk: Option<String>,
}

impl Installing {
    fn installation(self) -> Installation {
        let Self { initrd, system, unattended, disk } = self;
        Installation { initrd, system, unattended, disk }
    }
}

#[derive(Debug, Args)]
pub(super) struct InstallCd {
    #[command(flatten)]
    installing: Installing,
    /// Name of the CD's file (default: that of the system with .install.iso).
    #[arg(long, short = 'o', value_name = "FILE")]
    output: Option<PathBuf>,
}

impl InstallCd {
    pub(super) fn operation(self) -> Operation {
        let installation = self.installing.installation();
        Operation::InstallCd(install_cd::Request { installation, output: self.output })
    }
}

#[derive(Debug, Args)]
pub(super) struct InstallStick {
    #[command(flatten)]
    installing: Installing,
    #[command(flatten)]
    stick: Stick,
}

impl InstallStick {
    pub(super) fn operation(self) -> Operation {
        let target = self.stick.target();
        Operation::InstallStick(install_stick::Request {
            installation: self.installing.installation(),
            target,
        })
    }
}

/// Options of KIWI 1.x.
#[derive(Debug, Args)]
pub(super) struct LegacyMedia {
    /// Make a bootable stick with this boot image.
    #[arg(
        long,
        value_name = "INITRD",
        group = "operation",
        help_heading = "Operations, KIWI 1.x compatible"
    )]
    bootstick: Option<PathBuf>,
    /// Put this system on the stick.
    #[arg(long, value_name = "IMAGE", requires = "bootstick", help_heading = "Options, KIWI 1.x compatible")]
    bootstick_system: Option<PathBuf>,
    /// Write to this stick instead of asking for one.
    #[arg(
        long,
        value_name = "DEVICE",
        requires = "bootstick",
        help_heading = "Options, KIWI 1.x compatible"
    )]
    bootstick_device: Option<String>,
    /// Make a bootable CD with this boot image.
    #[arg(
        long,
        value_name = "INITRD",
        group = "operation",
        help_heading = "Operations, KIWI 1.x compatible"
    )]
    bootcd: Option<PathBuf>,
    /// Make a virtual disk with this boot image.
    #[arg(
        long,
        value_name = "INITRD",
        group = "operation",
        requires = "bootvm_system",
        help_heading = "Operations, KIWI 1.x compatible"
    )]
    bootvm: Option<PathBuf>,
    /// Put this system on the virtual disk.
    #[arg(long, value_name = "IMAGE", requires = "bootvm", help_heading = "Options, KIWI 1.x compatible")]
    bootvm_system: Option<PathBuf>,
    /// Make the virtual disk this large, such as 10G.
    #[arg(
        long,
        value_name = "SIZE",
        value_parser = size,
        requires = "bootvm",
        help_heading = "Options, KIWI 1.x compatible"
    )]
    bootvm_disksize: Option<Bytes>,
    /// Write the virtual disk in this format.
    #[arg(
        long,
        value_name = "FORMAT",
        value_parser = format,
        requires = "bootvm",
        help_heading = "Options, KIWI 1.x compatible"
    )]
    bootvm_format: Option<DiskFormat>,
    /// Make an installation CD with this boot image.
    #[arg(
        long,
        value_name = "INITRD",
        group = "operation",
        requires = "installcd_system",
        help_heading = "Operations, KIWI 1.x compatible"
    )]
    installcd: Option<PathBuf>,
    /// The system to install.
    #[arg(long, value_name = "IMAGE", requires = "installcd", help_heading = "Options, KIWI 1.x compatible")]
    installcd_system: Option<PathBuf>,
    /// Make an installation stick with this boot image.
    #[arg(
        long,
        value_name = "INITRD",
        group = "operation",
        requires = "installstick_system",
        help_heading = "Operations, KIWI 1.x compatible"
    )]
    installstick: Option<PathBuf>,
    /// The system to install.
    #[arg(
        long,
        value_name = "IMAGE",
        requires = "installstick",
        help_heading = "Options, KIWI 1.x compatible"
    )]
    installstick_system: Option<PathBuf>,
    /// Write to this stick instead of asking for one.
    #[arg(
        long,
        value_name = "DEVICE",
        requires = "installstick",
        help_heading = "Options, KIWI 1.x compatible"
    )]
    installstick_device: Option<String>,
    /// Write the medium to this file.
    #[arg(long, short = 'o', value_name = "FILE", help_heading = "Options, KIWI 1.x compatible")]
    output: Option<PathBuf>,
}

impl LegacyMedia {
    /// Returns the operation that these options select, if any.
    pub(super) fn operation(self) -> Option<Operation> {
        if let Some(initrd) = self.bootstick {
            let target = target(self.bootstick_device, self.output);
            return Some(Operation::BootStick(boot_stick::Request {
                initrd,
                system: self.bootstick_system,
                target,
            }));
        }
        let installation = |initrd, system| Installation { initrd, system, unattended: false, disk: None };
        if let (Some(initrd), Some(system)) = (self.installcd, self.installcd_system) {
            let installation = installation(initrd, system);
            return Some(Operation::InstallCd(install_cd::Request { installation, output: self.output }));
        }
        if let (Some(initrd), Some(system)) = (self.installstick, self.installstick_system) {
            let installation = installation(initrd, system);
            let target = target(self.installstick_device, self.output);
            return Some(Operation::InstallStick(install_stick::Request { installation, target }));
        }
        if let (Some(initrd), Some(system)) = (self.bootvm, self.bootvm_system) {
            let format = self.bootvm_format.unwrap_or(DiskFormat::Raw);
            let (size, output) = (self.bootvm_disksize, self.output);
            return Some(Operation::VirtualDisk(virtual_disk::Request {
                initrd,
                system,
                size,
                format,
                output,
            }));
        }
        let initrd = self.bootcd?;
        Some(Operation::BootCd(boot_cd::Request { initrd, output: self.output }))
    }
}
