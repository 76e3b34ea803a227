//! What the steps of a build changed in a tree: `image/origins.json` in a root tree, and `origins` of an image in
//! `kiwi.result.json`. No image contains it. `kiwi explain` reads it.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::root_tree::{DESCRIPTION, RootTree};
use crate::stage::Stage;

const FILE: &str = "origins.json";

/// The changes of all steps.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Origins {
    /// Names of the packages that were installed before all others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bootstrap: Vec<String>,
    /// In the order in which they ran.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepOrigin>,
}

/// The changes of one step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepOrigin {
    /// The stage that it belongs to.
    pub stage: Stage,
    /// Its kind.
    pub kind: StepKind,
    /// Name of the overlay, the archive or the script in the description; empty for other kinds.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Paths in the tree without a leading slash, sorted; directories are not listed.
    pub paths: Vec<String>,
    /// The number of further paths, if there are too many to list.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub omitted: usize,
}

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepKind {
    /// Unpacks an archive of the description.
    Archive,
    /// Copies an overlay: `root/`, or the directory of a profile.
    Overlay,
    /// Creates the accounts of `<users>`.
    Users,
    /// Copies the files of `<file>`.
    Files,
    /// Writes keyboard, time zone, locale, name and version.
    Settings,
    /// Runs a script of the description.
    Script,
    /// Removes packages.
    Removal,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Origins {
    /// Reads the file of a tree; `None` if the tree has none.
    pub fn read(tree: &RootTree) -> Result<Option<Self>> {
        let path = format!("{DESCRIPTION}/{FILE}");
        if !tree.exists(&path) {
            return Ok(None);
        }
        let text = tree.read(&path)?;
        let reading = || format!("reading {}", tree.path().join(path).display());
        serde_json::from_slice(&text).map(Some).with_context(reading)
    }

    /// Writes the file of a tree.
    pub fn write(&self, tree: &RootTree) -> Result<()> {
        tree.write(format!("{DESCRIPTION}/{FILE}"), serde_json::to_string_pretty(self)? + "\n", 0o644)
    }

    /// Returns whether nothing is recorded.
    pub fn is_empty(&self) -> bool {
        self.bootstrap.is_empty() && self.steps.is_empty()
    }

    /// Removes paths that the tree does not contain.
    pub fn forget_missing(&mut self, tree: &RootTree) {
        for step in &mut self.steps {
            step.paths.retain(|path| tree.root().resolve_nofollow(path).is_ok());
        }
        self.steps.retain(|step| !step.paths.is_empty());
    }

    /// Limits the number of paths of all steps; those of the last steps are omitted first, and counted.
    pub fn limit(&mut self, most: usize) {
        let mut left = most;
        for step in &mut self.steps {
            step.omitted += step.paths.len().saturating_sub(left);
            step.paths.truncate(left);
            left -= step.paths.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(name: &str, paths: &[&str]) -> StepOrigin {
        let paths = paths.iter().map(|path| (*path).to_owned()).collect();
        StepOrigin { stage: Stage::Tree, kind: StepKind::Script, name: name.to_owned(), paths, omitted: 0 }
    }

    #[test]
    fn paths_beyond_the_limit_are_counted() {
        let steps = vec![step("a", &["1", "2"]), step("b", &["3", "4"]), step("c", &["5"])];
        let mut origins = Origins { bootstrap: Vec::new(), steps };
        origins.limit(3);
        let left: Vec<(usize, usize)> =
            origins.steps.iter().map(|step| (step.paths.len(), step.omitted)).collect();
        assert_eq!(left, [(2, 0), (1, 1), (0, 1)]);
    }

    #[test]
    fn missing_paths_are_forgotten_and_the_rest_is_read_again() {
        let directory = tempfile::tempdir().unwrap();
        let tree = RootTree::merged(directory.path()).unwrap();
        assert_eq!(Origins::read(&tree).unwrap(), None);
        tree.symlink("etc/link", "/nowhere").unwrap();
        let steps = vec![step("a", &["etc/link", "etc/gone"]), step("b", &["gone"])];
        let mut origins = Origins { bootstrap: vec!["dash".to_owned()], steps };
        origins.forget_missing(&tree);
        assert_eq!(origins.steps, [step("a", &["etc/link"])]);
        origins.write(&tree).unwrap();
        assert_eq!(Origins::read(&tree).unwrap(), Some(origins));
    }
}
