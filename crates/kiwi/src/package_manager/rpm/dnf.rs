//! dnf 4 as the solver.
//!
//! ```text
//! dnf.conf         no configuration of the host is read
//! repos.d/N.repo   a repository, with its keys
//! made/N/          metadata that kiwi makes for a directory of packages
//! cache/N-HASH/    metadata, and what dnf made of it
//! ```
//!
//! dnf keeps the keys of each repository apart from those of the others: a signature counts only if a key of the same
//! repository made it.

mod command;
mod output;
mod repository_file;

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::customize::customized;
use super::directory::index_directory;
use super::failed::Unsolved;
use super::solver::{Action, Changes, Removal, Request, Session, Solver};
use super::{Rpm, mirrors, sources};
use crate::context::Context;
use crate::host::CommandError;
use crate::package_manager::{ManagerFiles, PackagePlan};
use crate::repository::Resolved;
use output::Output;

/// The directory of metadata in [`ManagerFiles`].
const CACHE: &str = "cache";

/// The directory of the `.repo` files in [`ManagerFiles`].
const REPOSITORIES: &str = "repos.d";

/// dnf 4 of the host.
pub(in crate::package_manager) struct Dnf;

impl Solver for Dnf {
    fn program(&self) -> &'static str {
        "dnf-3"
    }

    fn has_pattern_packages(&self) -> bool {
        false
    }

    fn configure(&self, plan: &PackagePlan, files: &ManagerFiles, context: &Context) -> Result<()> {
        let host = &context.host;
        command::configure(plan, files, host)?;
        files.create_directory("vars", host)?;
        let session = Session { plan, files, host };
        sources::used(plan).try_for_each(|repository| self.configure_repository(repository, session))
    }

    fn configure_repository(
        &self,
        (index, repository): (usize, &Resolved),
        session: Session<'_>,
    ) -> Result<()> {
        let Session { plan, files, host } = session;
        files.create_directory(REPOSITORIES, host)?;
        if repository.location.starts_with('/') {
            files.create_directory(&command::local_directory(index), host)?;
        }
        index_directory(index, repository, files, host)?;
        mirrors::fetch_list(index, repository, files, host)?;
        let text = repository_file::text(index, repository, plan, files)?;
        let text = customized(text, index, repository, files, host)?;
        files.write(&format!("{REPOSITORIES}/{index}.repo"), text, host)
    }

    fn refresh(&self, plan: &PackagePlan, files: &ManagerFiles, context: &Context) -> Result<()> {
        let host = &context.host;
        let mut output = Output::default();
        let refresh = command::dnf(plan, files, host).args(["--assumeyes", "makecache"]).network();
        super::failed::with_proxies(refresh, host)?
            .run_watched(|line| output.add(line))
            .map_err(|error| unreadable(error, &output, plan))
    }

    fn metadata_directories(&self) -> &'static [&'static str] {
        &[CACHE]
    }

    fn configuration(&self, files: &ManagerFiles) -> Result<Vec<String>> {
        let repositories = files.list(REPOSITORIES)?.into_iter().map(|name| format!("{REPOSITORIES}/{name}"));
        Ok(repositories.chain([command::CONFIGURATION.to_owned()]).collect())
    }

    fn metadata(&self, index: usize, files: &ManagerFiles) -> Result<PathBuf> {
        let cache = files.path().join(CACHE);
        let start = format!("{index}-");
        let reading = || format!("reading {}", cache.display());
        for entry in cache.read_dir().with_context(reading)? {
            let path = entry.with_context(reading)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with(&start) && path.join("repodata").is_dir() {
                return Ok(path);
            }
        }
        anyhow::bail!("dnf has no metadata of the repository {index} in {}", cache.display())
    }

    fn removed(&self, removal: &Removal<'_>, session: Session<'_>) -> Result<Vec<String>> {
        let Session { plan, files, host } = session;
        command::configure(plan, files, host)?;
        for directory in [REPOSITORIES, "vars"] {
            files.create_directory(directory, host)?;
        }
        for (index, repository) in sources::used(plan) {
            if repository.location.starts_with('/') {
                files.create_directory(&command::local_directory(index), host)?;
            }
        }
        if !removal.automatic.is_empty() {
            // dnf knows in a history of its own for what reason a package is installed.
            command::dnf(plan, files, host).args(["mark", "remove"]).args(removal.automatic).run()?;
        }
        let mut output = Output::default();
        let dnf = command::dnf(plan, files, host).args(["--assumeno", "remove"]).args(removal.names);
        let answer = dnf.run_watched(|line| output.add(line));
        if let Some(changes) = output.changes()? {
            // The answer "no" makes dnf fail.
            return Ok(changes.remove);
        }
        match answer {
            Ok(()) => Ok(Vec::new()),
            Err(error) => Err(unsolved(error, &output, plan, files)),
        }
    }

    fn solve(&self, request: &Request, session: Session<'_>) -> Result<Changes> {
        let Session { plan, files, host } = session;
        let weak = u8::from(request.recommended);
        let mut dnf = command::dnf(plan, files, host)
            .args(["--cacheonly", "--assumeno"])
            .arg(format!("--setopt=install_weak_deps={weak}"));
        if !request.ignored.is_empty() {
            dnf = dnf.arg(format!("--exclude={}", request.ignored.join(",")));
        }
        dnf = match request.action {
            Action::Install => {
                let groups = request.patterns.iter().map(|name| format!("@{name}"));
                dnf.arg("install").args(&request.packages).args(groups)
            }
            Action::Upgrade => dnf.arg("upgrade"),
        };
        let mut output = Output::default();
        let answer = dnf.run_watched(|line| output.add(line));
        if let Some(changes) = output.changes()? {
            // The answer "no" makes dnf fail.
            return Ok(changes);
        }
        match answer {
            Ok(()) => Ok(Changes::default()),
            Err(error) => Err(unsolved(error, &output, plan, files)),
        }
    }
}

/// Returns why the metadata of a repository cannot be used.
fn unreadable(error: CommandError, output: &Output, plan: &PackagePlan) -> anyhow::Error {
    let CommandError::Failed { .. } = &error else { return error.into() };
    let Some(unreadable) = output.unreadable() else { return error.into() };
    let described =
        plan.repositories.get(unreadable.index).map_or("of the description", |found| &found.described);
    unreadable.why.failure(described).into()
}

/// Returns why dnf selected nothing.
fn unsolved(error: CommandError, output: &Output, plan: &PackagePlan, files: &ManagerFiles) -> anyhow::Error {
    let CommandError::Failed { .. } = &error else { return error.into() };
    let Some(unsolved) = Unsolved::of(output.missing(), output.problems()) else { return error.into() };
    Rpm::dnf(plan).unsolved(unsolved, files).into()
}
