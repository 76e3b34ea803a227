//! Writes entries of overlays and archives over the installed packages, as `cp --archive` does: neither a directory of
//! the tree nor a file is ever replaced by the other.
//!
//! Paths are resolved inside the tree: a link that a package contains (`/bin` to `usr/bin`) is followed there.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::fs::FileType;

use crate::failure::fail;
use crate::host::Host;
use crate::host::device::Device;
use crate::root_tree::{Attributes, Made, RootTree, TreeWriter, warn_of_lost};

/// Prefix of attributes that a file system in memory supports only since Linux 6.6.
const OF_USERS: &str = "user.";
/// The other attributes that are copied: capabilities and access control lists.
const COPIED: [&str; 3] = ["security.capability", "system.posix_acl_access", "system.posix_acl_default"];

/// Returns whether this attribute of a file is copied. All others (labels of SELinux, measurements, options of file
/// systems) describe the machine on which the file was.
pub(super) fn is_copied(attribute: &str) -> bool {
    attribute.starts_with(OF_USERS) || COPIED.contains(&attribute)
}

/// Writes the entries of one overlay or archive.
pub(super) struct Placement<'a> {
    /// Its name in the description, for messages.
    origin: &'a str,
    tree: &'a RootTree,
    writer: TreeWriter<'a>,
    /// Whether the tree stores attributes of users; tried at the first one.
    stores_user_attributes: Option<bool>,
    /// Entries that lose attributes.
    lost: Vec<(PathBuf, Vec<String>)>,
}

impl<'a> Placement<'a> {
    pub(super) fn new(origin: &'a str, tree: &'a RootTree) -> Self {
        let writer = TreeWriter::of_packages(tree);
        Self { origin, tree, writer, stores_user_attributes: None, lost: Vec::new() }
    }

    /// Writes a file; `is_sparse`: with holes for its zeros.
    pub(super) fn file(
        &mut self,
        path: &Path,
        content: &mut dyn Read,
        is_sparse: bool,
        mut attributes: Attributes,
    ) -> Result<()> {
        self.refuse_over_directory(path, "file")?;
        self.limit(path, &mut attributes)?;
        if is_sparse {
            self.writer.sparse_file(path, content, &attributes)
        } else {
            self.writer.file(path, content, &attributes)
        }
    }

    /// Writes a symbolic link.
    pub(super) fn link(&mut self, path: &Path, target: &Path, attributes: &Attributes) -> Result<()> {
        self.refuse_over_directory(path, "symbolic link")?;
        self.writer.link(path, target, attributes).map(drop)
    }

    /// Writes another name for the file at `first`, which was written before.
    pub(super) fn hard_link(&mut self, path: &Path, first: &Path) -> Result<()> {
        self.refuse_over_directory(path, "file")?;
        self.writer.hard_link(path, first)
    }

    /// Writes the marker file of a device node.
    pub(super) fn device(&mut self, path: &Path, device: Device, mut attributes: Attributes) -> Result<()> {
        self.refuse_over_directory(path, "device node")?;
        self.limit(path, &mut attributes)?;
        self.writer.device(path, device, &attributes)
    }

    /// Writes a named pipe.
    pub(super) fn fifo(&mut self, path: &Path, attributes: &Attributes) -> Result<()> {
        self.refuse_over_directory(path, "named pipe")?;
        self.writer.fifo(path, attributes)
    }

    /// Creates a directory; one that exists, also behind a link, stays as it is.
    pub(super) fn directory(&mut self, path: &Path, mut attributes: Attributes) -> Result<Made> {
        let existing = match self.writer.kind(path)? {
            None | Some(FileType::Directory) => None,
            Some(FileType::Symlink) => match self.tree.metadata(path) {
                Ok(metadata) if metadata.is_dir() => None,
                Ok(_) | Err(_) => Some("symbolic link"),
            },
            Some(_) => Some("file"),
        };
        if let Some(existing) = existing {
            fail!(
                InvalidDescription,
                "the directory {} of {} cannot replace the {existing} /{} of the root tree; rename or remove it in \
                 the description",
                path.display(),
                self.origin,
                path.display()
            );
        }
        self.limit(path, &mut attributes)?;
        self.writer.directory(path, &attributes)
    }

    /// Sets the time of a directory that this value created, after the last entry in it.
    pub(super) fn date_directory(&mut self, path: &Path, seconds: i64) -> Result<()> {
        self.writer.date_directory(path, seconds)
    }

    /// Warns of attributes that the tree cannot store.
    pub(super) fn close(self, host: &Host) {
        warn_of_lost("the file system of the root tree cannot store attributes of users", self.lost, host);
    }

    fn refuse_over_directory(&mut self, path: &Path, kind: &str) -> Result<()> {
        let parent = path.parent().unwrap_or(Path::new(""));
        let existing =
            self.writer.kind(path).with_context(|| format!("opening the directory /{}", parent.display()))?;
        if existing == Some(FileType::Directory) {
            fail!(
                InvalidDescription,
                "the {kind} {} of {} cannot replace the directory /{} of the root tree and what is in it; rename or \
                 remove it in the description",
                path.display(),
                self.origin,
                path.display()
            );
        }
        Ok(())
    }

    /// Takes those attributes away that the tree cannot store.
    fn limit(&mut self, path: &Path, attributes: &mut Attributes) -> Result<()> {
        let is_of_user = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with(OF_USERS);
        if !attributes.extended.iter().any(|(name, _)| is_of_user(name)) {
            return Ok(());
        }
        let stores = match self.stores_user_attributes {
            Some(stores) => stores,
            None => *self.stores_user_attributes.insert(self.tree.stores_user_attributes()?),
        };
        if !stores {
            let (lost, kept) =
                std::mem::take(&mut attributes.extended).into_iter().partition(|(name, _)| is_of_user(name));
            attributes.extended = kept;
            let lost: Vec<_> = lost;
            let names = lost
                .iter()
                .map(|(name, _): &(std::ffi::OsString, Vec<u8>)| name.to_string_lossy().into_owned());
            self.lost.push((Path::new("/").join(path), names.collect()));
        }
        Ok(())
    }
}
