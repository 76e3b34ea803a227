//! `<split>`: which files of a split image can be written to.

use ondisk::Filesystem;

/// The section of late schema 1.4.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Split {
    /// Files that are writable until the next boot.
    pub temporary: Vec<String>,
    /// Files whose changes stay.
    pub persistent: Vec<String>,
}

/// The two file systems of a split image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct SplitFilesystems {
    /// The file system of the part that is written to.
    pub read_write: Filesystem,
    /// The file system of the part that is only read.
    pub read_only: Filesystem,
}
