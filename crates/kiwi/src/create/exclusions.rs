//! `exclude_files.yaml`: paths of the tree that an image does not contain.

use std::path::Path;

use anyhow::Result;
use description::{NodeKind, SourceFile};

use crate::failure::fail;
use crate::host::Host;
use crate::root_tree::{DESCRIPTION, RootTree};

const NAME: &str = "exclude_files.yaml";

/// Removes from the layer what the file in the tree's description names: `exclude:` with a list of paths, in which `*`, `?`
/// and `[..]` stand for parts of one name.
pub fn apply(layered: &RootTree, host: &Host) -> Result<()> {
    let path = format!("{DESCRIPTION}/{NAME}");
    if !layered.exists(&path) {
        return Ok(());
    }
    for pattern in patterns(&layered.read_text(&path)?)? {
        host.check_interrupt()?;
        let mut found = vec![std::path::PathBuf::new()];
        for part in pattern.split('/').filter(|part| !part.is_empty()) {
            let mut next = Vec::new();
            for directory in found {
                let place = if directory.as_os_str().is_empty() { Path::new(".") } else { &directory };
                let names = layered.list(place)?;
                next.extend(
                    names.into_iter().filter(|name| matches(part, name)).map(|name| directory.join(name)),
                );
            }
            found = next;
        }
        for path in found.iter().filter(|path| !path.as_os_str().is_empty()) {
            layered.remove(path)?;
        }
    }
    Ok(())
}

/// Returns the patterns of the file.
fn patterns(text: &str) -> Result<Vec<String>> {
    let file = std::sync::Arc::new(SourceFile { name: NAME.to_owned(), text: text.to_owned() });
    let wrong = "expected a list of paths: `exclude:`, then a line `  - PATH` for each";
    let Ok(root) = description::yaml_values(&file) else {
        fail!(InvalidDescription, "{NAME} of the description is not YAML; {wrong}");
    };
    let NodeKind::Mapping(entries) = root.kind else {
        fail!(InvalidDescription, "{NAME} of the description has another form; {wrong}");
    };
    let mut found = Vec::new();
    for (key, value) in entries {
        let (true, NodeKind::List(items)) = (key.text == "exclude", value.kind) else {
            fail!(InvalidDescription, "{NAME} of the description has another form; {wrong}");
        };
        for item in items {
            let NodeKind::Scalar(pattern) = item.kind else {
                fail!(InvalidDescription, "{NAME} of the description has another form; {wrong}");
            };
            let parts: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty()).collect();
            if parts.is_empty() || parts.iter().any(|part| ["..", ".", "**"].contains(part)) {
                fail!(
                    InvalidDescription,
                    "{NAME} of the description contains `{pattern}`, which is not a path that kiwi can exclude"
                );
            }
            found.push(pattern);
        }
    }
    Ok(found)
}

/// Returns whether a name matches a pattern with `*`, `?` and sets of characters.
fn matches(pattern: &str, name: &str) -> bool {
    let mut rest = pattern.chars();
    let Some(first) = rest.next() else { return name.is_empty() };
    let mut after = name.chars();
    match first {
        '*' => (0..=name.len())
            .filter(|start| name.is_char_boundary(*start))
            .any(|start| matches(rest.as_str(), &name[start..])),
        '?' => after.next().is_some() && matches(rest.as_str(), after.as_str()),
        '[' if rest.as_str().contains(']') => {
            let Some((set, rest)) = rest.as_str().split_once(']') else { return false };
            let Some(letter) = after.next() else { return false };
            in_set(set, letter) && matches(rest, after.as_str())
        }
        letter => after.next() == Some(letter) && matches(rest.as_str(), after.as_str()),
    }
}

/// Returns whether a set such as `a-z_` or `!0-9` contains a character.
fn in_set(set: &str, letter: char) -> bool {
    let (is_negated, set) = set.strip_prefix(['!', '^']).map_or((false, set), |set| (true, set));
    let letters: Vec<char> = set.chars().collect();
    let mut found = false;
    let mut position = 0;
    while position < letters.len() {
        if let [from, '-', to, ..] = letters[position..] {
            found |= (from..=to).contains(&letter);
            position += 3;
        } else {
            found |= letters[position] == letter;
            position += 1;
        }
    }
    found != is_negated
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removes_what_the_patterns_name() {
        let directory = tempfile::tempdir().unwrap();
        let host = Host::new(crate::host::Output::Quiet);
        let tree = RootTree::create(&host, &directory.path().join("tree")).unwrap();
        for path in ["usr/bin/a1", "usr/bin/b2", "usr/bin/bx", "var/log/x/y", "var/log/z", "etc/a1"] {
            tree.write(path, "x", 0o644).unwrap();
        }
        tree.symlink("usr/lib", "/var/log").unwrap();
        tree.write(
            "image/exclude_files.yaml",
            "exclude:\n  - usr/bin/?[0-9]\n  - /var/log/*\n  - none\n  - usr/lib\n",
            0o644,
        )
        .unwrap();
        apply(&tree, &host).unwrap();
        assert_eq!(tree.list("usr/bin").unwrap(), ["bx"]);
        assert!(tree.list("var/log").unwrap().is_empty() && tree.exists("etc/a1"));
        assert!(tree.root().readlink("usr/lib").is_err());
        for wrong in [
            "exclude: x",
            "other:\n  - a",
            "- a",
            "exclude:\n  - ..",
            "exclude:\n  - a/**/b",
            "exclude:\n  - []",
        ] {
            assert!(patterns(wrong).is_err(), "{wrong}");
        }
        assert!(matches("[!a]*", "b.c") && !matches("[!a]*", "a") && matches("a[", "a["));
    }
}
