//! The error of the network clients.

use std::fmt;
use std::io::{self, ErrorKind};

/// What kind of failure it is: a caller decides by it, a person reads the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetErrorKind {
    /// The machine has no network card that can be used.
    NoCard,
    /// The server has no such file, or no name server knows the name.
    NotFound,
    /// The server does not allow it.
    AccessViolation,
    /// The server reports another failure of its own.
    ServerFailure,
    /// No answer came in time.
    Timeout,
    /// The server or its network cannot be reached.
    Unreachable,
    /// An answer breaks the rules of the protocol.
    Protocol,
    /// The file is larger than its reader allows.
    TooLarge,
    /// The file is no longer the one whose download began.
    Changed,
    /// A name cannot be used in a request.
    InvalidName,
    /// A call of the kernel failed.
    System,
}

/// A failure of the network or of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetError {
    /// What kind of failure it is.
    pub kind: NetErrorKind,
    /// What failed, on what, and why.
    pub text: String,
}

impl NetError {
    /// Returns an error of this kind.
    pub(super) fn new(kind: NetErrorKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }

    /// Returns the error of a call on a socket; `what` failed.
    pub(super) fn of_call(what: &str, error: &io::Error) -> Self {
        if let Some(own) = Self::within(error) {
            return own.clone();
        }
        let kind = match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => {
                return Self::new(NetErrorKind::Timeout, format!("{what}: no answer in time"));
            }
            ErrorKind::ConnectionRefused
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
            | ErrorKind::UnexpectedEof
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NetworkDown => NetErrorKind::Unreachable,
            _ => NetErrorKind::System,
        };
        Self::new(kind, format!("{what}: {error}"))
    }

    /// Returns the error that an I/O error of this module's readers carries.
    pub fn within(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    /// Whether the same request can succeed later: the server or the network may come back.
    pub fn may_pass(&self) -> bool {
        match self.kind {
            NetErrorKind::Timeout | NetErrorKind::Unreachable | NetErrorKind::ServerFailure => true,
            NetErrorKind::NoCard
            | NetErrorKind::NotFound
            | NetErrorKind::AccessViolation
            | NetErrorKind::Protocol
            | NetErrorKind::TooLarge
            | NetErrorKind::Changed
            | NetErrorKind::InvalidName
            | NetErrorKind::System => false,
        }
    }
}

impl fmt::Display for NetError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl std::error::Error for NetError {}

impl From<NetError> for io::Error {
    fn from(error: NetError) -> Self {
        let kind = match error.kind {
            NetErrorKind::NotFound => ErrorKind::NotFound,
            NetErrorKind::AccessViolation => ErrorKind::PermissionDenied,
            NetErrorKind::Timeout => ErrorKind::TimedOut,
            NetErrorKind::Unreachable => ErrorKind::HostUnreachable,
            NetErrorKind::Protocol | NetErrorKind::TooLarge | NetErrorKind::Changed => ErrorKind::InvalidData,
            NetErrorKind::InvalidName => ErrorKind::InvalidInput,
            NetErrorKind::NoCard | NetErrorKind::ServerFailure | NetErrorKind::System => ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}
