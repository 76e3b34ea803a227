//! The cache: a directory that all builds of one user share.
//!
//! ```text
//! packages/sha256/DIGEST     downloaded packages by the digest of their bytes
//! packages/zstd/DIGEST       the same packages, recompressed
//! stages/STAGE/DIGEST/       finished stages by their keys
//! indices/ resolutions/      the last known state of repositories
//! ```
//!
//! A file gets its name only when it is complete and its digest has been checked, so concurrent and killed builds
//! cannot damage the cache. A build holds a shared lock of the directory; a holder of the exclusive lock may remove
//! anything.

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
use ondisk::digest::{Digest, Sha256};

use crate::host::dir_lock::Held;
use crate::host::file::WorkDirectory;
use crate::host::{Host, Warning};

pub use indices::Indices;
pub use items::{Item, Kind};
pub use packages::Packages;
pub use prune::{Limits, parse_size};
pub use stages::{Contents, Damaged, Entry, Making, Parent, Stages};

/// The cache directory of one user.
#[derive(Debug, Clone)]
pub struct Cache {
    directory: PathBuf,
    packages: Packages,
    stages: Stages,
    indices: Indices,
    /// A temporary cache, which is removed with the last reference to it.
    passing: Option<Arc<WorkDirectory>>,
    /// The lock that keeps files from being removed while this build may read them.
    held: Option<Arc<Held>>,
}

impl Cache {
    /// Opens the cache for a build; if the usual directory is not writable, creates a temporary one for this run.
    pub fn open(host: &Host) -> Result<Self> {
        let location = location::of(host);
        let passing = match location::make(&location.directory, host) {
            Ok(()) => None,
            Err(error) if location.asked_for => {
                return Err(error).with_context(|| {
                    format!(
                        "using the cache {}; set KIWI_CACHE to a directory of your own",
                        location.directory.display()
                    )
                });
            }
            Err(error) => {
                host.warn(Warning::Cache, &format!(
                    "the cache {} cannot be used ({error}); using a temporary cache for this run, and nothing is \
                     saved for the next one; set KIWI_CACHE to a directory of your own",
                    location.directory.display()
                ));
                let making = || "creating a temporary cache";
                let work = host.temporary_work_directory().with_context(making)?;
                location::make(work.path(), host).with_context(making)?;
                Some(Arc::new(work))
            }
        };
        let directory = passing.as_ref().map_or(location.directory, |work| work.path().to_owned());
        // A temporary cache is held by the lock of its work directory.
        let held = match &passing {
            Some(_) => None,
            None => {
                let holding = || format!("locking the cache {}", directory.display());
                Some(Arc::new(host.share_directory(&directory).with_context(holding)?))
            }
        };
        Ok(Self { passing, held, ..Self::at(directory) })
    }

    /// Opens the existing cache for reading; creates nothing.
    ///
    /// # Errors
    ///
    /// It belongs to somebody else.
    pub fn of_earlier_builds(host: &Host) -> Result<Self> {
        let directory = location::of(host).directory;
        if directory.is_dir() {
            host.close_own_directory(&directory)
                .with_context(|| format!("using the cache {}", directory.display()))?;
        }
        Ok(Self::at(directory))
    }

    fn at(directory: PathBuf) -> Self {
        let packages = Packages::new(&directory);
        let stages = Stages::new(&directory);
        let indices = Indices::new(&directory);
        Self { directory, packages, stages, indices, passing: None, held: None }
    }

    /// Returns whether the cache remains for the next run.
    pub fn lasts(&self) -> bool {
        self.passing.is_none()
    }

    /// Returns its path.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns the directory in which builds note the memory that they reserved.
    pub fn reservations(&self) -> PathBuf {
        self.directory.join("memory")
    }

    /// Returns the finished stages.
    pub fn stages(&self) -> &Stages {
        &self.stages
    }

    /// Returns the indices of repositories.
    pub fn indices(&self) -> &Indices {
        &self.indices
    }

    /// Returns the downloaded packages.
    pub fn packages(&self) -> &Packages {
        &self.packages
    }
}

/// Returns the SHA-256 of a file in lower-case hex.
pub fn digest_of(path: &Path, host: &Host) -> Result<String> {
    let reading = || format!("reading {}", path.display());
    digest_of_reader(&mut File::open(path).with_context(reading)?, host).with_context(reading)
}

/// Returns the SHA-256 of everything that `reader` reads.
fn digest_of_reader(reader: &mut impl Read, host: &Host) -> Result<String> {
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        host.check_interrupt()?;
        match reader.read(&mut buffer)? {
            0 => break,
            count => digest.update(&buffer[..count]),
        }
    }
    Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
