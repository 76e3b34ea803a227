//! Reads the lower tree of an overlay directly.

use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use anyhow::{Context, Result};

use super::RootTree;

/// A lower tree, and the names at its top that must be ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LowerDir<'a> {
    /// Its path on the host.
    pub path: &'a Path,
    /// Names at the top that were removed, in order.
    pub removed: Vec<String>,
}

impl RootTree {
    /// Returns the lower tree if the only changes in the overlay are removed names at the top. A reader that ignores
    /// those names sees the same files without the cost of the overlay, which creates an inode for every file that is
    /// looked up and frees all of them at the end.
    pub fn below(&self) -> Result<LowerDir<'_>> {
        let here = LowerDir { path: &self.path, removed: Vec::new() };
        let Some(layer) = &self.layer else { return Ok(here) };
        let reading = || format!("reading the layer {}", layer.upper.display());
        let facts = |path: &Path| -> Result<_> {
            let top = path.metadata().with_context(reading)?;
            Ok((top.mode(), top.uid(), top.gid(), top.mtime(), top.mtime_nsec()))
        };
        if facts(&self.path)? != facts(&layer.lower)? {
            return Ok(here);
        }
        let mut removed = Vec::new();
        for entry in layer.upper.read_dir().with_context(reading)? {
            let entry = entry.with_context(reading)?;
            let metadata = entry.metadata().with_context(reading)?;
            // The kernel's overlayfs marks a removed name this way (Documentation/filesystems/overlayfs, "whiteouts").
            let is_gone = metadata.file_type().is_char_device() && metadata.rdev() == 0;
            match entry.file_name().into_string() {
                Ok(name) if is_gone => removed.push(name),
                Ok(_) | Err(_) => return Ok(here),
            }
        }
        removed.sort();
        Ok(LowerDir { path: &layer.lower, removed })
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "the test creates the upper directory by hand")]
mod tests {
    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    #[test]
    fn bypasses_only_an_overlay_that_removed_names_at_the_top() {
        let directory = tempfile::tempdir().unwrap();
        let [merged, lower, upper] =
            ["merged", "lower", "upper"].map(|name| directory.path().canonicalize().unwrap().join(name));
        std::fs::create_dir(&lower).unwrap();
        std::fs::create_dir(&upper).unwrap();
        // Its top directory is that of the lower tree.
        std::os::unix::fs::symlink(&lower, &merged).unwrap();
        let tree = RootTree { path: merged.clone(), ..RootTree::layered(&lower, &lower, &upper).unwrap() };
        let below = |path, removed: &[&str]| LowerDir {
            path,
            removed: removed.iter().map(ToString::to_string).collect(),
        };
        assert_eq!(tree.below().unwrap(), below(&lower, &[]));
        for name in ["image", ".profile"] {
            mknodat(CWD, upper.join(name), FileType::CharacterDevice, Mode::empty(), 0).unwrap();
        }
        assert_eq!(tree.below().unwrap(), below(&lower, &[".profile", "image"]));
        std::fs::create_dir(upper.join("etc")).unwrap();
        assert_eq!(tree.below().unwrap(), below(&merged, &[]));
    }

    #[test]
    fn a_top_with_another_mode_or_time_is_read_through_the_overlay() {
        let directory = tempfile::tempdir().unwrap();
        let [merged, lower, upper] =
            ["merged", "lower", "upper"].map(|name| directory.path().canonicalize().unwrap().join(name));
        for path in [&merged, &lower, &upper] {
            std::fs::create_dir(path).unwrap();
        }
        let other = std::fs::FileTimes::new().set_modified(std::time::UNIX_EPOCH);
        std::fs::File::open(&lower).unwrap().set_times(other).unwrap();
        let tree = RootTree::layered(&merged, &lower, &upper).unwrap();
        assert_eq!(tree.below().unwrap(), LowerDir { path: &merged, removed: Vec::new() });
    }
}
