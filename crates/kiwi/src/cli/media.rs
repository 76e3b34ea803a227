//! What makes CDs and sticks of finished images: boot-stick, boot-cd, and the same in the chapter's words.

use std::path::PathBuf;

use clap::Args;

use crate::operation::target::Target;
use crate::operation::{Operation, boot_cd, boot_stick};

/// Where a stick goes.
#[derive(Debug, Args)]
#[group(multiple = false)]
struct Stick {
    /// Write to this stick, such as /dev/sdb, instead of asking for one; all that is on it is lost.
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
    /// Write to a file instead: for virtual machines, or to be copied to a stick later.
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
        Some(file) => Target::File(file),
        None => Target::Stick(device),
    }
}

#[derive(Debug, Args)]
pub(super) struct BootStick {
    /// The boot image, such as initrd-usbboot-debian-12.x86_64-1.0.0.gz; its kernel lies beside it.
    initrd: PathBuf,
    /// Put this system on the stick, the image of a type usb.
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
    /// The boot image; its kernel lies beside it.
    initrd: PathBuf,
    /// Name of the CD's file (default: the boot image's with .cdboot.iso).
    #[arg(long, short = 'o', value_name = "FILE")]
    output: Option<PathBuf>,
}

impl BootCd {
    pub(super) fn operation(self) -> Operation {
        Operation::BootCd(boot_cd::Request { initrd: self.initrd, output: self.output })
    }
}

/// The chapter's options.
#[derive(Debug, Args)]
pub(super) struct ChapterMedia {
    /// Make a stick that boots of this boot image.
    #[arg(long, value_name = "INITRD", group = "operation", help_heading = "Operations of the chapter")]
    bootstick: Option<PathBuf>,
    /// Put this system on the stick.
    #[arg(long, value_name = "IMAGE", requires = "bootstick", help_heading = "Options of the chapter")]
    bootstick_system: Option<PathBuf>,
    /// Write to this stick instead of asking for one.
    #[arg(long, value_name = "DEVICE", requires = "bootstick", help_heading = "Options of the chapter")]
    bootstick_device: Option<String>,
    /// Make a CD that boots of this boot image.
    #[arg(long, value_name = "INITRD", group = "operation", help_heading = "Operations of the chapter")]
    bootcd: Option<PathBuf>,
    /// Write the medium to this file.
    #[arg(long, short = 'o', value_name = "FILE", help_heading = "Options of the chapter")]
    output: Option<PathBuf>,
}

impl ChapterMedia {
    /// The operation these options ask for, if they ask for one.
    pub(super) fn operation(self) -> Option<Operation> {
        if let Some(initrd) = self.bootstick {
            let target = target(self.bootstick_device, self.output);
            return Some(Operation::BootStick(boot_stick::Request {
                initrd,
                system: self.bootstick_system,
                target,
            }));
        }
        let initrd = self.bootcd?;
        Some(Operation::BootCd(boot_cd::Request { initrd, output: self.output }))
    }
}
