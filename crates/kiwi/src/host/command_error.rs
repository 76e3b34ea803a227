//! The one error for a failed command.

use std::io;
use std::path::PathBuf;

use super::Interrupted;

/// Why a command did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The program is not installed.
    #[error("the program '{program}' is needed and not installed; {remedy}")]
    Missing {
        /// Its name.
        program: String,
        /// How to get it.
        remedy: String,
    },
    /// It ended with an error.
    #[error("{command}\nfailed with {status}{}", shown(tail))]
    Failed {
        /// The command line.
        command: String,
        /// Exit code or signal in keywords.
        status: String,
        /// The last lines it printed.
        tail: Vec<String>,
    },
    /// It could not be started or watched.
    #[error("running {command}: {error}{}", shown(tail))]
    Io {
        /// The command line.
        command: String,
        /// The cause.
        error: io::Error,
        /// What the sandbox said.
        tail: Vec<String>,
    },
    /// It would take what stands in for device nodes for files.
    #[error(
        "{command}\ncannot be shown the device nodes of the image: the kernel, or the container that kiwi runs in, refuses \
         to hand its system calls to kiwi (seccomp user notification, Linux 5.0 and later); allow that, or let the system make \
         them at boot (tmpfiles.d), instead of: {}",
        names(devices)
    )]
    Devices {
        /// The command line.
        command: String,
        /// The nodes, inside the tree.
        devices: Vec<PathBuf>,
    },
    /// The user asked to stop.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl CommandError {
    /// Whether the command found no space, by what the system or the program reported.
    pub fn is_disk_full(&self) -> bool {
        let no_space = |line: &String| line.contains("No space left on device");
        match self {
            Self::Failed { tail, .. } => tail.iter().any(no_space),
            Self::Io { error, tail, .. } => {
                error.kind() == io::ErrorKind::StorageFull || tail.iter().any(no_space)
            }
            Self::Missing { .. } | Self::Devices { .. } | Self::Interrupted(_) => false,
        }
    }

    /// The last lines of output, when the command ran.
    pub fn tail(&self) -> &[String] {
        match self {
            Self::Failed { tail, .. } | Self::Io { tail, .. } => tail,
            Self::Missing { .. } | Self::Devices { .. } | Self::Interrupted(_) => &[],
        }
    }
}

fn names(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

fn shown(tail: &[String]) -> String {
    if tail.is_empty() {
        return "; it printed nothing".to_owned();
    }
    tail.iter().fold(String::from("; the last it printed:"), |text, line| text + "\n  | " + line)
}
