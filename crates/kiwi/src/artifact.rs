//! The files of a result: each has a role, and all are renamed to their final names when all are complete.

use std::fmt;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use bootconfig::{Checksum, Digester};
use ondisk::digest::{Digest as _, Sha256, hex};
use serde::{Deserialize, Serialize};

use crate::gzip::GzipWriter;
use crate::host::sparse::{self, INTERVAL};
use crate::host::{ArtifactFacts, Host, RunningStage, Unit};
use crate::workspace::Workspace;

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// `N.packages`
    PackageList,
    /// `N.spdx.json`: the packages of the image as SPDX.
    #[serde(rename = "sbom-spdx")]
    SbomSpdx,
    /// `N.cdx.json`: the packages of the image as CycloneDX.
    #[serde(rename = "sbom-cyclonedx")]
    SbomCycloneDx,
    /// `N.changes`: the change logs of the packages.
    PackageChanges,
    /// `N.verified`: the files that differ from their packages.
    PackageVerification,
    /// `N.md5`
    Checksum,
    /// A boot image.
    Initrd,
    /// The kernel of a boot image.
    Kernel,
    /// The hypervisor that starts the kernel of a boot image.
    Hypervisor,
    /// A link with a short name to the kernel.
    KernelLink,
    /// `N.append`: the kernel parameters of the image.
    KernelParameters,
    /// Settings of a virtual machine.
    MachineSettings,
    /// A part of a disk that consists of several files.
    DiskExtent,
    /// `N.config`: how the image is installed.
    InstallSettings,
    /// `N.install.iso`: the installation medium.
    InstallMedium,
    /// `N.install.tar`: the files of an installation over the network.
    InstallArchive,
    /// The image itself; published last.
    Image,
}

/// A finished file that may not have its final name yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Its role.
    pub role: Role,
    /// Its final name, without directory.
    pub name: String,
    /// Its present path.
    pub path: PathBuf,
    /// The SHA-256 of its bytes in lower-case hex, if it was computed while writing.
    pub sha256: Option<String>,
}

impl Artifact {
    /// A file in the workspace.
    pub fn new(role: Role, name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self { role, name: name.into(), path: path.into(), sha256: None }
    }

    /// Returns the facts for the report, with the name of a digest and the digest, if known.
    pub fn facts(&self, size: u64, digest: Option<(&'static str, String)>) -> ArtifactFacts {
        self.role.facts(&self.path, size, digest)
    }
}

impl Role {
    /// All roles, in the order in which they are published.
    pub const ALL: [Self; 17] = [
        Self::PackageList,
        Self::SbomSpdx,
        Self::SbomCycloneDx,
        Self::PackageChanges,
        Self::PackageVerification,
        Self::Checksum,
        Self::Initrd,
        Self::Kernel,
        Self::Hypervisor,
        Self::KernelLink,
        Self::KernelParameters,
        Self::MachineSettings,
        Self::DiskExtent,
        Self::InstallSettings,
        Self::InstallMedium,
        Self::InstallArchive,
        Self::Image,
    ];

    /// Returns the keyword in records and in `--json`.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::PackageList => "package-list",
            Self::SbomSpdx => "sbom-spdx",
            Self::SbomCycloneDx => "sbom-cyclonedx",
            Self::PackageChanges => "package-changes",
            Self::PackageVerification => "package-verification",
            Self::Checksum => "checksum",
            Self::Initrd => "initrd",
            Self::Kernel => "kernel",
            Self::Hypervisor => "hypervisor",
            Self::KernelLink => "kernel-link",
            Self::KernelParameters => "kernel-parameters",
            Self::MachineSettings => "machine-settings",
            Self::DiskExtent => "disk-extent",
            Self::InstallSettings => "install-settings",
            Self::InstallMedium => "install-medium",
            Self::InstallArchive => "install-archive",
            Self::Image => "image",
        }
    }

    /// Returns the facts for the report of a file with this role.
    pub fn facts(self, path: &Path, size: u64, digest: Option<(&'static str, String)>) -> ArtifactFacts {
        let (role, title) = (self.keyword().to_owned(), self.to_string());
        ArtifactFacts { path: path.to_owned(), role, title, size, digests: digest.into_iter().collect() }
    }
}

/// Bytes that are hashed at a time by both algorithms.
const BLOCK: usize = 64;

/// Both digests of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sums {
    /// MD5, for `N.md5`.
    pub md5: Checksum,
    /// SHA-256 in lower-case hex.
    pub sha256: String,
}

impl Sums {
    /// Reads the file once. Holes are not read: they are zeros.
    pub fn of(path: &Path, host: &Host) -> Result<Self> {
        let (mut md5, mut sha256) = (Digester::default(), Sha256::new());
        sparse::read_all(path, host, |bytes| {
            // In alternation, because each step of MD5 waits for the one before and the processor computes SHA-256 meanwhile.
            for block in bytes.chunks(BLOCK) {
                md5.update(block);
                sha256.update(block);
            }
        })?;
        Ok(Self { md5: md5.finish(), sha256: hex(sha256.finalize()) })
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PackageList => "Package list",
            Self::SbomSpdx | Self::SbomCycloneDx => "Bill of materials",
            Self::PackageChanges => "Change logs",
            Self::PackageVerification => "Changed files",
            Self::Checksum => "Checksum",
            Self::Initrd => "Boot image",
            Self::Kernel | Self::KernelLink => "Kernel",
            Self::Hypervisor => "Hypervisor",
            Self::KernelParameters => "Kernel parameters",
            Self::MachineSettings => "Virtual machine",
            Self::DiskExtent => "Part of the disk",
            Self::InstallSettings => "Installation",
            Self::InstallMedium => "Installation medium",
            Self::InstallArchive => "Installation archive",
            Self::Image => "Image",
        })
    }
}

/// Renames every file to its final name, the image itself last; returns them with their final paths.
pub fn publish(mut artifacts: Vec<Artifact>, workspace: &Workspace, host: &Host) -> Result<Vec<Artifact>> {
    artifacts.sort_by_key(|artifact| artifact.role);
    for artifact in &mut artifacts {
        artifact.path = workspace.publish(&artifact.path, &artifact.name, host).with_context(|| {
            format!("giving {} its name", workspace.destdir().join(&artifact.name).display())
        })?;
    }
    Ok(artifacts)
}

/// Returns the MD5 of a file for `N.md5`. Holes are not read: they are zeros.
pub fn checksum(path: &Path, host: &Host) -> Result<Checksum> {
    let mut digester = Digester::default();
    sparse::read_all(path, host, |bytes| digester.update(bytes))?;
    Ok(digester.finish())
}

/// Compresses a file with gzip and removes the original; returns the new path.
pub fn compress(path: &Path, stage: &RunningStage<'_>, host: &Host) -> Result<PathBuf> {
    let mut name = path.as_os_str().to_owned();
    name.push(".gz");
    let packed = PathBuf::from(name);
    let what = || format!("compressing {}", path.display());
    let mut source = File::open(path).with_context(what)?;
    let target = host.create_file(&packed).with_context(what)?;
    let mut writer = GzipWriter::new(target, host.processors()).with_context(what)?;
    let total = source.metadata().with_context(what)?.len();
    let (mut done, mut shown) = (0, Instant::now());
    let mut buffer = vec![0; 1 << 20];
    loop {
        host.check_interrupt()?;
        if shown.elapsed() >= INTERVAL {
            stage.advance(done, total, Unit::Bytes);
            shown = Instant::now();
        }
        match source.read(&mut buffer).with_context(what)? {
            0 => break,
            count => {
                writer.write_all(&buffer[..count]).with_context(what)?;
                done += count as u64;
            }
        }
    }
    writer.finish().with_context(what)?;
    host.remove_file(path).with_context(what)?;
    Ok(packed)
}
