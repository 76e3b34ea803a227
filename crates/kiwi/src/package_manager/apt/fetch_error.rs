//! Why apt could not fetch something: which repository, its URL, what specifies it, and a remedy.

use anyhow::Error;

use super::Apt;
use super::configuration::LISTS;
use crate::deb822::{self, Comments};
use crate::failure::{Failure, Kind};
use crate::host::{CommandError, Host, Warning};
use crate::package_manager::ManagerFiles;
use crate::repository::{Proxies, Resolved};

/// What apt reports while it fetches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Report {
    lines: Vec<String>,
}

/// A file that apt did not get.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Missing {
    url: String,
    reason: String,
}

const SIGNATURE: [&str; 7] = [
    "is not signed",
    "NO_PUBKEY",
    "BADSIG",
    "EXPKEYSIG",
    "signatures were invalid",
    "couldn't be verified",
    "Clearsigned file",
];

impl Report {
    /// Adds a line of output.
    pub(super) fn add(&mut self, line: &str) {
        self.lines.push(line.to_owned());
    }

    /// Returns the first line that contains one of these phrases.
    fn line(&self, phrases: &[&str]) -> Option<&str> {
        let mut found: Vec<&String> =
            self.lines.iter().filter(|line| phrases.iter().any(|phrase| line.contains(phrase))).collect();
        // Errors and warnings name the repository, the lines of progress do not.
        found.sort_by_key(|line| !(line.starts_with("E: ") || line.starts_with("W: ")));
        found.first().map(|line| line.trim_start_matches("E: ").trim_start_matches("W: ").trim())
    }

    /// Returns the first file that apt did not get.
    fn missing(&self) -> Option<Missing> {
        let failed = self.lines.iter().find_map(|line| {
            let (url, reason) = line.strip_prefix("E: Failed to fetch ")?.split_once("  ")?;
            Some(Missing { url: url.to_owned(), reason: one_blank(reason) })
        });
        failed.or_else(|| {
            // apt names no URL of a repository without a release file.
            let number = self.lines.iter().position(|line| line.starts_with("Err:"))?;
            let mut words = self.lines[number].split_whitespace().skip(1);
            let (uri, suite) = (words.next()?.trim_end_matches('/'), words.next()?);
            let url = match suite.strip_suffix('/') {
                Some(path) => {
                    format!("{uri}/{}/Release", path.trim_end_matches("/.").trim_start_matches("./"))
                }
                None => format!("{uri}/dists/{suite}/Release"),
            };
            let reason = self.lines.get(number + 1).map_or("", |line| line.trim());
            Some(Missing { url: url.replace("/./", "/"), reason: one_blank(reason) })
        })
    }

    /// Returns the components that a repository does not have, each with the URI and the suite.
    fn misspelt_components(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.lines.iter().filter_map(|line| {
            let rest = line.strip_prefix("W: Skipping acquire of configured file ")?;
            let (_, rest) = rest.split_once("as repository '")?;
            let (repository, rest) = rest.split_once("' doesn't have the component '")?;
            let mut words = repository.split(' ');
            Some((rest.split('\'').next()?, words.next()?, words.next()?))
        })
    }
}

fn one_blank(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Apt<'_> {
    /// Returns the repository of a line of apt, or of a URL.
    fn repository_of(&self, text: &str) -> Option<&Resolved> {
        let mut found: Vec<(&Resolved, (usize, bool))> = self
            .build_repositories()
            .filter_map(|(index, repository)| {
                let uri = self.uri(repository, index);
                let uri = uri.trim_end_matches('/');
                let (_, rest) = text.split_once(uri)?;
                let has_suite = repository.suites.iter().any(|suite| {
                    rest.contains(&format!("dists/{suite}/")) || rest.contains(&format!(" {suite} "))
                });
                rest.starts_with([' ', '/']).then_some((repository, (uri.len(), has_suite)))
            })
            .collect();
        found.sort_by_key(|(_, rank)| *rank);
        found.pop().map(|(repository, _)| repository)
    }

    /// Returns how a message names the repository of a line of apt.
    fn named_repository(&self, text: &str) -> String {
        self.repository_of(text).map_or("a repository".to_owned(), |repository| {
            format!("the repository {}", repository.described)
        })
    }

    /// Returns the cause of a failed command that fetched something, and a remedy.
    pub(super) fn fetch_error(&self, error: CommandError, fetched: &str, host: &Host) -> Error {
        let report = Report { lines: error.tail().to_vec() };
        self.update_error(error, &report, fetched, host)
    }

    /// Returns the cause of a failed command with this report.
    pub(super) fn update_error(
        &self,
        error: CommandError,
        report: &Report,
        fetched: &str,
        host: &Host,
    ) -> Error {
        if error.is_disk_full() {
            let message = format!("no space is left for {fetched}: No space left on device");
            return Failure::new(Kind::NoSpace, message).into();
        }
        if !matches!(error, CommandError::Failed { .. }) {
            return error.into();
        }
        if let Some(line) = report.line(&SIGNATURE) {
            let reason = line.strip_prefix("GPG error: ").and_then(|line| line.split_once("Release: "));
            let reason = reason.map_or(line, |(_, reason)| reason);
            let message =
                format!("the signature of {} cannot be verified: {reason}", self.named_repository(line));
            let remedy = "specify its key with <signing key=\"file:PATH\"/> in <source> or, if necessary, disable the check \
                          with repository_gpgcheck=\"false\"";
            return Failure::new(Kind::Signature, message).remedy(remedy).into();
        }
        if let Some(line) = report.line(&["is expired (invalid since", "is not valid yet (invalid for"]) {
            return self.outdated(line, host).into();
        }
        if let Some(Missing { url, reason }) = report.missing() {
            return self.unreachable(&url, &reason, host).into();
        }
        if let Some(line) =
            report.line(&["Could not", "Temporary failure", "Connection", "Failed to fetch", "not found"])
        {
            let message = format!("a repository cannot be reached: {line}");
            let remedy = "check its <source path>, the network and the proxy";
            return Failure::new(Kind::RepositoryUnreachable, message).remedy(remedy).into();
        }
        error.into()
    }

    /// Returns the error for a release file outside the time in which it is valid.
    fn outdated(&self, line: &str, host: &Host) -> Failure {
        let repository = self.named_repository(line);
        let today = date(host.now());
        let span =
            line.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map_or("", |(span, _)| span);
        if line.contains("is not valid yet") {
            let message = format!(
                "the release file of {repository} is from the future ({span}): the clock of this machine, {today}, is \
                 wrong"
            );
            return Failure::new(Kind::RepositoryExpired, message).remedy("set the clock, then build again");
        }
        let message = format!(
            "the release file of {repository} is expired ({span}); the clock of this machine says {today}"
        );
        Failure::new(Kind::RepositoryExpired, message).remedy(
            "for an archive or a snapshot, which is no longer updated, use --ignore-valid-until or `repositories.valid_until: \
             false` in kiwi.yml; otherwise use another mirror, or set the clock if it is wrong",
        )
    }

    /// Returns the error for a URL that apt did not get.
    fn unreachable(&self, url: &str, reason: &str, host: &Host) -> Failure {
        let message = match self.repository_of(url) {
            Some(repository) => {
                format!("the repository {} cannot be reached: {url}: {reason}", repository.described)
            }
            None => format!("{url} cannot be reached: {reason}"),
        };
        let mut remedy = "check its <source path>, the network and the proxy".to_owned();
        if let Some((proxy, from)) = Proxies::read(host).ok().and_then(|proxies| proxies.of(url)) {
            remedy += &format!("; it was asked for through the proxy {proxy} of {from}");
        }
        if reason.contains("ertificate") {
            remedy += &format!(
                "; certificates depend on the clock of this machine, which says {}",
                date(host.now())
            );
        }
        Failure::new(Kind::RepositoryUnreachable, message).remedy(remedy)
    }

    /// Warns of components that no suite of a repository has.
    pub(super) fn warn_of_components(&self, report: &Report, files: &ManagerFiles, host: &Host) {
        let mut misspelt: Vec<(&str, &Resolved, Vec<&str>)> = Vec::new();
        for (component, uri, suite) in report.misspelt_components() {
            let Some(repository) = self.repository_of(&format!("{uri} {suite} ")) else { continue };
            match misspelt
                .iter_mut()
                .find(|(other, of, _)| *other == component && std::ptr::eq(*of, repository))
            {
                Some((.., suites)) => suites.push(suite),
                None => misspelt.push((component, repository, vec![suite])),
            }
        }
        let everywhere = misspelt.into_iter().filter(|(_, repository, suites)| {
            repository.suites.iter().all(|suite| suites.contains(&suite.as_str()))
        });
        for (component, repository, _) in everywhere {
            let known: Vec<String> =
                repository.suites.iter().flat_map(|suite| components(files, suite)).collect();
            let near = description::nearest(component, known.iter().map(String::as_str));
            let hint = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
            host.warn(
                Warning::Repository,
                &format!("the repository {} has no component {component}{hint}", repository.described),
            );
        }
    }
}

/// Returns the components in the release files of a suite.
fn components(files: &ManagerFiles, suite: &str) -> Vec<String> {
    let lists = files.list(LISTS).unwrap_or_default();
    let releases =
        lists.iter().filter(|name| name.contains(&format!("dists_{suite}_")) && name.ends_with("Release"));
    let text = releases.filter_map(|name| files.read_text(&format!("{LISTS}/{name}")).ok());
    let words = |text: String| {
        let paragraphs = deb822::paragraphs(&text, Comments::Stray);
        let found = paragraphs.iter().find_map(|paragraph| paragraph.value("Components"));
        found.unwrap_or_default().split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    text.flat_map(words).collect()
}

/// Returns a time in seconds since 1970 as `YYYY-MM-DD`.
fn date(seconds: u64) -> String {
    // Counts years that start in March, so that the leap day is the last; 719468 days lie before 1970.
    let days = seconds / 86_400 + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    format!("{:04}-{month:02}-{day:02}", era * 400 + year + u64::from(month <= 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(lines: &[&str]) -> Report {
        Report { lines: lines.iter().map(|line| (*line).to_owned()).collect() }
    }

    #[test]
    fn a_missing_file_has_its_url() {
        let missing = |lines: &[&str]| report(lines).missing().map(|missing| (missing.url, missing.reason));
        let found = |url: &str, reason: &str| Some((url.to_owned(), reason.to_owned()));
        assert_eq!(
            missing(&[
                "Err:2 http://m.example/debian bookworrm Release",
                "  404  Not Found [IP: 192.0.2.1 80]"
            ]),
            found("http://m.example/debian/dists/bookworrm/Release", "404 Not Found [IP: 192.0.2.1 80]")
        );
        assert_eq!(
            missing(&["Err:1 http://m.example/flat ./ Release", "  404  Not Found"]),
            found("http://m.example/flat/Release", "404 Not Found")
        );
        assert_eq!(
            missing(&["E: Failed to fetch http://m.example/x.deb  Could not resolve 'm.example'"]),
            found("http://m.example/x.deb", "Could not resolve 'm.example'")
        );
        assert_eq!(missing(&["Hit:1 http://m.example/debian bookworm InRelease"]), None);
    }

    #[test]
    fn a_component_that_a_repository_lacks_is_read() {
        let line = "W: Skipping acquire of configured file 'contribb/binary-amd64/Packages' as repository \
                    'http://m.example/debian bookworm InRelease' doesn't have the component 'contribb' (component misspelt \
                    in sources.list?)";
        let read: Vec<_> =
            report(&[line]).misspelt_components().map(|(a, b, c)| [a, b, c].join(" ")).collect();
        assert_eq!(read, ["contribb http://m.example/debian bookworm"]);
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (1_798_761_599, "2026-12-31"),
            (1_614_556_800, "2021-03-01"),
        ] {
            assert_eq!(date(seconds), expected);
        }
    }
}
