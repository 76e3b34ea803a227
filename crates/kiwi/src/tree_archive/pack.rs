//! Tree to archive.

use std::collections::{HashMap, HashSet};
use std::fs::{File, Metadata};
use std::io::Write;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tar::{Builder, EntryType, Header};

use super::snapshot::{Moment, Snapshot, is_inside};
use super::{ATTRIBUTE, MADE, TIME};
use crate::host::Host;
use crate::host::device::Device;
use crate::root_tree::{RootTree, extended_attributes};

/// Faster than zstd's ordinary levels, in both directions: a stage is written and read once in most builds, and takes an
/// eighth more room for a quarter less time.
const LEVEL: i32 = -1;

/// How much of a tree is packed.
#[derive(Debug, Clone, Copy)]
pub enum Extent<'a> {
    /// All of it, without what these directories hold.
    But(&'a [&'a str]),
    /// What is not as it was then, without what these directories hold.
    Since(&'a Snapshot, &'a [&'a str]),
}

/// Packs the tree into `output`; what is newer than `began` counts as made by the build. Returns what the snapshot had
/// and the tree has no more, sorted.
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
    let mut writer = Writer { builder: Builder::new(encoder), began, linked: HashMap::new() };
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
    let encoder = writer.builder.into_inner().context("packing the tree")?;
    encoder.finish().and_then(|mut output| output.flush()).context("packing the tree")?;
    Ok(match extent {
        Extent::But(_) => Vec::new(),
        Extent::Since(snapshot, _) => snapshot.gone(&present),
    })
}

struct Writer<W: Write> {
    builder: Builder<W>,
    began: Moment,
    /// First path of every inode with several names.
    linked: HashMap<(u64, u64), PathBuf>,
}

impl<W: Write> Writer<W> {
    fn entry(&mut self, path: &Path, inside: &Path, metadata: &Metadata) -> Result<()> {
        let kind = metadata.file_type();
        if kind.is_socket() {
            // A socket is of a process, and that one is gone.
            return Ok(());
        }
        let name = if inside.as_os_str().is_empty() { Path::new("./") } else { inside };
        let mut header = Header::new_gnu();
        header.set_mode(metadata.mode() & 0o7777);
        header.set_uid(metadata.uid().into());
        header.set_gid(metadata.gid().into());
        header.set_size(0);
        // What the build made says nothing of when, so that the same tree gives the same archive.
        let time = if self.is_made(metadata) { 0 } else { metadata.mtime() };
        header.set_mtime(u64::try_from(time).unwrap_or(0));
        if metadata.nlink() > 1 && !kind.is_dir() {
            let number = (metadata.dev(), metadata.ino());
            if let Some(first) = self.linked.get(&number) {
                header.set_entry_type(EntryType::Link);
                return Ok(self.builder.append_link(&mut header, name, first)?);
            }
            self.linked.insert(number, inside.to_owned());
        }
        self.records(path, metadata)?;
        if kind.is_symlink() {
            header.set_entry_type(EntryType::Symlink);
            return Ok(self.builder.append_link(&mut header, name, std::fs::read_link(path)?)?);
        }
        if let Some(device) = Device::of(path, metadata)? {
            header.set_entry_type(if device.is_block { EntryType::Block } else { EntryType::Char });
            header.set_device_major(device.major)?;
            header.set_device_minor(device.minor)?;
            return Ok(self.builder.append_data(&mut header, name, std::io::empty())?);
        }
        if kind.is_file() {
            header.set_entry_type(EntryType::Regular);
            header.set_size(metadata.len());
            return Ok(self.builder.append_data(&mut header, name, File::open(path)?)?);
        }
        header.set_entry_type(if kind.is_dir() { EntryType::Directory } else { EntryType::Fifo });
        Ok(self.builder.append_data(&mut header, name, std::io::empty())?)
    }

    fn is_made(&self, metadata: &Metadata) -> bool {
        (metadata.mtime(), metadata.mtime_nsec()) >= self.began
    }

    /// The pax records of the entry that follows.
    fn records(&mut self, path: &Path, metadata: &Metadata) -> Result<()> {
        let mut records: Vec<(String, Vec<u8>)> = Vec::new();
        if self.is_made(metadata) {
            records.push((MADE.to_owned(), b"1".to_vec()));
        } else if metadata.mtime_nsec() != 0 || metadata.mtime() < 0 {
            let time = format!("{}.{:09}", metadata.mtime(), metadata.mtime_nsec());
            records.push((TIME.to_owned(), time.into_bytes()));
        }
        for (name, value) in extended_attributes(path)? {
            records.push((format!("{ATTRIBUTE}{}", name.to_string_lossy()), value));
        }
        if records.is_empty() {
            return Ok(());
        }
        let records = records.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
        Ok(self.builder.append_pax_extensions(records)?)
    }
}
