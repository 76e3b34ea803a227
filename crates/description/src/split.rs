//! `<split>`: which files of a split image can be written to.

/// The section of late schema 1.4.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Split {
    /// Files that are writable until the next boot.
    pub temporary: Vec<String>,
    /// Files whose changes stay.
    pub persistent: Vec<String>,
}
