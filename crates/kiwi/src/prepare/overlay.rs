//! Copies `root/` of the description over the tree, with its attributes, hard links and holes.
//!
//! Paths are resolved **inside the tree** ([`Placement`]), and a hostile link cannot lead outside. Links of the overlay itself are stored as links and not followed; one that leads above
//! the overlay is replaced by its target if that is part of the description or allowed, and rejected otherwise.

use std::collections::HashMap;
use std::ffi::OsString;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};
use rustix::fs::{Timespec, Timestamps, UTIME_NOW};
use walkdir::WalkDir;

use super::placement::{Placement, is_copied as is_copied_attribute};
use super::unchanged::{Unchanged, digest_of};
use crate::failure::fail;
use crate::host::Host;
use crate::host::device::Device;
use crate::root_tree::{Attributes, RootTree};
use crate::source::{Files, real};
use crate::stage::{Digest, Inputs};

/// The archive that is the overlay if there is no directory `root`.
pub(super) const ARCHIVE: &str = "root.tar.gz";

/// Directories of version control, which are not copied.
const LEFT_OUT: [&str; 4] = [".svn", ".git", ".hg", "CVS"];

/// An overlay as it was when the build was planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    /// Its name in the description.
    name: String,
    items: Vec<Item>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Item {
    /// Path in the tree.
    inside: PathBuf,
    content: Content,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Content {
    Directory {
        mode: u32,
        extended: Extended,
    },
    File {
        source: PathBuf,
        mode: u32,
        modified: (i64, i64),
        digest: Digest,
        is_sparse: bool,
        extended: Extended,
    },
    /// Another name of a file before it.
    HardLink {
        first: PathBuf,
    },
    Link {
        target: PathBuf,
    },
    Device {
        device: Device,
        mode: u32,
        modified: (i64, i64),
    },
}

/// Names and values of extended attributes.
type Extended = Vec<(OsString, Vec<u8>)>;

/// The target of a link of the overlay.
#[derive(Debug, PartialEq, Eq)]
enum Leads {
    /// The link is stored as it is.
    Inside,
    /// The link leads out of the overlay to this file of the description.
    ToDescription(PathBuf),
}

/// Reads the overlay and checks every link before anything is copied.
pub(super) fn plan(name: &str, overlay: &Path, files: &Files) -> Result<Plan> {
    let mut items = Items::default();
    let walk = WalkDir::new(overlay).sort_by_file_name().into_iter();
    for entry in walk.filter_entry(is_copied) {
        let entry = entry.with_context(|| format!("reading the overlay {}", overlay.display()))?;
        let inside = entry.path().strip_prefix(overlay)?;
        if inside.as_os_str().is_empty() {
            continue;
        }
        if !entry.path_is_symlink() {
            items.add(entry.path(), inside.to_owned())?;
            continue;
        }
        match leads(entry.path(), overlay, files)? {
            Leads::Inside => {
                let target = real::read_link(entry.path())?;
                items.found.push(Item { inside: inside.to_owned(), content: Content::Link { target } });
            }
            Leads::ToDescription(target) => {
                for below in WalkDir::new(&target).sort_by_file_name() {
                    let below = below?;
                    let inside = join(inside, below.path().strip_prefix(&target)?);
                    if below.path_is_symlink() {
                        let target = real::read_link(below.path())?;
                        items.found.push(Item { inside, content: Content::Link { target } });
                    } else {
                        items.add(below.path(), inside)?;
                    }
                }
            }
        }
    }
    Ok(Plan { name: name.to_owned(), items: items.found })
}

fn is_copied(entry: &walkdir::DirEntry) -> bool {
    !LEFT_OUT.iter().any(|name| entry.file_name() == *name)
}

/// Checks every link of an overlay, and reads no file.
pub(super) fn check_links(overlay: &Path, files: &Files) -> Result<()> {
    for entry in WalkDir::new(overlay).into_iter().filter_entry(is_copied) {
        let entry = entry.with_context(|| format!("reading the overlay {}", overlay.display()))?;
        if entry.path_is_symlink() && entry.depth() > 0 {
            leads(entry.path(), overlay, files)?;
        }
    }
    Ok(())
}

fn join(directory: &Path, name: &Path) -> PathBuf {
    if name.as_os_str().is_empty() { directory.to_owned() } else { directory.join(name) }
}

/// The entries that were read so far.
#[derive(Default)]
struct Items {
    found: Vec<Item>,
    /// First path of every file with several names.
    linked: HashMap<(u64, u64), PathBuf>,
}

impl Items {
    /// Adds one file or directory of the host whose path in the tree is `inside`.
    fn add(&mut self, path: &Path, inside: PathBuf) -> Result<()> {
        let content = self.read(path, &inside).with_context(|| format!("reading {}", path.display()))?;
        self.found.push(Item { inside, content });
        Ok(())
    }

    fn read(&mut self, path: &Path, inside: &Path) -> Result<Content> {
        let metadata = real::metadata(path)?;
        let mode = metadata.permissions().mode() & 0o7777;
        let modified = (metadata.mtime(), metadata.mtime_nsec());
        if metadata.nlink() > 1 && !metadata.is_dir() {
            let number = (metadata.dev(), metadata.ino());
            if let Some(first) = self.linked.get(&number) {
                return Ok(Content::HardLink { first: first.clone() });
            }
            self.linked.insert(number, inside.to_owned());
        }
        if let Some(device) = Device::of(path, &metadata)? {
            Ok(Content::Device { device, mode, modified })
        } else if metadata.is_dir() {
            let extended = real::attributes(&real::open(path)?, is_copied_attribute)?;
            Ok(Content::Directory { mode, extended })
        } else if metadata.is_file() {
            let file = real::open(path)?;
            let extended = real::attributes(&file, is_copied_attribute)?;
            let is_sparse = metadata.blocks() * 512 < metadata.len();
            let digest = digest_of(&file, path)?;
            Ok(Content::File { source: path.to_owned(), mode, modified, digest, is_sparse, extended })
        } else {
            fail!(
                InvalidDescription,
                "{} is a pipe or a socket, which an overlay cannot contain; create it in config.sh",
                path.display()
            )
        }
    }
}

impl Plan {
    /// Returns its name in the description.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the paths in the tree of everything but directories.
    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        let is_file = |item: &&Item| !matches!(item.content, Content::Directory { .. });
        self.items.iter().filter(is_file).map(|item| item.inside.as_path())
    }

    /// Returns whether the overlay contains this path of the tree.
    pub(super) fn provides(&self, path: &str) -> bool {
        self.items.iter().any(|item| item.inside == Path::new(path))
    }

    /// Adds every file; times after `epoch` count as equal, because the image has the epoch instead.
    pub(super) fn inputs(&self, epoch: u64, inputs: &mut Inputs) -> Result<()> {
        let limit = (i64::try_from(epoch).unwrap_or(i64::MAX), 0);
        for Item { inside, content } in &self.items {
            let name = format!("{}/{}", self.name, inside.display());
            match content {
                Content::Directory { mode, extended } => {
                    inputs.value(name, &("directory", mode, keyed(extended)))?;
                }
                Content::File { source: _, mode, modified, digest, is_sparse, extended } => {
                    let modified = (*modified).min(limit);
                    inputs.value(name, &("file", mode, modified, digest, is_sparse, keyed(extended)))?;
                }
                Content::HardLink { first } => {
                    inputs.value(name, &("hard link", first.as_os_str().as_encoded_bytes()))?;
                }
                // The target may be other bytes than UTF-8.
                Content::Link { target } => {
                    inputs.value(name, &("link", target.as_os_str().as_encoded_bytes()))?;
                }
                Content::Device { device, mode, modified } => {
                    inputs.value(name, &("device", mode, (*modified).min(limit), device))?;
                }
            }
        }
        Ok(())
    }
}

/// Returns extended attributes in the form of an input.
fn keyed(extended: &Extended) -> Vec<(&[u8], &[u8])> {
    extended.iter().map(|(name, value)| (name.as_encoded_bytes(), value.as_slice())).collect()
}

/// Copies the overlay into the tree. Root owns every file; modes, times and attributes are kept.
pub(super) fn copy(plan: &Plan, tree: &RootTree, host: &Host) -> Result<()> {
    let mut placement = Placement::new(&plan.name, tree);
    for item in &plan.items {
        host.check_interrupt()?;
        write_item(item, &mut placement, host)
            .with_context(|| format!("copying {}/{}", plan.name, item.inside.display()))?;
    }
    placement.close(host);
    Ok(())
}

fn write_item(Item { inside, content }: &Item, placement: &mut Placement<'_>, host: &Host) -> Result<()> {
    match content {
        Content::Directory { mode, extended } => {
            let attributes = Attributes { extended: extended.clone(), ..attributes(*mode, NOW) };
            placement.directory(inside, attributes).map(drop)
        }
        Content::Link { target } => placement.link(inside, target, &attributes(0o777, NOW)),
        Content::HardLink { first } => placement.hard_link(inside, first),
        Content::File { source, mode, modified, digest, is_sparse, extended } => {
            let attributes = Attributes { extended: extended.clone(), ..attributes(*mode, *modified) };
            let mut content = Unchanged::open(source, host)?;
            let written = placement.file(inside, &mut content, *is_sparse, attributes);
            host.check_interrupt()?;
            written?;
            content.end(digest)
        }
        Content::Device { device, mode, modified } => {
            placement.device(inside, *device, attributes(*mode, *modified))
        }
    }
}

/// The time of directories and links: the current one.
const NOW: (i64, i64) = (0, UTIME_NOW);

/// Returns the attributes of an entry that belongs to root.
fn attributes(mode: u32, (seconds, nanoseconds): (i64, i64)) -> Attributes {
    let time = Timespec { tv_sec: seconds, tv_nsec: nanoseconds };
    let times = Timestamps { last_access: time, last_modification: time };
    // The user who builds is root of the tree.
    let (user, group) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    Attributes { mode, user, group, times, extended: Vec::new() }
}

/// Resolves a link by the text of its target; no link is followed on the host unless it leads to the description.
fn leads(link: &Path, overlay: &Path, files: &Files) -> Result<Leads> {
    let target = real::read_link(link)?;
    if target.is_absolute() {
        return Ok(Leads::Inside);
    }
    let inside = link.strip_prefix(overlay)?;
    let mut depth = inside.components().count() as i64 - 1;
    let climbs = target.components().any(|component| {
        match component {
            Component::ParentDir => depth -= 1,
            Component::Normal(_) => depth += 1,
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
        depth < 0
    });
    if !climbs {
        return Ok(Leads::Inside);
    }
    if link.metadata().is_err() {
        fail!(
            InvalidDescription,
            "the link {} leads out of the root tree: its target is {}; make it absolute (it then refers to a path \
             in the image) or copy the file into the overlay",
            link.display(),
            target.display()
        );
    }
    // Descriptions use such links for files that several overlays share.
    files.follow(link).map(Leads::ToDescription)
}

#[cfg(test)]
mod tests;
