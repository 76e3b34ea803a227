//! The record of a prepared tree for later operations: `image/kiwi.json`.

use std::fmt;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::checked;
use crate::failure::{Failure, Kind};
use crate::identity::Identity;
use crate::root_tree::{DESCRIPTION, RootTree};

const FILE: &str = "kiwi.json";

/// The properties of a prepared tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The maximum time of files in the tree, in seconds since 1970.
    pub epoch: u64,
    /// Base name and version of the description.
    #[serde(deserialize_with = "checked::name")]
    pub name: String,
    /// Version of the description.
    #[serde(deserialize_with = "checked::name")]
    pub version: String,
    /// Digest of the package list, part of the identity.
    #[serde(deserialize_with = "checked::name")]
    pub packages: String,
    /// The active profiles.
    pub profiles: Vec<String>,
    /// The path of the description; `this://` of a boot image's repositories is relative to it.
    pub description: Option<PathBuf>,
    /// Secrets and identities that were found in the tree.
    #[serde(default)]
    pub secrets: Vec<Secret>,
}

/// A secret or identity that the build created, and that must differ between machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret {
    /// Its name.
    pub what: String,
    /// Its files in the tree.
    pub paths: Vec<String>,
    /// How it is renewed.
    pub renewed: Renewal,
}

/// How a secret is renewed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Renewal {
    /// Removed; the system creates it if it is missing.
    System,
    /// Removed; this unit creates it at the first boot.
    Unit(String),
    /// Removed; nothing in the image creates it again.
    Nobody,
    /// Not removed; the text tells the author of the description the remedy.
    Author(String),
    /// Not removed; kiwi does not know how to create it.
    Kept,
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, paths, renewed } = self;
        let paths: Vec<String> = paths.iter().map(|path| format!("/{path}")).collect();
        let paths = paths.join(", ");
        match renewed {
            Renewal::System => write!(f, "{what}: removed, each machine creates its own ({paths})"),
            Renewal::Unit(unit) => {
                write!(f, "{what}: removed, {unit} creates a new one on each machine ({paths})")
            }
            Renewal::Nobody => write!(f, "{what}: removed, nothing in the image creates it again ({paths})"),
            Renewal::Author(remedy) => {
                write!(f, "{what}: created during the build, the same on every machine ({paths}); {remedy}")
            }
            Renewal::Kept => write!(
                f,
                "{what}: created during the build, the same on every machine ({paths}); remove it in config.sh, or \
                 add it to root/ if that is intended"
            ),
        }
    }
}

impl Record {
    /// Reads the record of a prepared tree.
    pub fn read(tree: &RootTree) -> Result<Self> {
        let text = tree.read(format!("{DESCRIPTION}/{FILE}")).with_context(|| {
            format!("{} was not prepared by this version of kiwi; prepare it again", tree.path().display())
        })?;
        Self::parse(&text).map_err(|error| {
            let path = tree.path().join(DESCRIPTION).join(FILE);
            Failure::new(Kind::File, checked::at(&path, &error)).remedy("Prepare the tree again.").into()
        })
    }

    /// Parses the text of the record.
    pub(crate) fn parse(text: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(text)
    }

    /// Writes the record, without the path of the description, which is valid on this machine only.
    pub fn write(&self, tree: &RootTree) -> Result<()> {
        tree.write(format!("{DESCRIPTION}/{FILE}"), serde_json::to_string_pretty(self)? + "\n", 0o644)
    }

    /// Returns the source of the identifiers of images made from this tree.
    pub fn identity(&self) -> Identity {
        Identity::new(self.epoch, [self.name.as_str(), &self.version, &self.packages])
    }
}
