//! Rules of the tree for the files of packages: diversions, overridden modes and owners, known users and groups.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use crate::package_manager::deb::{Entry, Owner};
use crate::root_tree::{self, RootTree};

/// The rules; paths are relative to the root of the tree.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Rules {
    /// The diverted path, and the package whose files are not diverted, by path.
    diversions: HashMap<PathBuf, (PathBuf, String)>,
    overrides: HashMap<PathBuf, OwnerAndMode>,
    users: HashMap<String, u32>,
    groups: HashMap<String, u32>,
}

/// Owner, group and mode of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OwnerAndMode {
    pub(super) user: u32,
    pub(super) group: u32,
    pub(super) mode: u32,
}

impl OwnerAndMode {
    /// Returns the attributes of an entry with this time.
    pub(super) fn at(self, seconds: i64) -> root_tree::Attributes {
        let Self { user, group, mode } = self;
        root_tree::Attributes { user, group, mode, times: root_tree::times(seconds), extended: Vec::new() }
    }
}

impl Rules {
    /// Reads the rules that earlier packages have set.
    pub(in super::super) fn read(tree: &RootTree) -> Result<Self> {
        let text = |path: &str| if tree.exists(path) { tree.read_text(path) } else { Ok(String::new()) };
        let mut rules = Self {
            diversions: diversions(&text("var/lib/dpkg/diversions")?)?,
            overrides: HashMap::new(),
            users: ids(&text("etc/passwd")?),
            groups: ids(&text("etc/group")?),
        };
        for line in text("var/lib/dpkg/statoverride")?.lines() {
            let Some((path, attributes)) = rules.overridden(line) else {
                bail!("the line {line} of var/lib/dpkg/statoverride in the tree is invalid");
            };
            rules.overrides.insert(path, attributes);
        }
        Ok(rules)
    }

    /// Returns the path to which a file of `package` is written.
    pub(super) fn destination<'a>(&'a self, path: &'a Path, package: &str) -> &'a Path {
        match self.diversions.get(path) {
            Some((to, owner)) if owner != package => to,
            _ => path,
        }
    }

    /// Returns owner, group and mode of an entry.
    pub(super) fn attributes(&self, entry: &Entry) -> OwnerAndMode {
        if let Some(attributes) = self.overrides.get(&entry.path) {
            return *attributes;
        }
        let id =
            |owner: &Owner, known: &HashMap<String, u32>| known.get(&owner.name).copied().unwrap_or(owner.id);
        OwnerAndMode {
            user: id(&entry.user, &self.users),
            group: id(&entry.group, &self.groups),
            mode: entry.mode,
        }
    }

    /// Parses a line `USER GROUP MODE PATH`; a number is preceded by `#`.
    fn overridden(&self, line: &str) -> Option<(PathBuf, OwnerAndMode)> {
        let mut fields = line.splitn(4, ' ');
        let id = |keyword: &str, known: &HashMap<String, u32>| match keyword.strip_prefix('#') {
            Some(number) => number.parse().ok(),
            None => known.get(keyword).copied(),
        };
        let user = id(fields.next()?, &self.users)?;
        let group = id(fields.next()?, &self.groups)?;
        let mode = u32::from_str_radix(fields.next()?, 8).ok()?;
        Some((relative(fields.next()?), OwnerAndMode { user, group, mode }))
    }
}

/// Parses groups of three lines: from, to, and the package whose files are not diverted (`:` for none).
fn diversions(text: &str) -> Result<HashMap<PathBuf, (PathBuf, String)>> {
    let lines: Vec<&str> = text.lines().collect();
    if !lines.len().is_multiple_of(3) {
        bail!("var/lib/dpkg/diversions in the tree is truncated");
    }
    let entries = lines.chunks_exact(3);
    Ok(entries.map(|lines| (relative(lines[0]), (relative(lines[1]), lines[2].to_owned()))).collect())
}

/// Returns names and ids of `/etc/passwd` or `/etc/group`.
fn ids(text: &str) -> HashMap<String, u32> {
    let id = |line: &str| {
        let mut fields = line.split(':');
        Some((fields.next()?.to_owned(), fields.nth(1)?.parse().ok()?))
    };
    text.lines().filter_map(id).collect()
}

fn relative(path: &str) -> PathBuf {
    PathBuf::from(path.trim_start_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::super::super::deb::Kind;
    use super::*;

    #[test]
    fn diverts_files_of_all_packages_but_the_diverting_one() {
        let text = "/bin/sh\n/bin/sh.distrib\ndash\n/usr/bin/dracut\n/usr/bin/dracut.kiwi\n:\n";
        let rules = Rules { diversions: diversions(text).unwrap(), ..Rules::default() };
        assert_eq!(rules.destination(Path::new("bin/sh"), "bash"), Path::new("bin/sh.distrib"));
        assert_eq!(rules.destination(Path::new("bin/sh"), "dash"), Path::new("bin/sh"));
        assert_eq!(
            rules.destination(Path::new("usr/bin/dracut"), "dracut"),
            Path::new("usr/bin/dracut.kiwi")
        );
        assert_eq!(rules.destination(Path::new("bin/ls"), "coreutils"), Path::new("bin/ls"));
        assert!(diversions("/a\n/b\n").is_err());
    }

    #[test]
    fn names_take_precedence_over_numbers_and_overrides_over_both() {
        let mut rules = Rules {
            users: ids("root:x:0:0:root:/root:/bin/sh\nman:x:6:12:man:/:/bin/sh\n"),
            groups: ids("root:x:0:\nmessagebus:x:104:\n"),
            ..Rules::default()
        };
        let owner = |name: &str, id| Owner { name: name.to_owned(), id };
        let mut entry = Entry {
            path: "usr/lib/helper".into(),
            kind: Kind::File,
            mode: 0o755,
            user: owner("man", 99),
            group: owner("nobody-knows", 42),
            time: 0,
        };
        assert_eq!(rules.attributes(&entry), OwnerAndMode { user: 6, group: 42, mode: 0o755 });
        let (path, attributes) = rules.overridden("root messagebus 4754 /usr/lib/helper").unwrap();
        rules.overrides.insert(path, attributes);
        entry.user = owner("", 0);
        assert_eq!(rules.attributes(&entry), OwnerAndMode { user: 0, group: 104, mode: 0o4754 });
        assert_eq!(rules.overridden("root nobody 755 /x"), None);
        assert_eq!(rules.overridden("#7 #8 755 /x").unwrap().1.user, 7);
    }
}
