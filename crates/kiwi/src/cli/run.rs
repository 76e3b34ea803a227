//! Arguments of `kiwi run`, which boots a finished image.

use std::path::PathBuf;

use clap::Args;

use crate::operation::{Operation, boot_vm};

/// `--accel`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Accelerator {
    Auto,
    Kvm,
    Tcg,
}

impl From<Accelerator> for boot_vm::Accelerator {
    fn from(keyword: Accelerator) -> Self {
        match keyword {
            Accelerator::Auto => Self::Auto,
            Accelerator::Kvm => Self::Kvm,
            Accelerator::Tcg => Self::Tcg,
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct Run {
    /// The disk image, or the image of a CD.
    image: PathBuf,
    /// Start with UEFI firmware instead of BIOS.
    #[arg(long)]
    uefi: bool,
    /// Memory of the machine in megabytes.
    #[arg(long, value_name = "MB", default_value_t = 1024)]
    memory: u32,
    /// Open a window instead of using this terminal as the serial console.
    #[arg(long)]
    window: bool,
    /// Save what the system writes in the image; by default it is discarded. A CD image is attached as a stick then.
    #[arg(long)]
    keep: bool,
    /// How the machine's instructions are executed: auto tries KVM and falls back to QEMU's emulation.
    #[arg(long, value_enum, default_value_t = Accelerator::Auto)]
    accel: Accelerator,
    /// Forward a port of this host to the guest's ssh.
    #[arg(long, value_name = "PORT")]
    ssh: Option<u16>,
}

impl Run {
    pub(super) fn operation(self) -> Operation {
        Operation::BootVm(boot_vm::Request {
            image: self.image,
            uefi: self.uefi,
            memory: self.memory,
            window: self.window,
            keep: self.keep,
            accelerator: self.accel.into(),
            ssh: self.ssh,
        })
    }
}
