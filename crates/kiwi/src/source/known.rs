//! The names of files and directories that a build looks for beside every description.
//!
//! This is the one list: `check` reports what is neither here nor named by the description, and what is here and not read.

use super::Source;

/// A file or directory beside a description that a program gives a meaning by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownName {
    /// The name; a final `*` stands for any ending.
    pub name: &'static str,
    /// Whether this version of kiwi reads it.
    pub is_read: bool,
}

const fn read(name: &'static str) -> KnownName {
    KnownName { name, is_read: true }
}

const fn not_read(name: &'static str) -> KnownName {
    KnownName { name, is_read: false }
}

/// Every such name. The second half is that of KIWI NG, as far as this version does not read it.
pub const KNOWN_NAMES: &[KnownName] = &[
    read("root"),
    read("config.sh"),
    read("images.sh"),
    read("config"),
    read("config-yast.xml"),
    read("config-cdroot.tgz"),
    read("cdboot"),
    read("kiwi.lock"),
    read("test.yaml"),
    read("post_bootstrap.sh"),
    read("pre_disk_sync.sh"),
    read("disk.sh"),
    not_read("config-overlay.sh"),
    not_read("config-host-overlay.sh"),
    read("config-cdroot.tar*"),
    read("root.tar.gz"),
    not_read("root.tar*"),
    read("exclude_files.yaml"),
    not_read("exclude_files_efifatimage.yaml"),
];

/// Files that are there for people, version control and build services.
const FOR_OTHERS: [&str; 12] = [
    "README*",
    "LICENSE*",
    "COPYING*",
    "CHANGELOG*",
    "CHANGES*",
    "AUTHORS*",
    "Makefile*",
    "Dockerfile*",
    "_*",
    ".*",
    "*.changes",
    "*.md",
];

/// The files beside a description that a build ignores.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ignored {
    /// Those that KIWI NG reads and this version does not.
    pub not_read: Vec<String>,
    /// Those without a meaning, which the description does not name.
    pub unknown: Vec<String>,
}

impl KnownName {
    /// Returns the entry of a name.
    pub fn find(name: &str) -> Option<&'static Self> {
        KNOWN_NAMES.iter().find(|known| matches(known.name, name))
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    if let Some(start) = pattern.strip_suffix('*') {
        name.starts_with(start)
    } else if let Some(end) = pattern.strip_prefix('*') {
        name.ends_with(end)
    } else {
        name == pattern
    }
}

impl Source {
    /// Returns the files beside the description that a build ignores. `texts` are the texts of the description, `profiles` the
    /// names of its profiles, which may have a directory each.
    pub fn ignored(&self, texts: &[&str], profiles: &[&str]) -> Ignored {
        let mut ignored = Ignored::default();
        let entries = self.directory().read_dir().into_iter().flatten().flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        let is_description =
            |name: &str| name.ends_with(".kiwi") || name.starts_with("config.") && !name.ends_with(".sh");
        for name in names {
            match KnownName::find(&name) {
                Some(known) if known.is_read => {}
                Some(_) => ignored.not_read.push(name),
                None if is_description(&name)
                    || profiles.contains(&name.as_str())
                    || FOR_OTHERS.iter().any(|pattern| matches(pattern, &name))
                    || texts.iter().any(|text| is_named(text, &name)) => {}
                None => ignored.unknown.push(name),
            }
        }
        ignored
    }
}

/// Returns whether a text contains a name as a word of its own.
fn is_named(text: &str, name: &str) -> bool {
    let of_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    text.match_indices(name).any(|(start, _)| {
        let before = text[..start].chars().next_back();
        let after = text[start + name.len()..].chars().next();
        !before.is_some_and(of_name) && !after.is_some_and(of_name)
    })
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "a test is its own host")]
mod tests {
    use std::fs;

    use super::super::AllowedPaths;
    use super::*;

    #[test]
    fn finds_what_a_build_ignores() {
        let directory = tempfile::tempdir().unwrap();
        let text = "<archive name=\"more.tar\"/><source path='this://./repo'/>";
        for name in [
            "config.xml",
            "config.sh",
            "other.kiwi",
            "README.md",
            ".git",
            "_service",
            "more.tar",
            "more.tar.sig",
            "repo",
            "disk.sh",
            "root.tar.xz",
            "confg.sh",
            "Desktop",
        ] {
            fs::write(directory.path().join(name), text).unwrap();
        }
        let source = Source::open(directory.path(), &AllowedPaths::default()).unwrap();
        let ignored = source.ignored(&[source.text()], &["Desktop"]);
        assert_eq!(ignored.not_read, ["root.tar.xz"]);
        assert_eq!(ignored.unknown, ["confg.sh", "more.tar.sig"]);
    }
}
