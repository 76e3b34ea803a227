//! What a build gives: files with a role, published under their final names when all of them are complete.

use std::fmt;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use bootconfig::{Checksum, Digester};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::gzip::GzipWriter;
use crate::host::{ArtifactFacts, Host, sparse};
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
    /// `N.install.iso`: what installs the image.
    InstallMedium,
    /// The image itself; published last.
    Image,
}

/// A finished file that may not have its final name yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// What it is.
    pub role: Role,
    /// Its final name, without directory.
    pub name: String,
    /// Where it is now.
    pub path: PathBuf,
    /// The SHA-256 of its bytes in lower-case hex, when it was found out on the way.
    pub sha256: Option<String>,
}

impl Artifact {
    /// A file in the workspace.
    pub fn new(role: Role, name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self { role, name: name.into(), path: path.into(), sha256: None }
    }

    /// Returns what is reported of the file; `sha256` is its digest where one is known.
    pub fn facts(&self, size: u64, sha256: Option<String>) -> ArtifactFacts {
        self.role.facts(&self.path, size, sha256.map(|digest| ("sha256", digest)))
    }
}

impl Role {
    /// Returns the keyword in records and in `--json`.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::PackageList => "package-list",
            Self::Checksum => "checksum",
            Self::Initrd => "initrd",
            Self::Kernel => "kernel",
            Self::KernelLink => "kernel-link",
            Self::MachineSettings => "machine-settings",
            Self::InstallSettings => "install-settings",
            Self::InstallMedium => "install-medium",
            Self::Image => "image",
        }
    }

    /// Returns what is reported of a file with this role.
    pub fn facts(self, path: &Path, size: u64, digest: Option<(&'static str, String)>) -> ArtifactFacts {
        let (role, title) = (self.keyword().to_owned(), self.to_string());
        ArtifactFacts { path: path.to_owned(), role, title, size, digests: digest.into_iter().collect() }
    }
}

/// Bytes that both sums take at once.
const BLOCK: usize = 64;

/// Both sums of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sums {
    /// As `N.md5` has it.
    pub md5: Checksum,
    /// SHA-256 in lower-case hex.
    pub sha256: String,
}

impl Sums {
    /// Reads the file once. Holes are not read: they are known to be zeros.
    pub fn of(path: &Path) -> Result<Self> {
        let (mut md5, mut sha256) = (Digester::default(), Sha256::new());
        sparse::read_all(path, |bytes| {
            // Turn by turn: MD5 waits for its own last step all the time, and a processor does the other sum meanwhile.
            for block in bytes.chunks(BLOCK) {
                md5.update(block);
                sha256.update(block);
            }
        })?;
        Ok(Self { md5: md5.finish(), sha256: hex(&sha256.finalize()) })
    }
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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
            Self::InstallMedium => "Installation medium",
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
    let mut digester = Digester::default();
    sparse::read_all(path, |bytes| digester.update(bytes))?;
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
