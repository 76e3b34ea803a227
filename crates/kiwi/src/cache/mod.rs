//! The cache: what builds of one user share, in one directory.
//!
//! ```text
//! packages/sha256/DIGEST     downloaded packages by the digest of their bytes
//! packages/zstd/DIGEST       the same, packed anew
//! stages/STAGE/DIGEST/       finished stages by their keys
//! indices/ resolutions/      what repositories said, and what was decided from it
//! ```
//!
//! A file gets its name only when it is complete and its digest was checked, so builds side by side and builds that
//! are killed cannot spoil it. Who builds shares the lock of the directory; who is alone with it may take anything away.

mod digest;
mod indices;
mod items;
mod location;
mod packages;
mod prune;
mod stages;
mod verify;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::host::dir_lock::Held;
use crate::host::file::WorkDirectory;
use crate::host::{Host, Warning};

pub use indices::Indices;
pub use items::{Item, Kind};
pub use packages::Packages;
pub use prune::{Limits, parse_size};
pub use stages::{Contents, Damaged, Entry, Making, Parent, Stages};

/// The directory of one user's builds.
#[derive(Debug, Clone)]
pub struct Cache {
    directory: PathBuf,
    packages: Packages,
    stages: Stages,
    indices: Indices,
    /// Holds a cache that goes with the last value that knows it.
    passing: Option<Arc<WorkDirectory>>,
    /// Nobody takes away what this build may be about to read.
    held: Option<Arc<Held>>,
}

impl Cache {
    /// Opens the cache for a build; where the usual location cannot be written to, a new one for this run only.
    pub fn open(host: &Host) -> Result<Self> {
        let location = location::of(host);
        let passing = match location::make(&location.directory, host) {
            Ok(()) => None,
            Err(error) if location.asked_for => {
                return Err(error).with_context(|| {
                    format!(
                        "creating the cache {}; KIWI_CACHE names another one",
                        location.directory.display()
                    )
                });
            }
            Err(error) => {
                host.warn(Warning::Cache, &format!(
                    "the cache {} cannot be written to ({error}): this run has one of its own among the temporary \
                     files, and nothing is kept for the next; KIWI_CACHE names a directory that can",
                    location.directory.display()
                ));
                let making = || "making a cache among the temporary files";
                let work = host.temporary_work_directory().with_context(making)?;
                location::make(work.path(), host).with_context(making)?;
                Some(Arc::new(work))
            }
        };
        let directory = passing.as_ref().map_or(location.directory, |work| work.path().to_owned());
        // A cache for this run only is held by its lock as a work directory.
        let held = match &passing {
            Some(_) => None,
            None => {
                let holding = || format!("holding the cache {}", directory.display());
                Some(Arc::new(host.share_directory(&directory).with_context(holding)?))
            }
        };
        Ok(Self { passing, held, ..Self::at(directory) })
    }

    /// The cache of earlier builds, to look at; nothing is made.
    pub fn of_earlier_builds(host: &Host) -> Self {
        Self::at(location::of(host).directory)
    }

    fn at(directory: PathBuf) -> Self {
        let packages = Packages::new(&directory);
        let stages = Stages::new(&directory);
        let indices = Indices::new(&directory);
        Self { directory, packages, stages, indices, passing: None, held: None }
    }

    /// Whether there is a next run that finds what this one keeps.
    pub fn lasts(&self) -> bool {
        self.passing.is_none()
    }

    /// Where it is.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The finished stages.
    pub fn stages(&self) -> &Stages {
        &self.stages
    }

    /// The indices of repositories.
    pub fn indices(&self) -> &Indices {
        &self.indices
    }

    /// The downloaded packages.
    pub fn packages(&self) -> &Packages {
        &self.packages
    }
}

/// The SHA-256 of a file in lower-case hex.
pub fn digest_of(path: &Path) -> Result<String> {
    let reading = || format!("reading {}", path.display());
    digest_of_reader(&mut File::open(path).with_context(reading)?).with_context(reading)
}

/// The SHA-256 of everything that `reader` gives.
fn digest_of_reader(reader: &mut impl Read) -> std::io::Result<String> {
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        match reader.read(&mut buffer)? {
            0 => break,
            count => digest.update(&buffer[..count]),
        }
    }
    Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
