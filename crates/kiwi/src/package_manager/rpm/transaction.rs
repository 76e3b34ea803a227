//! One transaction of rpm in a tree.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufReader;

use anyhow::{Context as _, Result};

use super::fetch::Fetched;
use super::header::Header;
use super::output::{Installed, Problem, problems};
use super::runtime::Runtime;
use super::{RpmSettings, database, installed, name_of};
use crate::distribution::PackageScripts;
use crate::failure::{Failure, Kind};
use crate::host::{Command, CommandError, Host, RunningStage};
use crate::package_manager::Package;
use crate::root_tree::{DESCRIPTION, RootTree};

/// The directory of packages below `/run` of the sandbox.
const PACKAGES: &str = "kiwi/packages";

/// What the transactions of one tree have in common.
pub(super) struct Transaction<'t> {
    pub(super) scripts: &'static PackageScripts,
    pub(super) settings: RpmSettings,
    pub(super) default_database: &'static str,
    /// An empty directory that the programs of a prepared tree see instead of its description.
    pub(super) hidden: Option<std::path::PathBuf>,
    /// Whether every package has a signature that was checked, so that its digests need no check.
    pub(super) verified: bool,
    pub(super) runtime: &'t Runtime,
    pub(super) tree: &'t RootTree,
    pub(super) host: &'t Host,
}

impl Transaction<'_> {
    /// Installs packages, or replaces older ones by them.
    pub(super) fn install(
        &self,
        packages: &[Package],
        fetched: &Fetched,
        stage: &RunningStage<'_>,
    ) -> Result<()> {
        if packages.is_empty() {
            return Ok(());
        }
        // The time of installation depends on the packages alone.
        let mut newest = 0;
        for package in packages {
            let path = fetched.path(package);
            let file = File::open(&path).with_context(|| format!("reading {}", path.display()))?;
            let header = Header::read(BufReader::new(file));
            let header = header.with_context(|| format!("reading the package {package}"))?;
            newest = newest.max(header.build_time());
        }
        let mut command = self
            .rpm(newest)
            .bind_directory_in_run(fetched.directory(), PACKAGES, true)
            // kiwi has checked the signatures that the description wants.
            .args(["--upgrade", "--verbose", "--nosignature"]);
        if self.verified {
            command = command.arg("--nodigest");
        }
        if self.settings.exclude_documentation {
            command = command.arg("--excludedocs");
        }
        if self.settings.force {
            command = command.args(["--force", "--nodeps"]);
        }
        if !self.settings.languages.is_empty() {
            command = command.arg(format!("--define=_install_langs {}", self.settings.languages.join(":")));
        }
        let names = packages.iter().map(|package| format!("/run/{PACKAGES}/{}", name_of(package)));
        let progress = Installed::new(packages, stage);
        self.run(command.args(names), packages, |line| progress.read(line))?;
        database::settle(self.tree, self.default_database)
    }

    /// Removes packages, even if others need them.
    pub(super) fn erase(&self, names: &[&str]) -> Result<()> {
        self.run(self.rpm(0).args(["--erase", "--nodeps", "--allmatches"]).args(names), &[], |_| ())
    }

    /// Returns a command for rpm with the tree's database.
    fn rpm(&self, time: u64) -> Command<'_> {
        let path = database::path(self.tree).unwrap_or_else(|| self.default_database.to_owned());
        let mut command = self
            .runtime
            .rpm(self.tree, self.host)
            .without_sync()
            .arg(format!("--dbpath=/{path}"))
            .arg(format!("--define=_rpmlock_path /{path}/.rpm.lock"))
            .env("SOURCE_DATE_EPOCH", time.to_string());
        if let Some(empty) = &self.hidden {
            command = command.bind(empty, format!("/{DESCRIPTION}"), true);
        }
        for (name, value) in self.scripts.environment {
            command = command.env(name, value);
        }
        command
    }

    /// Runs rpm, which installs these packages; failures that it reports as success are errors, too.
    fn run(&self, command: Command<'_>, packages: &[Package], watch: impl Fn(&str)) -> Result<()> {
        let mut lines = Vec::new();
        let result = command.run_watched(|line| {
            watch(line);
            lines.push(line.to_owned());
        });
        let mut problems = problems(&lines);
        if problems.iter().any(Problem::is_shortened) {
            let names = self.names(packages);
            problems.iter_mut().for_each(|problem| problem.complete(&names));
        }
        match result {
            Ok(()) if problems.is_empty() => Ok(()),
            Ok(()) | Err(CommandError::Failed { .. }) if !problems.is_empty() => {
                Err(failure(&problems).into())
            }
            Ok(()) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns name, version and architecture of these packages and of the installed ones.
    fn names(&self, packages: &[Package]) -> BTreeSet<String> {
        let query = "%{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}\\n";
        let installed =
            installed::query(self.tree, self.default_database, query, self.host).unwrap_or_default();
        let new = packages.iter().map(|package| name_of(package).trim_end_matches(".rpm").to_owned());
        installed.lines().map(str::to_owned).chain(new).collect()
    }
}

/// Returns whether an error may be that of a script.
pub(super) fn is_of_script(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Failure>().is_some_and(|failure| failure.kind == Kind::CommandFailed)
}

/// Returns the failure for the problems that rpm reports: the first decides its kind.
fn failure(problems: &[Problem]) -> Failure {
    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let Some(first) = problems.first() else { return Failure::new(Kind::CommandFailed, "rpm failed") };
    let (kind, remedy) = match first {
        Problem::Scriptlet { .. } => (
            Kind::CommandFailed,
            "The log has the output of the script; repair the package, or leave it out.",
        ),
        Problem::FileConflict { .. } => (Kind::Packages, "Leave one of the packages out."),
        Problem::Dependency { .. } => (Kind::Packages, "Add the package that provides it."),
        Problem::Damaged { .. } => {
            (Kind::Damaged, "Somebody has changed it after it was built; ask the owner of its repository.")
        }
        Problem::Unpack { .. } => (Kind::CommandFailed, "The log has the whole output of rpm."),
    };
    let message = match texts.as_slice() {
        [one] => one.clone(),
        several => format!("rpm reports {} problems:\n  {}", several.len(), several.join("\n  ")),
    };
    Failure::new(kind, message).remedy(remedy)
}
