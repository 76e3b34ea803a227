//! Extended attributes (capabilities, access control lists, attributes of users) and marker files of device nodes in a
//! tree, which `stat` does not report.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::fs::{FileType, XattrFlags};
use rustix::io::Errno;

use super::RootTree;
use crate::host::device::is_marker;
use crate::host::{Host, Warning};

/// Maximum number of names in a warning; the others are counted.
const SHOWN: usize = 20;
/// Maximum size in bytes of a list of names and of a value on Linux.
const LARGEST: usize = 64 << 10;

impl RootTree {
    /// Warns of files with extended attributes that `format` cannot store: all except those whose names begin with one
    /// of `kept`.
    pub fn warn_of_attributes(&self, format: &str, kept: &[&str], host: &Host) -> Result<()> {
        let lost = self.attributed(kept)?;
        let all = if kept.is_empty() { "" } else { "all " };
        warn_of_lost(&format!("{format} cannot store {all}extended attributes"), lost, host);
        Ok(())
    }

    /// Returns whether its file system stores attributes of users.
    pub fn stores_user_attributes(&self) -> Result<bool> {
        let name = "user.kiwi.try";
        match rustix::fs::setxattr(self.path(), name, b"", XattrFlags::empty()) {
            Ok(()) => {
                rustix::fs::removexattr(self.path(), name).context("removing an extended attribute")?;
                Ok(true)
            }
            Err(Errno::OPNOTSUPP) => Ok(false),
            Err(error) => Err(error).context("setting an extended attribute of the root tree"),
        }
    }

    /// Returns path and attribute names of every entry that has attributes other than those that begin with one of
    /// `kept`, sorted.
    pub fn attributed(&self, kept: &[&str]) -> Result<Vec<(PathBuf, Vec<String>)>> {
        self.with_special(|special| special.but(kept))
    }
}

/// Returns the names of the extended attributes of the file at `path`, without following a link; none if the file
/// system does not support attributes. `buffer` grows as needed.
fn names<'b>(path: &Path, buffer: &'b mut Vec<u8>) -> Result<impl Iterator<Item = &'b [u8]>> {
    let length = loop {
        match rustix::fs::llistxattr(path, &mut buffer[..]) {
            Ok(length) => break length,
            Err(Errno::OPNOTSUPP) => break 0,
            Err(Errno::RANGE) if buffer.len() < LARGEST => buffer.resize(LARGEST, 0),
            Err(error) => return Err(error).context("listing extended attributes"),
        }
    };
    Ok(buffer[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty()))
}

/// Returns names and values of the extended attributes of the file at `path`, sorted by name, without the attribute
/// that marks it as a device node.
pub fn extended_attributes(path: &Path) -> Result<Vec<(OsString, Vec<u8>)>> {
    let mut found = Vec::new();
    for name in names(path, &mut vec![0; 4096])?.filter(|name| !is_marker(name)) {
        let name = OsStr::from_bytes(name);
        let mut value = vec![0; LARGEST];
        let length = rustix::fs::lgetxattr(path, name, &mut value[..])
            .with_context(|| format!("reading the extended attribute {}", name.display()))?;
        value.truncate(length);
        found.push((name.to_owned(), value));
    }
    found.sort();
    Ok(found)
}

/// Warns of the files whose attributes are lost, with the reason.
pub fn warn_of_lost(reason: &str, lost: Vec<(PathBuf, Vec<String>)>, host: &Host) {
    if lost.is_empty() {
        return;
    }
    let more = lost.len().saturating_sub(SHOWN);
    let mut shown: Vec<_> = lost
        .into_iter()
        .take(SHOWN)
        .map(|(path, names)| format!("{} ({})", path.display(), names.join(", ")))
        .collect();
    if more > 0 {
        shown.push(format!("and {more} more"));
    }
    host.warn(
        Warning::Attributes,
        &format!(
            "{reason}; these files lose theirs: {}; set the attributes at first boot or use another image type",
            shown.join(", ")
        ),
    );
}

/// Entries with properties that `stat` does not report.
#[derive(Debug)]
pub(super) struct Special {
    /// Paths, and the names of their extended attributes.
    attributed: Vec<(PathBuf, Vec<String>)>,
    /// Device nodes and their marker files.
    pub(super) devices: Vec<PathBuf>,
    /// Buffer for the names of one entry.
    names: Vec<u8>,
}

impl Default for Special {
    fn default() -> Self {
        Self { attributed: Vec::new(), devices: Vec::new(), names: vec![0; LARGEST] }
    }
}

impl Special {
    /// Adds a path of the host if it has such properties.
    pub(super) fn look_at(&mut self, path: PathBuf, kind: FileType) -> Result<()> {
        let mut is_device = matches!(kind, FileType::CharacterDevice | FileType::BlockDevice);
        let attributes = names(&path, &mut self.names)?.filter(|name| {
            let marks = is_marker(name);
            is_device |= marks;
            !marks
        });
        let mut attributes: Vec<String> =
            attributes.map(|name| String::from_utf8_lossy(name).into_owned()).collect();
        // The file system returns them in its own order.
        attributes.sort();
        if is_device {
            self.devices.push(path.clone());
        }
        if !attributes.is_empty() {
            self.attributed.push((path, attributes));
        }
        Ok(())
    }

    /// Makes the paths relative to the tree and sorts them.
    pub(super) fn inside(mut self, tree: &Path) -> Self {
        let attributed = self.attributed.iter_mut().map(|(path, _)| path);
        for path in attributed.chain(&mut self.devices) {
            if let Ok(inside) = path.strip_prefix(tree) {
                *path = Path::new("/").join(inside);
            }
        }
        self.attributed.sort();
        self.devices.sort();
        self
    }

    /// Returns path and attribute names of each entry, without those that begin with one of `kept`; sorted.
    fn but(&self, kept: &[&str]) -> Vec<(PathBuf, Vec<String>)> {
        let lost = |(path, names): &(PathBuf, Vec<String>)| {
            let mut names = names.clone();
            names.retain(|name| !kept.iter().any(|kept| name.starts_with(kept)));
            (!names.is_empty()).then(|| (path.clone(), names))
        };
        self.attributed.iter().filter_map(lost).collect()
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "the test creates its own tree")]
mod tests {
    use rustix::fs::setxattr;

    use super::*;

    #[test]
    fn reports_lost_attributes_of_measured_and_other_trees() {
        let directory = tempfile::tempdir().unwrap();
        let [lower, upper] =
            ["lower", "upper"].map(|name| directory.path().canonicalize().unwrap().join(name));
        for path in [&lower, &upper] {
            std::fs::create_dir_all(path.join("etc")).unwrap();
        }
        std::fs::remove_dir(upper.join("etc")).unwrap();
        for name in ["etc/plain", "etc/two words"] {
            std::fs::write(lower.join(name), "").unwrap();
        }
        for name in ["user.colour", "user.size"] {
            setxattr(lower.join("etc/two words"), name, b"1", XattrFlags::empty()).unwrap();
        }
        setxattr(lower.join("etc"), "user.size", b"1", XattrFlags::empty()).unwrap();
        // The attribute that marks a device node cannot be lost.
        let tty = crate::host::device::Device { is_block: false, major: 5, minor: 1 };
        tty.make(rustix::fs::CWD, lower.join("etc/tty"), 0o600).unwrap();
        let tree = RootTree::layered(&lower, &lower, &upper).unwrap();
        let said = |kept: &[&str]| {
            let attributed = tree.attributed(kept).unwrap().into_iter();
            attributed
                .map(|(path, names)| format!("{} ({})", path.display(), names.join(", ")))
                .collect::<Vec<_>>()
        };
        let expected = [
            (&[][..], &["/etc (user.size)", "/etc/two words (user.colour, user.size)"][..]),
            (&["user.s"], &["/etc/two words (user.colour)"]),
            (&["security.", "user."], &[]),
        ];
        for round in 0..2 {
            for (kept, lost) in expected {
                assert_eq!(said(kept), lost, "{kept:?} in round {round}");
            }
            assert_eq!(tree.devices().unwrap(), [Path::new("/etc/tty")], "in round {round}");
            tree.measure().unwrap();
        }
        // The tree is not examined again.
        rustix::fs::removexattr(lower.join("etc"), "user.size").unwrap();
        assert_eq!(said(&[]).len(), 2);
        tree.measure().unwrap();
        assert_eq!(said(&[]).len(), 1);
    }
}
