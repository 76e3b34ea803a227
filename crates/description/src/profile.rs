//! `<profiles>`: named variations of one description.

use crate::{ArchitectureList, ProfileName};

/// One declared profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Its name, used by `--add-profile` and `profiles=` attributes.
    pub name: ProfileName,
    /// What it is for.
    pub description: String,
    /// `import="true"`: used when none is asked for.
    pub import: bool,
    /// `<requires profile=>`: profiles that come with it.
    pub requires: Vec<Requirement>,
    /// `arch=`: the machines it is for.
    pub architectures: ArchitectureList,
}

/// A profile that another one brings with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// Its name.
    pub profile: ProfileName,
    /// `arch=`: the machines it is brought on.
    pub architectures: ArchitectureList,
}
