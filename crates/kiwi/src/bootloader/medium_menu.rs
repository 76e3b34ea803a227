//! The boot menu of a CD or stick, independent of the boot loader.

use description::Bootloader;

/// The menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediumMenu {
    /// Its title.
    pub title: String,
    /// Its time limit and consoles.
    pub settings: Bootloader,
    /// From the top; the first one is the default.
    pub entries: Vec<Entry>,
}

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its isolinux label.
    pub label: String,
    /// Its title.
    pub title: String,
    /// Its action.
    pub action: Action,
}

/// The action of an entry.
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
    /// Starts the first disk that is not the medium.
    NextDevice,
}
