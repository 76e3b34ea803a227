//! Firmware and boot loader of a machine.

/// `firmware="..."`: the firmware that can boot a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize)]
pub enum Firmware {
    /// No attribute, `efi` or `uefi`: one image for both BIOS and UEFI.
    #[default]
    BiosAndUefi,
    /// `bios` (or `ec2`) only: an MBR partition table.
    Bios,
    /// `eficsm="false"`: a GPT with an EFI system partition, and nothing for BIOS.
    Uefi,
}

/// The console of boot loader and kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
pub enum Console {
    /// The firmware's screen and keyboard.
    Screen,
    /// The first serial line.
    Serial,
}

/// A device on which the boot loader's menu is operated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
pub enum Input {
    /// The firmware's keyboard.
    Screen,
    /// The first serial line.
    Serial,
    /// A PS/2 keyboard, by the boot loader's own driver.
    AtKeyboard,
    /// A USB keyboard, by the boot loader's own driver.
    UsbKeyboard,
}

/// Declares [`BootloaderName`] from one row per boot loader, so that none can be missing from [`BootloaderName::ALL`].
macro_rules! bootloaders {
    ($($(#[$attribute:meta])* $variant:ident $keyword:literal;)+) => {
        /// The boot loader to install.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize)]
        pub enum BootloaderName {
            $($(#[$attribute])* $variant,)+
        }

        impl BootloaderName {
            /// Every boot loader.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// Returns the value of `name="..."`.
            pub fn keyword(self) -> &'static str {
                match self {
                    $(Self::$variant => $keyword,)+
                }
            }
        }
    };
}

bootloaders! {
    /// GRUB 2.
    #[default]
    Grub2 "grub2";
}

impl BootloaderName {
    /// Returns the boot loader with this keyword, if it is built.
    pub fn parse(keyword: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|loader| loader.keyword() == keyword)
    }
}

/// `<bootloader>`: the boot loader of a disk and its settings.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Bootloader {
    /// The boot loader.
    pub name: BootloaderName,
    /// Time limit of the menu in seconds (default 10).
    pub timeout: u32,
    /// Output consoles; empty means screen and serial.
    pub output: Vec<Console>,
    /// `gfxterm`: whether the menu is drawn in a graphics mode of the screen.
    pub graphical: bool,
    /// `input_console`; empty means as the output.
    pub input: Vec<Input>,
}

impl Default for Bootloader {
    fn default() -> Self {
        Self {
            name: BootloaderName::Grub2,
            timeout: 10,
            output: Vec::new(),
            graphical: false,
            input: Vec::new(),
        }
    }
}
