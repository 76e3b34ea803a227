//! A description of a few packages from an RPM repository, whose packages zypper or dnf selects without installing them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use kiwi_tests::program::kiwi;
use kiwi_tests::run::Run;

/// The package managers, and what each of them needs.
pub(super) const MANAGERS: [&str; 2] = ["zypper", "dnf4"];

/// A description beside its cache.
pub(super) struct Case {
    pub(super) directory: tempfile::TempDir,
    manager: &'static str,
    variables: Vec<(&'static str, String)>,
}

/// Returns a `<repository>` with this source, attributes and key.
pub(super) fn element(source: &str, attributes: &str, key: Option<&Path>) -> String {
    let key = key.map(|key| format!("<signing key=\"file://{}\"/>", key.display())).unwrap_or_default();
    let kind = if attributes.contains("type=") { "" } else { "type=\"rpm-md\"" };
    format!("<repository {kind} {attributes}><source path=\"{source}\">{key}</source></repository>\n")
}

/// Attributes of a repository without signatures.
pub(super) const UNSIGNED: &str = "repository_gpgcheck=\"false\" package_gpgcheck=\"false\"";

impl Case {
    pub(super) fn new(manager: &'static str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("description")).unwrap();
        Self { directory, manager, variables: Vec::new() }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Sets an environment variable.
    pub(super) fn variable(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    /// Selects these elements of `<packages>` from the repositories.
    pub(super) fn run(&self, repositories: &str, packages: &str, more: &[&str]) -> Run {
        self.run_with("", repositories, packages, more)
    }

    /// Like [`Case::run`], with attributes of `<packages>`.
    pub(super) fn run_of(&self, attributes: &str, repositories: &str, packages: &str) -> Run {
        self.run_described("", repositories, (attributes, packages), &[])
    }

    /// Like [`Case::run`], with more elements of `<preferences>`.
    pub(super) fn run_with(
        &self,
        preferences: &str,
        repositories: &str,
        packages: &str,
        more: &[&str],
    ) -> Run {
        self.run_described(preferences, repositories, ("", packages), more)
    }

    fn run_described(
        &self,
        preferences: &str,
        repositories: &str,
        (attributes, packages): (&str, &str),
        more: &[&str],
    ) -> Run {
        let manager = self.manager;
        let text = format!(
            "<image schemaversion=\"8.5\" name=\"x\">\n<description type=\"system\"><author>A</author>\
             <contact>a@example.org</contact><specification>S</specification></description>\n<preferences><version>1.0.0\
             </version><packagemanager>{manager}</packagemanager>{preferences}<type image=\"tbz\"/></preferences>\n\
             {repositories}\n<packages type=\"image\"{attributes}>{packages}</packages>\n</image>\n"
        );
        fs::write(self.path("description/config.xml"), text).unwrap();
        let mut command = Command::new(kiwi());
        command.args(["info", "--resolve", "--format", "json", "description"]).args(more);
        command.current_dir(self.directory.path()).env("KIWI_CACHE", self.path("cache"));
        for name in ["http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"] {
            command.env_remove(name);
        }
        command.envs(self.variables.iter().map(|(name, value)| (*name, value)));
        Run::of(&mut command)
    }
}

/// Returns the names of the packages that a run selected.
pub(super) fn selected(run: &Run) -> Vec<String> {
    let info = &run.outcome()["info"];
    let list = info["resolved"].as_array().unwrap_or_else(|| panic!("no packages: {info}"));
    list.iter().map(|package| package["name"].as_str().expect("a name").to_owned()).collect()
}
