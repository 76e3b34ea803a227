//! `kiwi.lock`: every package of a build, so that exactly the same can be built again.
//!
//! The file is in the description directory and contains no host name: a package is found by its path in its repository
//! and verified by its digest. It is TOML, sorted, and suitable for version control.

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

/// Its name.
pub const FILE: &str = "kiwi.lock";
const FORMAT: u32 = 1;
const HEAD: &str = "# Written by 'kiwi build --lock'; 'kiwi build --locked' builds exactly this.\n";

/// The content of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    format: u32,
    /// The maximum time of files in the image, in seconds since 1970.
    pub epoch: u64,
    /// Every package, sorted.
    #[serde(rename = "package", default)]
    pub packages: Vec<LockedPackage>,
}

/// One package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedPackage {
    /// `system`, or the path of a boot image description.
    pub image: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its architecture.
    pub architecture: String,
    /// Its index in the order of installation.
    pub order: usize,
    /// SHA-256 of its file, in lower-case hex.
    pub sha256: String,
    /// The repository as written in a description; `local` for a directory.
    pub repository: String,
    /// The path of the file, relative to the repository.
    pub file: String,
}

impl Lock {
    /// Returns a lock file with these packages.
    pub fn new(epoch: u64, mut packages: Vec<LockedPackage>) -> Self {
        packages.sort();
        Self { format: FORMAT, epoch, packages }
    }

    /// Parses the text of the file.
    pub fn parse(text: &str) -> Result<Self> {
        let lock: Self = toml::from_str(text).context("reading kiwi.lock")?;
        if lock.format != FORMAT {
            bail!(
                "kiwi.lock has format {}, but this kiwi reads format {FORMAT}; write the file again with --lock",
                lock.format
            );
        }
        Ok(lock)
    }

    /// Returns the text of the file.
    pub fn text(&self) -> Result<String> {
        Ok(format!("{HEAD}{}", toml::to_string(self).context("writing kiwi.lock")?))
    }

    /// Returns the packages of one image.
    pub fn of<'a>(&'a self, image: &'a str) -> impl Iterator<Item = &'a LockedPackage> {
        self.packages.iter().filter(move |package| package.image == image)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str) -> LockedPackage {
        LockedPackage {
            image: "system".to_owned(),
            name: name.to_owned(),
            version: "1:2-3".to_owned(),
            architecture: "all".to_owned(),
            order: 0,
            sha256: "00ff".to_owned(),
            repository: "debian://bookworm".to_owned(),
            file: format!("pool/main/{name}.package"),
        }
    }

    #[test]
    fn reads_what_it_writes_sorted() {
        let lock = Lock::new(12, vec![package("b"), package("a")]);
        let text = lock.text().unwrap();
        assert!(text.starts_with(HEAD) && text.contains("name = \"a\"\nversion = \"1:2-3\"\n"), "{text}");
        assert_eq!(Lock::parse(&text).unwrap(), lock);
        assert_eq!(lock.of("system").map(|package| package.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert!(Lock::parse(&text.replace("format = 1", "format = 2")).is_err());
    }
}
