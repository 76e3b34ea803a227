//! What an operation returns: values that `--json` writes as they are and `cli` turns into text.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::cache::Kind;
use crate::host::ArtifactFacts;
use crate::result_record::ResultRecord;
use crate::stage::Stage;

/// The answer of an operation. The keyword of each variant is part of the protocol in `docs/json.md`.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Outcome {
    /// Nothing to report.
    Done,
    /// A root tree that is ready.
    Tree {
        /// Where it is.
        root: PathBuf,
        /// Whether it was there before.
        upgraded: bool,
    },
    /// Files that were built.
    Artifacts {
        /// All of them, in the order in which they were finished.
        artifacts: Vec<ArtifactFacts>,
    },
    /// A stick that was written.
    Stick {
        /// The device.
        device: String,
    },
    /// What a build would do.
    Explanation {
        /// Its stages in their order.
        stages: Vec<Explained>,
    },
    /// What the cache holds.
    Cache(Listing),
    /// What was removed from the cache.
    Pruned {
        /// By kind.
        removed: Vec<Sum>,
    },
    /// A cache without damage.
    Verified {
        /// By kind.
        whole: Vec<Sum>,
    },
    /// A description without errors.
    Checked {
        /// The document of `check --format json`.
        report: serde_json::Value,
        /// The document that was asked for, in its own form.
        #[serde(skip)]
        document: Option<String>,
        /// Warnings for a person.
        #[serde(skip)]
        shown: Option<String>,
        /// The file that was checked.
        #[serde(skip)]
        path: String,
        /// The image that it describes.
        #[serde(skip)]
        image: String,
    },
    /// What a description offers.
    Info(InfoAnswer),
    /// A description in other keywords or another format.
    Converted {
        /// The file that has the text; none: `text`.
        path: Option<PathBuf>,
        /// The schema.
        schema: String,
        /// The format.
        format: String,
        /// The text, when it went into no file.
        text: Option<String>,
    },
    /// A new description.
    Initialized {
        /// Its directory.
        directory: PathBuf,
        /// The keyword of the template.
        template: String,
        /// The title of the template.
        title: String,
        /// The package manager that this version does not build with.
        not_built: Option<String>,
    },
    /// What two directories or files have apart.
    Comparison(Comparison),
    /// Two builds of one description.
    Reproduction {
        /// Whether they are the same.
        same: bool,
        /// Where both are.
        directory: PathBuf,
        /// Comparisons of trees and images.
        parts: Vec<Part>,
    },
    /// What was built in a directory.
    Results(BuiltFiles),
    /// Boot image descriptions.
    BootImages {
        /// All of them.
        descriptions: Vec<BootImage>,
    },
    /// Profiles of a description.
    Profiles {
        /// In the order of the text.
        profiles: Vec<Profile>,
    },
    /// A hashed password.
    PasswordHash {
        /// In the form of crypt(5).
        hash: String,
    },
}

/// One comparison of two builds.
#[derive(Debug, Serialize)]
pub struct Part {
    /// What was compared.
    pub what: &'static str,
    /// How it ended.
    #[serde(flatten)]
    pub comparison: Comparison,
}

/// A boot image description.
#[derive(Debug, Serialize)]
pub struct BootImage {
    /// As `boot=` names it.
    pub path: String,
    /// Its version.
    pub version: String,
}

/// A profile.
#[derive(Debug, Serialize)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
}

/// What the cache holds.
#[derive(Debug, Serialize)]
pub struct Listing {
    /// Where it is.
    pub directory: PathBuf,
    /// All bytes.
    pub bytes: u64,
    /// How many bytes it may have after a build; none: any number.
    pub limit: Option<u64>,
    /// Sums by kind.
    pub kinds: Vec<Sum>,
    /// Finished stages.
    pub stages: Vec<CachedStage>,
    /// The time of the listing, in seconds since 1970.
    #[serde(skip)]
    pub now: u64,
}

/// A finished stage in the cache.
#[derive(Debug, Serialize)]
pub struct CachedStage {
    /// Keyword of the stage.
    pub stage: &'static str,
    /// Digest of its inputs.
    pub key: String,
    /// Name of the image; none: the entry is damaged.
    pub image: Option<String>,
    /// Bytes.
    pub bytes: u64,
    /// When it was used last, in seconds since 1970.
    pub used: u64,
    /// How long it took to make.
    pub saves_milliseconds: Option<u64>,
}

/// How much there is of one kind; all stages are one.
#[derive(Debug, Serialize)]
pub struct Sum {
    /// The kind.
    #[serde(serialize_with = "keyword")]
    pub kind: Kind,
    /// How many.
    pub count: usize,
    /// Bytes.
    pub bytes: u64,
}

fn keyword<S: serde::Serializer>(kind: &Kind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.keyword())
}

impl Sum {
    /// Number and kind, for a person.
    pub fn counted(&self) -> String {
        format!("{} {}", self.count, self.kind.title())
    }
}

/// One stage of a build and what happens to it.
#[derive(Debug, Serialize)]
pub struct Explained {
    /// Keyword of the stage.
    pub stage: &'static str,
    /// Keyword of the image type, of a stage that makes an image.
    pub image_type: Option<&'static str>,
    /// The stage for a person.
    #[serde(skip)]
    pub title: &'static str,
    /// What happens.
    #[serde(flatten)]
    pub fate: Fate,
}

impl Explained {
    pub(super) fn new(stage: Stage, fate: Fate) -> Self {
        Self { stage: stage.keyword(), image_type: None, title: stage.title(), fate }
    }
}

/// What happens to one stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "fate", rename_all = "kebab-case")]
pub enum Fate {
    /// It comes from the cache.
    Reused {
        /// Seconds since it was made.
        age: u64,
    },
    /// It is not needed: what is made of it comes from the cache.
    Spared,
    /// It runs.
    Runs {
        /// Why.
        why: String,
    },
    /// It is known when some packages were fetched.
    Unread {
        /// How many.
        missing: usize,
    },
}

/// What two directories or files have apart.
#[derive(Debug, Serialize, Deserialize)]
pub struct Comparison {
    /// The first.
    pub one: PathBuf,
    /// The other.
    pub other: PathBuf,
    /// Whether nothing differs.
    pub same: bool,
    /// All differences, in the order of the paths.
    pub differences: Vec<Difference>,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Path below what is compared.
    pub path: String,
    /// Paths inside of that file, when it is an image: the last one is what differs, the ones before are images in images.
    pub inside: Vec<String>,
    /// What differs.
    pub what: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.path)?;
        self.inside.iter().try_for_each(|path| write!(to, ": in it {path}"))?;
        write!(to, ": {}", self.what)
    }
}

/// The facts, and the form that was asked for.
#[derive(Debug, Serialize)]
pub struct InfoAnswer {
    /// The document of `info --format json`.
    pub info: serde_json::Value,
    /// What standard output gets.
    #[serde(skip)]
    pub text: String,
}

/// The record with the files that are still there.
#[derive(Debug, Serialize)]
pub struct BuiltFiles {
    /// The directory.
    pub directory: PathBuf,
    /// As `kiwi.result.json` has them.
    #[serde(flatten)]
    pub record: ResultRecord,
    /// Names of files that are no longer there.
    pub missing: Vec<String>,
}

impl Outcome {
    /// Returns 1 for two things that differ, else 0.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Comparison(comparison) => u8::from(!comparison.same),
            Self::Reproduction { same, .. } => u8::from(!same),
            Self::Done
            | Self::Tree { .. }
            | Self::Artifacts { .. }
            | Self::Stick { .. }
            | Self::Explanation { .. }
            | Self::Cache(_)
            | Self::Pruned { .. }
            | Self::Verified { .. }
            | Self::Checked { .. }
            | Self::Info(_)
            | Self::Converted { .. }
            | Self::Initialized { .. }
            | Self::Results(_)
            | Self::BootImages { .. }
            | Self::Profiles { .. }
            | Self::PasswordHash { .. } => 0,
        }
    }
}
