//! The files of a description.
//!
//! A symbolic link that kiwi follows (the configuration file, `root`, scripts, archives, keys ..) must lead to a file of the
//! description, or below a directory that the user allowed with `--allow-path`: the author of the description must not choose
//! files of the build host. A path that a description writes out is not a link.

use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};

use super::reason;
use crate::failure::{Failure, Kind};

/// Directories outside of a description that links in it may lead to (`--allow-path`), without links.
#[derive(Debug, Clone, Default)]
pub struct AllowedPaths(Vec<PathBuf>);

impl AllowedPaths {
    /// Returns these directories.
    ///
    /// # Errors
    ///
    /// One of them does not exist.
    pub fn new(directories: &[PathBuf]) -> Result<Self> {
        let real = directories.iter().map(|directory| {
            let why = || {
                let message = format!("the directory {} of --allow-path cannot be used", directory.display());
                Failure::new(Kind::Usage, message)
            };
            directory.canonicalize().with_context(why)
        });
        Ok(Self(real.collect::<Result<_>>()?))
    }

    /// Returns these directories and another one that contains `path`; nothing is added if it does not.
    #[must_use]
    pub fn with_parent_of(mut self, path: &Path, directory: &Path) -> Self {
        if let (Ok(path), Ok(directory)) = (path.canonicalize(), directory.canonicalize())
            && path.starts_with(&directory)
        {
            self.0.push(directory);
        }
        self
    }

    /// Returns the directories.
    pub fn directories(&self) -> &[PathBuf] {
        &self.0
    }

    fn contain(&self, path: &Path) -> bool {
        self.0.iter().any(|directory| path.starts_with(directory))
    }
}

/// The directory of a description, with the directories that its links may lead to.
#[derive(Debug, Clone)]
pub struct Files {
    pub(super) directory: PathBuf,
    pub(super) allowed: AllowedPaths,
}

impl Files {
    /// Returns the files below `directory`, which need not exist.
    pub fn below(directory: &Path, allowed: &AllowedPaths) -> Self {
        let directory = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
        Self { directory, allowed: allowed.clone() }
    }

    /// Returns the directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns the path, without links, of a file or directory of the description (`config.sh`, `root`, ...), if it exists.
    ///
    /// # Errors
    ///
    /// A link leads out of the description, or nowhere.
    pub fn find(&self, name: impl AsRef<Path>) -> Result<Option<PathBuf>> {
        let path = self.directory.join(name);
        if path.symlink_metadata().is_err() {
            return Ok(None);
        }
        // A path that the description writes out can be anywhere.
        if !without_dots(&path).starts_with(&self.directory) {
            return real(&path).map(Some);
        }
        self.follow(&path).map(Some)
    }

    /// Like `find`, for a regular file.
    pub fn find_file(&self, name: impl AsRef<Path>) -> Result<Option<PathBuf>> {
        Ok(self.find(name)?.filter(|path| path.is_file()))
    }

    /// Returns the path without links.
    ///
    /// # Errors
    ///
    /// A link of the description in it leads out of the description, or nowhere.
    pub fn follow(&self, path: &Path) -> Result<PathBuf> {
        let real = real(path)?;
        if self.contains(&real) { Ok(real) } else { Err(self.leads_out(path, &real).into()) }
    }

    pub(super) fn contains(&self, real: &Path) -> bool {
        real.starts_with(&self.directory) || self.allowed.contain(real)
    }

    /// Returns the error about the first link in `path` that leads out of the description, to `real`.
    pub(super) fn leads_out(&self, path: &Path, real: &Path) -> Failure {
        let mut prefixes: Vec<&Path> =
            path.ancestors().take_while(|prefix| *prefix != self.directory.as_path()).collect();
        prefixes.reverse();
        let is_out = |prefix: &&&Path| {
            prefix.read_link().is_ok() && prefix.canonicalize().is_ok_and(|target| !self.contains(&target))
        };
        let link = *prefixes.iter().find(is_out).unwrap_or(&path);
        let target = link.read_link().unwrap_or_else(|_| real.to_owned());
        let directory = if real.is_dir() { real } else { real.parent().unwrap_or(real) };
        let message = format!(
            "the link {} leads out of the description: its target is {}",
            link.display(),
            target.display()
        );
        let remedy = format!(
            "Replace the link by a copy, or allow links to this directory with --allow-path {}",
            directory.display()
        );
        Failure::new(Kind::InvalidDescription, message).remedy(remedy)
    }
}

/// Returns the path without links.
fn real(path: &Path) -> Result<PathBuf> {
    Ok(path.canonicalize().map_err(|error| {
        let target =
            path.read_link().map(|target| format!("the link {} to {}", path.display(), target.display()));
        let what = target.unwrap_or_else(|_| path.display().to_string());
        Failure::new(Kind::File, format!("following {what}: {}", reason(&error)))
    })?)
}

/// Returns an absolute path without `.` and `..`, by its text.
fn without_dots(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "a test is its own host")]
mod tests {
    use std::fs;

    use super::*;
    use crate::source::Source;

    #[test]
    fn links_are_followed_inside_the_description_and_to_allowed_directories() {
        let directory = tempfile::tempdir().unwrap();
        let description = directory.path().join("description");
        fs::create_dir_all(description.join("real")).unwrap();
        fs::create_dir(directory.path().join("shared")).unwrap();
        for path in ["shared/canary", "description/config.xml", "description/real/file"] {
            fs::write(directory.path().join(path), "x").unwrap();
        }
        for (target, link) in [
            ("real/file", "inside"),
            ("../shared/canary", "outside"),
            ("../shared", "directory"),
            ("nowhere", "dangling"),
        ] {
            std::os::unix::fs::symlink(target, description.join(link)).unwrap();
        }
        let source = Source::open(&description, &AllowedPaths::default()).unwrap();
        let real = description.canonicalize().unwrap();
        assert_eq!(source.find("inside").unwrap(), Some(real.join("real/file")));
        assert_eq!(source.find("none").unwrap(), None);
        // Written out, not a link.
        assert!(source.find("../shared/canary").unwrap().is_some());
        for (name, link) in [("outside", "outside"), ("directory/canary", "directory")] {
            let error = source.find(name).unwrap_err();
            let failure = error.downcast_ref::<Failure>().unwrap();
            assert_eq!(failure.kind, Kind::InvalidDescription);
            assert!(failure.message.contains(&format!("description/{link} leads out")), "{error}");
            assert!(failure.remedy.as_ref().unwrap().contains("--allow-path "), "{error}");
        }
        assert!(source.find("dangling").is_err());
        let allowed = AllowedPaths::new(&[directory.path().join("shared")]).unwrap();
        let source = Source::open(&description, &allowed).unwrap();
        assert!(
            source.find("outside").unwrap().is_some() && source.find("directory/canary").unwrap().is_some()
        );
        fs::remove_file(description.join("config.xml")).unwrap();
        std::os::unix::fs::symlink("../shared/canary", description.join("config.xml")).unwrap();
        assert!(Source::open(&description, &AllowedPaths::default()).is_err());
        assert!(Source::open(&description, &allowed).is_ok());
        assert!(AllowedPaths::new(&[directory.path().join("none")]).is_err());
    }
}
