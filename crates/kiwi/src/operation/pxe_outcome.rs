//! What the operations of network boot return.

use std::path::PathBuf;

use serde::Serialize;

use crate::host::lossy;
use crate::pxe::Change;

/// A directory for network boot.
#[derive(Debug, Serialize)]
pub struct PxeTree {
    /// The directory.
    #[serde(serialize_with = "lossy")]
    pub directory: PathBuf,
    /// The address of the server and the number of bits of its network.
    pub server: String,
    /// How machines load systems: `tftp` or `http`.
    pub transport: &'static str,
    /// Boot loaders and sample configurations, below the directory.
    pub files: Vec<String>,
}

/// Images that were put into a directory for network boot.
#[derive(Debug, Serialize)]
pub struct Published {
    /// The directory.
    #[serde(serialize_with = "lossy")]
    pub directory: PathBuf,
    /// In the order of the request.
    pub images: Vec<PublishedImage>,
}

/// A published image.
#[derive(Debug, Serialize)]
pub struct PublishedImage {
    /// Its name with architecture and version.
    pub name: String,
    /// Its files, with its boot image and kernel.
    pub files: Vec<PublishedFile>,
}

/// A published file.
#[derive(Debug, Serialize)]
pub struct PublishedFile {
    /// Its path below the directory.
    pub path: String,
    /// What happened to it.
    pub change: Change,
}

/// The machines of a directory for network boot.
#[derive(Debug, Serialize)]
pub struct Machines {
    /// The directory.
    #[serde(serialize_with = "lossy")]
    pub directory: PathBuf,
    /// Whether this is about one machine.
    #[serde(skip)]
    pub shown: bool,
    /// Those that wait first.
    pub machines: Vec<Machine>,
}

impl Machines {
    /// Returns whether a machine has a problem.
    pub fn have_problems(&self) -> bool {
        self.machines.iter().any(|machine| !machine.problems.is_empty())
    }
}

/// Whether a machine has a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MachineState {
    /// It has one.
    Configured,
    /// It has registered and waits for one.
    Waiting,
}

/// A machine that boots over the network.
#[derive(Debug, Serialize)]
pub struct Machine {
    /// Its MAC address, or `default`.
    pub mac: String,
    /// Whether it has a configuration.
    pub state: MachineState,
    /// The name that was entered at it.
    pub alias: Option<String>,
    /// Its architecture.
    pub architecture: Option<String>,
    /// Its address when it registered.
    pub address: Option<String>,
    /// Its vendor and model.
    pub model: Option<String>,
    /// The names of its images.
    pub images: Vec<String>,
    /// The text of its configuration, when one machine is shown.
    pub config: Option<String>,
    /// Mistakes in its configuration, and files that it names and that are missing.
    pub problems: Vec<String>,
}

impl Machine {
    /// Returns a machine of which nothing else is known.
    pub fn new(mac: String, state: MachineState) -> Self {
        Self {
            mac,
            state,
            alias: None,
            architecture: None,
            address: None,
            model: None,
            images: Vec::new(),
            config: None,
            problems: Vec::new(),
        }
    }
}
