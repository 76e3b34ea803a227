//! The output of rpm: the problems that it reports, some of them with the exit code of success.

use std::cell::Cell;
use std::collections::{BTreeSet, HashMap};
use std::fmt;

use crate::host::RunningStage;
use crate::package_manager::Package;

/// Packages that rpm installs, as its verbose output names them: each has a line `NAME-VERSION-RELEASE.ARCH`.
pub(super) struct Installed<'a> {
    names: HashMap<String, &'a str>,
    begun: Cell<usize>,
    stage: &'a RunningStage<'a>,
}

impl<'a> Installed<'a> {
    pub(super) fn new(packages: &'a [Package], stage: &'a RunningStage<'_>) -> Self {
        let names = packages.iter().map(|package| (line(package), package.name.as_str())).collect();
        Self { names, begun: Cell::new(0), stage }
    }

    /// Reads a line of rpm.
    pub(super) fn read(&self, line: &str) {
        if let Some(name) = self.names.get(line.trim()) {
            self.stage.advance_package(self.begun.get(), self.names.len(), name);
            self.begun.set(self.begun.get() + 1);
        }
    }
}

/// Returns the line with which rpm begins a package.
fn line(package: &Package) -> String {
    let Package { name, version, architecture, .. } = package;
    let version = version.split_once(':').map_or(version.as_str(), |(_, version)| version);
    format!("{name}-{version}.{architecture}")
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    /// A script of a package failed.
    Scriptlet {
        /// Its name: `%pre`, `%post`, `%posttrans`, `%triggerin`, ..
        script: String,
        /// The package.
        package: String,
        /// How it ended; empty if rpm does not say it.
        status: String,
    },
    /// Two packages have different files of one path.
    FileConflict {
        /// The path.
        file: String,
        /// The packages.
        packages: [String; 2],
    },
    /// A package needs something that none provides.
    Dependency {
        /// What is needed.
        needed: String,
        /// The package that needs it.
        by: String,
    },
    /// The content of a package is not that for which its digest was made.
    Damaged {
        /// The package.
        package: String,
        /// What rpm says.
        reason: String,
    },
    /// A file of a package could not be written.
    Unpack {
        /// What rpm says.
        reason: String,
    },
}

/// What Lua puts behind a name that it has shortened.
const SHORTENED: &str = "...";

impl Problem {
    /// Returns whether only the start of the package's name is known.
    pub(super) fn is_shortened(&self) -> bool {
        matches!(self, Self::Scriptlet { package, .. } if package.ends_with(SHORTENED))
    }

    /// Completes a name that was shortened, if one package alone starts so.
    pub(super) fn complete(&mut self, packages: &BTreeSet<String>) {
        if let Self::Scriptlet { package, .. } = self
            && let Some(start) = package.strip_suffix(SHORTENED)
        {
            let mut found = packages.iter().filter(|name| name.starts_with(start));
            if let (Some(one), None) = (found.next(), found.next()) {
                package.clone_from(one);
            }
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scriptlet { script, package, status } => {
                write!(to, "the script {script} of the package {package} failed")?;
                if status.is_empty() { Ok(()) } else { write!(to, ": {status}") }
            }
            Self::FileConflict { file, packages: [one, other] } => {
                write!(to, "the packages {one} and {other} contain different files {file}")
            }
            Self::Dependency { needed, by } => {
                write!(to, "the package {by} needs {needed}, which no package provides")
            }
            Self::Damaged { package, reason } => write!(to, "the package {package} is damaged: {reason}"),
            Self::Unpack { reason } => write!(to, "rpm cannot unpack a package: {reason}"),
        }
    }
}

/// How rpm starts a line about a script in Lua that ended with an error, or is none.
const LUA: [&str; 2] = ["lua script failed: [string \"", "invalid syntax in lua script: [string \""];

/// Returns the problems in the output of rpm.
pub(super) fn problems(lines: &[String]) -> Vec<Problem> {
    let mut found = Vec::new();
    for line in lines {
        let problem = scriptlet(line).or_else(|| conflict(line)).or_else(|| dependency(line));
        let problem = problem.or_else(|| damaged(line)).or_else(|| unpack(line));
        if let Some(problem) = problem.filter(|problem| !found.contains(problem)) {
            found.push(problem);
        }
    }
    found
}

/// `warning: %post(NAME-VERSION.ARCH) scriptlet failed, exit status 3`; errors of Lua have no status.
fn scriptlet(line: &str) -> Option<Problem> {
    let text = line.strip_prefix("warning: ").or_else(|| line.strip_prefix("error: "))?;
    let of_lua = LUA.iter().find_map(|start| text.strip_prefix(start));
    let (script, rest) = of_lua.unwrap_or(text).strip_prefix('%')?.split_once('(')?;
    let (package, status) = match of_lua {
        // `NAME-VERSION.ARCH)"]:1: MESSAGE`; Lua shortens what is in quotes to 59 bytes: `NAME..."]:1: MESSAGE`
        Some(_) => {
            let (package, rest) = rest.split_once("\"]:")?;
            let package =
                package.strip_suffix(")...").or_else(|| package.strip_suffix(')')).unwrap_or(package);
            (package, rest.split_once(": ")?.1)
        }
        None => {
            let (package, rest) = rest.split_once(')')?;
            (package, rest.split_once("scriptlet failed")?.1.trim_start_matches([',', ' ']))
        }
    };
    // The names of the section in the source of a package.
    let script = match script {
        "prein" => "pre",
        "postin" => "post",
        other => other,
    };
    Some(Problem::Scriptlet {
        script: format!("%{script}"),
        package: package.to_owned(),
        status: status.to_owned(),
    })
}

/// `file PATH from install of A conflicts with file from package B`, `file PATH conflicts between attempted installs of A and B`
fn conflict(line: &str) -> Option<Problem> {
    let text = line.trim().strip_prefix("file ")?;
    if let Some((file, packages)) = text.split_once(" conflicts between attempted installs of ") {
        let (one, other) = packages.split_once(" and ")?;
        return Some(Problem::FileConflict {
            file: file.to_owned(),
            packages: [one, other].map(str::to_owned),
        });
    }
    let (file, rest) = text.split_once(" from install of ")?;
    let (one, rest) = rest.split_once(" conflicts with file from ")?;
    let other = rest.trim_start_matches("package ").trim_start_matches("install of ");
    Some(Problem::FileConflict { file: file.to_owned(), packages: [one, other].map(str::to_owned) })
}

/// `NEEDED is needed by PACKAGE`, after a tab
fn dependency(line: &str) -> Option<Problem> {
    let (needed, by) = line.strip_prefix('\t')?.split_once(" is needed by ")?;
    let by = by.trim_start_matches("(installed) ");
    Some(Problem::Dependency { needed: needed.to_owned(), by: by.to_owned() })
}

/// `package NAME-VERSION.ARCH does not verify: Payload SHA256 digest: BAD (Expected ...)`, after a tab
fn damaged(line: &str) -> Option<Problem> {
    let (package, reason) = line.trim().strip_prefix("package ")?.split_once(" does not verify: ")?;
    let reason = reason.split(" (").next().unwrap_or(reason);
    Some(Problem::Damaged { package: package.to_owned(), reason: reason.to_owned() })
}

/// `error: unpacking of archive failed on file PATH: REASON`
fn unpack(line: &str) -> Option<Problem> {
    let reason = line.strip_prefix("error: unpacking of archive failed")?.trim_start_matches([' ', ':']);
    Some(Problem::Unpack { reason: reason.trim_start_matches("on file ").to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn completes_what_lua_shortens_if_one_package_starts_so() {
        let line =
            "error: lua script failed: [string \"%post(a-package-with-a-name-that-is-as-long-a...\"]:2: cut";
        let complete = |packages: &[&str]| {
            let mut found = problems(&[line.to_owned()]);
            assert!(found[0].is_shortened());
            found[0].complete(&packages.iter().map(|name| (*name).to_owned()).collect());
            found[0].to_string()
        };
        let [one, other] =
            ["one", "other"].map(|end| format!("a-package-with-a-name-that-is-as-long-as-{end}"));
        assert_eq!(complete(&["b", &one]), format!("the script %post of the package {one} failed: cut"));
        let start = "the script %post of the package a-package-with-a-name-that-is-as-long-a... failed: cut";
        assert_eq!(complete(&[&one, &other]), start);
    }

    #[test]
    fn packages_are_counted_by_the_lines_of_rpm() {
        use crate::host::{Event, Host, Listener, Output, StageTask};

        /// Keeps the progress.
        struct Kept(std::sync::mpsc::Sender<(u64, u64, Option<String>)>);
        impl Listener for Kept {
            fn event(&self, event: &Event) {
                if let Event::Progress { done, total, detail, .. } = event {
                    self.0.send((*done, *total, detail.clone())).unwrap();
                }
            }
        }

        let package = |name: &str, version: &str| Package {
            name: name.to_owned(),
            version: version.to_owned(),
            architecture: "x86_64".to_owned(),
            checksum: String::new(),
            location: String::new(),
            size: None,
        };
        let packages = [package("libstdc++", "1:2^3-4"), package("less", "590-2")];
        let (sender, receiver) = std::sync::mpsc::channel();
        let host = Host::new(Output::To(Box::new(Kept(sender))));
        let stage = host.stage(StageTask::InstallPackages, "Installing");
        let installed = Installed::new(&packages, &stage);
        for line in ["Preparing packages...", "libstdc++-2^3-4.x86_64", "warning: x", "less-590-2.x86_64"] {
            installed.read(line);
        }
        let found: Vec<_> = receiver.try_iter().collect();
        let expected = [(0, 2, "libstdc++"), (1, 2, "less")];
        assert_eq!(found, expected.map(|(done, total, name)| (done, total, Some(name.to_owned()))));
    }

    #[test]
    fn finds_what_rpm_reports_as_success() {
        let lines = [
            "warning: %post(scriptfail-post-sh-12-1.noarch) scriptlet failed, exit status 3",
            "error: lua script failed: [string \"%post(a-1-1.noarch)\"]:1: boom",
            "warning: %post(a-1-1.noarch) scriptlet failed",
            "error: lua script failed: [string \"%post(a-package-with-a-name-that-is-as-long-a...\"]:2: cut",
            "error: lua script failed: [string \"%transfiletriggerpostun(some-name-1-1.noarch)...\"]:3: rest",
            "error: invalid syntax in lua script: [string \"%pre(a-1-1.noarch)\"]:1: '=' expected near 'x'",
            "error: %prein(b-1-1.noarch) scriptlet failed, exit status 1",
            "error: b-1-1.noarch: install failed",
            "\tfile /usr/x from install of c-1-1.noarch conflicts with file from package d-1-1.noarch",
            "\tfile /usr/y conflicts between attempted installs of c-1-1.noarch and d-1-1.noarch",
            "\tlibx >= 2 is needed by e-1-1.noarch",
            "\tpackage f-1-1.noarch does not verify: Payload SHA256 digest: BAD (Expected 00 != 11)",
            "error: unpacking of archive failed on file /usr/z;65: cpio: write failed - Disk full",
            "this script says: %post(x) scriptlet failed",
        ];
        let found = problems(&lines.map(str::to_owned));
        let texts: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "the script %post of the package scriptfail-post-sh-12-1.noarch failed: exit status 3",
                "the script %post of the package a-1-1.noarch failed: boom",
                "the script %post of the package a-1-1.noarch failed",
                "the script %post of the package a-package-with-a-name-that-is-as-long-a... failed: cut",
                "the script %transfiletriggerpostun of the package some-name-1-1.noarch failed: rest",
                "the script %pre of the package a-1-1.noarch failed: '=' expected near 'x'",
                "the script %pre of the package b-1-1.noarch failed: exit status 1",
                "the packages c-1-1.noarch and d-1-1.noarch contain different files /usr/x",
                "the packages c-1-1.noarch and d-1-1.noarch contain different files /usr/y",
                "the package e-1-1.noarch needs libx >= 2, which no package provides",
                "the package f-1-1.noarch is damaged: Payload SHA256 digest: BAD",
                "rpm cannot unpack a package: /usr/z;65: cpio: write failed - Disk full",
            ]
        );
    }
}
