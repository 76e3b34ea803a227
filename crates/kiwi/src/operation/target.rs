//! The destination of a medium: a file, or a stick that the user chooses.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};

use super::outcome::Outcome;
use crate::artifact::{self, Artifact, Role};
use crate::failure::fail;
use crate::host::{BeforeNamespaces, Host};
use crate::media::boot_files::directory_of;
use crate::media::flash::{self, Before};
use crate::media::removable::{self, Locations};
use crate::workspace::{Scratch, Workspace};

/// The destination of a medium.
#[derive(Debug, Clone)]
pub enum Target {
    /// This file, which is made at its final path.
    File(PathBuf),
    /// This file, which is written and verified like a stick.
    StickFile(PathBuf),
    /// The stick of this name; without a name kiwi asks for one.
    Stick(Option<String>),
    /// A stick that was chosen and opened.
    Opened(Stick),
}

/// An open stick.
#[derive(Debug, Clone)]
pub struct Stick {
    name: String,
    device: Arc<File>,
}

impl Target {
    /// Chooses and opens the stick, before anything is made. A file needs no preparation.
    pub(super) fn reach(&mut self, outside: &BeforeNamespaces) -> Result<()> {
        let Self::Stick(asked) = self else { return Ok(()) };
        let locations = Locations::below(Path::new("/"));
        let show = |line: &str| outside.show(line);
        let name = removable::choose(&locations, asked.as_deref(), show, |question| outside.ask(question))?;
        let node = locations.node(&name);
        let device = outside.open_device(&node).with_context(|| {
            format!("opening {} for writing (this needs root, or the group of the device)", node.display())
        })?;
        *self = Self::Opened(Stick { name: node.display().to_string(), device: Arc::new(device) });
        Ok(())
    }

    /// Returns the workspace: beside the file, or beside the boot image that the medium is made of.
    pub(super) fn workspace(&self, initrd: &Path, host: &Host) -> Result<Workspace> {
        let directory = match self {
            Self::File(path) | Self::StickFile(path) => directory_of(path),
            Self::Stick(_) | Self::Opened(_) => directory_of(initrd),
        };
        if !directory.is_dir() {
            fail!(File, "the directory {} does not exist; create it first", directory.display());
        }
        Workspace::open(
            &directory.canonicalize().with_context(|| format!("opening {}", directory.display()))?,
            Scratch::Disk,
            host,
        )
    }

    /// Returns where the medium is made; a file is made on the file system of its destination.
    pub(super) fn unfinished(&self, workspace: &Workspace) -> Result<PathBuf> {
        match self {
            Self::File(path) => Ok(workspace.unfinished(&file_name(path)?)),
            // Beside the copy that is renamed.
            Self::StickFile(path) => Ok(workspace.unfinished(&format!("{}.assembled", file_name(path)?))),
            Self::Stick(_) | Self::Opened(_) => Ok(workspace.unfinished("stick")),
        }
    }

    /// Renames the finished medium, or writes it to the stick and verifies it.
    pub(super) fn deliver(&self, medium: &Path, workspace: &Workspace, host: &Host) -> Result<()> {
        match self {
            Self::File(path) => publish(file_name(path)?, medium, workspace, host),
            Self::StickFile(path) => {
                let name = file_name(path)?;
                let copy = workspace.unfinished(&name);
                flash::write_file(medium, &copy, &path.display().to_string(), host)?;
                publish(name, &copy, workspace, host)
            }
            Self::Opened(stick) => flash::write(medium, &stick.device, &stick.name, Before::Anything, host),
            Self::Stick(_) => bail!("no stick was opened"),
        }
    }

    /// Returns the outcome of a delivered medium.
    pub(super) fn outcome(&self, host: &Host) -> Outcome {
        match self {
            Self::Opened(stick) => Outcome::Stick { device: stick.name.clone() },
            Self::File(_) | Self::StickFile(_) | Self::Stick(_) => {
                Outcome::Artifacts { artifacts: host.artifacts() }
            }
        }
    }
}

fn file_name(path: &Path) -> Result<String> {
    let name = path.file_name().with_context(|| format!("{} names no file", path.display()))?;
    Ok(name.to_string_lossy().into_owned())
}

/// Renames a finished medium.
fn publish(name: String, medium: &Path, workspace: &Workspace, host: &Host) -> Result<()> {
    host.check_interrupt()?;
    for artifact in artifact::publish(vec![Artifact::new(Role::Image, name, medium)], workspace, host)? {
        let size =
            artifact.path.metadata().with_context(|| format!("reading {}", artifact.path.display()))?.len();
        let digest = artifact.sha256.clone().map(|digest| ("sha256", digest));
        host.report_artifact(artifact.facts(size, digest));
    }
    Ok(())
}
