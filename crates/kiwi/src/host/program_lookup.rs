//! Finds programs of the host, and the package that provides a missing one.

use std::path::{Path, PathBuf};

use super::CommandError;

/// Program, package on Debian, on SUSE, on Fedora.
const PACKAGES: &[(&str, &str, &str, &str)] = &[
    ("apt-get", "apt", "apt", "apt"),
    ("apt-config", "apt", "apt", "apt"),
    ("apt-cache", "apt", "apt", "apt"),
    ("apt-key", "apt", "apt", "apt"),
    ("dpkg", "dpkg", "dpkg", "dpkg"),
    ("dpkg-deb", "dpkg", "dpkg", "dpkg"),
    ("gpgv", "gpgv", "gpg2", "gnupg2"),
    ("mke2fs", "e2fsprogs", "e2fsprogs", "e2fsprogs"),
    ("e2fsck", "e2fsprogs", "e2fsprogs", "e2fsprogs"),
    ("dumpe2fs", "e2fsprogs", "e2fsprogs", "e2fsprogs"),
    ("tune2fs", "e2fsprogs", "e2fsprogs", "e2fsprogs"),
    ("debugfs", "e2fsprogs", "e2fsprogs", "e2fsprogs"),
    ("mkfs.xfs", "xfsprogs", "xfsprogs", "xfsprogs"),
    ("xfs_db", "xfsprogs", "xfsprogs", "xfsprogs"),
    ("xfs_repair", "xfsprogs", "xfsprogs", "xfsprogs"),
    ("mkfs.btrfs", "btrfs-progs", "btrfsprogs", "btrfs-progs"),
    ("btrfs", "btrfs-progs", "btrfsprogs", "btrfs-progs"),
    ("mkfs.erofs", "erofs-utils", "erofs-utils", "erofs-utils"),
    ("mksquashfs", "squashfs-tools", "squashfs", "squashfs-tools"),
    ("unsquashfs", "squashfs-tools", "squashfs", "squashfs-tools"),
    ("sfdisk", "fdisk", "util-linux", "util-linux-core"),
    ("mkfs.vfat", "dosfstools", "dosfstools", "dosfstools"),
    ("mcopy", "mtools", "mtools", "mtools"),
    ("mmd", "mtools", "mtools", "mtools"),
    ("xorriso", "xorriso", "xorriso", "xorriso"),
    ("grub-mkimage", "grub-common", "grub2", "grub2-tools"),
    ("minisign", "minisign", "minisign", "minisign"),
    ("qemu-img", "qemu-utils", "qemu-img", "qemu-img"),
    ("qemu-system-x86_64", "qemu-system-x86", "qemu-x86", "qemu-system-x86"),
    ("swtpm", "swtpm", "swtpm", "swtpm"),
    ("tar", "tar", "tar", "tar"),
    ("xz", "xz-utils", "xz", "xz"),
    ("bzip2", "bzip2", "bzip2", "bzip2"),
    ("gzip", "gzip", "gzip", "gzip"),
    ("newuidmap", "uidmap", "shadow", "shadow-utils"),
    ("newgidmap", "uidmap", "shadow", "shadow-utils"),
    ("chroot", "coreutils", "coreutils", "coreutils"),
];

/// Returns the directories of `PATH`, and those for administrators that an ordinary user's `PATH` lacks.
pub(super) fn search_path() -> Vec<PathBuf> {
    let mut directories: Vec<PathBuf> =
        std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default();
    for directory in ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"] {
        if !directories.iter().any(|known| known == Path::new(directory)) {
            directories.push(directory.into());
        }
    }
    directories
}

/// Finds `program`; a name with a slash is a path.
pub(super) fn find(directories: &[PathBuf], program: &str) -> Result<PathBuf, CommandError> {
    if program.contains('/') {
        return Ok(program.into());
    }
    directories
        .iter()
        .map(|directory| directory.join(program))
        .chain(
            alternative(program)
                .into_iter()
                .flat_map(|other| directories.iter().map(move |directory| directory.join(other))),
        )
        .find(|path| rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok() && path.is_file())
        .ok_or_else(|| CommandError::Missing { program: program.to_owned(), remedy: remedy(program) })
}

/// Returns the name of a program in other distributions.
fn alternative(program: &str) -> Option<&'static str> {
    (program == "grub-mkimage").then_some("grub2-mkimage")
}

/// Returns a sentence about how to install a program.
fn remedy(program: &str) -> String {
    match PACKAGES.iter().find(|(name, ..)| *name == program) {
        Some((_, debian, suse, fedora)) => {
            format!(
                "install the package that provides it: {debian} on Debian, {suse} on SUSE, {fedora} on Fedora"
            )
        }
        None => "install the package that provides it".to_owned(),
    }
}
