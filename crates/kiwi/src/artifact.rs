//! What a build gives: files with a role, published under their final names when all of them are complete.

use std::fmt;
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use bootconfig::{Checksum, Digester};
use serde::{Deserialize, Serialize};

use crate::gzip::GzipWriter;
use crate::host::{Host, sparse};
use crate::workspace::Workspace;

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// `N.packages`
    PackageList,
    /// `N.md5`
    Checksum,
    /// A boot image.
    Initrd,
    /// The kernel of a boot image.
    Kernel,
    /// A short name that leads to the kernel.
    KernelLink,
    /// Settings of a virtual machine.
    MachineSettings,
    /// `N.config`: how the image is installed.
    InstallSettings,
    /// The image itself; published last.
    Image,
}

/// A finished file that may not have its final name yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// What it is.
    pub role: Role,
    /// Its final name, without folder.
    pub name: String,
    /// Where it is now.
    pub path: PathBuf,
}

impl Artifact {
    /// A file in the workspace.
    pub fn new(role: Role, name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self { role, name: name.into(), path: path.into() }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PackageList => "Package list",
            Self::Checksum => "Checksum",
            Self::Initrd => "Boot image",
            Self::Kernel | Self::KernelLink => "Kernel",
            Self::MachineSettings => "Virtual machine",
            Self::InstallSettings => "Installation",
            Self::Image => "Image",
        })
    }
}

/// Gives every file its final name, the image itself last; returns them with their final paths.
pub fn publish(mut artifacts: Vec<Artifact>, workspace: &Workspace, host: &Host) -> Result<Vec<Artifact>> {
    artifacts.sort_by_key(|artifact| artifact.role);
    host.check_interrupt()?;
    for artifact in &mut artifacts {
        let target = workspace.published(&artifact.name);
        host.rename(&artifact.path, &target)
            .with_context(|| format!("giving {} its name", target.display()))?;
        artifact.path = target;
    }
    Ok(artifacts)
}

/// The sum of a file as `N.md5` has it. Holes are not read: they are known to be zeros.
pub fn checksum(path: &Path) -> Result<Checksum> {
    let reading = || format!("reading {}", path.display());
    let file = File::open(path).with_context(reading)?;
    let size = file.metadata().with_context(reading)?.len();
    let mut digester = Digester::default();
    let zeros = vec![0; 1 << 20];
    let mut buffer = vec![0; 1 << 20];
    let mut position = 0;
    for (start, end) in sparse::extents(&file, size).with_context(reading)? {
        while position < start {
            let count = (start - position).min(zeros.len() as u64);
            digester.update(&zeros[..usize::try_from(count)?]);
            position += count;
        }
        while position < end {
            let count = usize::try_from((end - position).min(buffer.len() as u64))?;
            file.read_exact_at(&mut buffer[..count], position).with_context(reading)?;
            digester.update(&buffer[..count]);
            position += count as u64;
        }
    }
    Ok(digester.finish())
}

/// Packs a file with gzip beside it and removes the plain one; the new path.
pub fn compress(path: &Path, host: &Host) -> Result<PathBuf> {
    let mut name = path.as_os_str().to_owned();
    name.push(".gz");
    let packed = PathBuf::from(name);
    let what = || format!("compressing {}", path.display());
    let mut source = File::open(path).with_context(what)?;
    let target = host.create_file(&packed).with_context(what)?;
    let mut writer = GzipWriter::new(target, host.processors()).with_context(what)?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        host.check_interrupt()?;
        match source.read(&mut buffer).with_context(what)? {
            0 => break,
            count => writer.write_all(&buffer[..count]).with_context(what)?,
        }
    }
    writer.finish().with_context(what)?;
    host.remove_file(path).with_context(what)?;
    Ok(packed)
}
