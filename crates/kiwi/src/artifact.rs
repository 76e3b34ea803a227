//! What a build gives: files with a role, published under their final names when all of them are complete.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use bootconfig::{Checksum, Digester};

use crate::host::Host;
use crate::workspace::Workspace;

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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
    for (start, end) in extents(&file, size).with_context(reading)? {
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

/// The stretches of a sparse file that hold something, and an empty one at its end.
pub fn extents(file: &File, size: u64) -> std::io::Result<Vec<(u64, u64)>> {
    use rustix::fs::{SeekFrom, seek};
    let mut found = Vec::new();
    let mut position = 0;
    while position < size {
        let start = match seek(file, SeekFrom::Data(position)) {
            Ok(start) => start,
            Err(rustix::io::Errno::NXIO) => break,
            // A file system that knows no holes: all of it counts.
            Err(rustix::io::Errno::INVAL) => position,
            Err(error) => return Err(error.into()),
        };
        let end = seek(file, SeekFrom::Hole(start)).unwrap_or(size);
        found.push((start, end));
        position = end;
    }
    found.push((size, size));
    Ok(found)
}

/// Copies what `source` holds to `offset` of `target`, leaving holes as they are.
pub fn copy_sparse(source: &Path, target: &File, offset: u64) -> Result<()> {
    let what = || format!("copying {} into the disk", source.display());
    let file = File::open(source).with_context(what)?;
    let size = file.metadata().with_context(what)?.len();
    for (start, end) in extents(&file, size).with_context(what)? {
        let (mut from, mut to) = (start, start + offset);
        while from < end {
            let count = usize::try_from(end - from)?;
            let copied = rustix::fs::copy_file_range(&file, Some(&mut from), target, Some(&mut to), count);
            match copied {
                Ok(0) => anyhow::bail!("{} ended early", source.display()),
                Ok(_) => {}
                // Between file systems that cannot do it: by hand.
                Err(_) => copy_plain(&file, target, from, to, end).with_context(what)?,
            }
            if copied.is_err() {
                break;
            }
        }
    }
    Ok(())
}

fn copy_plain(source: &File, target: &File, mut from: u64, mut to: u64, end: u64) -> Result<()> {
    let mut buffer = vec![0; 1 << 20];
    while from < end {
        let count = usize::try_from((end - from).min(buffer.len() as u64))?;
        source.read_exact_at(&mut buffer[..count], from)?;
        target.write_all_at(&buffer[..count], to)?;
        from += count as u64;
        to += count as u64;
    }
    Ok(())
}

/// Packs a file with gzip beside it and removes the plain one; the new path.
pub fn compress(path: &Path, host: &Host) -> Result<PathBuf> {
    let mut name = path.as_os_str().to_owned();
    name.push(".gz");
    let packed = PathBuf::from(name);
    let what = || format!("compressing {}", path.display());
    let mut source = File::open(path).with_context(what)?;
    let target = host.create_file(&packed).with_context(what)?;
    let mut encoder = flate2::GzBuilder::new().write(target, flate2::Compression::new(6));
    let mut buffer = vec![0; 1 << 20];
    loop {
        host.check_interrupt()?;
        match source.read(&mut buffer).with_context(what)? {
            0 => break,
            count => std::io::Write::write_all(&mut encoder, &buffer[..count]).with_context(what)?,
        }
    }
    encoder.finish().with_context(what)?;
    host.remove_file(path).with_context(what)?;
    Ok(packed)
}
