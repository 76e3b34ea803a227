//! Why apt could not select the packages of a description: which, where they are named, and a remedy.

use anyhow::Error;

use super::{Apt, apt_program};
use crate::failure::{Failure, Kind};
use crate::host::{CommandError, Host};
use crate::package_manager::ManagerFiles;

impl Apt<'_> {
    /// Returns the cause of a failed resolution and a remedy.
    pub(super) fn resolve_error(&self, error: CommandError, files: &ManagerFiles, host: &Host) -> Error {
        let CommandError::Failed { tail, .. } = &error else { return error.into() };
        let missing: Vec<&str> = tail.iter().filter_map(|line| missing(line)).collect();
        if !missing.is_empty() {
            return self.missing_packages(&missing, files, host).into();
        }
        if tail.iter().any(|line| line.contains("unmet dependencies")) {
            let words: Vec<&str> = tail.iter().flat_map(|line| line.split_whitespace()).collect();
            let named = self.plan.positions.among(&words).into_iter().map(|(name, span)| {
                let (line, column) = span.line_and_column();
                format!("{name} at {}:{line}:{column}", span.file.name)
            });
            let named = named.collect::<Vec<_>>().join(", ");
            let at = if named.is_empty() { named } else { format!(" ({named})") };
            let message = format!("the packages of the description conflict{at}:\n  {}", tail.join("\n  "));
            return Failure::new(Kind::Packages, message).into();
        }
        error.into()
    }

    fn missing_packages(&self, missing: &[&str], files: &ManagerFiles, host: &Host) -> Failure {
        let cache = |arguments: &[&str]| {
            let command = apt_program("apt-cache", files, host).without_sync().args(arguments);
            command.output().unwrap_or_default()
        };
        let known = cache(&["pkgnames"]);
        let mut only_virtual = true;
        let described = missing.iter().map(|name| {
            let mut facts = Vec::new();
            if let Some(span) = self.plan.positions.of(name) {
                let (line, column) = span.line_and_column();
                facts.push(format!("{}:{line}:{column}", span.file.name));
            }
            let architecture = name.split_once(':').map(|(_, architecture)| architecture);
            let shown = cache(&["showpkg", "--", name]);
            let providers = providers(&shown);
            only_virtual &= !providers.is_empty();
            if let Some(other) = architecture.filter(|other| *other != self.plan.architecture) {
                facts.push(format!(
                    "{other} is not the architecture of the image, {}",
                    self.plan.architecture
                ));
            } else if !providers.is_empty() {
                facts.push(format!("a virtual package, provided by {}", providers.join(", ")));
            } else if let Some(near) = description::nearest(name, known.lines()) {
                facts.push(format!("did you mean {near}?"));
            }
            if facts.is_empty() { (*name).to_owned() } else { format!("{name} ({})", facts.join("; ")) }
        });
        let described: Vec<String> = described.collect();
        let message = format!(
            "{} not in the repositories of the description: {}",
            if missing.len() == 1 { "a package is" } else { "packages are" },
            described.join(", ")
        );
        let remedy = if only_virtual {
            "name one of the packages that provide it"
        } else {
            "check the spelling, the <packages> sections, and that the repository and component that contains it are \
             specified"
        };
        Failure::new(Kind::Packages, message).remedy(remedy)
    }
}

/// Returns the name of a package that a line of apt reports as missing.
fn missing(line: &str) -> Option<&str> {
    let candidate = || line.strip_prefix("E: Package '")?.strip_suffix("' has no installation candidate");
    line.strip_prefix("E: Unable to locate package ").or_else(candidate)
}

/// Reads the packages that provide a virtual one from the output of `apt-cache showpkg`, without repetitions.
fn providers(text: &str) -> Vec<&str> {
    let lines = text.lines().skip_while(|line| !line.starts_with("Reverse Provides:")).skip(1);
    let mut names: Vec<&str> = lines.filter_map(|line| line.split_whitespace().next()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_missing_packages_and_the_providers_of_virtual_ones() {
        assert_eq!(missing("E: Unable to locate package lesss"), Some("lesss"));
        assert_eq!(missing("E: Package 'mta' has no installation candidate"), Some("mta"));
        assert_eq!(missing("W: something else"), None);
        let text = "Package: mta\nVersions: \n\nReverse Depends: \n  mutt,mta\nProvides: \nReverse Provides: \n\
                    postfix 3.7-1 (= )\nexim4 4.96 (= )\npostfix 3.7-1 (= )\n";
        assert_eq!(providers(text), ["exim4", "postfix"]);
    }
}
