//! Failures of solvers as typed errors: which package or repository, where the description names it, and a remedy.

use anyhow::Result;

use super::{Rpm, catalogue};
use crate::failure::{Failure, Kind};
use crate::host::{Command, Host};
use crate::package_manager::ManagerFiles;
use crate::repository::Proxies;

/// Sets the proxies of the environment and of `kiwi.yml`.
pub(super) fn with_proxies<'h>(command: Command<'h>, host: &Host) -> Result<Command<'h>> {
    let proxies = Proxies::read(host)?;
    let mut command = command.env("no_proxy", proxies.no_proxy());
    for (name, proxy) in [("http_proxy", &proxies.http), ("https_proxy", &proxies.https)] {
        if let Some(proxy) = proxy {
            command = command.env(name, &proxy.url);
        }
    }
    Ok(command)
}

/// Why a solver selected nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unsolved {
    /// No repository has packages, patterns or capabilities of these names.
    Missing(Vec<String>),
    /// Packages need something that no repository has, or exclude each other: the causes, one per line.
    Contradiction(Vec<String>),
}

impl Unsolved {
    /// Returns what a solver reported; `None` if it reported neither missing names nor causes.
    pub(super) fn of(missing: Vec<String>, causes: Vec<String>) -> Option<Self> {
        match (missing.is_empty(), causes.is_empty()) {
            (false, _) => Some(Self::Missing(missing)),
            (true, false) => Some(Self::Contradiction(causes)),
            (true, true) => None,
        }
    }
}

/// Why the metadata of a repository cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// It has no signature.
    Unsigned,
    /// The signature is of another key, or wrong.
    WrongSignature,
    /// The reasons that a solver reports.
    Other(Vec<String>),
}

impl Unreadable {
    /// Returns the failure for a repository, which `described` names.
    pub(super) fn failure(&self, described: &str) -> Failure {
        match self {
            Self::Unsigned => {
                let message = format!("the metadata of the repository {described} has no signature");
                Failure::new(Kind::Signature, message)
                    .remedy("Write repository_gpgcheck=\"false\" if the repository signs its packages only.")
            }
            Self::WrongSignature => {
                let message = format!(
                    "the metadata of the repository {described} is signed with none of its keys, or was changed after it \
                     was signed"
                );
                Failure::new(Kind::Signature, message)
                    .remedy("Add the key that signs it as another <signing key=\"..\"/> of the repository.")
            }
            Self::Other(reasons) => {
                let message = format!("cannot read the repository {described}:\n  {}", reasons.join("\n  "));
                Failure::new(Kind::RepositoryUnreachable, message)
                    .remedy("Check its URL or path and its type.")
            }
        }
    }
}

impl Rpm<'_> {
    /// Returns the failure for an unsolved request.
    pub(super) fn unsolved(&self, unsolved: Unsolved, files: &ManagerFiles) -> Failure {
        match unsolved {
            Unsolved::Missing(names) => self.missing_names(&names, files),
            Unsolved::Contradiction(causes) => {
                let causes: Vec<String> = causes.iter().map(|cause| self.positioned(cause)).collect();
                let message = format!(
                    "the packages of the description cannot be installed together:\n  {}",
                    causes.join("\n  ")
                );
                Failure::new(Kind::Packages, message).remedy(
                    "Add the repository that provides what is missing, or remove one of the packages.",
                )
            }
        }
    }

    fn missing_names(&self, names: &[String], files: &ManagerFiles) -> Failure {
        let known = catalogue::names(self, files);
        let described: Vec<String> = names
            .iter()
            .map(|name| {
                let plain = name.rsplit(':').next().unwrap_or(name);
                let mut facts: Vec<String> = self.position(plain).into_iter().collect();
                if let Some(near) = description::nearest(plain, known.iter().map(String::as_str)) {
                    facts.push(format!("did you mean {near}?"));
                }
                if facts.is_empty() { name.clone() } else { format!("{name} ({})", facts.join("; ")) }
            })
            .collect();
        let message = format!(
            "{} not in the repositories of the description: {}",
            if names.len() == 1 { "a package is" } else { "packages are" },
            described.join(", ")
        );
        Failure::new(Kind::Packages, message).remedy(
            "check the spelling, the <packages> sections, and that the repository that contains it is specified",
        )
    }

    /// Returns the position at which the description names a package.
    fn position(&self, name: &str) -> Option<String> {
        let span = self.plan.positions.of(name)?;
        let (line, column) = span.line_and_column();
        Some(format!("{}:{line}:{column}", span.file.name))
    }

    /// Adds the position of the last package in a cause that the description names.
    fn positioned(&self, cause: &str) -> String {
        let mut names: Vec<&str> = self
            .plan
            .bootstrap
            .packages
            .iter()
            .chain(&self.plan.image.packages)
            .map(|package| package.name.as_str())
            .filter(|name| cause.split(' ').any(|word| word.strip_prefix(name).is_some_and(is_edition)))
            .collect();
        names.sort_by_key(|name| name.len());
        match names.last().and_then(|name| self.position(name)) {
            Some(position) => format!("{cause} ({position})"),
            None => cause.to_owned(),
        }
    }
}

/// Returns whether the rest of a word after the name of a package is its edition.
fn is_edition(rest: &str) -> bool {
    rest.is_empty()
        || rest.strip_prefix('-').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}
