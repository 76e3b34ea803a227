//! The output of `zypper --xmlout`, which other output may interrupt: therefore it is not read as one document.

use anyhow::{Context as _, Result};

use crate::package_manager::rpm::metadata::Edition;
use crate::package_manager::rpm::solver::{Changes, Solved};

/// The lines of one run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Output {
    lines: Vec<String>,
}

impl Output {
    /// Adds a line.
    pub(super) fn add(&mut self, line: &str) {
        self.lines.push(line.to_owned());
    }

    /// Returns whether a line contains this text.
    pub(super) fn has(&self, text: &str) -> bool {
        self.lines.iter().any(|line| line.contains(text))
    }

    /// Returns the packages that a dry run would change.
    pub(super) fn changes(&self) -> Result<Changes> {
        let mut changes = Changes::default();
        let mut removes = false;
        for line in &self.lines {
            // A description ends in the line that starts the next package.
            for part in line.split('<').map(str::trim_end) {
                if let Some(section) = part.strip_prefix("to-") {
                    removes = section.starts_with("remove");
                }
                let Some(attributes) = part.strip_prefix("solvable ") else { continue };
                let value = |name: &str| {
                    attribute(attributes, name).with_context(|| format!("zypper names no {name} in {part:?}"))
                };
                if value("type")? != "package" {
                    continue;
                }
                if removes {
                    changes.remove.push(value("name")?);
                    continue;
                }
                let edition = value("edition")?;
                changes.install.push(Solved {
                    name: value("name")?,
                    edition: Edition::parse(&edition)
                        .with_context(|| format!("zypper names the invalid version {edition:?}"))?,
                    architecture: value("arch")?,
                });
            }
        }
        changes.install.sort();
        changes.install.dedup();
        Ok(changes)
    }

    /// Returns the requested names that no repository provides.
    pub(super) fn missing(&self) -> Vec<String> {
        let lines = self.errors();
        let names = lines
            .iter()
            .filter_map(|line| line.strip_prefix("No provider of '")?.split('\'').next().map(str::to_owned));
        names.collect()
    }

    /// Returns the causes of the solver's problems, without its proposals.
    pub(super) fn problems(&self) -> Vec<String> {
        let mut causes: Vec<String> = Vec::new();
        for line in self.lines.iter().map(|line| unescaped(line)) {
            let line = line.trim().trim_start_matches("<description>");
            if let Some((start, cause)) = line.split_once(": ")
                && start.starts_with("Problem")
                && !causes.contains(&cause.to_owned())
            {
                causes.push(cause.to_owned());
            }
        }
        causes
    }

    /// Returns the texts of errors.
    pub(super) fn errors(&self) -> Vec<String> {
        let mut errors = Vec::new();
        let mut inside = false;
        for line in &self.lines {
            let start = line.strip_prefix("<message type=\"error\">");
            inside |= start.is_some();
            if inside {
                let text = unescaped(start.unwrap_or(line).trim_end_matches("</message>"));
                if !text.trim().is_empty() {
                    errors.push(text.trim().to_owned());
                }
            }
            inside &= !line.ends_with("</message>");
        }
        errors
    }
}

/// Returns the value of an attribute in the text of a start tag.
fn attribute(text: &str, name: &str) -> Option<String> {
    let start = format!("{name}=\"");
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once(&start)?;
        if before.is_empty() || before.ends_with(' ') {
            return after.split('"').next().map(unescaped);
        }
        rest = after;
    }
}

fn unescaped(text: &str) -> String {
    let mut text = text.to_owned();
    for (entity, plain) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")] {
        text = text.replace(entity, plain);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(text: &str) -> Output {
        Output { lines: text.lines().map(str::to_owned).collect() }
    }

    #[test]
    fn reads_the_packages_of_a_dry_run() {
        let text = "<to-install>\n\
            <solvable type=\"package\" name=\"bsdutils\" edition=\"1:2.38-5+b1\" arch=\"x86_64\" summary=\"a &lt;b&gt;\">\n\
            <description>text</description></solvable>\n\
            <solvable type=\"pattern\" name=\"base\" edition=\"12-1\" arch=\"noarch\" summary=\"\"/>\n</to-install>\n\
            <to-remove>\n<solvable type=\"package\" name=\"old\" edition=\"1-1\" arch=\"noarch\"/>\n</to-remove>\n";
        let changes = output(text).changes().unwrap();
        let edition = Edition::parse("1:2.38-5+b1").unwrap();
        let solved = Solved { name: "bsdutils".to_owned(), edition, architecture: "x86_64".to_owned() };
        assert_eq!(changes, Changes { install: vec![solved], remove: vec!["old".to_owned()] });
    }

    #[test]
    fn reads_missing_names_and_causes() {
        let text = "<message type=\"info\">&apos;nosuch&apos; not found in package names. Trying capabilities.</message>\n\
                    <message type=\"error\">No provider of &apos;nosuch&apos; found.</message>\n";
        assert_eq!(output(text).missing(), ["nosuch"]);
        let text = "<prompt id=\"1\">\n<description>Problem: nothing provides x &gt;= 9 needed by a-1-1.noarch\n \
                    Solution 1: do not install a-1-1.noarch\n</description>\n";
        assert_eq!(output(text).problems(), ["nothing provides x >= 9 needed by a-1-1.noarch"]);
    }
}
