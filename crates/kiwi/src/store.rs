//! The store: downloaded packages by the digest of their bytes, shared by all builds of a user.
//!
//! A file gets its name only when it is complete and its digest was checked, so builds side by side and builds that
//! are killed cannot spoil it.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::host::Host;

/// A folder of packages.
#[derive(Debug, Clone)]
pub struct Store {
    packages: PathBuf,
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
        let packages = folder.join("packages/sha256");
        host.create_folders(&packages).with_context(|| {
            format!("creating the package store {}; KIWI_CACHE names another one", folder.display())
        })?;
        Ok(Self { packages })
    }

    /// The package with this SHA-256 (lower-case hex), when it is there.
    pub fn find(&self, digest: &str) -> Option<PathBuf> {
        let path = self.place(digest);
        path.is_file().then_some(path)
    }

    /// Keeps a copy of `file` if it has this digest; tells whether it has.
    pub fn keep(&self, digest: &str, file: &Path, host: &Host) -> Result<bool> {
        if digest_of(file)? != digest {
            return Ok(false);
        }
        let place = self.place(digest);
        if place.is_file() {
            return Ok(true);
        }
        let unfinished = host
            .unfinished_file(&self.packages)
            .with_context(|| format!("writing to the package store {}", self.packages.display()))?;
        host.copy_file(file, &unfinished)
            .and_then(|_| host.rename(&unfinished, &place))
            .with_context(|| format!("writing {}", place.display()))?;
        Ok(true)
    }

    fn place(&self, digest: &str) -> PathBuf {
        self.packages.join(digest)
    }
}

/// The SHA-256 of a file in lower-case hex.
pub fn digest_of(path: &Path) -> Result<String> {
    let reading = || format!("reading {}", path.display());
    let mut file = File::open(path).with_context(reading)?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        match file.read(&mut buffer).with_context(reading)? {
            0 => break,
            count => digest.update(&buffer[..count]),
        }
    }
    Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
