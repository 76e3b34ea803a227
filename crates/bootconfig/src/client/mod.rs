//! `config.<MAC>`, which tells a network client what to boot, and `/config.isoclient` of an installation medium. Both have
//! one grammar and one type (docs/formats/client-configuration.md).
//!
//! ```text
//! IMAGE=/dev/sda2;minimal.x86_64;1.1.2;192.168.100.2;4096,\
//!       /dev/sda3;minimal-read-only.x86_64;1.1.2;192.168.100.2;4096
//! PART=200;S;x,500;L;/,x;L;
//! DISK=/dev/sda
//! COMBINED_IMAGE=yes
//! ```
//!
//! Lines of `KEY=value`; empty lines and lines that start with `#` are ignored. A backslash at the end of a line continues
//! it. Single quotes, and double quotes around a whole value, are not part of it; nothing is evaluated. A duplicate key, an
//! unknown key or an invalid value is an error that names its line. An empty value is the same as no line.
//!
//! [`ClientConfig::parse`] reads what is written; [`ClientConfig::parse_client`] also requires that a network client can boot
//! from it. [`crate::InstallConfig`] is what an installation medium makes of it.

mod check;
mod entry;
mod error;
mod field;
mod key;
mod lines;
mod lookup;
mod mac_address;
mod parse;
mod registration;
mod root;
mod write;

use std::collections::BTreeSet;

pub use entry::{Compression, FileEntry, ImageEntry, SyncFile, UnionDevices};
pub use error::ClientConfigError;
pub use key::ClientKey;
pub use lookup::{LOOKUP_DIRECTORY, UPLOAD_DIRECTORY, config_names};
pub use mac_address::{MacAddress, MacAddressError};
pub use registration::{Registration, RegistrationError};
pub use root::{NbdRoot, NbdSwap, NfsRoot};

pub(crate) use field::split_number;

use crate::deployed::Deployed;
use crate::install_choice::InstallChoice;

/// The content of `config.<MAC>` or `/config.isoclient`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClientConfig {
    /// `IMAGE`: the images and the devices they are written to. The first one has the root file system.
    pub images: Vec<ImageEntry>,
    /// `DISK`: the disk to partition, without `/dev/`.
    pub disk: Option<String>,
    /// `PART`: the partitions of the disk. `target` is the number in the device of the first image.
    pub partitions: Option<Deployed>,
    /// `CONF`: files that are copied from the server into the system.
    pub files: Vec<FileEntry>,
    /// `SYNC`: read, and has no effect.
    pub sync: Option<SyncFile>,
    /// `JOURNAL`: read, and has no effect.
    pub journal: Option<String>,
    /// `RELOAD_IMAGE`: load the images even if they are up to date.
    pub reload_image: bool,
    /// `RELOAD_CONFIG`: load the files of `CONF` even if the images are up to date.
    pub reload_config: bool,
    /// `COMBINED_IMAGE`: the second image is the read-only part of the first one.
    pub combined_image: bool,
    /// `REBOOT_IMAGE`: restart the machine instead of entering the system.
    pub reboot_image: bool,
    /// `KIWI_INITRD`: the boot image for later boots from the disk, a path on the server.
    pub initrd: Option<String>,
    /// `KIWI_KERNEL`: its kernel, a path on the server.
    pub kernel: Option<String>,
    /// `UNIONFS_CONFIG`: the devices of a writable layer and of the read-only system below it.
    pub union: Option<UnionDevices>,
    /// `KIWI_KERNEL_OPTIONS`: kernel parameters for later boots from the disk.
    pub kernel_options: Option<String>,
    /// `KIWI_BOOT_TIMEOUT`: the seconds that the boot menu of the disk is shown.
    pub boot_timeout: Option<u32>,
    /// `NFSROOT`: the root file system is a directory of an NFS server.
    pub nfs_root: Option<NfsRoot>,
    /// `NBDROOT`: the root file system is a network block device.
    pub nbd_root: Option<NbdRoot>,
    /// `FILTER` of an installation medium: a regular expression; disks that it matches are not offered.
    pub filter: Option<String>,
    /// The options of an installation medium that are set.
    pub choices: BTreeSet<InstallChoice>,
}

#[cfg(test)]
mod tests;
