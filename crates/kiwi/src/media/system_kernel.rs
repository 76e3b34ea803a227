//! Checks that a system has the modules of the boot image's kernel (docs/formats/boot-images.md). A whole disk contains its
//! own kernel.
//!
//! The tools of the file system read the names in `/lib/modules` from the image. There is no such tool for a Btrfs in a
//! file.

use anyhow::{Context, Result, ensure};
use ondisk::Filesystem;

use super::boot_files::BootFiles;
use super::system_image::SystemImage;
use crate::host::{Host, Warning};

/// The directories of kernel modules; the second one is a link to the first in today's distributions.
const PLACES: [&str; 2] = ["usr/lib/modules", "lib/modules"];

/// Refuses a system without the modules of the boot image's kernel.
pub fn compare(boot: &BootFiles, system: &SystemImage, host: &Host) -> Result<()> {
    let Some(filesystem) = system.filesystem else { return Ok(()) };
    let Some(versions) = versions(filesystem, system, host)
        .with_context(|| format!("reading the kernel versions of {}", system.path.display()))?
    else {
        host.warn(Warning::Kernel, &format!(
            "{} is a {}, which kiwi cannot read: make sure that the system has the modules of kernel {}, which \
             starts it",
            system.path.display(),
            filesystem.keyword(),
            boot.kernel_version
        ));
        return Ok(());
    };
    ensure!(
        versions.contains(&boot.kernel_version),
        "the boot image {} has kernel {}, the system {} has {}: both must be built with the same kernel package",
        boot.initrd.display(),
        boot.kernel_version,
        system.name,
        if versions.is_empty() { "none".to_owned() } else { versions.join(", ") }
    );
    Ok(())
}

/// Returns the kernels whose modules the system has; none if that is unknown.
fn versions(filesystem: Filesystem, system: &SystemImage, host: &Host) -> Result<Option<Vec<String>>> {
    let mut found: Vec<String> = Vec::new();
    for location in PLACES {
        found.extend(match filesystem {
            Filesystem::Ext2 | Filesystem::Ext3 | Filesystem::Ext4 => {
                let request = format!("ls -p /{location}");
                in_ext(&host.command("debugfs").args(["-R", &request]).arg(&system.path).output()?)
            }
            Filesystem::Squashfs => {
                let command = host.command("unsquashfs").args(["-max-depth", "4", "-l"]);
                in_squashfs(&command.arg(&system.path).arg(location).output()?, location)
            }
            Filesystem::Xfs => {
                let path = format!("path /{location}");
                host.find_program("xfs_db")?;
                let command = host.command("xfs_db").args(["-r", "-c", &path, "-c", "ls"]);
                // A missing path is an error of the tool.
                in_xfs(&command.arg(&system.path).output().unwrap_or_default())
            }
            Filesystem::Btrfs | Filesystem::Erofs | Filesystem::Cramfs | Filesystem::Reiserfs => {
                return Ok(None);
            }
        });
    }
    found.sort();
    found.dedup();
    Ok(Some(found))
}

/// `/inode/mode/uid/gid/name/size/`, a line for each entry.
fn in_ext(listing: &str) -> Vec<String> {
    let directory = |line: &str| {
        let fields: Vec<&str> = line.split('/').collect();
        let [_, _, mode, _, _, name, ..] = fields[..] else { return None };
        (mode.starts_with("04") && !name.starts_with('.')).then(|| name.to_owned())
    };
    listing.lines().filter_map(directory).collect()
}

/// `squashfs-root/PATH/NAME`
fn in_squashfs(listing: &str, location: &str) -> Vec<String> {
    let name = |line: &str| {
        let name = line.strip_prefix("squashfs-root/")?.strip_prefix(location)?.strip_prefix('/')?;
        (!name.contains('/')).then(|| name.to_owned())
    };
    listing.lines().filter_map(name).collect()
}

/// `address inode type hash length name (good)`
fn in_xfs(listing: &str) -> Vec<String> {
    let directory = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, _, kind, _, _, name, ..] = fields[..] else { return None };
        (kind == "directory" && !name.starts_with('.')).then(|| name.to_owned())
    };
    listing.lines().filter_map(directory).collect()
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use test_programs::{have, run};

    use super::*;
    use crate::host::Output;

    fn boot(version: &str) -> BootFiles {
        let [initrd, kernel] = ["initrd.gz", "initrd.kernel"].map(PathBuf::from);
        BootFiles { initrd, kernel, kernel_version: version.to_owned(), hypervisor: None }
    }

    #[test]
    fn a_system_has_the_kernel_of_its_boot_image() {
        if !have(&["mke2fs", "debugfs", "mksquashfs", "unsquashfs", "mkfs.xfs", "xfs_db"]) {
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        let host = Host::new(Output::Quiet);
        let tree = directory.path().join("tree");
        std::fs::create_dir_all(tree.join("usr/lib/modules/6.1.0-1-amd64/kernel/fs")).unwrap();
        std::os::unix::fs::symlink("usr/lib", tree.join("lib")).unwrap();
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let [ext, squashfs, xfs] = ["n.ext4", "n.squashfs", "n.xfs"].map(|name| directory.path().join(name));
        run("mke2fs", &["-q", "-t", "ext4", "-d", &text(&tree), &text(&ext), "4M"]);
        run("mksquashfs", &[&text(&tree), &text(&squashfs), "-quiet", "-no-progress"]);
        // mkfs.xfs reads a list: no boot block, no size, then the entries of each directory, up to a `$`.
        let list = directory.path().join("list");
        let directories =
            ["usr", "lib", "modules", "6.1.0-1-amd64"].map(|name| format!("{name} d--755 0 0\n")).concat();
        let content = format!("/\n0 0\nd--755 0 0\n{directories}$\n$\n$\n$\nlib l--777 0 0 usr/lib\n$\n");
        std::fs::write(&list, content).unwrap();
        std::fs::File::create(&xfs).unwrap().set_len(320 << 20).unwrap();
        run("mkfs.xfs", &["-q", "-f", "-p", &text(&list), &text(&xfs)]);
        for path in [ext, squashfs, xfs] {
            let system = SystemImage::open(&path, directory.path(), &host).unwrap();
            compare(&boot("6.1.0-1-amd64"), &system, &host).unwrap();
            let said = compare(&boot("6.1.0-2-amd64"), &system, &host).unwrap_err().to_string();
            assert!(
                said.starts_with("the boot image initrd.gz has kernel 6.1.0-2-amd64, the system n.")
                    && said.ends_with(" has 6.1.0-1-amd64: both must be built with the same kernel package"),
                "{said}"
            );
        }
    }
}
