//! The store: what builds of one user share, in one folder.
//!
//! ```text
//! packages/sha256/DIGEST     downloaded packages by the digest of their bytes
//! packages/zstd/DIGEST       the same, packed anew
//! stages/STAGE/DIGEST/       finished stages by their keys
//! indices/ resolutions/      what repositories said, and what was decided from it
//! ```
//!
//! A file gets its name only when it is complete and its digest was checked, so builds side by side and builds that
//! are killed cannot spoil it.

mod digest;
mod indices;
mod packages;
mod prune;
mod stages;
mod unused;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::host::Host;

pub use indices::Indices;
pub use packages::Packages;
pub use prune::{Kept, Limits, parse_size};
pub use stages::{Contents, Damaged, Entry, Making, Stages};
pub use unused::UNUSED;

/// The folder of one user's builds.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
    packages: Packages,
    stages: Stages,
    indices: Indices,
}

impl Store {
    /// Opens the store at `KIWI_CACHE`, else `XDG_CACHE_HOME/kiwi`, else `~/.cache/kiwi` (`/var/cache/kiwi` for root).
    pub fn open(host: &Host) -> Result<Self> {
        let folder =
            match (host.variable("KIWI_CACHE"), host.variable("XDG_CACHE_HOME"), host.variable("HOME")) {
                (Some(folder), ..) => PathBuf::from(folder),
                (_, Some(folder), _) => PathBuf::from(folder).join("kiwi"),
                (.., Some(home)) if home != "/root" && home != "/" => PathBuf::from(home).join(".cache/kiwi"),
                _ => PathBuf::from("/var/cache/kiwi"),
            };
        let packages = Packages::open(&folder, host).with_context(|| {
            format!("creating the store {}; KIWI_CACHE names another one", folder.display())
        })?;
        let stages = Stages::new(&folder);
        let indices = Indices::new(&folder);
        Ok(Self { folder, packages, stages, indices })
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
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
