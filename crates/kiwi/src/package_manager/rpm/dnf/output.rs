//! What dnf prints: the table of a transaction, and the reasons of failures.

use anyhow::{Context as _, Result};

use crate::package_manager::rpm::failed::Unreadable;
use crate::package_manager::rpm::metadata::Edition;
use crate::package_manager::rpm::solver::{Changes, Solved};

/// The lines of one call.
#[derive(Debug, Default)]
pub(super) struct Output {
    lines: Vec<String>,
}

/// A repository whose metadata cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct UnreadableRepository {
    /// The index of the repository in the plan.
    pub(super) index: usize,
    /// The reason.
    pub(super) why: Unreadable,
}

/// What a section of the table means for the packages below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Install,
    Remove,
    Other,
}

impl Section {
    fn of(title: &str) -> Self {
        match title {
            "Installing:"
            | "Installing dependencies:"
            | "Installing weak dependencies:"
            | "Installing group/module packages:"
            | "Upgrading:"
            | "Downgrading:"
            | "Reinstalling:" => Self::Install,
            "Removing:" | "Removing dependent packages:" | "Removing unused dependencies:" => Self::Remove,
            _ => Self::Other,
        }
    }
}

impl Output {
    pub(super) fn add(&mut self, line: &str) {
        self.lines.push(line.to_owned());
    }

    /// Returns the packages of the table; `None` if there is none.
    pub(super) fn changes(&self) -> Result<Option<Changes>> {
        let is_summary = |line: &String| line.trim_end() == "Transaction Summary";
        let Some(end) = self.lines.iter().position(is_summary) else {
            let nothing = self.lines.iter().any(|line| line.trim_end() == "Nothing to do.");
            let failed = self.lines.iter().any(|line| line.starts_with("Error:"));
            return Ok((nothing && !failed).then(Changes::default));
        };
        let mut changes = Changes::default();
        let mut section = Section::Other;
        let mut words: Vec<&str> = Vec::new();
        // A long name has a line of its own: words matter, not lines.
        for line in &self.lines[..end] {
            let is_title = line.ends_with(':') && !line.starts_with(' ');
            if is_title || line.trim().is_empty() {
                add(section, &std::mem::take(&mut words), &mut changes)?;
                section = if is_title { Section::of(line) } else { Section::Other };
            } else if !line.trim_start().starts_with("replacing ") {
                words.extend(line.split_whitespace());
            }
        }
        Ok(Some(changes))
    }

    /// Returns the names that no repository has.
    pub(super) fn missing(&self) -> Vec<String> {
        let name = |line: &String| -> Option<String> {
            let package = line.strip_prefix("No match for argument: ");
            let group = || line.strip_prefix("Module or Group '")?.strip_suffix("' is not available.");
            package.or_else(group).map(|name| name.trim().to_owned())
        };
        self.lines.iter().filter_map(name).collect()
    }

    /// Returns the causes of a contradiction: what the first lines below each problem report.
    pub(super) fn problems(&self) -> Vec<String> {
        let mut causes: Vec<String> = Vec::new();
        for line in &self.lines {
            let line = line.trim();
            let below = line.strip_prefix("- ");
            let first =
                line.strip_prefix("Problem").and_then(|rest| rest.split_once(": ")).map(|found| found.1);
            let cause = below.or(first).filter(|cause| *cause != "conflicting requests");
            if let Some(cause) = cause.filter(|cause| !causes.iter().any(|known| known == cause)) {
                causes.push(cause.to_owned());
            }
        }
        // What is missing is the cause; that something else needs it follows from it.
        let is_root = |cause: &String| !cause.contains("none of the providers can be installed");
        if causes.iter().any(is_root) {
            causes.retain(is_root);
        }
        causes
    }

    /// Returns the repository that stopped a refresh.
    pub(super) fn unreadable(&self) -> Option<UnreadableRepository> {
        let line = self
            .lines
            .iter()
            .find_map(|line| line.strip_prefix("Error: Failed to download metadata for repo '"))?;
        let (index, reason) = line.split_once("': ")?;
        let why = if reason.contains("GPG signature is not available") {
            Unreadable::Unsigned
        } else if reason.contains("GPG signature verification error") {
            Unreadable::WrongSignature
        } else {
            let details = self.lines.iter().filter_map(|line| line.strip_prefix("  - "));
            let mut reasons: Vec<String> = details.map(str::to_owned).collect();
            if reasons.is_empty() {
                reasons.push(reason.to_owned());
            }
            reasons.dedup();
            Unreadable::Other(reasons)
        };
        Some(UnreadableRepository { index: index.parse().ok()?, why })
    }
}

/// Adds the packages of a section: name, architecture, edition, repository and size, which may have a unit.
fn add(section: Section, words: &[&str], changes: &mut Changes) -> Result<()> {
    let mut words = words.iter().copied().peekable();
    if section == Section::Other {
        return Ok(());
    }
    while let Some(name) = words.next() {
        let mut next = || words.next().with_context(|| format!("the table of dnf ends in the row of {name}"));
        let (architecture, edition, _repository, _size) = (next()?, next()?, next()?, next()?);
        words.next_if(|word| matches!(*word, "k" | "M" | "G" | "T"));
        let edition = Edition::parse(edition)
            .with_context(|| format!("dnf lists {name} with the version {edition}"))?;
        match section {
            Section::Install => {
                let (name, architecture) = (name.to_owned(), architecture.to_owned());
                changes.install.push(Solved { name, edition, architecture });
            }
            Section::Remove => changes.remove.push(name.to_owned()),
            Section::Other => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(text: &str) -> Output {
        Output { lines: text.lines().map(str::to_owned).collect() }
    }

    const TABLE: &str = "Dependencies resolved.
================================================================================
 Package                            Arch     Version                  Repo
                                                                           Size
================================================================================
Installing:
 linux-image-6.1.0-56-cloud-amd64-with-a-name-that-is-too-long
                                    x86_64   1:6.1.192-2              0   8.7 k
     replacing  linux-old.x86_64 5-1
Upgrading:
 tree                               noarch   2-1                      0   828  
Installing Groups:
 Base System                                                                   
Removing dependent packages:
 old                                noarch   1-1                      @System  4.0 M

Transaction Summary
================================================================================
Install  1 Package

Total size: 19 k
Operation aborted.";

    #[test]
    fn reads_the_table_of_a_transaction() {
        let changes = output(TABLE).changes().unwrap().unwrap();
        let solved = |name: &str, edition, architecture: &str| Solved {
            name: name.to_owned(),
            edition: Edition::parse(edition).unwrap(),
            architecture: architecture.to_owned(),
        };
        let long = "linux-image-6.1.0-56-cloud-amd64-with-a-name-that-is-too-long";
        let install = vec![solved(long, "1:6.1.192-2", "x86_64"), solved("tree", "2-1", "noarch")];
        assert_eq!(changes, Changes { install, remove: vec!["old".to_owned()] });
        assert_eq!(
            output("Dependencies resolved.\nNothing to do.\nComplete!").changes().unwrap(),
            Some(Changes::default())
        );
        assert_eq!(output("Error: Nothing to do.").changes().unwrap(), None);
    }

    #[test]
    fn a_row_that_is_cut_off_is_an_error() {
        assert!(output("Installing:\n a  noarch 1-1\n\nTransaction Summary").changes().is_err());
        assert!(output("Installing:\n a  noarch none 0 1 k\n\nTransaction Summary").changes().is_err());
    }

    #[test]
    fn names_what_is_missing() {
        let text = "No match for argument: nosuch\nModule or Group 'nogroup' is not available.\nError: Unable to find a match: nosuch";
        assert_eq!(output(text).missing(), ["nosuch", "nogroup"]);
    }

    #[test]
    fn shortens_a_contradiction_to_its_causes() {
        let text = "Error: \n Problem 1: conflicting requests\n  - nothing provides x >= 9 needed by a-1-1.noarch\n Problem 2: \
                    package b-1-1.noarch requires a, but none of the providers can be installed\n  - conflicting requests\n  - \
                    nothing provides x >= 9 needed by a-1-1.noarch\n(try to add '--skip-broken')";
        assert_eq!(output(text).problems(), ["nothing provides x >= 9 needed by a-1-1.noarch"]);
    }

    #[test]
    fn tells_a_missing_signature_from_a_wrong_one() {
        let start = "Error: Failed to download metadata for repo '3': ";
        for (reason, why) in [
            (
                "GPG verification is enabled, but GPG signature is not available. This may",
                Unreadable::Unsigned,
            ),
            ("repomd.xml GPG signature verification error: Bad GPG signature", Unreadable::WrongSignature),
            ("Cannot download repomd.xml", Unreadable::Other(vec!["Curl error (7): x".to_owned()])),
        ] {
            let found = output(&format!("  - Curl error (7): x\n{start}{reason}")).unreadable();
            assert_eq!(found, Some(UnreadableRepository { index: 3, why }), "{reason}");
        }
    }
}
