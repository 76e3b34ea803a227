//! Device nodes, which no user namespace may make: in a tree each is a regular file that stands in for it.
//!
//! The stand-in has owner, mode, times and hard links of the node; an extended attribute says which it is: `c 1 3`, kind,
//! major and minor number. Who writes a tree into an image asks `Device::of`; it knows real nodes, too.

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

/// Names of the attribute: a tmpfs before Linux 6.6 has no location for the first one.
const MARKERS: [&str; 2] = ["user.kiwi.device", "security.kiwi.device"];

/// A device by its kind and numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Device {
    /// A block device, not one of characters.
    pub is_block: bool,
    /// The number of its driver.
    pub major: u32,
    /// Its number there.
    pub minor: u32,
}

impl Device {
    /// The node of this kind and number; none when the kind is another.
    pub fn new(kind: FileType, number: u64) -> Option<Self> {
        let is_block = match kind {
            FileType::BlockDevice => true,
            FileType::CharacterDevice => false,
            _ => return None,
        };
        Some(Self { is_block, major: major(number), minor: minor(number) })
    }

    /// Which device the file at `path`, whose own metadata is given, is or stands in for.
    pub fn of(path: &Path, metadata: &Metadata) -> Result<Option<Self>, Errno> {
        match FileType::from_raw_mode(metadata.mode()) {
            FileType::RegularFile => stands_for(path, false),
            kind => Ok(Self::new(kind, metadata.rdev())),
        }
    }

    /// Makes a stand-in with this mode, less the umask; what has its name stays, and is an error.
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

    /// Its number, as `stat` has it.
    pub fn number(self) -> u64 {
        makedev(self.major, self.minor)
    }

    /// The kind of its node.
    pub fn kind(self) -> FileType {
        if self.is_block { FileType::BlockDevice } else { FileType::CharacterDevice }
    }

    /// The mode of a stand-in as that of the node.
    pub fn mode(self, mode: u32) -> u32 {
        self.kind().as_raw_mode() | mode & 0o7777
    }
}

/// Whether an attribute of this name is no attribute, but says that its file stands in for a node.
pub fn is_marker(name: &[u8]) -> bool {
    MARKERS.iter().any(|marker| marker.as_bytes() == name)
}

/// Which device the file at `path` stands in for.
pub fn stands_for(path: &Path, follow: bool) -> Result<Option<Device>, Errno> {
    let mut names = [0; 1024];
    let listed = if follow { listxattr(path, &mut names) } else { llistxattr(path, &mut names) };
    let names = match listed {
        Ok(0) | Err(Errno::OPNOTSUPP) => return Ok(None),
        Ok(count) => Some(&names[..count]),
        // More than there is room for: each is asked for.
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
    fn a_stand_in_is_known_by_every_name_and_whatever_was_written_to_it() {
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
        // Names that fill the room for a list of them.
        for number in 0..8 {
            let name = format!("user.{}{number}", "x".repeat(200));
            setxattr(path("tty"), name, b"1", XattrFlags::empty()).unwrap();
        }
        assert_eq!(of("tty"), Ok(Some(TTY)));
    }

    #[test]
    fn what_has_the_name_stays() {
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
    fn another_text_is_no_device() {
        for text in ["", "c", "c 1", "x 1 3", "c 1 3 4", "c 1 -3", "c 1 x"] {
            assert_eq!(text.parse::<Device>(), Err(Errno::INVAL), "{text}");
        }
        assert_eq!("b 8 1".parse(), Ok(Device { is_block: true, major: 8, minor: 1 }));
        assert_eq!(TTY.mode(0o100_620), 0o020_620);
    }
}
