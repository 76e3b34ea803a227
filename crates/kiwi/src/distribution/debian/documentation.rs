//! `rpm-excludedocs`: the tree without the documentation of packages, as dpkg leaves it with `path-exclude`.

use anyhow::Result;

use crate::root_tree::RootTree;

/// The configuration with which dpkg leaves documentation out of later packages, too.
const CONFIGURATION: &str = "etc/dpkg/dpkg.cfg.d/excludedocs";
const DOCUMENTATION: &str = "usr/share/doc";
/// The file of each package that stays.
const LICENCE: &str = "copyright";
const OTHERS: [&str; 5] =
    ["usr/share/groff", "usr/share/info", "usr/share/linda", "usr/share/lintian", "usr/share/man"];

/// Removes documentation, but for licences, and configures dpkg.
pub(crate) fn exclude(tree: &RootTree) -> Result<()> {
    for directory in OTHERS {
        tree.clear_dir(directory)?;
    }
    for package in tree.list(DOCUMENTATION)? {
        let path = format!("{DOCUMENTATION}/{package}");
        // A link leads to the licence of another package.
        if tree.root().readlink(&path).is_ok() {
            continue;
        }
        let names = tree.list(&path)?;
        let has_licence = names.iter().any(|name| name == LICENCE);
        if !has_licence {
            tree.remove(&path)?;
        }
        for name in names.iter().filter(|name| has_licence && *name != LICENCE) {
            tree.remove(format!("{path}/{name}"))?;
        }
    }
    let excluded = std::iter::once(DOCUMENTATION).chain(OTHERS);
    let mut text: String = excluded.map(|path| format!("path-exclude=/{path}/*\n")).collect();
    text += &format!("path-include=/{DOCUMENTATION}/*/{LICENCE}\n");
    tree.write(CONFIGURATION, text, 0o644)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licences_stay() {
        let directory = tempfile::tempdir().unwrap();
        let tree = RootTree::merged(directory.path()).unwrap();
        for path in [
            "usr/share/doc/a/copyright",
            "usr/share/doc/a/more/x",
            "usr/share/doc/b/README",
            "usr/share/man/man1/a",
        ] {
            tree.write(path, "x", 0o644).unwrap();
        }
        tree.symlink("usr/share/doc/c", "a").unwrap();
        exclude(&tree).unwrap();
        assert_eq!(tree.list("usr/share/doc").unwrap(), ["a", "c"]);
        assert_eq!(tree.list("usr/share/doc/a").unwrap(), ["copyright"]);
        assert!(tree.list("usr/share/man").unwrap().is_empty());
        let text = tree.read_text(CONFIGURATION).unwrap();
        assert!(
            text.contains("path-exclude=/usr/share/doc/*\n")
                && text.contains("path-include=/usr/share/doc/*/copyright\n")
        );
    }
}
