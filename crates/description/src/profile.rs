//! `<profiles>`: named variations of one description.

use crate::ProfileName;

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
    pub requires: Vec<ProfileName>,
}
