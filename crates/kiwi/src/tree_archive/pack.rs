//! Packs a tree into an archive.

use std::collections::HashSet;
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::snapshot::{Moment, Snapshot, is_inside};
use super::tar_writer::TarWriter;
use crate::host::Host;
use crate::root_tree::RootTree;

/// Faster than zstd's ordinary levels, in both directions: a stage is written and read once in most builds, and is an
/// eighth larger for a quarter less time.
const LEVEL: i32 = -1;

/// The part of a tree that is packed.
#[derive(Debug, Clone, Copy)]
pub enum Extent<'a> {
    /// All of it, without the contents of these directories.
    But(&'a [&'a str]),
    /// All that changed since then, without the contents of these directories.
    Since(&'a Snapshot, &'a [&'a str]),
}

/// Packs the tree into `output`; files later than `began` count as created by the build. Returns the paths of the
/// snapshot that no longer exist in the tree, sorted.
pub fn pack(
    tree: &RootTree,
    extent: Extent<'_>,
    began: Moment,
    output: impl Write,
    host: &Host,
) -> Result<Vec<PathBuf>> {
    let mut encoder = zstd::Encoder::new(output, LEVEL).context("starting zstd")?;
    encoder.include_checksum(true).context("starting zstd")?;
    encoder.multithread(u32::try_from(host.processors())?).context("starting zstd")?;
    let mut writer = TarWriter::new(encoder, Some(began));
    let mut present = HashSet::new();
    let (Extent::But(but) | Extent::Since(_, but)) = extent;
    let walk = walkdir::WalkDir::new(tree.path()).sort_by_file_name();
    for entry in walk.into_iter().filter_entry(|entry| !is_inside(entry.path(), but, tree)) {
        host.check_interrupt()?;
        let entry = entry.context("packing the tree")?;
        let metadata = entry.metadata().context("packing the tree")?;
        let inside = entry.path().strip_prefix(tree.path())?;
        let packed = match extent {
            Extent::But(_) => true,
            Extent::Since(snapshot, _) => {
                present.insert(inside.as_os_str().to_owned());
                !snapshot.has(inside, &metadata)
            }
        };
        if packed {
            writer
                .entry(entry.path(), inside, &metadata)
                .with_context(|| format!("packing {} of the tree", inside.display()))?;
        }
    }
    let encoder = writer.finish().context("packing the tree")?;
    encoder.finish().and_then(|mut output| output.flush()).context("packing the tree")?;
    Ok(match extent {
        Extent::But(_) => Vec::new(),
        Extent::Since(snapshot, _) => snapshot.gone(&present),
    })
}
