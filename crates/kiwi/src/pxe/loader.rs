//! The first programs that machines load: pxelinux for BIOS, GRUB for UEFI.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Tree;
use crate::bootloader::grub2;
use crate::failure::fail;
use crate::host::Host;
use crate::workspace::Workspace;

/// The first program of a kind of machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loader {
    /// pxelinux, for BIOS.
    Pxelinux,
    /// GRUB, for UEFI.
    Grub,
}

/// Returns the host programs that [`Loader::install`] runs.
pub fn programs() -> &'static [&'static str] {
    &["grub-mkimage"]
}

impl Loader {
    /// Every loader.
    pub const ALL: [Self; 2] = [Self::Pxelinux, Self::Grub];

    /// Returns the path of the program in the tree, which a DHCP server names.
    pub fn path(self) -> &'static str {
        match self {
            Self::Pxelinux => "pxelinux.0",
            Self::Grub => "grub/grubx64.efi",
        }
    }

    /// Puts the program into the tree. Returns the paths of its files.
    pub fn install(self, tree: &Tree, workspace: &Workspace, host: &Host) -> Result<Vec<String>> {
        let files = match self {
            Self::Pxelinux => vec![
                (
                    self.path(),
                    found(
                        "pxelinux.0",
                        &["/usr/lib/PXELINUX", "/usr/share/syslinux", "/usr/lib/syslinux/bios"],
                        "pxelinux",
                    )?,
                ),
                ("ldlinux.c32", module("ldlinux.c32")?),
                ("mboot.c32", module("mboot.c32")?),
                ("libcom32.c32", module("libcom32.c32")?),
            ],
            Self::Grub => vec![(self.path(), grub2::network_image(workspace, host)?)],
        };
        for (path, source) in &files {
            let bytes = std::fs::read(source).with_context(|| format!("reading {}", source.display()))?;
            super::write(tree, path, &bytes, host)?;
        }
        Ok(files.into_iter().map(|(path, _)| path.to_owned()).collect())
    }
}

/// Finds a module of pxelinux. `mboot.c32`, which needs `libcom32.c32`, starts a hypervisor.
fn module(name: &'static str) -> Result<PathBuf> {
    let directories = ["/usr/lib/syslinux/modules/bios", "/usr/share/syslinux", "/usr/lib/syslinux/bios"];
    found(name, &directories, "syslinux-common")
}

/// The programs of iPXE: for BIOS, for UEFI.
const IPXE: [&str; 2] = ["undionly.kpxe", "snponly.efi"];

/// Puts the programs of iPXE that the host has into the tree. Returns their paths in it.
pub fn install_ipxe(tree: &Tree, host: &Host) -> Result<Vec<String>> {
    let mut paths = Vec::new();
    for name in IPXE {
        let mut found =
            ["/usr/lib/ipxe", "/usr/share/ipxe"].iter().map(|directory| Path::new(directory).join(name));
        let Some(source) = found.find(|path| path.is_file()) else { continue };
        let bytes = std::fs::read(&source).with_context(|| format!("reading {}", source.display()))?;
        let path = format!("ipxe/{name}");
        super::write(tree, &path, &bytes, host)?;
        paths.push(path);
    }
    Ok(paths)
}

/// Finds a file of another package.
fn found(name: &str, directories: &[&str], package: &str) -> Result<PathBuf> {
    let mut paths = directories.iter().map(|directory| Path::new(directory).join(name));
    match paths.find(|path| path.is_file()) {
        Some(path) => Ok(path),
        None => fail!(
            MissingProgram,
            "{name} is required for BIOS machines and not installed; install the package that provides it: {package} on \
             Debian. Without BIOS machines use --no-bios"
        ),
    }
}
