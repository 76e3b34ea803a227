//! apt's preferences for one tree: the priorities of repositories.
//!
//! apt has no priority for a repository, only pins on packages by their origin: a host, or values in the release file.
//! A host is sufficient if all its repositories have the same priority; otherwise the values in their release files
//! distinguish them.

use anyhow::{Context, Result};

use super::Apt;
use crate::host::{Host, Warning};
use crate::package_manager::ManagerFiles;
use crate::repository::Resolved;

/// The path in [`ManagerFiles`].
const PREFERENCES: &str = "etc/preferences.d/kiwi";

/// Fields of `apt-get indextargets`, and their names in a pin.
const FIELDS: [(&str, &str); 5] =
    [("ORIGIN", "o"), ("LABEL", "l"), ("SUITE", "a"), ("CODENAME", "n"), ("COMPONENT", "c")];

/// One index of a repository that apt has read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Target {
    uri: String,
    suite: String,
    /// The condition of a pin for it; empty if its release file has no values.
    release: String,
}

impl Apt<'_> {
    /// Writes the pins that are known before the repositories are read.
    pub(super) fn write_preferences(&self, files: &ManagerFiles, host: &Host) -> Result<()> {
        let pins = self.build_repositories().filter_map(|(index, repository)| {
            let priority = repository.priority?;
            if is_directory(repository) {
                return Some(pin(&format!("release l={}", label(index)), priority));
            }
            let is_alone = self.is_of_its_own_host(repository);
            is_alone.then(|| pin(&format!("origin \"{}\"", host_of(&repository.location)), priority))
        });
        files.write(PREFERENCES, self.ignored().chain(pins).collect::<String>(), host)
    }

    /// Adds pins for repositories that only their release files distinguish, after they have been read.
    pub(super) fn pin_by_release(&self, files: &ManagerFiles, host: &Host) -> Result<()> {
        let alike: Vec<(String, &Resolved)> = self
            .build_repositories()
            .filter(|(_, repository)| !self.is_of_its_own_host(repository) && !is_directory(repository))
            .map(|(index, repository)| (self.uri(repository, index), repository))
            .collect();
        if alike.iter().all(|(_, repository)| repository.priority.is_none()) {
            return Ok(());
        }
        let fields = FIELDS.map(|(field, _)| format!("$({field})")).join("|");
        let command = self.apt_get(files, host).args([
            "indextargets",
            "--format",
            &format!("$(REPO_URI)|$(RELEASE)|{fields}"),
            "Created-By: Packages",
        ]);
        let targets = targets(&command.output().context("asking apt for the names of the repositories")?);
        let (pins, confused) = pins(&alike, &targets);
        for (location, suite) in confused {
            host.warn(Warning::Repository, &format!(
                "the priority of the repository {location} ({suite}) has no effect: its release file does not \
                 distinguish it from another repository of its host with another priority; give it its own label or suite"
            ));
        }
        files.write(PREFERENCES, self.preferences(files)? + &pins, host)
    }

    /// Returns the current preferences.
    pub(super) fn preferences(&self, files: &ManagerFiles) -> Result<String> {
        files.read_text(PREFERENCES)
    }

    /// Returns pins against the packages that the description ignores.
    fn ignored(&self) -> impl Iterator<Item = String> {
        let names = self.plan.bootstrap.ignored.iter().chain(&self.plan.image.ignored);
        names.map(|name| format!("Package: {name}\nPin: release *\nPin-Priority: -1\n\n"))
    }

    /// Returns the repositories that apt reads, with their index.
    pub(super) fn build_repositories(&self) -> impl Iterator<Item = (usize, &Resolved)> {
        self.plan.repositories.iter().filter(|repository| repository.for_build).enumerate()
    }

    /// Returns whether all repositories of the same host have the same priority.
    fn is_of_its_own_host(&self, repository: &Resolved) -> bool {
        self.build_repositories().all(|(_, other)| {
            host_of(&other.location) != host_of(&repository.location) || other.priority == repository.priority
        })
    }
}

/// Returns whether kiwi creates the index of this repository.
pub(super) fn is_directory(repository: &Resolved) -> bool {
    repository.kind == description::RepositoryType::DebDir && repository.location.starts_with('/')
}

/// Returns the label of the repository with this index, if kiwi creates its index file.
pub(super) fn label(index: usize) -> String {
    format!("kiwi-repository-{index}")
}

fn pin(condition: &str, priority: i64) -> String {
    format!("Package: *\nPin: {condition}\nPin-Priority: {priority}\n\n")
}

/// Parses lines of `URI|SUITE|FIELD|...`. If a release file lacks a field, apt prints `$(FIELD)`. A comma would end the
/// condition of a pin.
fn targets(output: &str) -> Vec<Target> {
    let target = |line: &str| {
        let mut fields = line.split('|');
        let (uri, suite) = (fields.next()?.to_owned(), fields.next()?.to_owned());
        let said = fields.zip(FIELDS).filter(|(value, _)| !value.starts_with("$(") && !value.contains(','));
        let release = said.map(|(value, (_, letter))| format!("{letter}={value}")).collect::<Vec<_>>();
        Some(Target { uri, suite, release: release.join(",") })
    };
    output.lines().filter_map(target).collect()
}

/// Returns the pins of these repositories, each with its URI, and location and suite of those that no pin can select
/// alone.
fn pins(repositories: &[(String, &Resolved)], targets: &[Target]) -> (String, Vec<(String, String)>) {
    let of = |uri: &str, repository: &Resolved, target: &Target| {
        target.uri.trim_end_matches('/') == uri.trim_end_matches('/')
            && repository.suites.contains(&target.suite)
    };
    let (mut text, mut confused) = (String::new(), Vec::new());
    for (uri, repository, priority) in
        repositories.iter().filter_map(|(uri, repository)| Some((uri, *repository, repository.priority?)))
    {
        for target in targets.iter().filter(|target| of(uri, repository, target)) {
            let other = |(uri, other): &&(String, &Resolved)| {
                other.priority != Some(priority)
                    && targets.iter().any(|theirs| of(uri, other, theirs) && theirs.release == target.release)
            };
            let (pin, location) =
                (pin(&format!("release {}", target.release), priority), repository.location.clone());
            match target.release.is_empty() || repositories.iter().find(other).is_some() {
                true => confused.push((location, target.suite.clone())),
                false if text.contains(&pin) => {}
                false => text += &pin,
            }
        }
    }
    (text, confused)
}

/// Returns the host of a location in the form that apt compares: without user and port, empty for a directory.
fn host_of(location: &str) -> &str {
    let host = location.split_once("://").map_or("", |(_, rest)| rest.split('/').next().unwrap_or_default());
    let host = host.rsplit('@').next().unwrap_or_default();
    host.rsplit_once(':').map_or(host, |(host, _)| host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use description::RepositoryType;

    #[test]
    fn returns_hosts_as_apt_does() {
        assert_eq!(host_of("https://user:password@packages.example.org:8443/debian"), "packages.example.org");
        assert_eq!(host_of("http://packages.example.org"), "packages.example.org");
        assert_eq!(host_of("/srv/packages"), "");
    }

    /// Returns a repository with the URI by which apt finds it.
    fn with_uri(repository: &Resolved) -> (String, &Resolved) {
        let scheme = if repository.location.starts_with('/') { "copy:" } else { "" };
        (format!("{scheme}{}", repository.location), repository)
    }

    fn repository(location: &str, suite: &str, priority: Option<i64>) -> Resolved {
        Resolved {
            kind: RepositoryType::AptDeb,
            location: location.to_owned(),
            source_type: description::SourceType::BaseUrl,
            customize: None,
            suites: vec![suite.to_owned()],
            components: Vec::new(),
            architectures: Vec::new(),
            keys: Vec::new(),
            alias: None,
            checked: true,
            rpm_checks: (None, None),
            priority,
            for_build: true,
            in_image: None,
            lock_name: crate::repository::LOCAL.to_owned(),
            credentials: None,
            described: location.to_owned(),
            valid_until: true,
        }
    }

    #[test]
    fn values_in_release_files_distinguish_repositories() {
        let read = targets(
            "http://h/debian/|stable|Debian|Debian|stable|bookworm|main\n\
             http://h/debian/|stable|Debian|Debian|stable|bookworm|contrib\n\
             http://h/own/|./|Example|Own, or not|$(SUITE)|$(CODENAME)|$(COMPONENT)\n\
             copy:/srv/one/|./|$(ORIGIN)|$(LABEL)|$(SUITE)|$(CODENAME)|$(COMPONENT)\n",
        );
        assert_eq!(read[0].release, "o=Debian,l=Debian,a=stable,n=bookworm,c=main");
        assert_eq!(read[2].release, "o=Example", "a comma ends a condition");
        let (debian, own) =
            (repository("http://h/debian", "stable", Some(400)), repository("http://h/own", "./", None));
        let directory = repository("/srv/one", "./", Some(700));
        let (text, confused) = pins(&[&debian, &own, &directory].map(with_uri), &read);
        assert_eq!(
            text,
            "Package: *\nPin: release o=Debian,l=Debian,a=stable,n=bookworm,c=main\nPin-Priority: 400\n\n\
             Package: *\nPin: release o=Debian,l=Debian,a=stable,n=bookworm,c=contrib\nPin-Priority: 400\n\n"
        );
        assert_eq!(confused, [("/srv/one".to_owned(), "./".to_owned())]);
        // The same values with another priority.
        let copy = repository("http://h/own", "./", Some(1));
        assert_eq!(
            pins(&[&own, &copy].map(with_uri), &read),
            (String::new(), vec![("http://h/own".to_owned(), "./".to_owned())])
        );
    }
}
