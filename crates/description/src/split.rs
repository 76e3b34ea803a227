//! `<split>`: which files of a split image can be written to.

/// The section of late schema 1.4.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SplitFiles {
    /// Files that are writable and lost at the next boot.
    pub temporary: Vec<String>,
    /// Files that are writable and kept.
    pub persistent: Vec<String>,
}

impl SplitFiles {
    /// Returns whether no file is listed.
    pub fn is_empty(&self) -> bool {
        self.temporary.is_empty() && self.persistent.is_empty()
    }
}
