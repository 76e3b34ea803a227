//! The directory from which machines boot over the network: boot menus, boot images, systems, and the configurations of the
//! machines.
//!
//! ```text
//! DIR/pxelinux.0, ldlinux.c32        the first program of a BIOS machine, and its library
//! DIR/pxelinux.cfg/default, 01-MAC   its menu: for all machines, for one machine
//! DIR/grub/grubx64.efi               the first program of a UEFI machine
//! DIR/grub/grub.cfg, menu-MAC.cfg    its menu
//! DIR/ipxe/default.ipxe, menu-MAC.ipxe the menu of machines with iPXE; undionly.kpxe, snponly.efi: iPXE, if the host has it
//! DIR/boot/NAME-DIGEST               boot images and kernels, which never change under one name
//! DIR/image/N, N.md5, N.sha256       systems
//! DIR/image/N.config, N.boot         the prototype of a machine's configuration, and the boot image of the system
//! DIR/KIWI/config.MAC                configurations (docs/formats/client-configuration.md)
//! DIR/upload/hwtype.MAC              machines that wait for one
//! DIR/server/                        sample configurations of servers
//! DIR/kiwi-pxe.json                  the settings of the directory
//! ```
//!
//! # Consistency
//!
//! A machine reads its menu once and its configuration once, and then loads the files that they name. A file is therefore
//! complete before anything names it, and files have names that contain their version: a publication does not change what a
//! machine is loading. Menus and configurations are replaced by a rename.

mod boot_entry;
mod loader;
mod menu;
mod sample;
mod settings;
mod store;

use std::path::{Path, PathBuf};

use bootconfig::MacAddress;

pub use boot_entry::BootEntry;
pub use loader::{Loader, install_ipxe, programs};
pub use menu::install_entries;
pub use settings::{FILE as SETTINGS, Network, Settings, Transport};
pub use store::{Change, Copied, adopt, copy, write};

/// The script of iPXE for all machines.
const IPXE_SCRIPT: &str = "ipxe/default.ipxe";

/// The directories of the tree.
pub const DIRECTORIES: [&str; 8] =
    ["pxelinux.cfg", "grub", "ipxe", "boot", "image", "KIWI", "upload", "server"];

/// A tree of boot files.
#[derive(Debug, Clone)]
pub struct Tree {
    path: PathBuf,
}

impl Tree {
    /// Returns the tree in this directory.
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Returns its directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the path of a file in the tree.
    pub fn file(&self, inside: &str) -> PathBuf {
        self.path.join(inside)
    }

    /// Returns the sample configurations of servers: the name and the text of each.
    pub fn samples(&self, settings: &Settings) -> Vec<(String, String)> {
        sample::all(settings, &self.path)
    }

    /// Returns the menus of all machines, or of one: the path and the text of each.
    pub fn menus(
        settings: &Settings,
        entry: Option<&BootEntry>,
        mac: Option<MacAddress>,
    ) -> [(String, String); 3] {
        menu::all(settings, entry, mac)
    }
}
