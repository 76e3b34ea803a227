//! Extended attributes of a tree: capabilities, access control lists and what users set.

use std::ffi::CStr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::RootTree;
use crate::host::Host;
use crate::host::device::is_marker;

/// Names that a warning shows; the rest is counted.
const SHOWN: usize = 20;

impl RootTree {
    /// Says which files have extended attributes that `format` has no place for: all but those whose names begin with
    /// one of `kept`.
    pub fn warn_of_attributes(&self, format: &str, kept: &[&str], host: &Host) -> Result<()> {
        let mut found = self.attributed(kept)?;
        if found.is_empty() {
            return Ok(());
        }
        let more = found.len().saturating_sub(SHOWN);
        found.truncate(SHOWN);
        if more > 0 {
            found.push(format!("and {more} more"));
        }
        host.warn(&format!(
            "{format} cannot hold {}extended attributes; these files lose theirs: {}; set them at first boot or take \
             another type",
            if kept.is_empty() { "" } else { "all " },
            found.join(", ")
        ));
        Ok(())
    }

    /// Path and names of attributes of every entry that has others than `kept`, sorted.
    fn attributed(&self, kept: &[&str]) -> Result<Vec<String>> {
        // What came into a layer after it was measured is kiwi's, and has none.
        if let Some(seen) = self.layer.as_ref().map(|layer| layer.seen())
            && let Some(attributed) = seen.as_ref().and_then(|seen| seen.attributed.as_ref())
        {
            return Ok(attributed.but(kept));
        }
        let below = self.below()?;
        let mut attributed = Attributed::default();
        let counts = |entry: &walkdir::DirEntry| {
            entry.depth() != 1 || below.removed.iter().all(|removed| entry.file_name() != removed.as_str())
        };
        for entry in walkdir::WalkDir::new(below.path).into_iter().filter_entry(counts) {
            attributed.look_at(entry.context("looking for extended attributes")?.into_path());
        }
        Ok(attributed.inside(below.path).but(kept))
    }
}

/// Entries that have extended attributes.
#[derive(Debug)]
pub(super) struct Attributed {
    /// Paths, and the names of their attributes.
    entries: Vec<(PathBuf, Vec<String>)>,
    /// Room for the names of one entry.
    names: Vec<u8>,
}

impl Default for Attributed {
    fn default() -> Self {
        Self { entries: Vec::new(), names: vec![0; 64 << 10] }
    }
}

impl Attributed {
    /// Adds a path of the host, if it has any.
    pub(super) fn look_at(&mut self, path: PathBuf) {
        // A file system without them has none to lose.
        let length = rustix::fs::llistxattr(&path, &mut self.names).unwrap_or(0);
        let names: Vec<String> = self.names[..length]
            .split_inclusive(|byte| *byte == 0)
            .filter_map(|name| CStr::from_bytes_until_nul(name).ok())
            // A device node has none.
            .filter(|name| !is_marker(name.to_bytes()))
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        if !names.is_empty() {
            self.entries.push((path, names));
        }
    }

    /// With paths inside the tree.
    pub(super) fn inside(mut self, tree: &Path) -> Self {
        for (path, _) in &mut self.entries {
            if let Ok(inside) = path.strip_prefix(tree) {
                *path = Path::new("/").join(inside);
            }
        }
        self
    }

    /// Path and names of attributes of each, but for those that begin with one of `kept`; sorted.
    fn but(&self, kept: &[&str]) -> Vec<String> {
        let lost = |(path, names): &(PathBuf, Vec<String>)| {
            let names: Vec<&str> = names
                .iter()
                .map(String::as_str)
                .filter(|name| !kept.iter().any(|kept| name.starts_with(kept)))
                .collect();
            (!names.is_empty()).then(|| format!("{} ({})", path.display(), names.join(", ")))
        };
        let mut lost: Vec<String> = self.entries.iter().filter_map(lost).collect();
        lost.sort();
        lost
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "the test makes a tree of its own")]
mod tests {
    use rustix::fs::{XattrFlags, setxattr};

    use super::*;

    #[test]
    fn what_is_lost_is_named_whether_the_tree_was_measured_or_not() {
        let folder = tempfile::tempdir().unwrap();
        let [lower, upper] = ["lower", "upper"].map(|name| folder.path().canonicalize().unwrap().join(name));
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
        // What makes a file a device node is no attribute that could be lost.
        let tty = crate::host::device::Device { is_block: false, major: 5, minor: 1 };
        tty.make(rustix::fs::CWD, lower.join("etc/tty"), 0o600).unwrap();
        let tree = RootTree::layered(&lower, &lower, &upper).unwrap();
        let said = |kept: &[&str]| {
            // Their order within a file is the file system's.
            let mut said = tree.attributed(kept).unwrap();
            for line in &mut said {
                *line = line.replace("(user.size, user.colour)", "(user.colour, user.size)");
            }
            said
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
            tree.measure_with_attributes().unwrap();
        }
        // What was found then is not looked for again.
        rustix::fs::removexattr(lower.join("etc"), "user.size").unwrap();
        assert_eq!(said(&[]).len(), 2);
        tree.measure().unwrap();
        assert_eq!(said(&[]).len(), 1);
    }
}
