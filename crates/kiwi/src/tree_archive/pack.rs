//! Packs a tree into an archive.

use std::collections::HashSet;
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::snapshot::{Moment, Snapshot};
use super::tar_writer::TarWriter;
use crate::host::{Host, RunningStage};
use crate::root_tree::RootTree;

/// Faster than zstd's ordinary levels, in both directions: a stage is written and read once in most builds, and is an
/// eighth larger for a quarter less time.
const LEVEL: i32 = -1;

/// The part of a tree that is packed.
#[derive(Debug, Clone, Copy)]
pub enum Extent<'a> {
    /// All of it.
    All,
    /// All that changed since then.
    Since(&'a Snapshot),
}

/// Packs the tree into `output`; files later than `began` count as created by the build. Returns the paths of the
/// snapshot that no longer exist in the tree, sorted. The stage reports how far it is.
pub fn pack(
    tree: &RootTree,
    extent: Extent<'_>,
    began: Moment,
    output: impl Write,
    stage: &RunningStage<'_>,
    host: &Host,
) -> Result<Vec<PathBuf>> {
    let mut encoder = zstd::Encoder::new(output, LEVEL).context("starting zstd")?;
    encoder.include_checksum(true).context("starting zstd")?;
    encoder.multithread(u32::try_from(host.processors())?).context("starting zstd")?;
    let mut writer = TarWriter::new(encoder, Some(began));
    let (mut present, mut packed, mut size) = (HashSet::new(), Vec::new(), 0);
    tree.each_entry(&mut |path, stat| {
        match extent {
            Extent::Since(snapshot) if snapshot.has(path.as_os_str(), stat) => {}
            _ => {
                size += stat.st_size.cast_unsigned();
                packed.push(path.clone());
            }
        }
        if matches!(extent, Extent::Since(_)) {
            present.insert(path.into_os_string());
        }
        Ok(())
    })
    .context("packing the tree")?;
    packed.sort();
    let meter = stage.meter(size);
    for inside in packed {
        host.check_interrupt()?;
        let path = tree.path().join(&inside);
        let packing = || format!("packing {} of the tree", inside.display());
        let metadata = path.symlink_metadata().with_context(packing)?;
        writer.entry(&path, &inside, &metadata).with_context(packing)?;
        meter.add(metadata.len());
    }
    let encoder = writer.finish().context("packing the tree")?;
    encoder.finish().and_then(|mut output| output.flush()).context("packing the tree")?;
    Ok(match extent {
        Extent::All => Vec::new(),
        Extent::Since(snapshot) => snapshot.gone(&present),
    })
}
