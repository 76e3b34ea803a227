//! Device nodes, which a user namespace cannot create: in a tree, a regular file (the marker) represents each of them.
//!
//! The marker has the owner, mode, times and hard links of the node; an extended attribute contains the kind, major and minor
//! number, such as `c 1 3`. Code that writes a tree to an image calls `Device::of`, which also handles real nodes.

use std::fmt;
use std::fs::{File, Metadata};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::str::FromStr;

use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, XattrFlags, fsetxattr, getxattr, lgetxattr, listxattr, llistxattr,
    major, makedev, minor, openat, unlinkat,
};
use rustix::io::Errno;

/// Names of the attribute: a tmpfs before Linux 6.6 does not support the first one.
const MARKERS: [&str; 2] = ["user.kiwi.device", "security.kiwi.device"];

/// A device by its kind and numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Device {
    /// Whether it is a block device.
    pub is_block: bool,
    /// Major number.
    pub major: u32,
    /// Minor number.
    pub minor: u32,
}

impl Device {
    /// Returns the device for a kind and number; none if the kind is not a device.
    pub fn new(kind: FileType, number: u64) -> Option<Self> {
        let is_block = match kind {
            FileType::BlockDevice => true,
            FileType::CharacterDevice => false,
            _ => return None,
        };
        Some(Self { is_block, major: major(number), minor: minor(number) })
    }

    /// Returns the device that the file at `path`, with this metadata, is or represents.
    pub fn of(path: &Path, metadata: &Metadata) -> Result<Option<Self>, Errno> {
        match FileType::from_raw_mode(metadata.mode()) {
            FileType::RegularFile => stands_for(path, false),
            kind => Ok(Self::new(kind, metadata.rdev())),
        }
    }

    /// Creates a marker with this mode, minus the umask; an existing file is an error.
    pub fn make(self, directory: impl AsFd, name: impl AsRef<Path>, mode: u32) -> Result<File, Errno> {
        let (directory, name) = (directory.as_fd(), name.as_ref());
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(directory, name, flags, Mode::from_raw_mode(mode))?;
        let value = self.to_string();
        let mark = |marker| fsetxattr(&file, marker, value.as_bytes(), XattrFlags::empty());
        let marked = match mark(MARKERS[0]) {
            Err(Errno::OPNOTSUPP) => mark(MARKERS[1]),
            marked => marked,
        };
        if let Err(error) = marked {
            unlinkat(directory, name, AtFlags::empty())?;
            return Err(error);
        }
        Ok(file.into())
    }

    /// Returns its number, as `stat` has it.
    pub fn number(self) -> u64 {
        makedev(self.major, self.minor)
    }

    /// Returns the file type of its node.
    pub fn kind(self) -> FileType {
        if self.is_block { FileType::BlockDevice } else { FileType::CharacterDevice }
    }

    /// Returns the mode of the node for the mode of a marker.
    pub fn mode(self, mode: u32) -> u32 {
        self.kind().as_raw_mode() | mode & 0o7777
    }
}

/// Whether an attribute with this name marks its file as a device node.
pub fn is_marker(name: &[u8]) -> bool {
    MARKERS.iter().any(|marker| marker.as_bytes() == name)
}

/// Returns the device that the file at `path` represents.
pub fn stands_for(path: &Path, follow: bool) -> Result<Option<Device>, Errno> {
    let mut names = [0; 1024];
    let listed = if follow { listxattr(path, &mut names) } else { llistxattr(path, &mut names) };
    let names = match listed {
        Ok(0) | Err(Errno::OPNOTSUPP) => return Ok(None),
        Ok(count) => Some(&names[..count]),
        // Too many names for the buffer: each is asked for.
        Err(Errno::RANGE) => None,
        Err(error) => return Err(error),
    };
    let may_have = |marker: &str| {
        names.is_none_or(|names| names.split(|byte| *byte == 0).any(|name| name == marker.as_bytes()))
    };
    for marker in MARKERS.into_iter().filter(|marker| may_have(marker)) {
        let mut value = [0; 64];
        let read =
            if follow { getxattr(path, marker, &mut value) } else { lgetxattr(path, marker, &mut value) };
        match read {
            Ok(count) => {
                let text = std::str::from_utf8(&value[..count]).map_err(|_| Errno::INVAL)?;
                return text.parse().map(Some);
            }
            Err(Errno::NODATA | Errno::OPNOTSUPP) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", if self.is_block { 'b' } else { 'c' }, self.major, self.minor)
    }
}

impl FromStr for Device {
    type Err = Errno;

    fn from_str(text: &str) -> Result<Self, Errno> {
        let mut keywords = text.split(' ');
        let is_block = match keywords.next() {
            Some("b") => true,
            Some("c") => false,
            _ => return Err(Errno::INVAL),
        };
        let mut number = || keywords.next().and_then(|keyword| keyword.parse().ok()).ok_or(Errno::INVAL);
        let device = Self { is_block, major: number()?, minor: number()? };
        if keywords.next().is_none() { Ok(device) } else { Err(Errno::INVAL) }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use rustix::fs::{CWD, setxattr};

    use super::*;

    const TTY: Device = Device { is_block: false, major: 5, minor: 1 };

    #[test]
    fn a_marker_is_recognised_by_every_name_and_with_any_content() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let of = |name: &str| Device::of(&path(name), &path(name).symlink_metadata().unwrap());
        let disk = Device { is_block: true, major: 259, minor: 70000 };
        TTY.make(CWD, path("tty"), 0o620).unwrap();
        disk.make(CWD, path("disk"), 0o660).unwrap();
        std::fs::hard_link(path("disk"), path("again")).unwrap();
        std::fs::write(path("disk"), "text").unwrap();
        std::fs::write(path("file"), "").unwrap();
        symlink("tty", path("link")).unwrap();
        for (name, device) in
            [("tty", Some(TTY)), ("disk", Some(disk)), ("again", Some(disk)), ("file", None), ("link", None)]
        {
            assert_eq!(of(name), Ok(device), "{name}");
        }
        // Names that fill the buffer for a list.
        for number in 0..8 {
            let name = format!("user.{}{number}", "x".repeat(200));
            setxattr(path("tty"), name, b"1", XattrFlags::empty()).unwrap();
        }
        assert_eq!(of("tty"), Ok(Some(TTY)));
    }

    #[test]
    fn an_existing_file_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        std::fs::write(path("file"), "text").unwrap();
        symlink("nowhere", path("link")).unwrap();
        for name in ["file", "link"] {
            assert_eq!(TTY.make(CWD, path(name), 0o600).err(), Some(Errno::EXIST), "{name}");
        }
        assert_eq!(std::fs::read_to_string(path("file")).unwrap(), "text");
        assert!(!path("nowhere").exists());
    }

    #[test]
    fn other_texts_are_not_devices() {
        for text in ["", "c", "c 1", "x 1 3", "c 1 3 4", "c 1 -3", "c 1 x"] {
            assert_eq!(text.parse::<Device>(), Err(Errno::INVAL), "{text}");
        }
        assert_eq!("b 8 1".parse(), Ok(Device { is_block: true, major: 8, minor: 1 }));
        assert_eq!(TTY.mode(0o100_620), 0o020_620);
    }
}
