//! The programs of the tree that Secure Boot accepts: shim, the GRUB and the MokManager that the distribution signed.
//!
//! ```text
//! firmware -> EFI/BOOT/BOOTX64.EFI (shim) -> grubx64.efi -> its grub.cfg -> that of the system or medium
//!                                         -> mmx64.efi, when a key is to be enrolled
//! ```
//!
//! A signed GRUB has its modules built in and loads no others. It reads `grub.cfg` in the directory that its distribution set
//! (`EFI/debian`); one for media reads it in `boot/grub` of its own file system first, then on a medium with Debian's own marks. All
//! of them, and `EFI/BOOT`, get the same short text, which finds the menu.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::distribution::Distribution;
use crate::failure::fail;
use crate::host::Host;
use crate::root_tree::RootTree;
use crate::workspace::Workspace;

/// Where distributions install the program that the firmware trusts.
const SHIM: &[&str] = &["usr/lib/shim/shimx64.efi.signed", "usr/lib/shim/shimx64.efi.signed.latest"];
/// The program that asks whether to trust a key.
const MOK_MANAGER: &[&str] = &["usr/lib/shim/mmx64.efi.signed", "usr/lib/shim/mmx64.efi"];
/// GRUB for disks.
const GRUB: &str = "usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed";
/// GRUB for media.
const GRUB_OF_MEDIA: &str = "usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed";

/// What the programs start from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// A disk.
    Disk,
    /// A CD or stick.
    Medium,
}

/// Copies of the programs in the scratch space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedPrograms {
    /// Each with its path in the EFI system partition.
    files: Vec<(PathBuf, String)>,
    /// The directories in which GRUB looks for its configuration.
    directories: Vec<String>,
}

impl SignedPrograms {
    /// Copies the programs of the tree, which must have a signed GRUB. Without shim, GRUB takes its place: a firmware that trusts
    /// the distribution's own key starts it.
    pub fn copy(tree: &RootTree, used: Use, workspace: &Workspace, host: &Host) -> Result<Self> {
        let first = |paths: &[&'static str]| paths.iter().copied().find(|path| tree.exists(path));
        let of_media: &[&str] = if used == Use::Medium { &[GRUB_OF_MEDIA, GRUB] } else { &[GRUB] };
        let Some(grub) = first(of_media) else {
            fail!(
                Packages,
                "firmware=\"uefi\" means Secure Boot, and the root tree has no GRUB that its distribution signed; add {} to the \
                 description, or choose firmware=\"efi\" for UEFI without Secure Boot",
                Distribution::package_hint(tree, |facts| facts.secure_boot_packages.join(" and "))
            );
        };
        let programs = match first(SHIM) {
            Some(shim) => [
                (Some(shim), "EFI/BOOT/BOOTX64.EFI"),
                (first(MOK_MANAGER), "EFI/BOOT/mmx64.efi"),
                (Some(grub), "EFI/BOOT/grubx64.efi"),
            ]
            .to_vec(),
            None => [(Some(grub), "EFI/BOOT/BOOTX64.EFI")].to_vec(),
        };
        let mut files = Vec::new();
        for (path, name) in programs {
            let Some(path) = path else { continue };
            let copy = workspace.scratch_file(&format!("signed-{}", name.replace('/', "-")));
            host.write_file(&copy, tree.read(path)?).with_context(|| format!("copying {path}"))?;
            files.push((copy, name.to_owned()));
        }
        Ok(Self { files, directories: directories(tree) })
    }

    /// Returns the files of the EFI system partition, with this text as GRUB's configuration.
    pub fn files(&self, text: &str, workspace: &Workspace, host: &Host) -> Result<Vec<(PathBuf, String)>> {
        let mut files = self.files.clone();
        let file = workspace.scratch_file("signed-grub.cfg");
        host.write_file(&file, text).context("writing the configuration of the signed GRUB")?;
        let paths = self.directories.iter().map(|directory| format!("{directory}/grub.cfg"));
        files.extend(paths.map(|path| (file.clone(), path)));
        Ok(files)
    }
}

/// Returns the directories in which a signed GRUB looks for its configuration.
fn directories(tree: &RootTree) -> Vec<String> {
    let release = tree.read_text("etc/os-release").or_else(|_| tree.read_text("usr/lib/os-release"));
    let release = release.unwrap_or_default();
    let id = release.lines().find_map(|line| line.strip_prefix("ID="));
    let id = id.map(|id| id.trim_matches('"')).filter(|id| {
        !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    });
    let own = id.map(|id| format!("EFI/{id}")).filter(|path| !path.eq_ignore_ascii_case("EFI/BOOT"));
    own.into_iter().chain(["EFI/BOOT", "boot/grub"].map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::{Failure, Kind};
    use crate::host::Output;

    #[test]
    fn shim_starts_grub_and_grub_takes_its_place() {
        let directory = tempfile::tempdir().unwrap();
        let host = Host::new(Output::Quiet);
        let tree = RootTree::create(&host, &directory.path().join("tree")).unwrap();
        let workspace = Workspace::open(directory.path(), crate::workspace::Scratch::Disk, &host).unwrap();
        let names = |used| {
            let programs = SignedPrograms::copy(&tree, used, &workspace, &host)?;
            let read = |(path, name): (PathBuf, String)| {
                format!("{name}:{}", String::from_utf8(std::fs::read(path).unwrap()).unwrap())
            };
            Ok(programs.files("cfg", &workspace, &host).unwrap().into_iter().map(read).collect::<Vec<_>>())
        };
        let error: anyhow::Error = names(Use::Disk).unwrap_err();
        assert_eq!(error.downcast_ref::<Failure>().unwrap().kind, Kind::Packages);
        tree.write("etc/os-release", "NAME=x\nID=debian\n", 0o644).unwrap();
        let configuration = ["EFI/debian/grub.cfg:cfg", "EFI/BOOT/grub.cfg:cfg", "boot/grub/grub.cfg:cfg"];
        let put = |path: &str, text: &str| tree.write(path, text, 0o644).unwrap();
        put(GRUB, "grub");
        assert_eq!(names(Use::Disk).unwrap(), [&["EFI/BOOT/BOOTX64.EFI:grub"][..], &configuration].concat());
        put(SHIM[0], "shim");
        put(MOK_MANAGER[0], "mok");
        put(GRUB_OF_MEDIA, "gcd");
        let with = |grub| {
            [&["EFI/BOOT/BOOTX64.EFI:shim", "EFI/BOOT/mmx64.efi:mok", grub][..], &configuration].concat()
        };
        assert_eq!(names(Use::Disk).unwrap(), with("EFI/BOOT/grubx64.efi:grub"));
        assert_eq!(names(Use::Medium).unwrap(), with("EFI/BOOT/grubx64.efi:gcd"));
    }
}
