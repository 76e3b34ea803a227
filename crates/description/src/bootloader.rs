//! How the machine's firmware gets to the kernel.

/// `firmware="..."`: by which firmware a disk can be booted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize)]
pub enum Firmware {
    /// Not said: one image for both BIOS and UEFI.
    #[default]
    BiosAndUefi,
    /// `bios` (or `ec2`) only: an MBR partition table.
    Bios,
    /// `efi` or `uefi` only: a GPT with an EFI system partition.
    Uefi,
}

/// Where boot loader and kernel talk to the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
pub enum Console {
    /// The firmware's screen and keyboard.
    Screen,
    /// The first serial line.
    Serial,
}

/// The boot loader to install.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize)]
pub enum BootloaderName {
    /// GRUB 2.
    #[default]
    Grub2,
}

/// `<bootloader>`: the boot loader of a disk and its settings.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Bootloader {
    /// Which one.
    pub name: BootloaderName,
    /// Seconds the menu waits (default 10).
    pub timeout: u32,
    /// Output consoles; empty means screen and serial.
    pub output: Vec<Console>,
}

impl Default for Bootloader {
    fn default() -> Self {
        Self { name: BootloaderName::Grub2, timeout: 10, output: Vec::new() }
    }
}
