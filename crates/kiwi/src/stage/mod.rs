//! The stages of a build and their keys.
//!
//! ```text
//! bootstrap -> scripts -> packages -> tree -> image        boot image -> image
//! ```
//!
//! A stage's key is the digest of all its inputs: the inputs as canonical JSON, the key of the stage before it, and the
//! number of the stage's format ([`Stage::format`]). Keys follow from plans alone: whether a stage can be restored from
//! the cache is known before any of it has run.

mod inputs;

use serde::{Deserialize, Serialize};

pub use inputs::{Change, Digest, Inputs, Key, canonical};

/// A part of a build that has a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// A tree in which scripts can run: the packages that are installed before all others, configured.
    Bootstrap,
    /// That tree with the packages that have scripts, and their dependencies, configured.
    Scripts,
    /// A tree with every package installed and configured.
    Packages,
    /// That tree with the overlay, the users and the settings, after the scripts.
    Tree,
    /// An initrd and its kernel.
    BootImage,
    /// The finished files of one type.
    Image,
}

impl Stage {
    /// All stages, in the order of a build.
    pub const ALL: [Self; 6] =
        [Self::Bootstrap, Self::Scripts, Self::Packages, Self::Tree, Self::BootImage, Self::Image];

    /// Returns the format number of the stage.
    ///
    /// Raise it in the commit that makes the stage give another result for the same inputs, so that no build restores
    /// the result of an earlier kiwi. A raised number also invalidates every later stage. A change that leaves results
    /// as they are (a comment, a message, a faster algorithm) leaves the number as it is.
    pub fn format(self) -> u32 {
        match self {
            Self::Bootstrap => 1,
            Self::Scripts => 1,
            Self::Packages => 1,
            Self::Tree => 4,
            Self::BootImage => 2,
            Self::Image => 10,
        }
    }

    /// Returns its name in the cache and on the command line.
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

    /// Returns its title.
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

/// Compares the result of a stage with the digest that is pinned for its format.
///
/// Each stage has one test that makes a tiny result and pins it, so that a change of what the stage does is noticed:
/// then raise [`Stage::format`] and pin the new digest with the new number.
#[cfg(test)]
pub fn assert_pinned(stage: Stage, (format, digest): (u32, &str), result: impl AsRef<[u8]>) {
    let result = result.as_ref();
    assert_eq!(
        (stage.format(), Digest::of(result).as_str()),
        (format, digest),
        "the stage '{}' gives another result or has another format; if the result changed, raise Stage::format and \
         pin both. The result:\n{}",
        stage.keyword(),
        result.escape_ascii()
    );
}
