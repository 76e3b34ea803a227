//! The entries of a tar archive that dpkg accepts: with the old and the GNU headers, and no later format.
//!
//! Paths are relative, without `.` and `..`; long names are assembled here with a size limit, so that no header can
//! cause a read of gigabytes.

use std::ffi::OsString;
use std::io::Read;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail};
use tar::EntryType;

use crate::host::device::Device;

/// The kernel's maximum length of a path.
const LONGEST_PATH: u64 = 4096;

/// The type of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Kind {
    File,
    Directory,
    /// A symbolic link with its target.
    Link(PathBuf),
    /// Another name of an earlier file of the archive.
    HardLink(PathBuf),
    Fifo,
    Device(Device),
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Entry {
    /// A relative path without `.` and `..`; empty for the root.
    pub(in super::super) path: PathBuf,
    pub(in super::super) kind: Kind,
    /// Permissions with setuid, setgid and sticky bits.
    pub(in super::super) mode: u32,
    pub(in super::super) user: Owner,
    pub(in super::super) group: Owner,
    /// Seconds since 1970.
    pub(in super::super) time: i64,
}

/// A user or group: the name is used if the tree knows it, otherwise the number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Owner {
    pub(in super::super) name: String,
    pub(in super::super) id: u32,
}

/// Calls `each` for every entry with its content, up to the end of the archive and of the stream below.
pub(in super::super) fn entries(
    archive: impl Read,
    mut each: impl FnMut(Entry, &mut dyn Read) -> Result<()>,
) -> Result<()> {
    let mut archive = tar::Archive::new(archive);
    let (mut long_name, mut long_link) = (None, None);
    for entry in archive.entries().context("reading its archive")?.raw(true) {
        let mut entry = entry.context("reading its archive")?;
        let size = entry.header().entry_size().context("reading a size in its archive")?;
        match entry.header().entry_type() {
            EntryType::GNULongName => long_name = Some(long(&mut entry, size)?),
            EntryType::GNULongLink => long_link = Some(long(&mut entry, size)?),
            kind => {
                let name = long_name.take().unwrap_or_else(|| entry.path_bytes().into_owned());
                let link =
                    long_link.take().or_else(|| entry.link_name_bytes().map(std::borrow::Cow::into_owned));
                let path = relative(&name)?;
                let described = describe(entry.header(), kind, path, link)?;
                each(described, &mut entry)?;
            }
        }
    }
    // The checksum of the compressed stream is at its end.
    std::io::copy(&mut archive.into_inner(), &mut std::io::sink())
        .context("reading the end of its archive")?;
    Ok(())
}

fn describe(header: &tar::Header, kind: EntryType, path: PathBuf, link: Option<Vec<u8>>) -> Result<Entry> {
    let shown = path.display().to_string();
    let reading = || format!("reading the header of {shown}");
    let target = || {
        link.clone()
            .filter(|link| !link.is_empty())
            .with_context(|| format!("the link {shown} has no target"))
    };
    let kind = match kind {
        EntryType::Regular | EntryType::Continuous => Kind::File,
        EntryType::Directory => Kind::Directory,
        EntryType::Symlink => Kind::Link(PathBuf::from(OsString::from_vec(target()?))),
        EntryType::Link => Kind::HardLink(relative(&target()?)?),
        EntryType::Fifo => Kind::Fifo,
        EntryType::Char | EntryType::Block => {
            let number = |part: std::io::Result<Option<u32>>| {
                part.with_context(reading)?.with_context(|| format!("the device node {shown} has no number"))
            };
            Kind::Device(Device {
                is_block: kind == EntryType::Block,
                major: number(header.device_major())?,
                minor: number(header.device_minor())?,
            })
        }
        other => bail!("{shown} is of a type that dpkg does not know: {other:?}"),
    };
    let name = |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
    let id = |id: u64| u32::try_from(id).ok().filter(|id| *id != u32::MAX).with_context(reading);
    Ok(Entry {
        path,
        kind,
        mode: header.mode().with_context(reading)? & 0o7777,
        user: Owner { name: name(header.username_bytes()), id: id(header.uid().with_context(reading)?)? },
        group: Owner { name: name(header.groupname_bytes()), id: id(header.gid().with_context(reading)?)? },
        time: i64::try_from(header.mtime().with_context(reading)?).unwrap_or(i64::MAX),
    })
}

/// Reads the name in the body of a GNU long name entry.
fn long(entry: &mut impl Read, size: u64) -> Result<Vec<u8>> {
    if size > LONGEST_PATH {
        bail!("its archive has a name of {size} bytes");
    }
    let mut bytes = Vec::new();
    entry.read_to_end(&mut bytes).context("reading a long name in its archive")?;
    while bytes.last() == Some(&0) {
        bytes.pop();
    }
    Ok(bytes)
}

/// Returns a path of an archive relative to the root; fails if it leads above it.
fn relative(name: &[u8]) -> Result<PathBuf> {
    let name = PathBuf::from(OsString::from_vec(name.to_vec()));
    let mut path = PathBuf::new();
    for component in name.components() {
        match component {
            Component::Normal(part) => path.push(part),
            Component::RootDir | Component::CurDir => {}
            Component::ParentDir | Component::Prefix(_) => {
                bail!("it contains {}, a path that leads out of the tree", Path::new(&name).display())
            }
        }
    }
    if path.as_os_str().len() as u64 > LONGEST_PATH || path.as_os_str().as_encoded_bytes().contains(&b'\n') {
        bail!("it contains an invalid path: {}", path.display().to_string().escape_debug());
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(name: &str, kind: EntryType, link: &str, content: &[u8]) -> Vec<u8> {
        let mut header = tar::Header::new_gnu();
        let gnu = header.as_gnu_mut().unwrap();
        gnu.name[..name.len()].copy_from_slice(name.as_bytes());
        gnu.linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        header.set_mode(0o104_755);
        header.set_uid(0);
        header.set_gid(42);
        header.set_mtime(7);
        header.set_cksum();
        let mut bytes = header.as_bytes().to_vec();
        bytes.extend(content);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Vec<(Entry, Vec<u8>)>> {
        let mut read = Vec::new();
        entries(bytes, |entry, content| {
            let mut bytes = Vec::new();
            content.read_to_end(&mut bytes)?;
            read.push((entry, bytes));
            Ok(())
        })?;
        Ok(read)
    }

    #[test]
    fn reads_long_names_modes_and_contents() {
        let long = format!("./usr/{}", "x".repeat(200));
        let mut bytes = archive("././@LongLink", EntryType::GNULongName, "", format!("{long}\0").as_bytes());
        bytes.extend(archive("./usr/xxx", EntryType::Regular, "", b"hello"));
        bytes.extend([0; 1024]);
        let read = read(&bytes).unwrap();
        assert_eq!(read[0].0.path, Path::new(&long[2..]));
        assert_eq!((read[0].0.mode, read[0].0.group.id, read[0].0.time), (0o4755, 42, 7));
        assert_eq!(read[0].1, b"hello");
    }

    #[test]
    fn rejects_paths_that_lead_outside_and_unknown_types() {
        let refused = |bytes: Vec<u8>| format!("{:#}", read(&bytes).unwrap_err());
        assert!(
            refused(archive("./../../etc/x", EntryType::Regular, "", b"")).contains("leads out of the tree")
        );
        assert!(refused(archive("a", EntryType::Link, "../x", b"")).contains("leads out of the tree"));
        assert!(refused(archive("a", EntryType::Link, "", b"")).contains("has no target"));
        assert!(refused(archive("a\nb", EntryType::Regular, "", b"")).contains("an invalid path"));
        assert!(refused(archive("a", EntryType::XHeader, "", b"")).contains("does not know"));
        let mut name = archive("x", EntryType::GNULongName, "", b"x");
        name[124..136].copy_from_slice(b"77777777777\0");
        let mut header = tar::Header::new_gnu();
        header.as_mut_bytes().copy_from_slice(&name[..512]);
        header.set_cksum();
        name[..512].copy_from_slice(header.as_bytes());
        assert!(refused(name).contains("a name of 8589934591 bytes"));
        assert_eq!(
            read(&archive("/abs/./x", EntryType::Regular, "", b"")).unwrap()[0].0.path,
            Path::new("abs/x")
        );
    }

    #[test]
    fn a_truncated_archive_is_an_error() {
        let bytes = archive("a", EntryType::Regular, "", &[1; 600]);
        assert!(read(&bytes[..700]).is_err());
    }
}
