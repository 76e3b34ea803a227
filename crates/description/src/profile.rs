//! `<profiles>`: named variations of one description.

use crate::{ArchitectureList, ProfileName};

/// One declared profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Its name, used by `--add-profile` and `profiles=` attributes.
    pub name: ProfileName,
    /// Its purpose.
    pub description: String,
    /// `import="true"`: active if no profile is requested.
    pub import: bool,
    /// `<requires profile=>`: profiles that it activates.
    pub requires: Vec<Requirement>,
    /// `arch=`: its architectures.
    pub architectures: ArchitectureList,
}

/// A profile that another one activates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// Its name.
    pub profile: ProfileName,
    /// `arch=`: the architectures on which it is activated.
    pub architectures: ArchitectureList,
}
