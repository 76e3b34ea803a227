//! The decision of `<split>`: which part of a split image has which path.
//!
//! A path in a list stands for all that is below it, except what the list excludes; of two lists the longer path decides. What is in
//! neither list is where it is without `<split>`: the directories of programs in the read-only part, the rest in the writable one.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use bootconfig::{MOVED_PERSISTENT, MOVED_READ_ONLY, MOVED_TEMPORARY, READ_ONLY_PART};
use description::{SplitFiles, SplitList};

use crate::failure::{Failure, Kind};
use crate::root_tree::RootTree;

/// Directories that the kernel and the boot image fill.
const OF_THE_KERNEL: [&str; 4] = ["dev", "proc", "run", "sys"];

/// Where a path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    ReadOnly,
    /// Writable and kept.
    Persistent,
    /// Writable and lost at the next boot.
    Temporary,
}

impl Part {
    /// Returns the directory of its paths that are in another part than the directory above them.
    fn moved(self) -> &'static str {
        match self {
            Self::ReadOnly => MOVED_READ_ONLY,
            Self::Persistent => MOVED_PERSISTENT,
            Self::Temporary => MOVED_TEMPORARY,
        }
    }
}

/// The part of each path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parts {
    /// The directories that are read-only without lists.
    programs: Vec<String>,
    temporary: Listed,
    persistent: Listed,
    /// The paths that are in another part than the directory above them.
    moved: BTreeMap<String, Part>,
}

/// Where a path is stored, in the file system of its part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// What is temporary is stored in the read-only part.
    pub is_read_only: bool,
    /// The path in the file system.
    pub stored: String,
    /// The path in the running system.
    pub running: String,
}

/// Paths of a list; `false`: excluded from it.
type Listed = BTreeMap<String, bool>;

impl Parts {
    /// Returns the parts of a tree with these directories of programs.
    pub(super) fn of(tree: &RootTree, files: &SplitFiles, programs: &[&str]) -> Result<Self> {
        let inside = |written: &str| inside(tree, written);
        Self::new(
            listed("temporary", &files.temporary, inside)?,
            listed("persistent", &files.persistent, inside)?,
            programs,
        )
    }

    fn new(temporary: Listed, persistent: Listed, programs: &[&str]) -> Result<Self> {
        let both = |path: &&String| temporary[*path] && persistent.get(*path) == Some(&true);
        if let Some(path) = temporary.keys().find(both) {
            return Err(contradicts(path, "<temporary>", "<persistent>"));
        }
        let programs = programs.iter().map(|name| (*name).to_owned()).collect();
        let mut parts = Self { programs, temporary, persistent, moved: BTreeMap::new() };
        let candidates: BTreeSet<String> =
            parts.temporary.keys().chain(parts.persistent.keys()).cloned().collect();
        let is_moved = |path: &String| {
            let above = path.rsplit_once('/').map(|(above, _)| parts.part(above));
            match (above, parts.part(path)) {
                // A link to its directory is made by the boot image.
                (None, Part::ReadOnly) => false,
                (above, part) => part != above.unwrap_or(Part::Persistent),
            }
        };
        let moved = candidates.into_iter().filter(is_moved);
        parts.moved = moved.map(|path| (path.clone(), parts.part(&path))).collect();
        Ok(parts)
    }

    /// Returns the part of a path.
    pub(super) fn part(&self, path: &str) -> Part {
        let longest = |list: &Listed| {
            let found = from_longest(path).find_map(|above| Some((above.len(), *list.get(above)?)));
            found.filter(|(_, is_in)| *is_in).map(|(length, _)| length)
        };
        match (longest(&self.temporary), longest(&self.persistent)) {
            (Some(temporary), persistent) if persistent.is_none_or(|persistent| persistent < temporary) => {
                Part::Temporary
            }
            (_, Some(_)) => Part::Persistent,
            (_, None) if self.is_program(path) => Part::ReadOnly,
            (_, None) => Part::Persistent,
        }
    }

    fn is_program(&self, path: &str) -> bool {
        let top = path.split('/').next().unwrap_or(path);
        self.programs.iter().any(|program| program == top)
    }

    /// Returns the directories at the top that the read-only part has under their own names.
    pub(super) fn read_only_directories(&self) -> Vec<&str> {
        self.programs.iter().map(String::as_str).filter(|name| self.part(name) == Part::ReadOnly).collect()
    }

    /// Returns the paths that are in another part than the directory above them, those above others first.
    pub(super) fn moved(&self) -> impl Iterator<Item = &str> {
        self.moved.keys().map(String::as_str)
    }

    /// Returns the path that was moved with `path` in it; none: `path` is under its own name.
    pub(super) fn moved_with<'p>(&self, path: &'p str) -> Option<&'p str> {
        from_longest(path).find(|above| self.moved.contains_key(*above))
    }

    /// Returns where a path is.
    pub(super) fn place(&self, path: &str) -> Place {
        let part = self.part(path);
        let is_read_only = part != Part::Persistent;
        let stored = match self.moved_with(path) {
            None => path.to_owned(),
            Some(moved) => {
                // A part that is left and entered again has a link at the path itself.
                let again =
                    from_longest(moved).skip(1).filter(|above| self.moved.get(*above) == Some(&part)).count();
                let level = if again == 0 { String::new() } else { format!("/.{again}") };
                format!("{}{level}/{path}", part.moved())
            }
        };
        let running = match part {
            Part::ReadOnly => format!("{READ_ONLY_PART}/{stored}"),
            Part::Persistent | Part::Temporary => stored.clone(),
        };
        Place { is_read_only, stored, running }
    }

    /// Returns where the link to a path is that was moved out of the directory above it.
    pub(super) fn place_of_link(&self, path: &str) -> Place {
        let Some((above, name)) = path.rsplit_once('/') else {
            return Place { is_read_only: false, stored: path.to_owned(), running: path.to_owned() };
        };
        let Place { is_read_only, stored, running } = self.place(above);
        Place { is_read_only, stored: format!("{stored}/{name}"), running: format!("{running}/{name}") }
    }
}

/// Returns a path and those above it, the longest one first.
pub(super) fn from_longest(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| path.rsplit_once('/').map(|(above, _)| above))
}

/// Returns the paths of a list inside the tree.
fn listed(name: &str, list: &SplitList, inside: impl Fn(&str) -> Result<Option<String>>) -> Result<Listed> {
    let mut listed = Listed::new();
    for (written, is_in) in
        list.files.iter().map(|file| (file, true)).chain(list.exceptions.iter().map(|file| (file, false)))
    {
        let Some(path) = inside(written)? else { continue };
        if listed.insert(path.clone(), is_in) == Some(!is_in) {
            return Err(contradicts(&path, &format!("<file> of <{name}>"), "<except>"));
        }
    }
    Ok(listed)
}

/// Returns the path that `written` means in the tree: links above it are followed, with `/*` and at the top the last one, too. `None`:
/// the kernel fills it, whatever the lists say.
fn inside(tree: &RootTree, written: &str) -> Result<Option<String>> {
    let Some(path) = SplitList::path(written) else { return Ok(None) };
    let real = match path.rsplit_once('/') {
        Some((above, name)) if !written.ends_with('*') => tree.real_path(above)?.join(name),
        Some(_) | None => tree.real_path(&path)?,
    };
    let real = real.to_string_lossy().trim_matches('/').to_owned();
    let top = real.split('/').next().unwrap_or_default();
    Ok((!top.is_empty() && !OF_THE_KERNEL.contains(&top)).then_some(real))
}

fn contradicts(path: &str, one: &str, other: &str) -> anyhow::Error {
    let message = format!("/{path} is in {one} and in {other} of <split>, by links of the system");
    Failure::new(Kind::InvalidDescription, message).remedy("Remove it from one of the two.").into()
}

#[cfg(test)]
mod tests;
