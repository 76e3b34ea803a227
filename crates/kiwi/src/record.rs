//! What `prepare` remembers in the tree for the operations that come later: `image/kiwi.json`.

use std::fmt;
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
    /// Secrets and identities that were found in the tree.
    #[serde(default)]
    pub secrets: Vec<Secret>,
}

/// Something that must not be the same on every machine, and that a build made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret {
    /// What it is.
    pub what: String,
    /// Its files in the tree.
    pub paths: Vec<String>,
    /// What became of it.
    pub renewed: Renewal,
}

/// What became of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Renewal {
    /// Removed; the system makes it when it is missing.
    System,
    /// Removed; this unit makes it at the first boot.
    Unit(String),
    /// Removed; nothing in the image makes it anew.
    Nobody,
    /// Still there: what the author of the description can do.
    Author(String),
    /// Still there: kiwi does not know how it is made.
    Kept,
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, paths, renewed } = self;
        let paths: Vec<String> = paths.iter().map(|path| format!("/{path}")).collect();
        let paths = paths.join(", ");
        match renewed {
            Renewal::System => write!(f, "{what}: removed, each machine makes its own ({paths})"),
            Renewal::Unit(unit) => write!(f, "{what}: removed, {unit} makes each machine its own ({paths})"),
            Renewal::Nobody => write!(f, "{what}: removed, nothing in the image makes it anew ({paths})"),
            Renewal::Author(remedy) => {
                write!(f, "{what}: made during the build, the same on every machine ({paths}); {remedy}")
            }
            Renewal::Kept => write!(
                f,
                "{what}: made during the build, the same on every machine ({paths}); remove it in config.sh, or bring \
                 it in root/ if that is meant"
            ),
        }
    }
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
