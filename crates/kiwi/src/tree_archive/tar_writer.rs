//! Writes entries of a tree as members of a tar archive in the pax format, with all their attributes.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use anyhow::Result;
use tar::{Builder, EntryType, Header};

use super::snapshot::Moment;
use super::{ATTRIBUTE, HEX_ATTRIBUTE, HOLES, MADE, TIME};
use crate::host::device::Device;
use crate::root_tree::extended_attributes;

/// Maximum length in bytes of a name in the header of a member; a longer one is stored in a pax record.
const NAME_LENGTH: usize = 100;

/// Writes entries of a tree as members of a tar archive: owner, mode, time to the nanosecond, hard links, extended
/// attributes, symbolic links and special files. Sockets are skipped: they belong to a process that has ended.
pub struct TarWriter<W: Write> {
    builder: Builder<W>,
    made_since: Option<Moment>,
    /// First path of every inode with several names.
    linked: HashMap<(u64, u64), PathBuf>,
}

impl<W: Write> TarWriter<W> {
    /// Starts an archive. With `made_since` it is one that only kiwi reads: entries of that time or later get a mark instead of
    /// a time, because the build created them, and files with holes get a mark, too.
    pub fn new(output: W, made_since: Option<Moment>) -> Self {
        Self { builder: Builder::new(output), made_since, linked: HashMap::new() }
    }

    /// Ends the archive and returns its output.
    pub fn finish(self) -> Result<W> {
        Ok(self.builder.into_inner()?)
    }

    /// Writes the entry at `path` of the host as `inside`, its path in the tree.
    pub fn entry(&mut self, path: &Path, inside: &Path, metadata: &Metadata) -> Result<()> {
        let kind = metadata.file_type();
        if kind.is_socket() {
            return Ok(());
        }
        let name = if inside.as_os_str().is_empty() { Path::new("./") } else { inside };
        let mut header = Header::new_ustar();
        header.set_mode(metadata.mode() & 0o7777);
        header.set_uid(metadata.uid().into());
        header.set_gid(metadata.gid().into());
        header.set_size(0);
        // No time for files that the build created, so that the same tree gives the same archive.
        let time = if self.is_made(metadata) { 0 } else { metadata.mtime() };
        header.set_mtime(u64::try_from(time).unwrap_or(0));
        if metadata.nlink() > 1 && !kind.is_dir() {
            let number = (metadata.dev(), metadata.ino());
            if let Some(first) = self.linked.get(&number).cloned() {
                header.set_entry_type(EntryType::Link);
                return self.member(header, name, Some(&first), Vec::new(), io::empty());
            }
            self.linked.insert(number, inside.to_owned());
        }
        let records = self.records(path, metadata)?;
        if kind.is_symlink() {
            header.set_entry_type(EntryType::Symlink);
            return self.member(header, name, Some(&std::fs::read_link(path)?), records, io::empty());
        }
        if let Some(device) = Device::of(path, metadata)? {
            header.set_entry_type(if device.is_block { EntryType::Block } else { EntryType::Char });
            header.set_device_major(device.major)?;
            header.set_device_minor(device.minor)?;
            return self.member(header, name, None, records, io::empty());
        }
        if kind.is_file() {
            header.set_entry_type(EntryType::Regular);
            header.set_size(metadata.len());
            return self.member(header, name, None, records, File::open(path)?);
        }
        header.set_entry_type(if kind.is_dir() { EntryType::Directory } else { EntryType::Fifo });
        self.member(header, name, None, records, io::empty())
    }

    /// Writes one member with its pax records.
    fn member(
        &mut self,
        mut header: Header,
        name: &Path,
        target: Option<&Path>,
        mut records: Vec<(String, Vec<u8>)>,
        content: impl Read,
    ) -> Result<()> {
        let mut short = |key: &str, path: &Path| {
            let bytes = path.as_os_str().as_bytes();
            let mut field = [0; NAME_LENGTH];
            let length = bytes.len().min(NAME_LENGTH);
            field[..length].copy_from_slice(&bytes[..length]);
            if bytes.len() > NAME_LENGTH {
                records.push((key.to_owned(), bytes.to_owned()));
            }
            field
        };
        header.as_old_mut().name = short("path", name);
        if let Some(target) = target {
            header.as_old_mut().linkname = short("linkpath", target);
        }
        header.set_cksum();
        if !records.is_empty() {
            let records = records.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
            self.builder.append_pax_extensions(records)?;
        }
        Ok(self.builder.append(&header, content)?)
    }

    fn is_made(&self, metadata: &Metadata) -> bool {
        self.made_since.is_some_and(|since| (metadata.mtime(), metadata.mtime_nsec()) >= since)
    }

    /// Returns the pax records of an entry.
    fn records(&self, path: &Path, metadata: &Metadata) -> Result<Vec<(String, Vec<u8>)>> {
        let mut records: Vec<(String, Vec<u8>)> = Vec::new();
        if self.is_made(metadata) {
            records.push((MADE.to_owned(), b"1".to_vec()));
        } else if metadata.mtime_nsec() != 0 || metadata.mtime() < 0 {
            let time = format!("{}.{:09}", metadata.mtime(), metadata.mtime_nsec());
            records.push((TIME.to_owned(), time.into_bytes()));
        }
        let is_ours = self.made_since.is_some();
        if is_ours && metadata.is_file() && metadata.blocks() * 512 < metadata.len() {
            records.push((HOLES.to_owned(), b"1".to_vec()));
        }
        for (name, value) in extended_attributes(path)? {
            let name = name.to_string_lossy();
            if is_ours && value.contains(&b'\n') {
                records.push((format!("{HEX_ATTRIBUTE}{name}"), ondisk::digest::hex(value).into_bytes()));
            } else {
                records.push((format!("{ATTRIBUTE}{name}"), value));
            }
        }
        Ok(records)
    }
}
