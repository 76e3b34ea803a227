//! Installs the system of a network client, or finds it installed, and mounts it.
//!
//! | module | purpose |
//! |---|---|
//! | `decision` | whether what is on the disk is the configured system |
//! | `layout` `partition` | the partitions of `PART=` |
//! | `image` | the images of `IMAGE=`: sums, download, verification |
//! | `mount` `nbd_swap` | the root file system from its parts: union, combined, memory, NFS, NBD; swap space by NBD |
//! | `settings` `fstab` | files of `CONF=`, fstab, mount points |
//! | `local_boot` `boot_menu` `boot_code` | what later boots from the disk need |
//! | `unsigned` | what a boot image with a key refuses |
//! | `system_file` | the files of the mounted system |
//!
//! # A power cut at any moment
//!
//! An installation ends with the markers of its images, which are written when everything else is on the disk. Before
//! anything of an installed system is changed, the first block of each of its images is zeroed, and with it the markers are
//! gone; the first block of an image is written when all others are there. So a cut leaves a disk without a system, or with one
//! that has no markers, and the next boot installs again from the start. The partition table is no part of this: it may be
//! the old one, the new one or none.

mod boot_code;
mod boot_menu;
mod decision;
mod fstab;
pub(crate) mod image;
mod installation;
mod layout;
mod local_boot;
mod mount;
mod nbd_swap;
mod partition;
mod settings;
mod system_file;
mod unsigned;

use crate::boot_plan::BootPlan;
use crate::console::Console;
use crate::machine::Machine;
use bootconfig::ClientConfig;

pub(crate) use installation::{Installed, install};
pub(crate) use mount::{Parts, Storages, mount_nbd, mount_nfs, mount_parts, wait_for_disks};
pub(crate) use settings::finish;
pub(crate) use unsigned::refuse as refuse_unsigned;

/// What every step needs.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) machine: &'a Machine,
    pub(crate) plan: &'a BootPlan,
    pub(crate) config: &'a ClientConfig,
    pub(crate) console: &'a Console,
}
