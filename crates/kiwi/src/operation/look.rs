//! `kiwi ls` and `kiwi cat`: the files in an image, without root and without mounting it.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::diff::inside::Image;
use super::outcome::{Entry, Outcome};
use crate::context::Context;
use crate::failure::fail;
use crate::host::Host;
use crate::host::file::WorkDirectory;
use crate::root_tree::RootTree;

/// The directory of a live medium with its system.
const LIVE_OS: &str = "LiveOS";

/// The image and a path in it.
#[derive(Debug, Clone)]
pub struct Request {
    /// An image, or a root tree.
    pub image: PathBuf,
    /// The path.
    pub path: String,
    /// What is shown.
    pub what: What,
}

/// What is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The names in a directory, or a file, with mode, owner and size.
    Listing,
    /// The bytes of a file.
    Content,
}

/// Reads the image.
pub fn run(request: &Request, context: &Context) -> Result<Outcome> {
    let host = &context.host;
    let opened = open(&request.image, host)?;
    let root = within(&opened.root, &request.path);
    let tree = RootTree::merged(&root)?;
    let outcome = match request.what {
        What::Listing => Outcome::Entries { entries: list(&tree, &request.path)? },
        What::Content => Outcome::FileContent { content: content(&tree, &request.path)? },
    };
    drop(tree);
    opened.close()?;
    Ok(outcome)
}

/// The files of an image.
pub(super) struct Opened {
    root: PathBuf,
    work: Option<WorkDirectory>,
}

impl Opened {
    /// Returns the directory with the files.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Removes what was unpacked.
    pub(super) fn close(self) -> Result<()> {
        self.work.map_or(Ok(()), WorkDirectory::close).context("removing the unpacked image")
    }
}

/// Opens an image of any kind, or a root tree.
pub(super) fn open(image: &Path, host: &Host) -> Result<Opened> {
    if image.is_dir() {
        return Ok(Opened { root: image.to_owned(), work: None });
    }
    let Some(found) = Image::detect(image, host)? else {
        fail!(Damaged, "{} is not an image whose files kiwi can read", image.display());
    };
    let work = host.temporary_work_directory().context("creating a directory to unpack the image")?;
    let root = work.path().join("files");
    found.open(image, &root, host)?;
    Ok(Opened { root, work: Some(work) })
}

/// Like [`open`]; of a live medium it opens the system, which is a file system in a file on it.
pub(super) fn open_system(image: &Path, host: &Host) -> Result<Opened> {
    let mut opened = open(image, host)?;
    let Some(work) = opened.work.as_ref().filter(|_| is_medium(image, host)) else { return Ok(opened) };
    // A squashfs in LiveOS may contain nothing but another LiveOS with a file system.
    for (name, directories) in [("system", &[LIVE_OS, "."][..]), ("system-inside", &[LIVE_OS])] {
        let Some((file, kind)) = file_system_in(&opened.root, directories, host)? else { break };
        let root = work.path().join(name);
        kind.open(&file, &root, host)?;
        opened.root = root;
    }
    Ok(opened)
}

fn is_medium(image: &Path, host: &Host) -> bool {
    Image::detect(image, host).is_ok_and(|found| found == Some(Image::Iso))
}

/// Returns the first file with a file system in these directories of a tree.
fn file_system_in(root: &Path, directories: &[&str], host: &Host) -> Result<Option<(PathBuf, Image)>> {
    for directory in directories {
        let entries = root.join(directory).read_dir().into_iter().flatten().flatten();
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        files.retain(|path| path.symlink_metadata().is_ok_and(|facts| facts.is_file()));
        files.sort();
        for file in files {
            if let Some(image @ (Image::Squashfs { .. } | Image::Erofs { .. } | Image::Ext { .. })) =
                Image::detect(&file, host)?
            {
                return Ok(Some((file, image)));
            }
        }
    }
    Ok(None)
}

/// Returns the partition of a disk that has the path, else the directory itself.
pub(super) fn within(root: &Path, path: &str) -> PathBuf {
    let virtual_disk = root.join("files");
    let root = if virtual_disk.join("partition-1").is_dir() || is_partitioned(&virtual_disk) {
        virtual_disk
    } else {
        root.to_owned()
    };
    if !is_partitioned(&root) || path.trim_matches('/').is_empty() {
        return root;
    }
    let has = |partition: &PathBuf| partition.join(path.trim_start_matches('/')).symlink_metadata().is_ok();
    partitions(&root).into_iter().find(has).unwrap_or(root)
}

fn is_partitioned(root: &Path) -> bool {
    !partitions(root).is_empty()
}

fn partitions(root: &Path) -> Vec<PathBuf> {
    let names = root.read_dir().into_iter().flatten().flatten().map(|entry| entry.path());
    let is_partition = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("partition-"))
    };
    let mut found: Vec<PathBuf> = names.filter(is_partition).collect();
    found.sort();
    found
}

fn list(tree: &RootTree, path: &str) -> Result<Vec<Entry>> {
    let path = path.trim_matches('/');
    let facts = tree.metadata(path_or_root(path))?;
    if !facts.is_dir() {
        return Ok(vec![entry(path.to_owned(), tree, path)?]);
    }
    let mut names = tree.list(path_or_root(path))?;
    names.sort();
    names.into_iter().map(|name| entry(name.clone(), tree, &format!("{path}/{name}"))).collect()
}

fn path_or_root(path: &str) -> &str {
    if path.is_empty() { "." } else { path }
}

/// Returns what is at a path of a tree, under the given name.
pub(super) fn entry(name: String, tree: &RootTree, path: &str) -> Result<Entry> {
    use std::os::unix::fs::MetadataExt;
    let path = path.trim_start_matches('/');
    let handle = tree.root().resolve_nofollow(path).with_context(|| format!("looking up /{path}"))?;
    let facts = File::from(OwnedFd::from(handle)).metadata()?;
    let target = if facts.is_symlink() {
        let target = tree.root().readlink(path);
        Some(target.with_context(|| format!("reading the link {path}"))?.display().to_string())
    } else {
        None
    };
    let kind = if facts.is_dir() {
        "directory"
    } else if facts.is_symlink() {
        "link"
    } else if facts.is_file() {
        "file"
    } else {
        "special"
    };
    Ok(Entry {
        name,
        kind,
        mode: facts.mode() & 0o7777,
        user: facts.uid(),
        group: facts.gid(),
        size: facts.len(),
        target,
    })
}

fn content(tree: &RootTree, path: &str) -> Result<Vec<u8>> {
    let path = path.trim_matches('/');
    if tree.metadata(path_or_root(path))?.is_dir() {
        fail!(File, "/{path} is a directory; 'kiwi ls' lists it");
    }
    tree.read(path)
}
