//! Machine architectures by the names that descriptions use.

use std::fmt;

/// A machine name such as `x86_64`, normalised: `amd64` is `x86_64`, every `i?86` is `ix86`, `arm64` is `aarch64`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize)]
pub struct Architecture(String);

impl Architecture {
    /// Normalises any spelling of a machine name; an unknown name is kept.
    pub fn new(keyword: &str) -> Self {
        let keyword = keyword.trim();
        let known = match keyword {
            "amd64" => "x86_64",
            "arm64" => "aarch64",
            "i386" | "i486" | "i586" | "i686" | "ix86" => "ix86",
            other => other,
        };
        Self(known.to_owned())
    }

    /// Returns the machine name used in file names (`x86_64`, `i686`, `aarch64`).
    pub fn machine(&self) -> &str {
        if self.0 == "ix86" { "i686" } else { &self.0 }
    }

    /// Returns the name that replaces `%arch` in source paths (32-bit x86 is `i386`).
    pub fn path_keyword(&self) -> &str {
        if self.0 == "ix86" { "i386" } else { &self.0 }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.machine())
    }
}

/// A comma-separated list of architectures, `arch="..."`. An empty list (no attribute) allows every architecture.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct ArchitectureList(pub Vec<Architecture>);

impl ArchitectureList {
    /// Returns whether something limited to this list applies to `architecture`.
    pub fn allows(&self, architecture: &Architecture) -> bool {
        self.0.is_empty() || self.0.contains(architecture)
    }

    /// Returns whether some architecture is in both lists.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.0.is_empty() || other.0.is_empty() || self.0.iter().any(|one| other.0.contains(one))
    }
}
