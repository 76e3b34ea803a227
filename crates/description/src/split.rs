//! `<split>`: which files of a split image can be written to.

use ondisk::Filesystem;

/// The section of late schema 1.4.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Split {
    /// Files that are writable and lost at the next boot.
    pub temporary: Vec<String>,
    /// Files that are writable and kept.
    pub persistent: Vec<String>,
}

/// The two file systems of a split image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct SplitFilesystems {
    /// The file system of the writable part.
    pub read_write: Filesystem,
    /// The file system of the read-only part.
    pub read_only: Filesystem,
}
