//! The boot image that installs a disk, made from the disk's root tree.

use anyhow::{Context as _, Result};
use bootconfig::BootConfig;
use description::{Boots, Disk, DiskFormat, Selection};

use crate::context::Context;
use crate::failure::fail;
use crate::initrd;
use crate::media::boot_files::BootFiles;
use crate::record::Record;
use crate::root_tree::RootTree;
use crate::workspace::Workspace;

/// Returns the disk of the selection, if its type is one.
pub(super) fn disk(selection: &Selection) -> Option<&Disk> {
    match selection.image_type.boots()? {
        Boots::Disk(disk) => Some(disk),
        Boots::Usb(_) | Boots::Iso(_) | Boots::Pxe(_) | Boots::Kis(_) | Boots::Xen(_) => None,
    }
}

/// Returns an error for a disk that cannot be installed.
pub(super) fn check(disk: &Disk) -> Result<()> {
    if !disk.formats().contains(&DiskFormat::Raw) {
        fail!(
            InvalidDescription,
            "installiso, installstick and installpxe need a raw disk: add `raw` to --format, or remove either the format or the \
             installation from the type"
        );
    }
    Ok(())
}

/// Makes a boot image with this configuration and the drivers that the description adds, and its kernel. `purpose` is a part of the names of the files.
pub(super) fn create(
    config: &BootConfig,
    selection: &Selection,
    purpose: &str,
    tree: &RootTree,
    record: &Record,
    workspace: &Workspace,
    context: &Context,
) -> Result<BootFiles> {
    let host = &context.host;
    let disk = disk(selection).context("only a disk can be installed")?;
    let plan = initrd::plan(tree, disk.filesystem, config, &selection.drivers, &record.identity())?;
    let [initrd, kernel] =
        ["initrd", "linux"].map(|name| workspace.scratch_file(&format!("install-{purpose}-{name}")));
    initrd::create(&plan, tree, &context.share.linuxrc()?, &initrd, host)?;
    host.write_file(&kernel, tree.read(&plan.kernel.image)?)
        .context("writing the kernel of the installation")?;
    Ok(BootFiles { initrd, kernel, kernel_version: plan.kernel.version, hypervisor: None })
}
