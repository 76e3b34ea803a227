//! `<split>`: which files of a split image can be written to.

/// The section of late schema 1.4.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct SplitFiles {
    /// Files that are writable and lost at the next boot.
    pub temporary: SplitList,
    /// Files that are writable and kept.
    pub persistent: SplitList,
}

/// Paths of one kind. Each stands for all that is below it; the longest path that fits decides.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct SplitList {
    /// Paths of this kind.
    pub files: Vec<String>,
    /// Paths below them that are not of this kind.
    pub exceptions: Vec<String>,
}

impl SplitList {
    /// Returns a path without the slashes at its ends. `DIR/*` means the same as `DIR`: all of the directory.
    ///
    /// Returns `None` for the whole system and for other patterns, which have no meaning.
    pub fn path(written: &str) -> Option<String> {
        let written = written.strip_suffix("/*").unwrap_or(written);
        let names: Vec<&str> = written.split('/').filter(|name| !matches!(*name, "" | ".")).collect();
        (!names.is_empty() && !written.contains(['*', '?', '['])).then(|| names.join("/"))
    }
}
