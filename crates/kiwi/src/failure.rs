//! Failures that name their kind, so that a program, a test or an exit code need not read the message.
//!
//! A function that knows why it failed returns a [`Failure`] or an [`Invalid`]; `error` finds them in the chain of causes.

use std::fmt;

use description::{Diagnostics, Severity};
use serde::Serialize;

/// Why an operation failed. The keyword is part of the protocol in `docs/json.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A mistake on the command line.
    Usage,
    /// The description is wrong.
    InvalidDescription,
    /// The description is right and needs what this version does not build.
    NotBuilt,
    /// A file or directory is missing, or cannot be read or written.
    File,
    /// A file or directory exists already and is not overwritten.
    Exists,
    /// A file is damaged, or is not what kiwi expects.
    Damaged,
    /// A setting of `kiwi.yml` is wrong.
    Configuration,
    /// No space is left.
    NoSpace,
    /// The description has no repository that can be used.
    NoRepository,
    /// A repository cannot be reached.
    RepositoryUnreachable,
    /// A repository is older than its release file allows, or from the future.
    RepositoryExpired,
    /// A signature is missing or wrong.
    Signature,
    /// A package is missing in the repositories or in the description, or packages contradict each other.
    Packages,
    /// A script of the description failed.
    ScriptFailed,
    /// A program or file of another package that kiwi needs is not installed.
    MissingProgram,
    /// A program that kiwi runs failed.
    CommandFailed,
    /// The system does not give the namespaces that kiwi needs.
    Namespaces,
    /// A signal ended the run.
    Interrupted,
    /// Anything else.
    Failed,
}

impl Kind {
    /// All kinds, in the order of the handbook.
    pub const ALL: [Self; 19] = [
        Self::Usage,
        Self::InvalidDescription,
        Self::NotBuilt,
        Self::File,
        Self::Exists,
        Self::Damaged,
        Self::Configuration,
        Self::NoSpace,
        Self::NoRepository,
        Self::RepositoryUnreachable,
        Self::RepositoryExpired,
        Self::Signature,
        Self::Packages,
        Self::ScriptFailed,
        Self::MissingProgram,
        Self::CommandFailed,
        Self::Namespaces,
        Self::Interrupted,
        Self::Failed,
    ];

    /// Returns the exit code of a run that failed for this reason. The code of [`Kind::Interrupted`] also depends on the
    /// signal.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Usage => 2,
            Self::InvalidDescription => 3,
            Self::NotBuilt => 4,
            Self::Interrupted => 130,
            Self::File
            | Self::Exists
            | Self::Damaged
            | Self::Configuration
            | Self::NoSpace
            | Self::NoRepository
            | Self::RepositoryUnreachable
            | Self::RepositoryExpired
            | Self::Signature
            | Self::Packages
            | Self::ScriptFailed
            | Self::MissingProgram
            | Self::CommandFailed
            | Self::Namespaces
            | Self::Failed => 1,
        }
    }
}

/// Returns from the function with a [`Failure`] of the kind: `fail!(Exists, "{path} exists")`.
macro_rules! fail {
    ($kind:ident, $($message:tt)+) => {
        return Err($crate::failure::Failure::new($crate::failure::Kind::$kind, format!($($message)+)).into())
    };
}
pub(crate) use fail;

/// A failure of a known kind.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Why.
    pub kind: Kind,
    /// What failed on what, and the reason.
    pub message: String,
    /// What the user can do about it.
    pub remedy: Option<String>,
}

impl Failure {
    /// Returns a failure without a remedy.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), remedy: None }
    }

    /// Adds what the user can do about it.
    #[must_use]
    pub fn remedy(self, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..self }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.message)?;
        match &self.remedy {
            Some(remedy) => write!(to, "\n{remedy}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}

/// The rule of a diagnostic about a source that the command line must replace.
pub const REPLACED: &str = "repository-to-replace";

/// A description that cannot be built; the diagnostics say where and why.
#[derive(Debug, thiserror::Error)]
#[error("{}", summary(diagnostics))]
pub struct Invalid {
    /// All of them, warnings too.
    pub diagnostics: Diagnostics,
    /// Whether the operation has already shown them in its own form.
    pub told: bool,
}

impl Invalid {
    /// Wraps diagnostics that were not shown yet.
    pub fn new(diagnostics: Diagnostics) -> Self {
        Self { diagnostics, told: false }
    }

    /// Returns [`Kind::NotBuilt`] if every error is about something that this version does not build, and
    /// [`Kind::NoRepository`] if the description only lacks a source of packages.
    pub fn kind(&self) -> Kind {
        let errors = || self.diagnostics.0.iter().filter(|one| one.severity == Severity::Error);
        if errors().all(|error| error.rule == description::NOT_BUILT) {
            Kind::NotBuilt
        } else if errors().all(|error| error.rule == REPLACED) {
            Kind::NoRepository
        } else {
            Kind::InvalidDescription
        }
    }
}

/// Says in one line whether the description is wrong, or right and not built by this version.
fn summary(diagnostics: &Diagnostics) -> String {
    let mut errors = diagnostics.0.iter().filter(|one| one.severity == Severity::Error);
    if errors.all(|error| error.rule == description::NOT_BUILT) {
        return "the description is right, but needs what this version of kiwi does not build".to_owned();
    }
    match diagnostics.0.iter().filter(|one| one.severity == Severity::Error).count() {
        1 => "1 error in the description".to_owned(),
        errors => format!("{errors} errors in the description"),
    }
}
