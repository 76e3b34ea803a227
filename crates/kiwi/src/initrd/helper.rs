//! An initrd for a virtual machine that does what only a kernel can do: it fills file systems for which there is no program.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use ondisk::Filesystem;
use ondisk::modules::uncompressed;

use super::archive::{Archive, Compression};
use super::helper_kernel::{ChosenKernel, HelperKernel, choose};
use super::{libraries, modules};
use crate::failure::fail;
use crate::host::Host;
use crate::root_tree::RootTree;

/// The programs of the script, each with its package on Debian.
const PROGRAMS: [(&str, &str); 5] = [
    ("bin/sh", "dash"),
    ("bin/mount", "mount"),
    ("bin/umount", "mount"),
    ("sbin/insmod", "kmod"),
    ("bin/tar", "tar"),
];
/// The drivers of the machine's disks.
const DISKS: [&str; 2] = ["virtio_pci", "virtio_blk"];
/// What the script prints when everything has succeeded.
pub const COMPLETE: &str = "kiwi: the file system is complete";

/// The files that [`create`] writes.
#[derive(Debug)]
pub struct HelperFiles {
    /// The kernel.
    pub kernel: PathBuf,
    /// The initrd.
    pub initrd: PathBuf,
}

/// Writes a kernel and an initrd that unpacks the archive on the second disk into the empty file system on the first one; the
/// kernel's parameters `KIWI_FILESYSTEM` and `KIWI_OPTIONS` specify the file system, one of `filesystems`, and how it is mounted.
pub fn create(
    filesystems: &[Filesystem],
    named: Option<&HelperKernel>,
    tree: &RootTree,
    files: &HelperFiles,
    host: &Host,
) -> Result<()> {
    let ChosenKernel { other, kernel, modules: set } = choose(filesystems, named, tree)?;
    let source = other.as_ref().unwrap_or(tree);
    let writing = || format!("cannot write {}", files.kernel.display());
    host.write_file(&files.kernel, source.read(&kernel.image)?).with_context(writing)?;
    let writing = || format!("cannot write {}", files.initrd.display());
    let file = host.create_file(&files.initrd).with_context(writing)?;
    let mut archive = Archive::new(file, Compression::Gzip, 0, host.processors())?;
    for directory in ["dev", "proc", "mnt"] {
        archive.directory(directory)?;
    }
    add_programs(&mut archive, tree)?;
    let mut load = String::new();
    let base = format!("lib/modules/{}", kernel.version);
    let drivers = filesystems.iter().flat_map(|filesystem| filesystem.modules()).copied();
    for name in set.closure(DISKS.into_iter().chain(drivers)) {
        for path in set.paths(&[name]) {
            let location = format!("{base}/{}", uncompressed(path));
            let packed = format!("{base}/{path}");
            archive.file(&location, &modules::decompressed(&packed, source.read(&packed)?)?, 0o644)?;
            load += &format!("insmod /{location}\n");
        }
    }
    archive.file("init", script(&load).as_bytes(), 0o755)?;
    archive.finish().with_context(writing)
}

/// Adds the programs of the tree, or those of the host if the tree lacks one.
fn add_programs(archive: &mut Archive, tree: &RootTree) -> Result<()> {
    let missing = |tree: &RootTree| PROGRAMS.into_iter().find(|(program, _)| !tree.exists(program));
    let host = RootTree::unlocked(Path::new("/"))?;
    let from = if missing(tree).is_none() { tree } else { &host };
    if let Some((program, package)) = missing(from) {
        fail!(
            MissingProgram,
            "a kernel fills a file system with /{program}, which neither the root tree nor this machine has; install the package \
             that has it: {package} on Debian"
        );
    }
    for (program, _) in PROGRAMS {
        for path in libraries::closure(from, program)? {
            archive.file(&path, &from.read(&path)?, 0o755)?;
        }
    }
    Ok(())
}

/// Returns the script; the machine switches itself off in the end.
fn script(load: &str) -> String {
    format!(
        "#!/bin/sh\nexport PATH=/sbin:/bin\nmount -t proc proc /proc\n{load}mount -t devtmpfs dev /dev\n\
         mount -t \"$KIWI_FILESYSTEM\" -o \"$KIWI_OPTIONS\" /dev/vda /mnt &&\n\
         tar --extract --file /dev/vdb --directory /mnt --numeric-owner --same-permissions --same-owner --xattrs \
         --xattrs-include='*' &&\n\
         umount /mnt && echo '{COMPLETE}'\necho o > /proc/sysrq-trigger\nwhile :; do :; done\n"
    )
}
