//! cramfs by `mkfs.cramfs`, which shortens what the format cannot store (docs/formats/image-files.md): that is an error here.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, Result};

use super::{FilesystemJob, directory_of};
use crate::failure::fail;
use crate::host::Warning;
use crate::root_tree::RootTree;

/// Sizes of files have 24 bits, users 16 and groups 8.
const LARGEST: u64 = (1 << 24) - 1;
const LAST_USER: u32 = 0xffff;
const LAST_GROUP: u32 = 0xff;

pub(super) fn create(job: FilesystemJob<'_>, output: &Path) -> Result<()> {
    let FilesystemJob { plan, tree, host, workspace: _, helper: _, stage: _ } = job;
    fits(tree)?;
    tree.warn_of_attributes("cramfs", &[], host)?;
    host.warn(
        Warning::Kernel,
        "few kernels of today mount cramfs, and none of Debian does; squashfs and erofs replace it",
    );
    host.command("mkfs.cramfs")
        .args(["-N", "little"])
        .args(&plan.options)
        .arg(tree.path())
        .arg(output)
        .writable(directory_of(output))
        .shows_devices(tree.devices()?)
        .run()
        .context("cannot write the cramfs")?;
    Ok(())
}

/// Fails for a tree with something that the format cannot store.
fn fits(tree: &RootTree) -> Result<()> {
    for entry in walkdir::WalkDir::new(tree.path()).sort_by_file_name() {
        let entry = entry?;
        let metadata = entry.metadata()?;
        let inside = entry.path().strip_prefix(tree.path())?.display();
        if metadata.is_file() && metadata.len() > LARGEST {
            fail!(
                InvalidDescription,
                "/{inside} has {} bytes and a file of a cramfs has less than 16 MiB; use squashfs or erofs",
                metadata.len()
            );
        }
        if metadata.uid() > LAST_USER || metadata.gid() > LAST_GROUP {
            fail!(
                InvalidDescription,
                "/{inside} belongs to user {} and group {}; a cramfs stores users up to {LAST_USER} and groups up to \
                 {LAST_GROUP}; use squashfs or erofs",
                metadata.uid(),
                metadata.gid()
            );
        }
    }
    Ok(())
}
