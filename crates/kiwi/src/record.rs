//! What `prepare` remembers in the tree for the operations that come later: `image/kiwi.json`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::identity::Identity;
use crate::root_tree::{DESCRIPTION, RootTree};

const FILE: &str = "kiwi.json";

/// How a tree came about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Nothing in the tree is newer; seconds since 1970.
    pub epoch: u64,
    /// Base name and version of the description.
    pub name: String,
    /// Version of the description.
    pub version: String,
    /// Digest of the package list, part of the identity.
    pub packages: String,
    /// The profiles that were active.
    pub profiles: Vec<String>,
    /// Where the description was; `this://` of a boot image's repositories is relative to it.
    pub description: Option<PathBuf>,
}

impl Record {
    /// Reads the record of a prepared tree.
    pub fn read(tree: &RootTree) -> Result<Self> {
        let text = tree.read(format!("{DESCRIPTION}/{FILE}")).with_context(|| {
            format!("{} was not prepared by this kiwi; prepare it again", tree.path().display())
        })?;
        serde_json::from_slice(&text).with_context(|| format!("reading {DESCRIPTION}/{FILE} in the tree"))
    }

    /// Writes it. The path of the description is left out: it is of this machine, not of the image.
    pub fn write(&self, tree: &RootTree) -> Result<()> {
        tree.write(format!("{DESCRIPTION}/{FILE}"), serde_json::to_string_pretty(self)? + "\n", 0o644)
    }

    /// Where identifiers of images made from this tree come from.
    pub fn identity(&self) -> Identity {
        Identity::new(self.epoch, [self.name.as_str(), &self.version, &self.packages])
    }
}
