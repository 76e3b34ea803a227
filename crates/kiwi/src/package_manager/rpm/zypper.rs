//! zypper as the solver.
//!
//! ```text
//! zypp.conf, zypper.conf   no configuration of the host is read
//! repos/N/N.repo           one repository, with root roots/N, whose database has its keys: for `refresh`
//! repos.d/N.repo           all repositories, with the root `root`: for `install --dry-run`
//! raw/N/, solv/, pkg/      metadata, and what zypper made of it
//! ```

mod command;
mod output;
mod repository_file;

use std::path::PathBuf;

use anyhow::Result;

use super::customize::customized;
use super::directory::index_directory;
use super::failed::{Unreadable, Unsolved};
use super::keys::root_of;
use super::solver::{Action, Changes, ROOT, Removal, Request, Session, Solver};
use super::{Rpm, mirrors, sources};
use crate::context::Context;
use crate::host::CommandError;
use crate::package_manager::{ManagerFiles, PackagePlan};
use crate::repository::Resolved;
use output::Output;

/// The directory of metadata in [`ManagerFiles`].
const RAW: &str = "raw";

/// The directory of what zypper made of the metadata, in [`ManagerFiles`].
const SOLV: &str = "solv";

/// The directory of the `.repo` files of all repositories in [`ManagerFiles`].
const REPOSITORIES: &str = "repos.d";

/// The directory in [`ManagerFiles`] in which zypper would keep packages.
const PACKAGES: &str = "pkg";

/// An empty directory instead of that of the `.repo` files.
const NO_REPOSITORIES: &str = "repos.none";

/// zypper of the host.
pub(in crate::package_manager) struct Zypper;

impl Solver for Zypper {
    fn program(&self) -> &'static str {
        "zypper"
    }

    fn has_pattern_packages(&self) -> bool {
        true
    }

    fn configure(&self, plan: &PackagePlan, files: &ManagerFiles, context: &Context) -> Result<()> {
        let host = &context.host;
        command::configure(plan, files, host)?;
        let session = Session { plan, files, host };
        sources::used(plan).try_for_each(|repository| self.configure_repository(repository, session))
    }

    fn configure_repository(
        &self,
        (index, repository): (usize, &Resolved),
        session: Session<'_>,
    ) -> Result<()> {
        let Session { files, host, .. } = session;
        index_directory(index, repository, files, host)?;
        mirrors::fetch_list(index, repository, files, host)?;
        match mirrors::urls(index, repository, files)?.first() {
            Some(url) => write_repository(url, (index, repository), session),
            None => Ok(()),
        }
    }

    fn refresh(&self, plan: &PackagePlan, files: &ManagerFiles, context: &Context) -> Result<()> {
        let host = &context.host;
        let session = Session { plan, files, host };
        for (index, repository) in sources::used(plan) {
            let urls = mirrors::urls(index, repository, files)?;
            for (position, url) in urls.iter().enumerate() {
                if position > 0 {
                    write_repository(url, (index, repository), session)?;
                }
                match refresh_one(index, session)? {
                    Ok(()) => break,
                    // zypper itself would read the first mirror only.
                    Err(Unreadable::Other(_)) if position + 1 < urls.len() => host.check_interrupt()?,
                    Err(unreadable) => return Err(unreadable.failure(&repository.described).into()),
                }
            }
        }
        Ok(())
    }

    fn metadata_directories(&self) -> &'static [&'static str] {
        &[RAW, SOLV]
    }

    fn configuration(&self, files: &ManagerFiles) -> Result<Vec<String>> {
        let repositories = files.list(REPOSITORIES)?.into_iter().map(|name| format!("{REPOSITORIES}/{name}"));
        Ok(repositories.chain([command::CONFIGURATION.to_owned()]).collect())
    }

    fn metadata(&self, index: usize, files: &ManagerFiles) -> Result<PathBuf> {
        Ok(files.path().join(RAW).join(index.to_string()))
    }

    fn removed(&self, removal: &Removal<'_>, session: Session<'_>) -> Result<Vec<String>> {
        let Session { plan, files, host } = session;
        command::configure(plan, files, host)?;
        files.create_directory(NO_REPOSITORIES, host)?;
        files.create_directory(&format!("{ROOT}/var/lib/zypp"), host)?;
        let automatic: String = removal.automatic.iter().flat_map(|name| [name.as_str(), "\n"]).collect();
        files.write(&format!("{ROOT}/var/lib/zypp/AutoInstalled"), automatic, host)?;
        let zypper = command::zypper(ROOT, NO_REPOSITORIES, files, host);
        let mut output = Output::default();
        let answer = zypper
            .args(["remove", "--clean-deps", "--dry-run", "--"])
            .args(removal.names)
            .run_watched(|line| output.add(line));
        match answer {
            Ok(()) => Ok(output.changes()?.remove),
            Err(error) => Err(unsolved(error, &output, plan, files)),
        }
    }

    fn solve(&self, request: &Request, session: Session<'_>) -> Result<Changes> {
        let Session { plan, files, host } = session;
        files.write(&format!("{ROOT}/etc/zypp/locks"), command::locks(&request.ignored), host)?;
        let mut zypper = command::zypper(ROOT, REPOSITORIES, files, host);
        zypper = match request.action {
            Action::Install => zypper.args(["install", "--auto-agree-with-licenses"]),
            Action::Upgrade => zypper.args(["update", "--auto-agree-with-licenses"]),
        };
        zypper =
            zypper.arg("--dry-run").arg(if request.recommended { "--recommends" } else { "--no-recommends" });
        if request.action == Action::Install {
            let patterns = request.patterns.iter().map(|name| format!("pattern:{name}"));
            zypper = zypper.arg("--").args(&request.packages).args(patterns);
        }
        let mut output = Output::default();
        match zypper.run_watched(|line| output.add(line)) {
            Ok(()) => output.changes(),
            Err(error) => Err(unsolved(error, &output, plan, files)),
        }
    }
}

/// Writes the files of a repository at a URL, which may be a mirror.
fn write_repository(url: &str, (index, repository): (usize, &Resolved), session: Session<'_>) -> Result<()> {
    let Session { plan, files, host } = session;
    let text = repository_file::text(index, url, repository, plan);
    let text = customized(text, index, repository, files, host)?;
    files.create_directory(&format!("repos/{index}"), host)?;
    files.create_directory(REPOSITORIES, host)?;
    files.write(&format!("repos/{index}/{index}.repo"), &text, host)?;
    files.write(&format!("{REPOSITORIES}/{index}.repo"), &text, host)?;
    repository_file::write_credentials(index, repository, files, host)
}

/// Reads a repository; returns why it cannot be used.
fn refresh_one(index: usize, session: Session<'_>) -> Result<Result<(), Unreadable>> {
    let Session { files, host, .. } = session;
    let mut output = Output::default();
    let refresh = command::zypper(&root_of(index), &format!("repos/{index}"), files, host).arg("refresh");
    let refresh = super::failed::with_proxies(refresh.network(), host)?;
    match refresh.run_watched(|line| output.add(line)) {
        Ok(()) => Ok(Ok(())),
        Err(CommandError::Failed { .. }) => Ok(Err(unreadable(&output))),
        Err(error) => Err(error.into()),
    }
}

/// Returns why the metadata of a repository cannot be used.
fn unreadable(output: &Output) -> Unreadable {
    if output.has("is unsigned") {
        Unreadable::Unsigned
    } else if output.has("Signature verification failed") || output.has("unknown key") {
        Unreadable::WrongSignature
    } else {
        Unreadable::Other(output.errors())
    }
}

/// Returns why zypper selected nothing.
fn unsolved(error: CommandError, output: &Output, plan: &PackagePlan, files: &ManagerFiles) -> anyhow::Error {
    let CommandError::Failed { .. } = &error else { return error.into() };
    let Some(unsolved) = Unsolved::of(output.missing(), output.problems()) else { return error.into() };
    Rpm::zypper(plan).unsolved(unsolved, files).into()
}
