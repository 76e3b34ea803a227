//! Extended attributes of a tree: capabilities, access control lists and what users set.

use std::ffi::CStr;

use anyhow::{Context, Result};

use super::RootTree;
use crate::host::Host;

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
        let below = self.below()?;
        let mut found = Vec::new();
        let mut names = vec![0; 64 << 10];
        let counts = |entry: &walkdir::DirEntry| {
            entry.depth() != 1 || below.removed.iter().all(|removed| entry.file_name() != removed.as_str())
        };
        for entry in walkdir::WalkDir::new(below.path).into_iter().filter_entry(counts) {
            let entry = entry.context("looking for extended attributes")?;
            // A file system without them has none to lose.
            let length = rustix::fs::llistxattr(entry.path(), &mut names).unwrap_or(0);
            let names: Vec<_> = names[..length]
                .split_inclusive(|byte| *byte == 0)
                .filter_map(|name| CStr::from_bytes_until_nul(name).ok())
                .map(CStr::to_string_lossy)
                .filter(|name| !kept.iter().any(|kept| name.starts_with(kept)))
                .collect();
            if !names.is_empty() {
                let inside = entry.path().strip_prefix(below.path)?.display();
                found.push(format!("/{inside} ({})", names.join(", ")));
            }
        }
        found.sort();
        Ok(found)
    }
}
