//! The one error type for a failed command.

use std::io;
use std::path::PathBuf;

use super::Interrupted;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The program is not installed.
    #[error("the program '{program}' is required and not installed; {remedy}")]
    Missing {
        /// Its name.
        program: String,
        /// How to install it.
        remedy: String,
    },
    /// It exited with an error.
    #[error("{command}\nfailed with {status}{}", shown(tail))]
    Failed {
        /// The command line.
        command: String,
        /// Exit code or signal.
        status: String,
        /// The last lines it printed.
        tail: Vec<String>,
    },
    /// It could not be started or monitored.
    #[error("running {command}: {error}{}", shown(tail))]
    Io {
        /// The command line.
        command: String,
        /// The cause.
        error: io::Error,
        /// Output of the sandbox.
        tail: Vec<String>,
    },
    /// It would treat the marker files of device nodes as regular files.
    #[error(
        "{command}\ncannot be shown the device nodes of the image: the kernel, or the container that kiwi runs in, refuses \
         to hand its system calls to kiwi (seccomp user notification, Linux 5.0 and later); allow that, or let the system make \
         them at boot (tmpfiles.d), instead of: {}",
        names(devices)
    )]
    Devices {
        /// The command line.
        command: String,
        /// The nodes, as paths in the tree.
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

    /// Returns the last lines of output, if the command ran.
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
    tail.iter().fold(String::from("; its last output:"), |text, line| text + "\n  | " + line)
}
