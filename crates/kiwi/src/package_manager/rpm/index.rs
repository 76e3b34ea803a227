//! The metadata of a repository that a solver has downloaded and checked, whatever its format is.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use description::RepositoryType;

use super::metadata::{self, Content, PrimaryPackage, Repomd};
use crate::repository::Resolved;

/// The directory with the metadata of a repository.
pub(super) struct Index {
    directory: PathBuf,
    format: Format,
}

#[derive(Clone, Copy)]
enum Format {
    /// `repodata/repomd.xml` and the files that it lists.
    RpmMd,
    /// `content` and the files that it lists, of media before 2010.
    Media,
}

impl Index {
    pub(super) fn of(repository: &Resolved, directory: PathBuf) -> Self {
        let format = match repository.kind {
            RepositoryType::Yast2 => Format::Media,
            RepositoryType::RpmMd
            | RepositoryType::RpmDir
            | RepositoryType::AptDeb
            | RepositoryType::DebDir
            | RepositoryType::Smart => Format::RpmMd,
        };
        Self { directory, format }
    }

    /// Returns the file that has the checksums of all others.
    pub(super) fn head(&self) -> Result<Vec<u8>> {
        let path = self.directory.join(match self.format {
            Format::RpmMd => metadata::REPOMD,
            Format::Media => metadata::CONTENT,
        });
        std::fs::read(&path).with_context(|| format!("reading {}", path.display()))
    }

    /// Returns the time of the metadata in seconds since 1970; 0 if it is unknown.
    pub(super) fn time(&self) -> Result<u64> {
        match self.format {
            Format::RpmMd => Ok(Repomd::parse(&self.head()?)?.time()),
            Format::Media => {
                let mut time = 0;
                self.packages(|package| {
                    time = time.max(package.build_time);
                    Ok(())
                })?;
                Ok(time)
            }
        }
    }

    /// Calls a function for each package.
    pub(super) fn packages(&self, found: impl FnMut(PrimaryPackage) -> Result<()>) -> Result<()> {
        match self.format {
            Format::RpmMd => {
                let repomd = Repomd::parse(&self.head()?)?;
                let primary = repomd.file("primary").context("repomd.xml lists no primary.xml")?;
                metadata::packages(metadata::uncompressed(self.open(&primary.location)?)?, found)
            }
            Format::Media => {
                let content = Content::parse(&self.head()?)?;
                let lists = content.lists();
                let list = lists.iter().find(|path| self.directory.join(path).is_file());
                let list = self.open(list.unwrap_or(&lists[0]))?;
                metadata::packages_of_media(metadata::uncompressed(list)?, &content.packages, found)
            }
        }
    }

    fn open(&self, location: &str) -> Result<BufReader<File>> {
        let path = self.directory.join(location);
        let file = File::open(&path).with_context(|| format!("reading {}", path.display()))?;
        Ok(BufReader::new(file))
    }
}
