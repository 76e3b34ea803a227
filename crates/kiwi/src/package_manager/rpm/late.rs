//! Late packages, which are installed after all others, in a transaction of their own: nothing needs them, and no script of
//! another package can notice them. If a build adds such a package, everything below is restored from the cache.
//!
//! The division depends on the packages and on the names in the description alone, never on the cache. A package is late if
//!
//! * the description names it as a package of the image, or only such packages need it,
//! * it has no script and no trigger,
//! * no other package requires something that it provides,
//! * its files are programs, documentation, or data in directories of its own name: no script collects such files,
//! * none of its programs is a tool of scripts: those are named in no script, are not in `sbin`, and are not among [`TOOLS`].

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::header::Header;

/// Tags of scripts, their interpreters and triggers, except of those that run when the package is removed or verified.
const SCRIPTS: [u32; 16] = [
    1023, 1024, 1065, 1066, 1085, 1086, 1151, 1152, 1153,
    1154, // %pre, %post, triggers, %pretrans, %posttrans
    5066, 5069, 5076, 5079, // file triggers
    5109, 5104, // users of systemd, scripts around removals
];
/// Tags with texts of scripts.
const TEXTS: [u32; 7] = [1023, 1024, 1151, 1152, 1065, 5066, 5076];
const PROVIDE_NAME: u32 = 1047;
const REQUIRE_NAME: u32 = 1049;
const DIRECTORY_INDEX: u32 = 1116;
const BASE_NAME: u32 = 1117;
const DIRECTORY_NAME: u32 = 1118;

/// Programs that scripts use although their packages do not require them: distributions have them in every system.
const TOOLS: [&str; 34] = [
    "awk",
    "bash",
    "bzip2",
    "cat",
    "cmp",
    "cpio",
    "diff",
    "env",
    "file",
    "find",
    "gawk",
    "getent",
    "gettext",
    "grep",
    "gzip",
    "hostname",
    "ldd",
    "logger",
    "mawk",
    "mount",
    "openssl",
    "perl",
    "ps",
    "python3",
    "run-parts",
    "sed",
    "sh",
    "su",
    "systemctl",
    "tar",
    "tput",
    "which",
    "xargs",
    "xz",
];
/// Directories below `/usr` in which a package may have files without a directory of its own.
const SHARED: [&str; 10] = [
    "bin",
    "games",
    "include",
    "lib/.build-id",
    "share/bash-completion",
    "share/doc",
    "share/info",
    "share/licenses",
    "share/locale",
    "share/man",
];
/// Directories in which a directory, or a file, with the name of the package belongs to it alone.
const OWN: [&str; 6] = ["/usr/share/", "/usr/lib/", "/usr/lib64/", "/usr/libexec/", "/etc/", "/opt/"];

/// What decides whether a package is late.
#[derive(Debug, Default)]
pub(super) struct Facts {
    name: String,
    scripted: bool,
    words: BTreeSet<String>,
    provided: Vec<String>,
    required: Vec<String>,
    files: Vec<String>,
}

impl Facts {
    /// Reads the header of a package.
    pub(super) fn read(name: &str, path: &Path) -> Result<Self> {
        let file = File::open(path).with_context(|| format!("reading {}", path.display()))?;
        let header =
            Header::read(BufReader::new(file)).with_context(|| format!("reading {}", path.display()))?;
        let texts = |tag| header.texts(tag).into_iter().map(str::to_owned);
        let scripts = TEXTS.iter().flat_map(|tag| header.texts(*tag));
        let words =
            scripts.flat_map(|text| text.split(|c: char| !c.is_alphanumeric() && !"-_.+".contains(c)));
        let directories = header.texts(DIRECTORY_NAME);
        let indices =
            header.numbers(DIRECTORY_INDEX).map(|index| directories.get(index as usize).unwrap_or(&""));
        let files =
            indices.zip(header.texts(BASE_NAME)).map(|(directory, name)| format!("{directory}{name}"));
        Ok(Self {
            name: name.to_owned(),
            scripted: header.has_any(&SCRIPTS),
            words: words.map(str::to_owned).collect(),
            provided: texts(PROVIDE_NAME).collect(),
            // A condition such as `(a or b)` requires each of its words, as far as this division is concerned.
            required: texts(REQUIRE_NAME)
                .flat_map(|text| match text.starts_with('(') && text.contains(' ') {
                    true => text.split([' ', '(', ')']).map(str::to_owned).collect(),
                    false => vec![text],
                })
                .collect(),
            files: files.collect(),
        })
    }

    /// Returns the names of its programs.
    fn programs(&self) -> impl Iterator<Item = &str> {
        self.files
            .iter()
            .filter_map(|file| file.rsplit_once('/'))
            .filter(|(directory, _)| is_bin(directory))
            .map(|(_, name)| name)
    }

    /// Returns whether no script of another package can depend on its files.
    fn is_inert(&self, words: &BTreeSet<String>) -> bool {
        let is_tool = |name: &str| TOOLS.contains(&name) || words.contains(name);
        !self.scripted
            && self.files.iter().all(|file| is_own(file, &self.name))
            && !self.programs().any(is_tool)
    }
}

/// Returns for each package whether it is late; `named` are the packages of the image that the description names, and `first` the
/// bootstrap packages.
pub(super) fn late(packages: &[Facts], named: &BTreeSet<String>, first: &BTreeSet<String>) -> Vec<bool> {
    let mut providers: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, package) in packages.iter().enumerate() {
        let names = package.provided.iter().chain(&package.files).chain([&package.name]);
        names.for_each(|name| providers.entry(unmerged(name)).or_default().push(index));
    }
    let needed = |from: Vec<usize>| {
        let mut found = vec![false; packages.len()];
        let mut open = from;
        while let Some(index) = open.pop() {
            if !std::mem::replace(&mut found[index], true) {
                let names = packages[index].required.iter();
                open.extend(names.filter_map(|name| providers.get(unmerged(name))).flatten());
            }
        }
        found
    };
    let words: BTreeSet<String> = packages.iter().flat_map(|package| package.words.iter().cloned()).collect();
    let select = |condition: &dyn Fn(usize, &Facts) -> bool| -> Vec<usize> {
        packages
            .iter()
            .enumerate()
            .filter(|(index, package)| condition(*index, package))
            .map(|found| found.0)
            .collect()
    };
    let of_names = needed(select(&|_, package| named.contains(&package.name)));
    let early = needed(select(&|index, package| {
        !of_names[index] || first.contains(&package.name) || !package.is_inert(&words)
    }));
    early.into_iter().map(|early| !early).collect()
}

/// Returns a path as it was before `/bin` and `/lib` were merged with those in `/usr`: packages require both forms.
fn unmerged(name: &str) -> &str {
    match name.strip_prefix("/usr") {
        Some(rest) if rest.starts_with('/') => rest,
        _ => name,
    }
}

fn is_bin(directory: &str) -> bool {
    matches!(directory, "/bin" | "/usr/bin" | "/usr/games")
}

/// Returns whether a path cannot be among the files that scripts of other packages collect.
fn is_own(path: &str, package: &str) -> bool {
    let below = |start: &str| path.strip_prefix("/usr/").and_then(|rest| rest.strip_prefix(start));
    let shared =
        SHARED.iter().any(|start| below(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')));
    let own = OWN.iter().any(|start| {
        let rest = path.strip_prefix(start).and_then(|rest| rest.strip_prefix(package));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '.']))
    });
    let is_library =
        path.rsplit('/').next().is_some_and(|name| name.starts_with("lib") && name.contains(".so"));
    (shared || own || path.starts_with("/bin/")) && !is_library
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, required: &[&str], files: &[&str]) -> Facts {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        Facts { name: name.to_owned(), required: owned(required), files: owned(files), ..Facts::default() }
    }

    fn late_of(packages: &[Facts], named: &[&str]) -> Vec<String> {
        let named = named.iter().map(|name| (*name).to_owned()).collect();
        let late = late(packages, &named, &BTreeSet::new());
        packages.iter().zip(late).filter(|(_, late)| *late).map(|(package, _)| package.name.clone()).collect()
    }

    #[test]
    fn a_package_that_nothing_can_notice_is_late_with_what_only_it_needs() {
        let mut packages = vec![
            Facts { scripted: true, ..package("base", &[], &["/usr/bin/true"]) },
            package("tree", &["base", "libtree-data"], &["/usr/bin/tree", "/usr/share/doc/tree/README"]),
            package("libtree-data", &[], &["/usr/share/libtree-data/a"]),
        ];
        assert_eq!(late_of(&packages, &["tree"]), ["tree", "libtree-data"]);
        assert_eq!(late_of(&packages, &[]), [""; 0], "a member of a pattern");
        packages[0].required.push("/usr/bin/tree".to_owned());
        assert_eq!(late_of(&packages, &["tree"]), [""; 0], "its file is required");
    }

    #[test]
    fn scripts_and_what_they_may_use_are_early() {
        let early = |change: &dyn Fn(&mut Facts)| {
            let mut packages = vec![package("base", &[], &[]), package("tree", &[], &["/usr/bin/tree"])];
            change(&mut packages[1]);
            late_of(&packages, &["tree"]).is_empty()
        };
        assert!(!early(&|_| {}));
        assert!(early(&|tree| tree.scripted = true));
        for file in [
            "/usr/bin/sed",
            "/usr/sbin/tree",
            "/usr/lib64/libtree.so.1",
            "/usr/share/mime/tree",
            "/boot/tree",
        ] {
            assert!(early(&|tree| tree.files.push(file.to_owned())), "{file}");
        }
        let mut packages = vec![package("base", &[], &[]), package("tree", &[], &["/usr/bin/tree"])];
        packages[0].words.insert("tree".to_owned());
        assert_eq!(late_of(&packages, &["tree"]), [""; 0], "a script names its program");
    }
}
