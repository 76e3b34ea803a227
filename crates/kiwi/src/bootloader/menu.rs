//! The boot menu of a disk, independent of the boot loader.

use description::Bootloader;
use ondisk::Filesystem;

/// The menu of a disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Menu {
    /// Title of the entry.
    pub title: String,
    /// Path of the kernel in the file system that the boot loader reads.
    pub kernel: String,
    /// Path of the initrd there.
    pub initrd: String,
    /// The directory of the boot loader there, without the mount point.
    pub directory: String,
    /// The kernel's command line.
    pub command_line: String,
    /// Settings of the description.
    pub bootloader: Bootloader,
    /// UUID of the file system that the boot loader reads: the one with `/boot`.
    pub uuid: String,
    /// Its kind.
    pub filesystem: Filesystem,
}
