//! What an operation returns: values that `--json` writes as they are and `cli` turns into text.

use std::path::PathBuf;

use serde::Serialize;

use crate::cache::Kind;
use crate::host::{ArtifactFacts, lossy};
use crate::result_record::ResultRecord;
use crate::stage::Stage;

pub use super::boot_test_outcome::{BootTest, CheckResult};
use super::comparison::lossy_bytes;
pub use super::comparison::{Comparison, Difference, Entry, Part};
pub use super::origin_answer::{OriginAnswer, OriginStep, Source};
pub use super::package_changes::PackageChange;
pub use super::pxe_outcome::{
    Machine, MachineState, Machines, Published, PublishedFile, PublishedImage, PxeTree,
};
pub use crate::pxe::Change;

fn lossy_option<S: serde::Serializer>(path: &Option<PathBuf>, serializer: S) -> Result<S::Ok, S::Error> {
    match path {
        Some(path) => lossy(path, serializer),
        None => serializer.serialize_none(),
    }
}

/// The answer of an operation. The keyword of each variant is part of the protocol in `docs/json.md`.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Outcome {
    /// Nothing to report.
    Done,
    /// A root tree that is ready.
    Tree {
        /// Its directory.
        #[serde(serialize_with = "lossy")]
        root: PathBuf,
        /// Whether it existed before.
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
    /// A system that was booted and checked.
    BootTest(BootTest),
    /// Files of an image.
    Entries {
        /// In the order of their names.
        entries: Vec<Entry>,
    },
    /// Where a path of an image comes from.
    Origin(OriginAnswer),
    /// A file of an image.
    FileContent {
        /// Its bytes; in JSON bytes that are not UTF-8 are replaced.
        #[serde(serialize_with = "lossy_bytes")]
        content: Vec<u8>,
    },
    /// A shell that ended.
    Shell {
        /// Its exit code.
        exit_code: u8,
    },
    /// A lock that was written, or is up to date.
    Locked {
        /// The file.
        #[serde(serialize_with = "lossy")]
        file: PathBuf,
        /// What changed in it.
        packages: Vec<PackageChange>,
    },
    /// Packages of a lock or a tree for which the repositories provide others.
    Outdated {
        /// In the order of their names.
        packages: Vec<PackageChange>,
    },
    /// The plan of a build.
    Explanation {
        /// Its stages in their order.
        stages: Vec<Explained>,
    },
    /// The contents of the cache.
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
        /// The requested document, in its own form.
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
    /// A rewritten description.
    Converted {
        /// The file with the text; `None`: `text`.
        #[serde(serialize_with = "lossy_option")]
        path: Option<PathBuf>,
        /// The schema.
        schema: String,
        /// The format.
        format: String,
        /// The text, if it was not written to a file.
        text: Option<String>,
    },
    /// A new description.
    Initialized {
        /// Its directory.
        #[serde(serialize_with = "lossy")]
        directory: PathBuf,
        /// The keyword of the template.
        template: String,
        /// The keyword of the distribution.
        distribution: String,
        /// What the system is.
        title: String,
        /// How people log in.
        login: String,
    },
    /// The differences of two directories or files.
    Comparison(Comparison),
    /// Two builds of one description.
    Reproduction {
        /// Whether they are identical.
        same: bool,
        /// Directory of both builds.
        #[serde(serialize_with = "lossy")]
        directory: PathBuf,
        /// Comparisons of trees and images.
        parts: Vec<Part>,
    },
    /// What was built in a directory.
    Results(BuiltFiles),
    /// A directory for network boot.
    PxeTree(PxeTree),
    /// Images that were put into it.
    Published(Published),
    /// Its machines.
    Machines(Machines),
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

/// A boot image description.
#[derive(Debug, Serialize)]
pub struct BootImage {
    /// The value of `boot=` that names it.
    pub path: String,
    /// Its version.
    pub version: String,
}

/// A profile.
#[derive(Debug, Serialize)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// Its purpose.
    pub description: String,
}

/// The contents of the cache.
#[derive(Debug, Serialize)]
pub struct Listing {
    /// Its directory.
    #[serde(serialize_with = "lossy")]
    pub directory: PathBuf,
    /// Total size in bytes.
    pub bytes: u64,
    /// Maximum size in bytes after a build; `None`: no limit.
    pub limit: Option<u64>,
    /// Totals by kind.
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
    /// Name of the image; `None`: the entry is damaged.
    pub image: Option<String>,
    /// Size in bytes.
    pub bytes: u64,
    /// Time of the last use, in seconds since 1970.
    pub used: u64,
    /// How long it took to make.
    pub saves_milliseconds: Option<u64>,
}

/// Number and size of one kind; all stages are one kind.
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
    /// Returns number and kind, for a person.
    pub fn counted(&self) -> String {
        format!("{} {}", self.count, self.kind.title())
    }
}

/// One stage of a build and what would happen to it.
#[derive(Debug, Serialize)]
pub struct Explained {
    /// Keyword of the stage.
    pub stage: &'static str,
    /// The profiles of its tree.
    pub profiles: Vec<String>,
    /// Keyword of the image type, of a stage that makes an image.
    pub image_type: Option<&'static str>,
    /// Name of the stage for a person.
    #[serde(skip)]
    pub title: &'static str,
    /// What would happen.
    #[serde(flatten)]
    pub fate: Fate,
}

impl Explained {
    pub(super) fn new(stage: Stage, fate: Fate) -> Self {
        Self { stage: stage.keyword(), profiles: Vec::new(), image_type: None, title: stage.title(), fate }
    }
}

/// What would happen to one stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "fate", rename_all = "kebab-case")]
pub enum Fate {
    /// It comes from the cache.
    Reused {
        /// Seconds since it was made.
        age: u64,
    },
    /// It is not needed: the stage that uses it comes from the cache.
    Spared,
    /// It runs.
    Runs {
        /// Why.
        why: String,
    },
    /// It is unknown until some packages are fetched.
    Unread {
        /// How many.
        missing: usize,
    },
}

/// The facts, and the requested form.
#[derive(Debug, Serialize)]
pub struct InfoAnswer {
    /// The document of `info --format json`.
    pub info: serde_json::Value,
    /// The text for standard output.
    #[serde(skip)]
    pub text: String,
}

/// The record, limited to files that exist.
#[derive(Debug, Serialize)]
pub struct BuiltFiles {
    /// The directory.
    #[serde(serialize_with = "lossy")]
    pub directory: PathBuf,
    /// As in `kiwi.result.json`.
    #[serde(flatten)]
    pub record: ResultRecord,
    /// Names of files that no longer exist.
    pub missing: Vec<String>,
}

impl Outcome {
    /// Returns 1 for a comparison with differences and for a machine whose configuration has problems, else 0.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Comparison(comparison) => u8::from(!comparison.same),
            Self::Shell { exit_code } => *exit_code,
            Self::BootTest(test) => u8::from(!test.passed),
            Self::Reproduction { same, .. } => u8::from(!same),
            Self::Machines(machines) => u8::from(machines.shown && machines.have_problems()),
            Self::Outdated { packages } => u8::from(!packages.is_empty()),
            Self::Done
            | Self::Locked { .. }
            | Self::Tree { .. }
            | Self::Artifacts { .. }
            | Self::Stick { .. }
            | Self::Explanation { .. }
            | Self::Entries { .. }
            | Self::Origin(_)
            | Self::FileContent { .. }
            | Self::Cache(_)
            | Self::Pruned { .. }
            | Self::Verified { .. }
            | Self::Checked { .. }
            | Self::Info(_)
            | Self::Converted { .. }
            | Self::Initialized { .. }
            | Self::Results(_)
            | Self::PxeTree(_)
            | Self::Published(_)
            | Self::BootImages { .. }
            | Self::Profiles { .. }
            | Self::PasswordHash { .. } => 0,
        }
    }
}
