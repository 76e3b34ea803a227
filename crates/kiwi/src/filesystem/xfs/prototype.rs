//! The input of mkfs.xfs for a tree: the text of a prototype, and corrections to make after the file system is written.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::fmt::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::names::{is_plain, stand_in, stand_in_target};
use super::times::Time;
use crate::host::device::Device;

/// Name of the tree in the directory that mkfs.xfs reads files from.
pub(super) const TREE: &str = "tree";

/// A prototype, which refers to files by links in a directory.
#[derive(Default)]
pub(super) struct Prototype {
    pub(super) text: Vec<u8>,
    /// The root directory.
    pub(super) root: Node,
    /// Files that a prototype cannot name: `0`, `1`, ... are links to them.
    pub(super) sources: Vec<PathBuf>,
    /// Additional names of files with several hard links.
    pub(super) linked: Vec<String>,
    pub(super) sockets: Vec<String>,
    inodes: HashSet<(u64, u64)>,
}

/// A file as the tree has it.
#[derive(Default)]
pub(super) struct Node {
    /// Its path.
    pub(super) name: OsString,
    pub(super) modified: Time,
    pub(super) mode: u32,
    pub(super) content: Content,
}

/// The content of a file, as far as it may need corrections.
#[derive(Default)]
pub(super) enum Content {
    /// Files by their names in the prototype.
    Directory(HashMap<Vec<u8>, Node>),
    /// Target of a symbolic link.
    Link(Vec<u8>),
    #[default]
    Other,
}

impl Prototype {
    pub(super) fn of(root: &Path) -> Result<Self> {
        let mut prototype = Self { text: b"/\n0 0\n".to_vec(), ..Self::default() };
        let metadata = root.symlink_metadata()?;
        let head = format!("{} {} {}\n", mode('d', metadata.mode()), metadata.uid(), metadata.gid());
        prototype.text.extend(head.bytes());
        let content = prototype.directory(root, root)?;
        prototype.root = node(OsString::new(), &metadata, content)?;
        Ok(prototype)
    }

    fn directory(&mut self, root: &Path, path: &Path) -> Result<Content> {
        let mut names = Vec::new();
        for entry in path.read_dir().with_context(|| format!("reading {}", path.display()))? {
            names.push(entry?.file_name());
        }
        names.sort();
        let mut taken: HashSet<_> = names.iter().map(|name| name.as_bytes().to_vec()).collect();
        let mut nodes = HashMap::new();
        for name in names {
            let entry = path.join(&name);
            let inside = entry.strip_prefix(root)?;
            let written = if is_plain(name.as_bytes()) {
                name.as_bytes().to_vec()
            } else {
                stand_in(name.as_bytes(), &taken).with_context(|| {
                    format!(
                        "the file /{} has a name that mkfs.xfs cannot use; use ext4 or btrfs, or rename it",
                        inside.display()
                    )
                })?
            };
            taken.insert(written.clone());
            if let Some(node) = self.file(root, &entry, inside, &written, name)? {
                nodes.insert(written, node);
            }
        }
        self.text.extend(b"$\n");
        Ok(Content::Directory(nodes))
    }

    fn file(
        &mut self,
        root: &Path,
        entry: &Path,
        inside: &Path,
        written: &[u8],
        name: OsString,
    ) -> Result<Option<Node>> {
        let metadata = entry.symlink_metadata()?;
        let kind = metadata.file_type();
        let shown = || format!("/{}", inside.display());
        let device = Device::of(entry, &metadata)?;
        let mut content = Content::Other;
        let (letter, rest): (char, Vec<u8>) = if let Some(device) = device {
            let letter = if device.is_block { 'b' } else { 'c' };
            (letter, format!("{} {}", device.major, device.minor).into_bytes())
        } else if kind.is_dir() {
            ('d', Vec::new())
        } else if kind.is_symlink() {
            let target = std::fs::read_link(entry)?.into_os_string().into_vec();
            let written = stand_in_target(&target);
            content = Content::Link(target);
            ('l', written)
        } else if kind.is_file() {
            ('-', self.source(entry, inside))
        } else if kind.is_fifo() {
            ('p', Vec::new())
        } else {
            self.sockets.push(shown());
            return Ok(None);
        };
        if !kind.is_dir() && metadata.nlink() > 1 && !self.inodes.insert((metadata.dev(), metadata.ino())) {
            self.linked.push(shown());
        }
        let head = format!(" {} {} {} ", mode(letter, metadata.mode()), metadata.uid(), metadata.gid());
        self.text.extend([written, head.as_bytes(), &rest, b"\n"].concat());
        if kind.is_dir() {
            content = self.directory(root, entry)?;
        }
        node(name, &metadata, content).map(Some)
    }

    /// Returns the word by which mkfs.xfs finds a file.
    fn source(&mut self, entry: &Path, inside: &Path) -> Vec<u8> {
        if inside.as_os_str().as_bytes().iter().any(u8::is_ascii_whitespace) {
            self.sources.push(entry.to_owned());
            return (self.sources.len() - 1).to_string().into_bytes();
        }
        Path::new(TREE).join(inside).into_os_string().into_vec()
    }
}

fn node(name: OsString, metadata: &std::fs::Metadata, content: Content) -> Result<Node> {
    let modified = (metadata.mtime(), u32::try_from(metadata.mtime_nsec())?);
    Ok(Node { name, modified, mode: metadata.mode(), content })
}

/// Returns a mode such as `-u-755`.
fn mode(kind: char, bits: u32) -> String {
    let mut text = String::from(kind);
    text.push(if bits & 0o4000 == 0 { '-' } else { 'u' });
    text.push(if bits & 0o2000 == 0 { '-' } else { 'g' });
    let _ = write!(text, "{:03o}", bits & 0o777);
    text
}
