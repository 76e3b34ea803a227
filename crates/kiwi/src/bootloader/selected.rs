//! The boot loader that a description names: each function has an arm for each of them.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Result;
use description::{Bootloader, BootloaderName, Firmware};
use ondisk::Sectors;

use super::grub2;
use super::medium_menu::MediumMenu;
use super::menu::Menu;
use super::platform::Platform;
use super::signed::SignedPrograms;
use crate::host::Host;
use crate::root_tree::RootTree;
use crate::workspace::Workspace;

/// Returns its directory in a system.
pub fn directory(loader: BootloaderName) -> &'static str {
    match loader {
        BootloaderName::Grub2 => grub2::DIRECTORY,
    }
}

/// Returns the host programs that install it for these firmwares.
pub fn programs(loader: BootloaderName, firmware: Firmware) -> &'static [&'static str] {
    match loader {
        BootloaderName::Grub2 => grub2::programs(firmware),
    }
}

/// Finds its files for a platform on this host.
pub fn check(loader: BootloaderName, platform: Platform) -> Result<()> {
    match loader {
        BootloaderName::Grub2 => grub2::check(platform),
    }
}

/// Writes its menu to the tree of a system.
pub fn configure(menu: &Menu, tree: &RootTree) -> Result<()> {
    match menu.bootloader.name {
        BootloaderName::Grub2 => grub2::configure(menu, tree),
    }
}

/// Creates its program for a disk; returns the path. It finds its menu on the system's file system.
pub fn core_image(platform: Platform, menu: &Menu, workspace: &Workspace, host: &Host) -> Result<PathBuf> {
    match menu.bootloader.name {
        BootloaderName::Grub2 => grub2::core_image(platform, menu, workspace, host),
    }
}

/// Writes its program for BIOS to a disk: to `room` sectors from `sector` on, and to the first sector of the disk.
pub fn write_bios(
    loader: BootloaderName,
    core: &Path,
    (sector, room): (Sectors, Sectors),
    disk: &File,
) -> Result<()> {
    match loader {
        BootloaderName::Grub2 => grub2::write_bios(core, sector, room, disk),
    }
}

/// Returns path and content of the font of the menu on a medium, if it has one.
pub fn medium_font(settings: &Bootloader) -> Result<Option<(String, Vec<u8>)>> {
    match settings.name {
        BootloaderName::Grub2 => grub2::font(settings),
    }
}

/// Returns path and content of the menu on a medium.
pub fn medium_configuration(menu: &MediumMenu) -> (&'static str, String) {
    match menu.settings.name {
        BootloaderName::Grub2 => ("/boot/grub/grub.cfg", grub2::medium_configuration(menu)),
    }
}

/// Returns the files for the EFI system partition of a disk: made here, or signed programs of the tree.
pub fn efi_files(
    menu: &Menu,
    signed: Option<&SignedPrograms>,
    workspace: &Workspace,
    host: &Host,
) -> Result<Vec<(PathBuf, String)>> {
    match menu.bootloader.name {
        BootloaderName::Grub2 => grub2::efi_files(menu, signed, workspace, host),
    }
}

/// Returns the files by which UEFI starts an optical medium, or a copy of it on a stick: the one with the file `mark`.
pub fn medium_efi_files(
    settings: &Bootloader,
    mark: &str,
    signed: Option<&SignedPrograms>,
    workspace: &Workspace,
    host: &Host,
) -> Result<Vec<(PathBuf, String)>> {
    match settings.name {
        BootloaderName::Grub2 => grub2::medium_efi_files(settings, mark, signed, workspace, host),
    }
}

/// Creates its program for a stick whose FAT file system has this volume id.
pub fn stick_core_image(
    loader: BootloaderName,
    platform: Platform,
    fat_uuid: &str,
    workspace: &Workspace,
    host: &Host,
) -> Result<PathBuf> {
    match loader {
        BootloaderName::Grub2 => grub2::stick_core_image(platform, fat_uuid, workspace, host),
    }
}
