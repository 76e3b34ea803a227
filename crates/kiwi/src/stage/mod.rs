//! The stages of a build and their keys.
//!
//! ```text
//! bootstrap -> scripts -> packages -> tree -> image        boot image -> image
//! ```
//!
//! A stage's key is the digest of everything that goes into it, the keys of the stages before it and kiwi's own sources
//! (`build.rs`) included: no number must be raised by hand for a change to be seen. Keys come from plans alone: whether
//! a stage can be taken from the cache is known before any of it has run.

mod inputs;

use serde::{Deserialize, Serialize};

pub use inputs::{Change, Digest, Inputs, Key};

/// A part of a build that has a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// A tree in which scripts run: the packages that are there before all others, configured.
    Bootstrap,
    /// That tree with the packages that have scripts, and what these need, configured.
    Scripts,
    /// A tree with every package installed and configured.
    Packages,
    /// That tree with the overlay, the users, the settings, and after the scripts.
    Tree,
    /// An initrd and its kernel.
    BootImage,
    /// The finished files of one type.
    Image,
}

impl Stage {
    /// All of them, in the order of a build.
    pub const ALL: [Self; 6] =
        [Self::Bootstrap, Self::Scripts, Self::Packages, Self::Tree, Self::BootImage, Self::Image];

    /// Its name in the cache and on the command line.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Bootstrap => "bootstrap",
            Self::Scripts => "scripts",
            Self::Packages => "packages",
            Self::Tree => "tree",
            Self::BootImage => "boot-image",
            Self::Image => "image",
        }
    }

    /// What it is, for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Bootstrap => "Bootstrap",
            Self::Scripts => "Packages with scripts",
            Self::Packages => "Packages",
            Self::Tree => "Customised tree",
            Self::BootImage => "Boot image",
            Self::Image => "Image",
        }
    }
}
