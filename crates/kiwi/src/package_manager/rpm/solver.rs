//! The part of zypper and dnf: they read repositories, check the signatures of metadata and select packages.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use anyhow::Result;

use super::metadata::Edition;
use crate::context::Context;
use crate::host::Host;
use crate::package_manager::{ManagerFiles, PackagePlan};
use crate::repository::Resolved;

/// The path of [`ManagerFiles`] in the view of solvers. Every system has this directory, and they do not need it.
pub(super) const VIEW: &str = "/sys";

/// The root directory of the solver in [`ManagerFiles`]: it contains nothing but a database of installed packages.
pub(super) const ROOT: &str = "root";

/// The home directory of solvers and rpm in [`ManagerFiles`]; its `.rpmmacros` sets the directory of the database.
pub(super) const HOME: &str = "home";

/// What a solver decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub(super) enum Action {
    /// Installs what the request names.
    Install,
    /// Replaces installed packages by newer ones; the request names nothing.
    Upgrade,
}

/// A question to a solver.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(super) struct Request {
    pub(super) action: Action,
    /// Names of packages.
    pub(super) packages: Vec<String>,
    /// Names of patterns or groups.
    pub(super) patterns: Vec<String>,
    /// Names of packages that must not be installed.
    pub(super) ignored: Vec<String>,
    /// Whether recommended packages are installed, too.
    pub(super) recommended: bool,
}

/// A question to a solver: what to remove from the installed packages.
pub(super) struct Removal<'r> {
    /// The packages to remove.
    pub(super) names: &'r [&'r str],
    /// Installed packages that nobody asked for: they leave with the last package that needs them.
    pub(super) automatic: &'r [String],
}

/// A package by name, edition and architecture.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub(super) struct Solved {
    pub(super) name: String,
    pub(super) edition: Edition,
    pub(super) architecture: String,
}

/// The answer of a solver.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Changes {
    /// Packages to install; some replace older ones.
    pub(super) install: Vec<Solved>,
    /// Names of packages to remove, besides those that are replaced.
    pub(super) remove: Vec<String>,
}

/// What a solver works on after `refresh`.
#[derive(Clone, Copy)]
pub(super) struct Session<'s> {
    pub(super) plan: &'s PackagePlan,
    pub(super) files: &'s ManagerFiles,
    pub(super) host: &'s Host,
}

/// A program that selects packages. It works in a private root directory, [`ROOT`], and never sees a tree.
pub(super) trait Solver {
    /// Returns the name of the program.
    fn program(&self) -> &'static str;
    /// Returns whether a package stands for each pattern that is installed; otherwise nothing tells what it brought.
    fn has_pattern_packages(&self) -> bool;
    /// Writes the configuration.
    fn configure(&self, plan: &PackagePlan, files: &ManagerFiles, context: &Context) -> Result<()>;
    /// Writes the configuration of one repository, with its index in the plan: fetches its list of mirrors and runs its script.
    fn configure_repository(&self, repository: (usize, &Resolved), session: Session<'_>) -> Result<()>;
    /// Downloads the metadata of all repositories and checks its signatures against exactly the keys of each repository, after
    /// `configure`.
    fn refresh(&self, plan: &PackagePlan, files: &ManagerFiles, context: &Context) -> Result<()>;
    /// Returns the directories in [`ManagerFiles`] with everything that `refresh` has read, and what the program made of it.
    fn metadata_directories(&self) -> &'static [&'static str];
    /// Returns the files in [`ManagerFiles`] that `configure` writes and on which the form of the metadata depends.
    fn configuration(&self, files: &ManagerFiles) -> Result<Vec<String>>;
    /// Returns the directory that contains the metadata of a repository, by its index in the plan, after `refresh`.
    fn metadata(&self, index: usize, files: &ManagerFiles) -> Result<PathBuf>;
    /// Returns the names of the packages that leave the database in [`ROOT`] with those of the question: packages that need them,
    /// and automatic ones that nothing else needs. Needs no `refresh`.
    fn removed(&self, removal: &Removal<'_>, session: Session<'_>) -> Result<Vec<String>>;
    /// Selects packages, without network.
    fn solve(&self, request: &Request, session: Session<'_>) -> Result<Changes>;
}

/// Returns what distinguishes one version of a program from another, without running it.
pub(super) fn version(program: &str, host: &Host) -> Option<(u64, i64)> {
    let metadata = host.find_program(program).ok()?.metadata().ok()?;
    Some((metadata.size(), metadata.mtime()))
}

impl super::Rpm<'_> {
    /// Returns what the solver works on.
    pub(super) fn session<'s>(&'s self, files: &'s ManagerFiles, host: &'s Host) -> Session<'s> {
        Session { plan: self.plan, files, host }
    }

    /// Creates the directories that solvers and rpm need, and the configuration of rpm.
    pub(super) fn prepare_files(&self, files: &ManagerFiles, host: &Host) -> Result<()> {
        let database = super::database::DEFAULT;
        let root = [format!("{ROOT}/{database}"), format!("{ROOT}/etc/zypp")];
        for directory in root.iter().map(String::as_str).chain([HOME, "keys", "tmp", "log", "cache"]) {
            files.create_directory(directory, host)?;
        }
        files.write(&format!("{HOME}/.rpmmacros"), format!("%_dbpath /{database}\n"), host)
    }
}
