//! What happens during a run, as values: a listener shows them to a person or writes them for a program.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::stage_task::StageTask;

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A piece of work began.
    StageStarted {
        /// Number of the stage, unique in this run.
        id: u64,
        /// What it does.
        task: StageTask,
        /// The same for a person.
        name: String,
        /// Seconds since 1970.
        time: f64,
    },
    /// It ended.
    StageFinished {
        /// Number of the stage.
        id: u64,
        /// What it did.
        task: StageTask,
        /// The same for a person.
        name: String,
        /// Seconds since 1970.
        time: f64,
        /// How long it took.
        seconds: f64,
        /// How it ended.
        end: StageEnd,
        /// Keyword of the stage that it restored or saved, if it is about the cache.
        cached: Option<&'static str>,
    },
    /// How far a stage is.
    Progress {
        /// Number of the stage.
        id: u64,
        /// What is done.
        name: String,
        /// How much is done.
        done: u64,
        /// How much there is; 0: unknown.
        total: u64,
        /// What is counted.
        unit: Unit,
        /// The item that is next, such as the name of a package.
        detail: Option<String>,
        /// Bytes that were transferred, where packages are counted.
        bytes: Option<u64>,
        /// Bytes of all these packages, if they are known.
        bytes_total: Option<u64>,
    },
    /// A finished file has its final name.
    Artifact(ArtifactFacts),
    /// Something the user should know that does not stop the work.
    Warning {
        /// The keyword of [`Warning`], or the rule of a diagnostic.
        code: &'static str,
        /// What is the matter.
        message: String,
        /// Where, in a description.
        position: Option<Position>,
        /// The form for a person, when it is not the message.
        shown: Option<String>,
    },
    /// A line of information.
    Message(String),
}

/// How a stage ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StageEnd {
    /// The work was done.
    Finished,
    /// The result came from the cache.
    Reused,
    /// It failed, or was interrupted.
    Failed,
}

/// What a stage counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Packages.
    Packages,
}

/// A finished file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ArtifactFacts {
    /// Where it is.
    #[serde(serialize_with = "lossy")]
    pub path: PathBuf,
    /// Keyword of what it is for.
    pub role: String,
    /// The same for a person.
    #[serde(skip)]
    pub title: String,
    /// Bytes.
    pub size: u64,
    /// Lower-case hex digits by the name of the digest; empty where none was computed.
    pub digests: BTreeMap<&'static str, String>,
}

/// A location in a text: line and column count from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Position {
    /// The file, as the user named it.
    #[serde(serialize_with = "lossy")]
    pub file: PathBuf,
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// What a warning is about, where it is not about a line of a description.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Warning {
    /// An entry of the cache is damaged, or the cache cannot be used.
    Cache,
    /// A setting of `kiwi.yml` is unknown.
    Configuration,
    /// A repository is left out, or something of it cannot be used.
    Repository,
    /// A package has no effect or is missing.
    Packages,
    /// Attributes of files cannot be stored in the image.
    Attributes,
    /// Kernels do not fit together.
    Kernel,
    /// A secret stays in the tree.
    Secret,
    /// A script is not run, or failed without ending the build.
    Script,
    /// A setting of the description has another effect than its name says.
    Description,
}

impl Warning {
    /// All of them, in the order of the handbook.
    pub const ALL: [Self; 9] = [
        Self::Cache,
        Self::Configuration,
        Self::Repository,
        Self::Packages,
        Self::Attributes,
        Self::Kernel,
        Self::Secret,
        Self::Script,
        Self::Description,
    ];

    /// Returns the code in the protocol.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Cache => "cache",
            Self::Configuration => "configuration",
            Self::Repository => "repository",
            Self::Packages => "packages",
            Self::Attributes => "attributes",
            Self::Kernel => "kernel",
            Self::Secret => "secret",
            Self::Script => "script",
            Self::Description => "description",
        }
    }
}

/// Serialises a path as text; bytes of it that are no text are replaced, because JSON cannot contain them.
pub fn lossy<S: serde::Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

/// Gets every event of a run.
pub trait Listener: Send + Sync {
    /// Takes notice of one event; events of several threads come one after another.
    fn event(&self, event: &Event);

    /// Stops drawing, because a program has the terminal.
    fn pause(&self) {}

    /// Draws again.
    fn resume(&self) {}

    /// Returns whether diagnostics are shown with colours.
    fn is_colored(&self) -> bool {
        false
    }

    /// Returns whether nothing else may write to standard output.
    fn owns_stdout(&self) -> bool {
        false
    }
}

/// Where events go.
pub enum Output {
    /// Nowhere.
    Quiet,
    /// To this listener.
    To(Box<dyn Listener>),
}
