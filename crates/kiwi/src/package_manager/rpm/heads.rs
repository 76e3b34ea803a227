//! The starts of the repositories' metadata: `repomd.xml`, which has the checksum of every other file, and its signature. If
//! they are those of an earlier question, the answer is known and no solver starts.
//!
//! ```text
//! heads/N.xml, heads/N.asc   `repomd.xml` of the repository N (or `content`) and its signature
//! heads/all                  exists if those of all repositories could be fetched
//! heads/read                 exists after the solver has read the repositories and checked their signatures
//! ```

use std::path::Path;

use anyhow::{Context as _, Result};
use description::RepositoryType;

use super::directory::{index_directory, made};
use super::index::Index;
use super::metadata::{REPOMD, Repomd};
use super::resolve::Answer;
use super::{Rpm, mirrors, sources, transfer};
use crate::context::Context;
use crate::host::Host;
use crate::package_manager::ManagerFiles;
use crate::repository::Resolved;
use crate::stage::Digest;

/// The directory in [`ManagerFiles`].
const DIRECTORY: &str = "heads";
/// The file that marks the starts of all repositories as fetched.
const ALL: &str = "heads/all";
/// The file that marks repositories as read by the solver.
const READ: &str = "heads/read";

impl Rpm<'_> {
    /// Fetches the starts of all repositories. Returns whether the answer to the question about them is in the cache.
    pub(super) fn is_known(&self, files: &ManagerFiles, context: &Context) -> Result<bool> {
        let host = &context.host;
        files.create_directory(DIRECTORY, host)?;
        for (index, repository) in sources::used(self.plan) {
            if !self.fetch_head(index, repository, files, host)? {
                return Ok(false);
            }
        }
        files.write(ALL, "", host)?;
        let question = self.whole_question(files, host)?;
        Ok(context.cache()?.indices().resolution::<Answer>(&question, host).is_some())
    }

    /// Lets the solver read the repositories and check their signatures, once, or restores what it has read from the cache.
    pub(super) fn read_repositories(&self, files: &ManagerFiles, context: &Context) -> Result<()> {
        if files.path().join(READ).exists() {
            return Ok(());
        }
        let host = &context.host;
        self.solver.configure(self.plan, files, context)?;
        let configuration = self.solver_configuration(files, host)?;
        // kiwi itself makes the metadata of directories of packages, which may be temporary.
        let is_made = |repository: &Resolved| repository.kind == RepositoryType::RpmDir;
        let is_cacheable = files.path().join(ALL).exists()
            && !sources::used(self.plan).any(|(_, repository)| is_made(repository));
        if is_cacheable && self.restore_metadata(&configuration, files, context)? {
            return files.write(READ, "", host);
        }
        self.import_keys(files, host)?;
        self.solver.refresh(self.plan, files, context)?;
        // A server may have changed in between: what the solver has checked counts.
        for (index, repository) in sources::used(self.plan) {
            let of = || format!("reading the metadata of {}", repository.described);
            let directory = self.solver.metadata(index, files).with_context(of)?;
            let head = Index::of(repository, directory.clone()).head().with_context(of)?;
            if files.read(&xml(index)).ok().as_ref() != Some(&head) {
                files.write(&xml(index), head, host)?;
                let signature = std::fs::read(directory.join(format!("{REPOMD}.asc"))).unwrap_or_default();
                files.write(&asc(index), signature, host)?;
            }
        }
        if is_cacheable {
            self.save_metadata(&configuration, files, context);
        }
        files.write(READ, "", host)
    }

    /// Returns the time of the newest `repomd.xml` in seconds since 1970; 0 if it is unknown.
    pub(super) fn time_of_heads(&self, files: &ManagerFiles) -> Result<u64> {
        let mut newest = 0;
        for (index, repository) in sources::used(self.plan) {
            let repomd = files.read(&xml(index)).and_then(|bytes| Repomd::parse(&bytes));
            let of = || format!("reading the metadata of {}", repository.described);
            newest = newest.max(repomd.with_context(of)?.time());
        }
        Ok(newest)
    }

    /// Returns everything in a repository on which answers depend, and the keys that it was checked with.
    pub(super) fn head(
        &self,
        index: usize,
        repository: &Resolved,
        files: &ManagerFiles,
    ) -> Result<impl serde::Serialize + use<>> {
        let checked = sources::checks_metadata(repository, self.plan);
        let signature = if checked {
            let keys = self.key_digests(index, repository, files)?;
            Some((keys, Digest::of(files.read(&asc(index)).unwrap_or_default())))
        } else {
            None
        };
        let repomd = Digest::of(files.read(&xml(index))?);
        let script = repository.customize.as_ref().map(|script| std::fs::read(script).map(Digest::of));
        Ok((repository.location.clone(), repository.priority, repomd, signature, script.transpose()?))
    }

    /// Fetches `repomd.xml` of a repository and its signature. Returns whether the answer about it may be known.
    fn fetch_head(
        &self,
        index: usize,
        repository: &Resolved,
        files: &ManagerFiles,
        host: &Host,
    ) -> Result<bool> {
        let checked = sources::checks_metadata(repository, self.plan);
        match repository.kind {
            // A script may change what the solver reads, and where.
            _ if repository.customize.is_some() => return Ok(false),
            RepositoryType::RpmMd => {}
            RepositoryType::RpmDir => {
                index_directory(index, repository, files, host)?;
                let repomd = files.read(&format!("{}/{REPOMD}", made(index)))?;
                return files.write(&xml(index), repomd, host).map(|()| true);
            }
            RepositoryType::Yast2
            | RepositoryType::AptDeb
            | RepositoryType::DebDir
            | RepositoryType::Smart => return Ok(false),
        }
        if repository.location.starts_with('/') {
            let read = |name: &str| std::fs::read(Path::new(&repository.location).join(name));
            let Ok(repomd) = read(REPOMD) else { return Ok(false) };
            files.write(&xml(index), repomd, host)?;
            if checked {
                files.write(&asc(index), read(&format!("{REPOMD}.asc")).unwrap_or_default(), host)?;
            }
            return Ok(true);
        }
        mirrors::fetch_list(index, repository, files, host)?;
        let credentials = repository.credentials.as_ref();
        for url in mirrors::urls(index, repository, files)? {
            let fetch = |name: &str, to: &str| {
                transfer::download(&format!("{url}/{name}"), to, credentials, files, host).is_ok()
            };
            if fetch(REPOMD, &xml(index)) && (!checked || fetch(&format!("{REPOMD}.asc"), &asc(index))) {
                return Ok(true);
            }
            host.check_interrupt()?;
        }
        // The solver reports the reason.
        Ok(false)
    }
}

pub(super) fn xml(index: usize) -> String {
    format!("{DIRECTORY}/{index}.xml")
}

fn asc(index: usize) -> String {
    format!("{DIRECTORY}/{index}.asc")
}
