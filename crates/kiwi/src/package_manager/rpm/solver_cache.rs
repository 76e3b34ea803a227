//! What a solver has read and made of it, which is cached: if the starts of all repositories are those that it read last, it
//! neither downloads nor reads the metadata again.
//!
//! There is one entry for each configuration, with the state of the repositories that was read last. It also contains the keys with
//! which dnf checks the signature of the metadata, each time that it uses it.

use std::path::Path;

use anyhow::{Context as _, Result};

use super::index::Index;
use super::solver::version;
use super::{Rpm, heads, keys, sources};
use crate::context::Context;
use crate::host::{Host, Warning};
use crate::package_manager::ManagerFiles;
use crate::stage::{Digest, canonical};

/// Raise it when other files belong to what a solver has read.
const FORMAT: u32 = 1;

/// The digest of everything on which the form of the metadata depends, but not its content.
pub(super) struct Configuration(Digest);

impl Rpm<'_> {
    /// Returns the configuration that the solver has written.
    pub(super) fn solver_configuration(&self, files: &ManagerFiles, host: &Host) -> Result<Configuration> {
        let mut texts = Vec::new();
        for name in self.solver.configuration(files)? {
            texts.push(Digest::of(files.read(&name)?));
        }
        let locations: Vec<&str> =
            sources::used(self.plan).map(|(_, repository)| repository.location.as_str()).collect();
        let program = (self.solver.program(), version(self.solver.program(), host), &self.plan.architecture);
        Ok(Configuration(Digest::of(canonical(&("rpm metadata", FORMAT, program, texts, locations))?)))
    }

    /// Copies the metadata from the cache if it is what the repositories have. Returns whether it is there.
    pub(super) fn restore_metadata(
        &self,
        configuration: &Configuration,
        files: &ManagerFiles,
        context: &Context,
    ) -> Result<bool> {
        let (indices, host) = (context.cache()?.indices(), &context.host);
        let known: Option<Digest> = indices.resolution(&configuration.0, host);
        if known.is_none_or(|known| self.state(files).ok() != Some(known)) {
            return Ok(false);
        }
        indices.restore(&configuration.0, files.path(), host)?;
        if self.has_read_heads(files) {
            host.log().line(&format!("{} has read these repositories before", self.keyword()));
            return Ok(true);
        }
        // It was replaced by that of another build, or removed.
        let keys = sources::used(self.plan).map(|(index, _)| keys::database_of(index));
        let read = self.solver.metadata_directories().iter().map(|name| (*name).to_owned());
        for directory in read.chain(keys).map(|name| files.path().join(name)) {
            if directory.exists() {
                host.remove_tree(&directory).with_context(|| format!("removing {}", directory.display()))?;
            }
        }
        Ok(false)
    }

    /// Saves the metadata that the solver has read.
    pub(super) fn save_metadata(
        &self,
        configuration: &Configuration,
        files: &ManagerFiles,
        context: &Context,
    ) {
        let saved = self.try_to_save(configuration, files, context);
        if let Err(error) = saved {
            let text = format!("the next build must read the metadata of the repositories again: {error:#}");
            context.host.warn(Warning::Cache, &text);
        }
    }

    fn try_to_save(
        &self,
        configuration: &Configuration,
        files: &ManagerFiles,
        context: &Context,
    ) -> Result<()> {
        let (indices, host) = (context.cache()?.indices(), &context.host);
        let mut names = Vec::new();
        // Packages are checked with the same keys as the metadata.
        let keys = sources::used(self.plan).map(|(index, _)| keys::database_of(index));
        let read = self.solver.metadata_directories().iter().map(|name| (*name).to_owned());
        for directory in read.chain(keys) {
            files_below(files.path(), &directory, &mut names)?;
        }
        indices.save_files(&configuration.0, files.path(), &names, host)?;
        indices.save_resolution(&configuration.0, &self.state(files)?, host)
    }

    /// Returns the digest of the starts of all repositories and of the keys that they were checked with.
    fn state(&self, files: &ManagerFiles) -> Result<Digest> {
        let mut state = Vec::new();
        for (index, repository) in sources::used(self.plan) {
            state.push(self.head(index, repository, files)?);
        }
        Ok(Digest::of(canonical(&state)?))
    }

    /// Returns whether the solver has the metadata of each repository to which the start of that repository belongs.
    fn has_read_heads(&self, files: &ManagerFiles) -> bool {
        sources::used(self.plan).all(|(index, repository)| {
            let directory = self.solver.metadata(index, files).ok();
            let read = directory.and_then(|directory| Index::of(repository, directory).head().ok());
            read.is_some() && read == files.read(&heads::xml(index)).ok()
        })
    }
}

/// Adds the names of the files below a directory of `base`, if it exists.
fn files_below(base: &Path, name: &str, found: &mut Vec<String>) -> Result<()> {
    let directory = base.join(name);
    let reading = || format!("reading {}", directory.display());
    if !directory.exists() {
        return Ok(());
    }
    for entry in directory.read_dir().with_context(reading)? {
        let entry = entry.with_context(reading)?;
        let Ok(file) = entry.file_name().into_string() else { continue };
        let (kind, path) = (entry.file_type().with_context(reading)?, format!("{name}/{file}"));
        if kind.is_dir() {
            files_below(base, &path, found)?;
        } else if kind.is_file() {
            found.push(path);
        }
    }
    Ok(())
}
