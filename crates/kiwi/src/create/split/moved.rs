//! Moves paths between the parts of a split image, and links them.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, Result};
use bootconfig::{MOVED, MOVED_TEMPORARY};

use super::parts::{Parts, Place, from_longest};
use crate::host::Host;
use crate::root_tree::RootTree;

/// The trees of a split image.
pub(super) struct Trees<'a> {
    /// The system before it was divided.
    pub whole: &'a RootTree,
    pub writable: &'a RootTree,
    /// With what is temporary.
    pub read_only: &'a RootTree,
    pub host: &'a Host,
}

impl Trees<'_> {
    /// Moves each path to its part. A missing one becomes a link too: it may be created later.
    pub(super) fn divide(&self, parts: &Parts) -> Result<()> {
        for path in parts.moved() {
            self.host.check_interrupt()?;
            let (link, place) = (parts.place_of_link(path), parts.place(path));
            self.move_path(path, &link, &place)
                .with_context(|| format!("cannot move /{path} to its part"))?;
            if place.running.starts_with(MOVED_TEMPORARY) {
                // The client mounts it here.
                self.writable.create_dir(MOVED_TEMPORARY, 0o755)?;
            }
        }
        for tree in [self.writable, self.read_only] {
            self.correct_links(parts, tree)?;
        }
        Ok(())
    }

    fn move_path(&self, path: &str, link: &Place, place: &Place) -> Result<()> {
        let (from, to) = (self.tree(link), self.tree(place));
        let (above, _) = place.stored.rsplit_once('/').context("a moved path is below a directory")?;
        self.create_directories(path, place)?;
        let source = from.path().join(&link.stored);
        if source.symlink_metadata().is_ok() {
            let target = to.path().join(above);
            self.host.command("cp").arg("--archive").arg(source).arg(&target).writable(target).run()?;
            from.remove(&link.stored)?;
        }
        let up = "../".repeat(link.running.matches('/').count());
        from.symlink(&link.stored, format!("{up}{}", place.running))
    }

    /// Creates the directories above a moved path with the owner and mode that they have in the system.
    fn create_directories(&self, path: &str, place: &Place) -> Result<()> {
        let to = self.tree(place);
        let moved = place.stored.strip_suffix(path).context("a moved path has its name")?;
        to.create_dir(moved.trim_end_matches('/'), 0o755)?;
        let above: Vec<&str> = from_longest(path).skip(1).collect();
        for directory in above.into_iter().rev() {
            let stored = format!("{moved}{directory}");
            if to.exists(&stored) {
                continue;
            }
            match self.whole.metadata(directory) {
                Ok(metadata) => {
                    to.create_dir(&stored, metadata.mode() & 0o7777)?;
                    to.set_owner(&stored, metadata.uid(), metadata.gid())?;
                    to.set_mode(&stored, metadata.mode() & 0o7777)?;
                }
                Err(_) => to.create_dir(&stored, 0o755)?,
            }
        }
        Ok(())
    }

    /// Makes links absolute that lead out of what was moved together with them.
    fn correct_links(&self, parts: &Parts, tree: &RootTree) -> Result<()> {
        let is_read_only = std::ptr::eq(tree, self.read_only);
        let start = if is_read_only { tree.path().to_owned() } else { tree.path().join(MOVED) };
        if !start.is_dir() {
            return Ok(());
        }
        let mut corrected = Vec::new();
        for entry in walkdir::WalkDir::new(start).sort_by_file_name() {
            let entry = entry?;
            if !entry.path_is_symlink() {
                continue;
            }
            // A name that is not UTF-8 is left alone.
            let Some(stored) = entry.path().strip_prefix(tree.path())?.to_str() else { continue };
            let Some(path) = path_of(stored) else { continue };
            // The other names are where they were, or are links to what was moved.
            if parts.place(path).stored != stored || parts.place(path).is_read_only != is_read_only {
                continue;
            }
            let target = entry.path().read_link()?;
            let Some(target) = target.to_str().and_then(|target| lexical(path, target)) else { continue };
            let stays = match (parts.moved_with(path), is_read_only) {
                (Some(moved), _) => Path::new(&target).starts_with(moved),
                (None, true) => {
                    parts.read_only_directories().iter().any(|name| Path::new(&target).starts_with(name))
                }
                (None, false) => true,
            };
            if !stays {
                corrected.push((stored.to_owned(), format!("/{target}")));
            }
        }
        corrected.iter().try_for_each(|(stored, target)| tree.symlink(stored, target))
    }

    fn tree(&self, place: &Place) -> &RootTree {
        if place.is_read_only { self.read_only } else { self.writable }
    }
}

/// Returns the path in the system of what a part stores at `stored`.
fn path_of(stored: &str) -> Option<&str> {
    let Some(moved) = stored.strip_prefix(&format!("{MOVED}/")) else { return Some(stored) };
    let (_, path) = moved.split_once('/')?;
    match path.strip_prefix('.').and_then(|path| path.split_once('/')) {
        Some((level, path)) if level.bytes().all(|digit| digit.is_ascii_digit()) => Some(path),
        _ => Some(path),
    }
}

/// Returns the path that a relative link at `path` names; `None`: it is absolute.
fn lexical(path: &str, target: &str) -> Option<String> {
    if target.starts_with('/') {
        return None;
    }
    let mut names: Vec<&str> = path.split('/').collect();
    names.pop();
    for name in target.split('/') {
        match name {
            "" | "." => {}
            ".." => drop(names.pop()),
            name => names.push(name),
        }
    }
    Some(names.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_targets_are_those_of_the_system() {
        for (stored, path) in [
            ("usr/lib/x", "usr/lib/x"),
            (".kiwi/temporary/var/x", "var/x"),
            (".kiwi/persistent/.2/var/x", "var/x"),
            (".kiwi/read-only/.hidden/x", ".hidden/x"),
        ] {
            assert_eq!(path_of(stored), Some(path));
        }
        assert_eq!(lexical("etc/os-release", "../usr/lib/os-release").as_deref(), Some("usr/lib/os-release"));
        assert_eq!(lexical("etc/a/b", "./c").as_deref(), Some("etc/a/c"));
        assert_eq!(lexical("bin", "usr/bin").as_deref(), Some("usr/bin"));
        assert_eq!(lexical("etc/up", "../../../run").as_deref(), Some("run"));
        assert_eq!(lexical("etc/mtab", "/proc/mounts"), None);
    }
}
