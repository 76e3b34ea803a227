//! `<split>`: which files of a split image can be written to.

/// The section of late schema 1.4.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SplitFiles {
    /// Files that are writable and lost at the next boot.
    pub temporary: Vec<String>,
    /// Files that are writable and kept.
    pub persistent: Vec<String>,
    /// Files that are neither, in spite of their directory.
    pub exceptions: Vec<String>,
}
