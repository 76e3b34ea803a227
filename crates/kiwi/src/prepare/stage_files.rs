//! The files of a stage of the tree in the cache.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::cache::{Entry, Making};
use crate::host::{Host, Meter, RunningStage};
use crate::root_tree::RootTree;
use crate::tree_archive::{self, Extent, Moment};

pub(super) const TREE: &str = "tree.tar.zst";
const GONE: &str = "gone";
/// The file with the note of the package manager about a layer.
pub(super) const NOTE: &str = "note";

/// Writes the tree, or its difference from a parent, to a new entry.
pub(super) fn pack(
    making: &mut Making,
    tree: &RootTree,
    extent: Extent<'_>,
    began: Moment,
    stage: &RunningStage<'_>,
    host: &Host,
) -> Result<()> {
    let gone =
        making.write(TREE, host, |output| tree_archive::pack(tree, extent, began, output, stage, host))?;
    let names: Vec<u8> = gone
        .iter()
        .flat_map(|path| {
            use std::os::unix::ffi::OsStrExt;
            path.as_os_str().as_bytes().iter().copied().chain([0])
        })
        .collect();
    making.write(GONE, host, |output| Ok(output.write_all(&names)?))
}

/// Returns how many bytes [`put`] reads.
pub(super) fn packed_size(entry: &Entry) -> u64 {
    entry.contents().size(TREE)
}

/// Applies an entry to a tree that contains its parent; `meter` counts its bytes.
pub(super) fn put(entry: &Entry, tree: &RootTree, meter: &Meter<'_>, host: &Host) -> Result<()> {
    tree_archive::remove(&gone(entry)?, tree)?;
    entry
        .read(TREE, |input| tree_archive::unpack(meter.reading(input), tree, host))
        .context("restoring a tree from the cache")
}

/// Reads the note of a layer.
pub(super) fn note(entry: &Entry) -> Result<String> {
    let mut text = String::new();
    entry.read(NOTE, |input| Ok(input.read_to_string(&mut text)?))?;
    Ok(text)
}

fn gone(entry: &Entry) -> Result<Vec<PathBuf>> {
    use std::os::unix::ffi::OsStringExt;
    let mut bytes = Vec::new();
    entry.read(GONE, |input| Ok(input.read_to_end(&mut bytes)?))?;
    let names = bytes.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    Ok(names.map(|name| std::ffi::OsString::from_vec(name.to_vec()).into()).collect())
}
