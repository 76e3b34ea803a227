//! Archive to tree.

use std::ffi::OsString;
use std::io::{Read, Seek};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use rustix::fs::{FileType, Timespec, Timestamps};
use tar::{Archive, Entry, EntryType};

use super::place::{Attributes, Placer};
use super::{ATTRIBUTE, MADE, TIME};
use crate::host::Host;
use crate::root_tree::RootTree;

/// Unpacks an archive over the tree; what has a name of the archive's is replaced.
pub fn unpack(input: impl Read + Send, tree: &RootTree, host: &Host) -> Result<()> {
    let (seconds, nanoseconds) = super::now(tree)?;
    let now = Timespec { tv_sec: seconds, tv_nsec: nanoseconds };
    // Decompression has a processor of its own.
    let (sender, receiver) = std::sync::mpsc::sync_channel::<Vec<u8>>(16);
    std::thread::scope(|scope| {
        let decompressing = scope.spawn(move || -> std::io::Result<()> {
            let mut decoder = zstd::Decoder::new(input)?;
            loop {
                let mut chunk = Vec::with_capacity(CHUNK);
                if decoder.by_ref().take(CHUNK as u64).read_to_end(&mut chunk)? == 0
                    || sender.send(chunk).is_err()
                {
                    break;
                }
            }
            // Nothing of the input stays unread: whoever hashes it sees all of it.
            std::io::copy(&mut decoder.finish(), &mut std::io::sink()).map(drop)
        });
        let placed = place(Chunks { receiver, chunk: std::io::Cursor::new(Vec::new()) }, tree, &now, host);
        let decompressed = decompressing.join().unwrap_or_else(|_| Err(std::io::Error::other("zstd failed")));
        placed.and_then(|()| decompressed.context("decompressing a tree"))
    })
}

const CHUNK: usize = 1 << 20;

/// What the other thread decompressed, in order.
struct Chunks {
    receiver: std::sync::mpsc::Receiver<Vec<u8>>,
    chunk: std::io::Cursor<Vec<u8>>,
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.chunk.stream_position()? == self.chunk.get_ref().len() as u64 {
            match self.receiver.recv() {
                Ok(chunk) => self.chunk = std::io::Cursor::new(chunk),
                Err(_) => return Ok(0),
            }
        }
        self.chunk.read(buffer)
    }
}

fn place(input: impl Read, tree: &RootTree, now: &Timespec, host: &Host) -> Result<()> {
    let mut placer = Placer::new(tree.path())?;
    let mut archive = Archive::new(input);
    for entry in archive.entries().context("reading a packed tree")? {
        host.check_interrupt()?;
        let mut entry = entry.context("reading a packed tree")?;
        let path = entry.path().context("reading a packed tree")?.into_owned();
        put(&mut placer, &mut entry, &path, now)
            .with_context(|| format!("unpacking {} into the tree", path.display()))?;
    }
    placer.close()
}

fn put<R: Read>(placer: &mut Placer, entry: &mut Entry<'_, R>, path: &Path, now: &Timespec) -> Result<()> {
    let kind = entry.header().entry_type();
    let target = entry.link_name()?.map(std::borrow::Cow::into_owned);
    let attributes = attributes(entry, now)?;
    match (kind, target) {
        (EntryType::Directory, _) => placer.folder(path, &attributes),
        (EntryType::Regular, _) => placer.file(path, entry, &attributes),
        (EntryType::Symlink, Some(target)) => placer.symlink(path, &target, &attributes),
        (EntryType::Link, Some(target)) => placer.link(path, &target),
        (EntryType::Fifo, _) => placer.node(path, FileType::Fifo, 0, &attributes),
        (EntryType::Char | EntryType::Block, _) => {
            let number = |part: Option<u32>| part.context("a device without its number");
            let (major, minor) = (entry.header().device_major()?, entry.header().device_minor()?);
            let device = rustix::fs::makedev(number(major)?, number(minor)?);
            let kind =
                if kind == EntryType::Char { FileType::CharacterDevice } else { FileType::BlockDevice };
            placer.node(path, kind, device, &attributes)
        }
        (kind, _) => bail!("an entry of kind {kind:?}, which kiwi does not write"),
    }
}

fn attributes<R: Read>(entry: &mut Entry<'_, R>, now: &Timespec) -> Result<Attributes> {
    let header = entry.header();
    let (mode, user, group) = (header.mode()?, u32::try_from(header.uid()?)?, u32::try_from(header.gid()?)?);
    let mut time = Timespec { tv_sec: i64::try_from(header.mtime()?)?, tv_nsec: 0 };
    let mut extended = Vec::new();
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
        }
    }
    Ok(Attributes {
        mode,
        user,
        group,
        times: Timestamps { last_access: time, last_modification: time },
        extended,
    })
}

/// Takes away from the tree what is in `gone`, which is sorted.
pub fn remove(gone: &[PathBuf], tree: &RootTree) -> Result<()> {
    for path in gone {
        tree.remove(path)?;
    }
    Ok(())
}
