//! What a look into images found: their files, and how two of them differ.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::host::lossy;

/// A file of an image.
#[derive(Debug, Serialize)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// `file`, `directory`, `link` or `special`.
    pub kind: &'static str,
    /// The bits of its permissions.
    pub mode: u32,
    /// The number of its user.
    pub user: u32,
    /// The number of its group.
    pub group: u32,
    /// Bytes.
    pub size: u64,
    /// Where a link leads.
    pub target: Option<String>,
}

/// Serialises bytes as text.
pub(super) fn lossy_bytes<S: serde::Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&String::from_utf8_lossy(bytes))
}

/// One comparison of two builds.
#[derive(Debug, Serialize)]
pub struct Part {
    /// What was compared.
    pub what: &'static str,
    /// The result.
    #[serde(flatten)]
    pub comparison: Comparison,
}

/// The differences of two directories or files.
#[derive(Debug, Serialize, Deserialize)]
pub struct Comparison {
    /// The first.
    #[serde(serialize_with = "lossy")]
    pub one: PathBuf,
    /// The other.
    #[serde(serialize_with = "lossy")]
    pub other: PathBuf,
    /// Whether there are no differences.
    pub same: bool,
    /// All differences, in the order of the paths.
    pub differences: Vec<Difference>,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Path below the directories that are compared.
    pub path: String,
    /// Paths inside that file, if it is an image: the last one differs, the ones before it are images in images.
    pub inside: Vec<String>,
    /// What differs.
    pub what: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.path)?;
        self.inside.iter().try_for_each(|path| write!(to, ": in it {path}"))?;
        write!(to, ": {}", self.what)
    }
}
