//! Opens files by paths without links, as [`Files::find`](super::Files::find) returns them.
//!
//! Such a path was checked, and somebody else may be able to write to the description: each part is opened from the
//! directory before it, and a part that is a link by now is an error. So no link leads out between check and use.

use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail};
use rustix::fs::{CWD, Dir, Mode, OFlags, fgetxattr, flistxattr, openat, readlinkat};
use rustix::io::Errno;

use crate::failure::{Failure, Kind};

/// Maximum size in bytes of a list of names and of a value on Linux.
const LARGEST_ATTRIBUTE: usize = 64 << 10;

/// Opens a file or directory for reading.
pub fn open(path: &Path) -> Result<File> {
    // A pipe does not block.
    Ok(File::from(walk(path, OFlags::RDONLY | OFlags::NONBLOCK)?))
}

/// Returns the content of a regular file.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let reading = || format!("reading {}", path.display());
    let mut file = open(path)?;
    if !file.metadata().with_context(reading)?.is_file() {
        bail!("reading {}: it is not a file", path.display());
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).with_context(reading)?;
    Ok(bytes)
}

/// Returns owner, mode and times of anything but a link.
pub fn metadata(path: &Path) -> Result<Metadata> {
    let metadata = File::from(walk(path, OFlags::PATH)?).metadata();
    let metadata = metadata.with_context(|| format!("reading {}", path.display()))?;
    if metadata.is_symlink() { Err(changed(path)) } else { Ok(metadata) }
}

/// Returns names and values of the extended attributes of an open file that `is_wanted` accepts, sorted by name.
pub fn attributes(file: &File, is_wanted: fn(&str) -> bool) -> Result<Vec<(OsString, Vec<u8>)>> {
    let mut names = vec![0; LARGEST_ATTRIBUTE];
    let length = match flistxattr(file, &mut names[..]) {
        Ok(length) => length,
        Err(Errno::OPNOTSUPP) => return Ok(Vec::new()),
        Err(error) => return Err(error).context("listing extended attributes"),
    };
    let mut found = Vec::new();
    for name in names[..length].split(|byte| *byte == 0) {
        let Ok(name) = std::str::from_utf8(name) else { continue };
        if !is_wanted(name) {
            continue;
        }
        let mut value = vec![0; LARGEST_ATTRIBUTE];
        let length = match fgetxattr(file, name, &mut value[..]) {
            Ok(length) => length,
            Err(Errno::OVERFLOW) => bail!(
                "the capability of the file was set by another user of this machine and cannot be read; set it in \
                 config.sh, or build as the user who set it"
            ),
            Err(error) => {
                return Err(error).with_context(|| format!("reading the extended attribute {name}"));
            }
        };
        value.truncate(length);
        found.push((name.into(), value));
    }
    found.sort();
    Ok(found)
}

/// Returns the target of a link; the other parts of the path are no links.
pub fn read_link(path: &Path) -> Result<PathBuf> {
    let link = walk(path, OFlags::PATH)?;
    let target = readlinkat(&link, "", Vec::new());
    let target = target.with_context(|| format!("reading the link {}", path.display()))?;
    Ok(OsString::from_vec(target.into_bytes()).into())
}

/// Returns the names in a directory, sorted.
pub fn names(path: &Path) -> Result<Vec<OsString>> {
    let reading = || format!("reading {}", path.display());
    let directory = walk(path, OFlags::RDONLY | OFlags::DIRECTORY)?;
    let mut names = Vec::new();
    for entry in Dir::new(directory).with_context(reading)? {
        let name = entry.with_context(reading)?.file_name().to_bytes().to_vec();
        if name != b"." && name != b".." {
            names.push(OsString::from_vec(name));
        }
    }
    names.sort();
    Ok(names)
}

/// Opens each part of an absolute path from the one before it, the last one with these flags.
fn walk(path: &Path, flags: OFlags) -> Result<OwnedFd> {
    let opening = || format!("opening {}", path.display());
    let open = |directory: Option<&OwnedFd>, name: &Path, flags: OFlags| {
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match directory {
            Some(directory) => openat(directory, name, flags, Mode::empty()),
            None => openat(CWD, name, flags, Mode::empty()),
        }
    };
    let mut parts = path.components().peekable();
    let mut directory = None;
    while let Some(part) = parts.next() {
        let name: &Path = match part {
            Component::RootDir => Path::new("/"),
            Component::Normal(name) => Path::new(name),
            Component::ParentDir | Component::CurDir | Component::Prefix(_) => {
                bail!("opening {}: the path is not resolved", path.display())
            }
        };
        let is_last = parts.peek().is_none();
        let how = if is_last { flags } else { OFlags::PATH | OFlags::DIRECTORY };
        directory = Some(match open(directory.as_ref(), name, how) {
            Ok(opened) => opened,
            Err(Errno::LOOP) => return Err(changed(path)),
            // A link in place of a directory, or something else.
            Err(Errno::NOTDIR) if !is_last => return Err(changed(path)),
            Err(error) => return Err(error).with_context(opening),
        });
    }
    directory.with_context(opening)
}

fn changed(path: &Path) -> anyhow::Error {
    let message = format!("{} changed during the build: a part of the path is a link now", path.display());
    Failure::new(Kind::File, message).remedy("build again when nobody changes the description").into()
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "a test is its own host")]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn no_part_of_a_path_may_be_a_link() {
        let directory = tempfile::tempdir().unwrap();
        let top = directory.path().canonicalize().unwrap();
        let at = |name: &str| top.join(name);
        fs::create_dir_all(at("real/below")).unwrap();
        fs::write(at("real/below/file"), "x").unwrap();
        symlink("real", at("linked")).unwrap();
        symlink("file", at("real/below/link")).unwrap();
        rustix::fs::mkfifoat(CWD, at("pipe"), Mode::RWXU).unwrap();
        assert_eq!(read(&at("real/below/file")).unwrap(), b"x");
        assert_eq!(names(&at("real/below")).unwrap(), ["file", "link"]);
        assert!(metadata(&at("real/below")).unwrap().is_dir());
        assert_eq!(read_link(&at("real/below/link")).unwrap(), Path::new("file"));
        let is_changed = |error: anyhow::Error| {
            error.downcast_ref::<Failure>().is_some_and(|failure| failure.kind == Kind::File)
        };
        for path in ["linked/below/file", "real/below/link"] {
            assert!(is_changed(read(&at(path)).unwrap_err()), "{path}");
            assert!(is_changed(metadata(&at(path)).unwrap_err()), "{path}");
        }
        assert!(names(&at("linked")).is_err() && read_link(&at("linked/below/link")).is_err());
        assert!(is_changed(names(&at("linked/below")).unwrap_err()));
        assert!(read(&at("pipe")).is_err() && read(&at("real")).is_err() && read(&at("none")).is_err());
    }
}
