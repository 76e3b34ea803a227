//! What the boot menu of a CD or stick offers, whichever boot loader shows it.

use description::Bootloader;

/// The menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediumMenu {
    /// What stands over it.
    pub title: String,
    /// How long it waits and where it is shown.
    pub settings: Bootloader,
    /// From the top; the first one starts when nobody chooses.
    pub entries: Vec<Entry>,
}

/// One line of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The keyword that isolinux knows it by.
    pub label: String,
    /// What people read.
    pub title: String,
    /// What it does.
    pub action: Action,
}

/// What an entry does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Starts a kernel; paths are those on the medium.
    Boot {
        /// The kernel.
        kernel: String,
        /// Its initrd.
        initrd: String,
        /// Its command line.
        command_line: String,
    },
    /// Leaves the medium and starts the first disk that is not it.
    NextDevice,
}
