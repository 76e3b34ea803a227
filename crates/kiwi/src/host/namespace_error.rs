//! Why kiwi cannot enter private namespaces.

use std::io;

use super::ids::IdsError;
use super::userns_diagnosis::{Step, UsernsDiagnosis};

/// Why the namespaces could not be had.
#[derive(Debug, thiserror::Error)]
pub enum NamespaceError {
    /// The kernel or a container refuses user namespaces.
    #[error("{0}")]
    Refused(UsernsDiagnosis),
    /// There are not enough ids to map.
    #[error(transparent)]
    Ids(#[from] IdsError),
    /// Anything else.
    #[error("entering private namespaces")]
    Io(#[from] io::Error),
}

/// Returns a conversion of the kernel's answer to one step.
pub(super) fn refused(step: Step) -> impl Fn(io::Error) -> NamespaceError {
    move |error| NamespaceError::Refused(UsernsDiagnosis::new(step, error))
}
