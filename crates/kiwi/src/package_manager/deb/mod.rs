//! The Debian binary package, read in process: an `ar` archive with two tar archives.
//!
//! ```text
//! Deb::open -> debian-binary, control.tar.* (small, read at once), data.tar.* (an offset in the file)
//! Deb::data -> a reader of the unpacked data.tar
//! ```
//!
//! Format: deb(5). A package is not trusted: every size is checked against the file, every name against the allowed
//! characters, and the amount of decompressed data is limited.

mod container;
mod control;
mod entry;
mod relation;
mod repack;
mod version;

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

pub(super) use control::{Control, ControlMember};
pub(super) use entry::{Entry, Kind, Owner, entries};
pub(super) use relation::alternatives;
pub(super) use repack::Finished;

use container::{Member, members};

use crate::failure::{self, Failure};

/// Maximum size of the control files in bytes.
const CONTROL_LIMIT: u64 = 64 << 20;
/// Bytes by which a data archive may exceed `Installed-Size`.
const DATA_SLACK: u64 = 1 << 30;

/// A package whose control files have been read.
#[derive(Debug)]
pub(super) struct Deb {
    path: PathBuf,
    /// The `control` file.
    pub(super) control: Control,
    /// The other control files: maintainer scripts, `conffiles`, `md5sums`, `triggers` ...
    pub(super) members: Vec<ControlMember>,
    control_member: Member,
    data: Member,
}

impl Deb {
    /// Reads everything except the files of the package at `path`.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let reading = || format!("reading the package {}", path.display());
        let mut file = File::open(path).with_context(reading)?;
        let mut parts = || {
            let (control_member, data) = members(&mut file)?;
            let reader = section(file.try_clone()?, &control_member)?;
            let decoder = control_member.compression.decoder(reader)?;
            let (control, members) = control::read(limited(decoder, CONTROL_LIMIT))?;
            Ok(Self { path: path.to_owned(), control, members, control_member, data })
        };
        parts().map_err(|error: anyhow::Error| match error.is::<Failure>() {
            true => error.context(reading()),
            false => error.context(Failure::new(failure::Kind::Damaged, reading())),
        })
    }

    /// Returns a reader of the unpacked `data.tar`, which fails after `data_limit` bytes.
    pub(super) fn data(&self) -> Result<impl Read + use<>> {
        let file = File::open(&self.path).with_context(|| format!("opening {}", self.path.display()))?;
        Ok(limited(self.data.compression.decoder(section(file, &self.data)?)?, self.data_limit()))
    }

    /// Returns the maximum number of bytes in `data`.
    pub(super) fn data_limit(&self) -> u64 {
        let declared = self.control.field("Installed-Size").and_then(|size| size.parse::<u64>().ok());
        declared.unwrap_or(0).saturating_mul(4 << 10).saturating_add(DATA_SLACK)
    }

    /// Returns the path of the package file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns a control file by its name.
    pub(super) fn member(&self, name: &str) -> Option<&ControlMember> {
        self.members.iter().find(|member| member.name == name)
    }

    /// Returns the compressed size of its files in bytes.
    pub(super) fn data_size(&self) -> u64 {
        self.data.size
    }

    /// Returns the lines of `conffiles`: an absolute path, and the flag before it or an empty text.
    pub(super) fn conffile_lines(&self) -> Vec<(String, String)> {
        self.member("conffiles").map(|member| control::conffile_lines(&member.bytes)).unwrap_or_default()
    }

    /// Returns the relative paths of configuration files, which the administrator may change.
    pub(super) fn conffiles(&self) -> HashSet<PathBuf> {
        let lines = self.conffile_lines().into_iter().filter(|(_, flag)| flag.is_empty());
        lines.map(|(path, _)| PathBuf::from(path.trim_start_matches('/'))).collect()
    }

    /// Returns the name of the package.
    pub(super) fn name(&self) -> &str {
        self.control.name()
    }
}

/// Checks an unpacked `control.tar`.
pub(super) fn check_control(archive: impl Read) -> Result<()> {
    control::read(limited(archive, CONTROL_LIMIT)).map(drop)
}

/// Returns a reader of one member.
fn section(mut file: File, member: &Member) -> Result<BufReader<std::io::Take<File>>> {
    file.seek(SeekFrom::Start(member.offset)).context("seeking in the package")?;
    Ok(BufReader::with_capacity(1 << 17, file.take(member.size)))
}

/// Returns a reader that fails after more than `limit` bytes.
pub(super) fn limited(reader: impl Read, limit: u64) -> impl Read {
    Limited { reader, left: limit, limit }
}

struct Limited<R> {
    reader: R,
    left: u64,
    limit: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.reader.read(buffer).map_err(|error| match error.raw_os_error() {
            Some(_) => error,
            // Decoders report a damaged archive by errors of any kind.
            None => std::io::Error::new(std::io::ErrorKind::InvalidData, error),
        })?;
        match self.left.checked_sub(count as u64) {
            Some(left) => self.left = left,
            None => {
                let message = format!(
                    "it unpacks to more than {} MiB, the maximum for its Installed-Size",
                    self.limit >> 20
                );
                return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, message));
            }
        }
        Ok(count)
    }
}

/// Rejects a name that could be used as a path.
fn plain_name(name: &str, what: &str) -> Result<()> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "+-._~:".contains(c);
    if name.is_empty() || name.starts_with(['.', '-']) || !name.chars().all(allowed) {
        bail!("the {what} \"{}\" has invalid characters", name.escape_debug());
    }
    Ok(())
}

/// Returns a control paragraph for tests: package `test`, version 1, with additional fields.
#[cfg(test)]
pub(super) fn control(fields: &str) -> Control {
    Control::read(&format!("Package: test\nVersion: 1\nArchitecture: all\n{fields}")).unwrap()
}

/// Returns a package for tests that has no file; its control files are empty.
#[cfg(test)]
pub(super) fn package(name: &str, fields: &str, members: &[&str]) -> Deb {
    let member =
        |name: &&str| ControlMember { name: (*name).to_owned(), mode: 0o755, time: 0, bytes: Vec::new() };
    let nothing = Member { offset: 0, size: 0, compression: crate::compression::Compression::None };
    Deb {
        path: PathBuf::new(),
        control: Control::read(&format!("Package: {name}\nVersion: 1\nArchitecture: all\n{fields}")).unwrap(),
        members: members.iter().map(member).collect(),
        control_member: nothing,
        data: nothing,
    }
}

/// Returns the content of a package file for tests with these control fields and this `data.tar`.
#[cfg(test)]
pub(super) fn write_package(name: &str, fields: &str, data: &[u8]) -> Vec<u8> {
    let control = format!("Package: {name}\nVersion: 1\nArchitecture: all\n{fields}");
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(control.len() as u64);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    builder.append_data(&mut header, "./control", control.as_bytes()).unwrap();
    let control = builder.into_inner().unwrap();
    container::archive(&[("debian-binary", b"2.0\n"), ("control.tar", &control), ("data.tar", data)])
}
