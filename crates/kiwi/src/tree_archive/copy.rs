//! Copies a tree without an archive.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::fs::{Timespec, Timestamps};

use crate::host::Host;
use crate::host::device::Device;
use crate::root_tree::{Attributes, RootTree, TreeWriter, extended_attributes};

/// Copies the tree into the empty directory `target`, sorted by name: a new file system then lists and numbers entries
/// in the order of their names, whatever the source of the tree.
pub fn copy(tree: &RootTree, target: &Path, host: &Host) -> Result<()> {
    let mut writer = TreeWriter::of_archive(target)?;
    let mut linked: HashMap<(u64, u64), PathBuf> = HashMap::new();
    for entry in walkdir::WalkDir::new(tree.path()).sort_by_file_name() {
        host.check_interrupt()?;
        let entry = entry.context("copying the tree")?;
        let metadata = entry.metadata().context("copying the tree")?;
        let inside = entry.path().strip_prefix(tree.path())?;
        copy_entry(&mut writer, entry.path(), inside, &metadata, &mut linked)
            .with_context(|| format!("copying {} of the tree", inside.display()))?;
    }
    writer.close()
}

fn copy_entry(
    writer: &mut TreeWriter<'_>,
    path: &Path,
    inside: &Path,
    metadata: &Metadata,
    linked: &mut HashMap<(u64, u64), PathBuf>,
) -> Result<()> {
    let kind = metadata.file_type();
    if metadata.nlink() > 1 && !kind.is_dir() {
        let number = (metadata.dev(), metadata.ino());
        if let Some(first) = linked.get(&number) {
            return writer.hard_link(inside, first);
        }
        linked.insert(number, inside.to_owned());
    }
    let time = Timespec { tv_sec: metadata.mtime(), tv_nsec: metadata.mtime_nsec() };
    let attributes = Attributes {
        mode: metadata.mode() & 0o7777,
        user: metadata.uid(),
        group: metadata.gid(),
        times: Timestamps { last_access: time, last_modification: time },
        extended: extended_attributes(path)?,
    };
    if let Some(device) = Device::of(path, metadata)? {
        return writer.device(inside, device, &attributes);
    }
    if kind.is_dir() {
        writer.directory(inside, &attributes).map(drop)
    } else if kind.is_file() {
        writer.file(inside, &mut File::open(path)?, &attributes)
    } else if kind.is_symlink() {
        writer.link(inside, &std::fs::read_link(path)?, &attributes).map(drop)
    } else if kind.is_fifo() {
        writer.fifo(inside, &attributes)
    } else {
        // A socket is useless without its process.
        Ok(())
    }
}
