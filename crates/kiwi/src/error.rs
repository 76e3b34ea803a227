//! The error of an operation: what failed, of which kind, and what to do about it.
//!
//! The kind comes from the types in the chain of causes, never from the text of a message.

use std::fmt;

use description::{Diagnostics, Severity};

use crate::failure::{Failure, Invalid, Kind};
use crate::host::{CommandError, Interrupted, NamespaceError, Position};
use crate::script::ScriptFailed;

const NO_SPACE: &str = "Free some space, or move root tree and images to another file system (--root, --destdir, KIWI_CACHE, TMPDIR, KIWI_SCRATCH=disk).";

/// Why an operation failed.
#[derive(Debug)]
pub struct Error {
    /// The kind.
    pub kind: Kind,
    /// The number of the signal that ended the run.
    pub signal: Option<i32>,
    /// The remedy, if it is not part of the message.
    pub advice: Option<String>,
    /// The report of `check`, for the final event of `--json`.
    pub report: Option<serde_json::Value>,
    /// A document for standard output in spite of the error.
    pub document: Option<String>,
    source: anyhow::Error,
}

/// Returns the position of a diagnostic.
pub fn position_of(diagnostic: &description::Diagnostic) -> Position {
    let (line, column) = diagnostic.span.line_and_column();
    Position { file: diagnostic.span.file.name.clone().into(), line, column }
}

impl Error {
    /// Adds the report of `check` and the document for standard output.
    #[must_use]
    pub fn with_report(self, report: serde_json::Value, document: Option<String>) -> Self {
        Self { report: Some(report), document, ..self }
    }

    /// Returns the exit code of a run that ends with this error.
    pub fn exit_code(&self) -> u8 {
        match self.signal {
            Some(signal) => 128 + u8::try_from(signal).unwrap_or(2),
            None => self.kind.exit_code(),
        }
    }

    /// Returns the diagnostics of a wrong description that were not shown yet.
    pub fn untold(&self) -> Option<&Diagnostics> {
        self.find::<Invalid>().filter(|invalid| !invalid.told).map(|invalid| &invalid.diagnostics)
    }

    /// Returns the position of the first error in the description.
    pub fn position(&self) -> Option<Position> {
        self.first_diagnostic().map(position_of)
    }

    /// Returns what the user can do about it.
    pub fn remedy(&self) -> Option<String> {
        let known = self.find::<Failure>().and_then(|failure| failure.remedy.clone());
        let help = || self.first_diagnostic().and_then(|first| first.help.clone());
        let install = || match self.find::<CommandError>() {
            Some(CommandError::Missing { remedy, .. }) => Some(remedy.clone()),
            _ => None,
        };
        known.or_else(help).or_else(install).or_else(|| self.advice.clone())
    }

    /// Returns what failed, on one or more lines, without the remedy that [`Error::remedy`] returns.
    pub fn message(&self) -> String {
        if let Some(first) = self.first_diagnostic() {
            return first.message.clone();
        }
        let text = self.to_string();
        match self.find::<Failure>().and_then(|failure| failure.remedy.as_ref()) {
            Some(remedy) => text.trim_end_matches(remedy.as_str()).trim_end().to_owned(),
            None => text,
        }
    }

    fn first_diagnostic(&self) -> Option<&description::Diagnostic> {
        let all = &self.find::<Invalid>()?.diagnostics.0;
        all.iter().find(|diagnostic| diagnostic.severity == Severity::Error)
    }

    fn find<E: std::error::Error + Send + Sync + 'static>(&self) -> Option<&E> {
        // An error that is the context of another one is found by its type, but is not in the chain.
        self.source
            .downcast_ref::<E>()
            .or_else(|| self.source.chain().find_map(|cause| cause.downcast_ref::<E>()))
    }
}

impl From<anyhow::Error> for Error {
    fn from(source: anyhow::Error) -> Self {
        let mut error =
            Self { kind: Kind::Failed, signal: None, advice: None, report: None, document: None, source };
        if let Some(signal) = error.signal_of_causes() {
            error.signal = Some(signal);
            error.kind = Kind::Interrupted;
        } else {
            error.kind = error.kind_of_causes();
        }
        if error.kind == Kind::NoSpace {
            error.advice = Some(NO_SPACE.to_owned());
        }
        error
    }
}

impl Error {
    fn signal_of_causes(&self) -> Option<i32> {
        // A failed command that was interrupted represents the interruption, which is not in the chain itself.
        let of_command = || match self.find::<CommandError>() {
            Some(CommandError::Interrupted(interrupted)) => Some(interrupted),
            _ => None,
        };
        self.find::<Interrupted>().or_else(of_command).map(|interrupted| interrupted.signal)
    }

    fn kind_of_causes(&self) -> Kind {
        if let Some(invalid) = self.find::<Invalid>() {
            return invalid.kind();
        }
        if let Some(failure) = self.find::<Failure>() {
            return failure.kind;
        }
        let io = self.source.chain().find_map(|cause| cause.downcast_ref::<std::io::Error>());
        let full = io.is_some_and(|io| io.kind() == std::io::ErrorKind::StorageFull);
        if full || self.find::<CommandError>().is_some_and(CommandError::is_disk_full) {
            return Kind::NoSpace;
        }
        if self.find::<ScriptFailed>().is_some() {
            return Kind::ScriptFailed;
        }
        match self.find::<CommandError>() {
            Some(CommandError::Missing { .. }) => return Kind::MissingProgram,
            Some(CommandError::Interrupted(_)) => return Kind::Interrupted,
            Some(CommandError::Failed { .. } | CommandError::Io { .. } | CommandError::Devices { .. }) => {
                return Kind::CommandFailed;
            }
            None => {}
        }
        if self.find::<NamespaceError>().is_some() {
            return Kind::Namespaces;
        }
        match io.map(std::io::Error::kind) {
            Some(std::io::ErrorKind::InvalidData | std::io::ErrorKind::UnexpectedEof) => Kind::Damaged,
            Some(_) => Kind::File,
            None => Kind::Failed,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{:#}", self.source)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use std::io;

    use anyhow::Context as _;

    use super::*;

    fn of(error: impl Into<anyhow::Error>) -> Error {
        Error::from(error.into().context("outer"))
    }

    #[test]
    fn the_kind_comes_from_the_type_of_a_cause_at_any_depth() {
        assert_eq!(of(Failure::new(Kind::Signature, "x")).kind, Kind::Signature);
        assert_eq!(of(Interrupted { signal: 15 }).exit_code(), 143);
        assert_eq!(of(CommandError::Interrupted(Interrupted { signal: 1 })).exit_code(), 129);
        assert_eq!(of(io::Error::from(io::ErrorKind::StorageFull)).kind, Kind::NoSpace);
        assert_eq!(of(io::Error::from(io::ErrorKind::NotFound)).kind, Kind::File);
        assert_eq!(of(io::Error::from(io::ErrorKind::UnexpectedEof)).kind, Kind::Damaged);
        assert_eq!(
            of(CommandError::Missing { program: "x".into(), remedy: "y".into() }).kind,
            Kind::MissingProgram
        );
        let tail = vec!["tar: x: Cannot write: No space left on device".to_owned()];
        let failed = CommandError::Failed { command: "tar".into(), status: "exit code 2".into(), tail };
        assert_eq!(of(failed).kind, Kind::NoSpace);
        assert_eq!(
            of(anyhow::anyhow!("No space left on device")).kind,
            Kind::Failed,
            "a message decides nothing"
        );
    }

    #[test]
    fn finds_a_failure_used_as_context_and_separates_its_remedy() {
        let inner: anyhow::Result<()> = Err(io::Error::from(io::ErrorKind::NotFound).into());
        let failure = Failure::new(Kind::NoRepository, "no repository").remedy("add one");
        let error = Error::from(inner.context(failure).unwrap_err());
        assert_eq!((error.kind, error.remedy().as_deref()), (Kind::NoRepository, Some("add one")));
        let error =
            Error::from(anyhow::Error::from(Failure::new(Kind::NoRepository, "none").remedy("add one")));
        assert_eq!((error.message().as_str(), error.to_string().as_str()), ("none", "none\nadd one"));
    }
}
