//! rpm's database in a tree. The tree decides where it is: the macros of its own rpm, else the family.

use anyhow::Result;

use crate::root_tree::RootTree;

/// The directory in trees of families that do not name one, and in [`super::ManagerFiles`].
pub(super) const DEFAULT: &str = "var/lib/rpm";
/// The directory on systems with a read-only `/var` in their snapshots.
const SYSIMAGE: &str = "usr/lib/sysimage/rpm";
/// The file of the database of this version of rpm.
pub(super) const SQLITE: &str = "rpmdb.sqlite";
/// The files of all versions of rpm.
const FILES: [&str; 3] = [SQLITE, "Packages.db", "Packages"];
/// The macros of rpm in a tree; later files override earlier ones.
const MACROS: [&str; 2] = ["usr/lib/rpm/macros", "etc/rpm/macros"];
/// The file that makes rpm of a tree use the database if its own macros name a directory of each user.
const OWN_MACROS: &str = "etc/rpm/macros.kiwi-database";

/// Returns the directory of the database in a tree.
pub(super) fn path(tree: &RootTree) -> Option<String> {
    let candidates = configured(tree).into_iter().chain([SYSIMAGE.to_owned(), DEFAULT.to_owned()]);
    candidates.into_iter().find(|path| FILES.iter().any(|file| tree.exists(format!("{path}/{file}"))))
}

/// Returns the directory that the macros of the tree's rpm name, if it is a plain path.
fn configured(tree: &RootTree) -> Option<String> {
    let texts = MACROS.iter().filter_map(|file| tree.read_text(file).ok());
    texts.filter_map(|text| database_macro(&text).map(str::to_owned)).last().and_then(|value| plain(&value))
}

/// Returns the value of `%_dbpath`.
fn database_macro(text: &str) -> Option<&str> {
    let mut values = text.lines().filter_map(|line| line.strip_prefix("%_dbpath")?.strip_prefix([' ', '\t']));
    values.next_back().map(str::trim)
}

/// Returns the path below the root if a value needs no other macro than those of directories.
fn plain(value: &str) -> Option<String> {
    let mut path = value.to_owned();
    for (name, directory) in
        [("%{_var}", "/var"), ("%{_usr}", "/usr"), ("%{_prefix}", "/usr"), ("%{_localstatedir}", "/var")]
    {
        path = path.replace(name, directory);
    }
    let is_plain = path.starts_with('/') && !path.contains('%') && !path.split('/').any(|part| part == "..");
    is_plain.then(|| path.trim_matches('/').to_owned())
}

/// Moves the database to the directory in which the tree's own rpm looks for it, once that is installed.
pub(super) fn settle(tree: &RootTree, default: &str) -> Result<()> {
    let Some(found) = path(tree) else { return Ok(()) };
    let wanted = configured(tree).unwrap_or_else(|| default.to_owned());
    if found != wanted {
        tree.create_dir(&wanted, 0o755)?;
        for name in tree.list(&found)? {
            let file = format!("{found}/{name}");
            tree.write(format!("{wanted}/{name}"), tree.read(&file)?, 0o644)?;
            tree.remove(&file)?;
        }
        tree.remove(&found)?;
    }
    let named =
        MACROS.iter().any(|file| tree.read_text(file).is_ok_and(|text| database_macro(&text).is_some()));
    if named && configured(tree).is_none() {
        tree.write(OWN_MACROS, format!("%_dbpath /{wanted}\n"), 0o644)?;
    }
    if wanted == SYSIMAGE && tree.exists("var/lib") && !tree.exists(DEFAULT) {
        tree.symlink(DEFAULT, format!("../../{SYSIMAGE}"))?;
    }
    Ok(())
}

/// Removes files that rpm creates again: its lock and the empty journal of its database.
pub(super) fn clean(tree: &RootTree, default: &str) -> Result<()> {
    let path = path(tree).unwrap_or_else(|| default.to_owned());
    let journal = format!("{path}/{SQLITE}-wal");
    if tree.read(&journal).is_ok_and(|bytes| !bytes.is_empty()) {
        return Ok(());
    }
    [".rpm.lock", "rpmdb.sqlite-wal", "rpmdb.sqlite-shm"]
        .iter()
        .try_for_each(|name| tree.remove(format!("{path}/{name}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_macros_of_the_tree_decide_about_the_directory() {
        let directory = tempfile::tempdir().unwrap();
        let tree = RootTree::merged(directory.path()).unwrap();
        tree.write("var/lib/rpm/rpmdb.sqlite", "x", 0o644).unwrap();
        assert_eq!(path(&tree).as_deref(), Some("var/lib/rpm"));
        tree.write("usr/lib/rpm/macros", "%_dbpath\t\t%{_usr}/lib/sysimage/rpm\n", 0o644).unwrap();
        settle(&tree, DEFAULT).unwrap();
        assert_eq!(path(&tree).as_deref(), Some("usr/lib/sysimage/rpm"));
        assert_eq!(tree.read_text("var/lib/rpm/rpmdb.sqlite").unwrap(), "x", "the old path is a link");
        assert!(!tree.exists(OWN_MACROS));
        tree.write("usr/lib/rpm/macros", "%_dbpath %(bash -c 'echo ~/.rpmdb')\n", 0o644).unwrap();
        settle(&tree, SYSIMAGE).unwrap();
        assert_eq!(tree.read_text(OWN_MACROS).unwrap(), "%_dbpath /usr/lib/sysimage/rpm\n");
    }

    #[test]
    fn only_plain_paths_are_used() {
        assert_eq!(plain("%{_var}/lib/rpm").as_deref(), Some("var/lib/rpm"));
        for value in ["%(echo x)", "relative", "/a/../../b", "%{other}/rpm"] {
            assert_eq!(plain(value), None, "{value}");
        }
    }
}
