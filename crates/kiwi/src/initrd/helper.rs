//! An initrd for a virtual machine that does what only a kernel can do, with the kernel and the programs of the tree.

use std::path::Path;

use anyhow::{Context, Result};
use ondisk::Filesystem;
use ondisk::modules::uncompressed;

use super::archive::{Archive, Compression};
use super::{libraries, modules};
use crate::failure::fail;
use crate::host::Host;
use crate::kernel::Kernel;
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

/// Writes an initrd to `output` that unpacks the archive on the second disk into the empty file system on the first one; returns
/// its kernel.
pub fn helper(
    tree: &RootTree,
    filesystem: Filesystem,
    epoch: u64,
    output: &Path,
    host: &Host,
) -> Result<Kernel> {
    let keyword = filesystem.keyword();
    let kernel = Kernel::find(tree)?;
    let set = modules::Modules::read(tree, &kernel)?;
    if set.lacks(filesystem.module()) {
        fail!(
            Packages,
            "the file system {keyword} is written by a kernel with its driver, and kernel {} of the root tree has none: install \
             one, such as linux-image-amd64 of Debian 12, or use ext4",
            kernel.version
        );
    }
    if let Some((program, package)) = PROGRAMS.iter().find(|(program, _)| !tree.exists(program)) {
        fail!(
            Packages,
            "the file system {keyword} is written with /{program} of the root tree, which is missing; add the package that has \
             it: {package} on Debian"
        );
    }
    let writing = || format!("cannot write {}", output.display());
    let file = host.create_file(output).with_context(writing)?;
    let mut archive = Archive::new(file, Compression::Gzip, epoch, host.processors())?;
    for directory in ["dev", "proc", "mnt"] {
        archive.directory(directory)?;
    }
    for (program, _) in PROGRAMS {
        for path in libraries::closure(tree, program)? {
            archive.file(&path, &tree.read(&path)?, 0o755)?;
        }
    }
    let mut load = String::new();
    let base = format!("lib/modules/{}", kernel.version);
    for name in set.closure(DISKS.into_iter().chain(filesystem.modules().iter().copied())) {
        for path in set.paths(&[name]) {
            let location = format!("{base}/{}", uncompressed(path));
            let packed = format!("{base}/{path}");
            archive.file(&location, &modules::decompressed(&packed, tree.read(&packed)?)?, 0o644)?;
            load += &format!("insmod /{location}\n");
        }
    }
    archive.file("init", script(keyword, &load).as_bytes(), 0o755)?;
    archive.finish().with_context(writing)?;
    Ok(kernel)
}

/// Returns the script; the machine switches itself off in the end.
fn script(keyword: &str, load: &str) -> String {
    format!(
        "#!/bin/sh\nexport PATH=/sbin:/bin\nmount -t proc proc /proc\n{load}mount -t devtmpfs dev /dev\n\
         mount -t {keyword} /dev/vda /mnt &&\n\
         tar --extract --file /dev/vdb --directory /mnt --numeric-owner --same-permissions --same-owner &&\n\
         umount /mnt && echo '{COMPLETE}'\necho o > /proc/sysrq-trigger\nwhile :; do :; done\n"
    )
}
