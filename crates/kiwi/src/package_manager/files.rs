//! The files of a package manager during the work on one tree: configuration, keys, passwords, indices, archives.
//!
//! They are beside the tree, in a directory that only kiwi and its user can read. No script of a package or of a
//! description sees it, and nothing that a script or a package leaves in the tree is ever read as configuration.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::host::Host;
use crate::host::file::WorkDirectory;
use crate::root_tree::RootTree;

/// A directory outside the tree; it is removed with the value.
#[derive(Debug)]
pub struct ManagerFiles {
    directory: PathBuf,
    _work: WorkDirectory,
}

impl ManagerFiles {
    /// Creates the directory beside a tree, on the same file system, or among the temporary files if the user may not
    /// write there.
    pub fn beside(tree: &RootTree, host: &Host) -> Result<Self> {
        Self::inside(tree.path().parent().unwrap_or(tree.path()), host)
    }

    /// Creates the directory in `parent`, or among the temporary files if the user may not write there.
    pub fn inside(parent: &Path, host: &Host) -> Result<Self> {
        let work = match host.work_directory(parent) {
            Ok(work) => work,
            Err(_) => host.temporary_work_directory()?,
        };
        let directory = work.path().join("files");
        host.create_directories(&directory).with_context(|| format!("creating {}", directory.display()))?;
        Ok(Self { directory, _work: work })
    }

    /// Returns the path of the directory.
    pub(super) fn path(&self) -> &Path {
        &self.directory
    }

    /// Creates a directory in it.
    pub(super) fn create_directory(&self, name: &str, host: &Host) -> Result<PathBuf> {
        let path = self.directory.join(name);
        host.create_directories(&path).with_context(|| format!("creating {}", path.display()))?;
        Ok(path)
    }

    /// Writes a file in it.
    pub(super) fn write(&self, name: &str, contents: impl AsRef<[u8]>, host: &Host) -> Result<()> {
        let path = self.directory.join(name);
        host.write_file(&path, contents).with_context(|| format!("writing {}", path.display()))
    }

    /// Returns the content of a file in it.
    pub(super) fn read(&self, name: &str) -> Result<Vec<u8>> {
        let path = self.directory.join(name);
        std::fs::read(&path).with_context(|| format!("reading {}", path.display()))
    }

    /// Returns the text of a file in it; bytes that are not UTF-8 are replaced.
    pub(super) fn read_text(&self, name: &str) -> Result<String> {
        Ok(String::from_utf8_lossy(&self.read(name)?).into_owned())
    }

    /// Returns the names of the regular files in a directory, sorted.
    pub(super) fn list(&self, name: &str) -> Result<Vec<String>> {
        let path = self.directory.join(name);
        let reading = || format!("reading {}", path.display());
        let mut names = Vec::new();
        for entry in path.read_dir().with_context(reading)? {
            let entry = entry.with_context(reading)?;
            if entry.file_type().with_context(reading)?.is_file() {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// Returns the bytes of all files in it, also while a program writes there.
    pub fn size(&self) -> u64 {
        let entries = walkdir::WalkDir::new(&self.directory).into_iter().flatten();
        entries
            .filter(|entry| entry.file_type().is_file())
            .filter_map(|entry| entry.metadata().ok())
            .map(|facts| facts.len())
            .sum()
    }

    /// Removes everything in it, when the package manager has finished its work on the tree.
    pub fn clear(&self, host: &Host) -> Result<()> {
        host.remove_tree(&self.directory).with_context(|| format!("removing {}", self.directory.display()))
    }
}
