//! Unpacks an archive into a tree.

use std::ffi::OsString;
use std::io::Read;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use anyhow::{Context, Result, bail};
use rustix::fs::{Timespec, Timestamps};
use tar::{Archive, Entry, EntryType};

use super::{ATTRIBUTE, HEX_ATTRIBUTE, HOLES, MADE, TIME};
use crate::host::Host;
use crate::host::device::Device;
use crate::parallel;
use crate::root_tree::{Attributes, RootTree, TreeWriter};

/// Unpacks an archive over the tree; entries of the same name are replaced.
pub fn unpack(input: impl Read + Send, tree: &RootTree, host: &Host) -> Result<()> {
    let (seconds, nanoseconds) = super::now(tree)?;
    let now = Timespec { tv_sec: seconds, tv_nsec: nanoseconds };
    // Decompression runs in its own thread. Chunks are returned to it, so that memory is reused.
    let (sender, receiver) = sync_channel::<Vec<u8>>(CHUNKS);
    let (emptied, empty) = sync_channel::<Vec<u8>>(CHUNKS);
    let decompress = move || -> std::io::Result<()> {
        let mut decoder = zstd::Decoder::new(input)?;
        loop {
            let mut chunk = empty.try_recv().unwrap_or_default();
            chunk.resize(CHUNK, 0);
            let count = fill(&mut decoder, &mut chunk)?;
            chunk.truncate(count);
            if count == 0 || sender.send(chunk).is_err() {
                break;
            }
        }
        // Reads all of the input, so that its digest covers every byte.
        std::io::copy(&mut decoder.finish(), &mut std::io::sink()).map(drop)
    };
    let chunks = Chunks { receiver, emptied, chunk: Vec::new(), position: 0 };
    let (decompressed, placed) = parallel::both(decompress, || unpack_entries(chunks, tree, &now, host));
    placed.and_then(|()| decompressed.context("decompressing a tree"))
}

/// Size of a chunk in bytes; several fit in the processor's cache.
const CHUNK: usize = 256 << 10;
/// Maximum number of chunks that are decompressed in advance.
const CHUNKS: usize = 8;

/// Reads until the chunk is full or the input ends; returns the number of bytes.
fn fill(input: &mut impl Read, chunk: &mut [u8]) -> std::io::Result<usize> {
    let mut count = 0;
    while count < chunk.len() {
        match input.read(&mut chunk[count..])? {
            0 => break,
            more => count += more,
        }
    }
    Ok(count)
}

/// The output of the other thread, in order.
struct Chunks {
    receiver: Receiver<Vec<u8>>,
    emptied: SyncSender<Vec<u8>>,
    chunk: Vec<u8>,
    position: usize,
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.position == self.chunk.len() {
            let Ok(chunk) = self.receiver.recv() else { return Ok(0) };
            // The chunk is dropped if the other thread has enough of them or has finished.
            let _ = self.emptied.try_send(std::mem::replace(&mut self.chunk, chunk));
            self.position = 0;
        }
        let count = buffer.len().min(self.chunk.len() - self.position);
        buffer[..count].copy_from_slice(&self.chunk[self.position..self.position + count]);
        self.position += count;
        Ok(count)
    }
}

fn unpack_entries(input: impl Read, tree: &RootTree, now: &Timespec, host: &Host) -> Result<()> {
    let mut writer = TreeWriter::of_archive(tree.path())?;
    let mut archive = Archive::new(input);
    for entry in archive.entries().context("reading a packed tree")? {
        host.check_interrupt()?;
        let mut entry = entry.context("reading a packed tree")?;
        let path = entry.path().context("reading a packed tree")?.into_owned();
        put(&mut writer, &mut entry, &path, now)
            .with_context(|| format!("unpacking {} into the tree", path.display()))?;
    }
    writer.close()
}

fn put<R: Read>(
    writer: &mut TreeWriter<'_>,
    entry: &mut Entry<'_, R>,
    path: &Path,
    now: &Timespec,
) -> Result<()> {
    let kind = entry.header().entry_type();
    let target = entry.link_name()?.map(std::borrow::Cow::into_owned);
    let (attributes, has_holes) = attributes(entry, now)?;
    match (kind, target) {
        (EntryType::Directory, _) => writer.directory(path, &attributes).map(drop),
        (EntryType::Regular, _) if has_holes => writer.sparse_file(path, entry, &attributes),
        (EntryType::Regular, _) => writer.file(path, entry, &attributes),
        (EntryType::Symlink, Some(target)) => writer.link(path, &target, &attributes).map(drop),
        (EntryType::Link, Some(target)) => writer.hard_link(path, &target),
        (EntryType::Fifo, _) => writer.fifo(path, &attributes),
        (EntryType::Char | EntryType::Block, _) => {
            let number = |part: Option<u32>| part.context("a device node without a number");
            let (major, minor) = (entry.header().device_major()?, entry.header().device_minor()?);
            let is_block = kind == EntryType::Block;
            writer.device(
                path,
                Device { is_block, major: number(major)?, minor: number(minor)? },
                &attributes,
            )
        }
        (kind, _) => bail!("an entry of kind {kind:?}, which kiwi does not write"),
    }
}

/// Returns the attributes of an entry, and whether it is a file with holes.
fn attributes<R: Read>(entry: &mut Entry<'_, R>, now: &Timespec) -> Result<(Attributes, bool)> {
    let header = entry.header();
    let (mode, user, group) = (header.mode()?, u32::try_from(header.uid()?)?, u32::try_from(header.gid()?)?);
    let mut time = Timespec { tv_sec: i64::try_from(header.mtime()?)?, tv_nsec: 0 };
    let (mut extended, mut has_holes) = (Vec::new(), false);
    for record in entry.pax_extensions()?.into_iter().flatten() {
        let record = record?;
        let key = record.key().context("reading a pax record")?;
        if key == MADE {
            time = *now;
        } else if key == TIME {
            let text = record.value().context("reading a pax record")?;
            let (seconds, nanoseconds) = text.split_once('.').unwrap_or((text, "0"));
            time = Timespec { tv_sec: seconds.parse()?, tv_nsec: nanoseconds.parse()? };
        } else if let Some(name) = key.strip_prefix(ATTRIBUTE) {
            extended.push((OsString::from_vec(name.as_bytes().to_vec()), record.value_bytes().to_vec()));
        } else if let Some(name) = key.strip_prefix(HEX_ATTRIBUTE) {
            extended.push((
                OsString::from(name),
                from_hex(record.value_bytes()).context("reading an attribute")?,
            ));
        } else if key == HOLES {
            has_holes = true;
        }
    }
    let attributes = Attributes {
        mode,
        user,
        group,
        times: Timestamps { last_access: time, last_modification: time },
        extended,
    };
    Ok((attributes, has_holes))
}

fn from_hex(digits: &[u8]) -> Option<Vec<u8>> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.chunks(2).map(byte).collect()
}

/// Removes the paths in `gone`, which is sorted, from the tree.
pub fn remove(gone: &[PathBuf], tree: &RootTree) -> Result<()> {
    for path in gone {
        tree.remove(path)?;
    }
    Ok(())
}
