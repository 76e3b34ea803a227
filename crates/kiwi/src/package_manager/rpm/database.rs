//! rpm's database in a tree. The tree decides where it is: the macros of its own rpm, else the family.

use anyhow::Result;

use crate::failure::fail;
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
    macro_of(tree, "%_dbpath").and_then(|value| plain(&value))
}

/// Returns the value of a macro of the tree's rpm.
fn macro_of(tree: &RootTree, name: &str) -> Option<String> {
    let texts = MACROS.iter().filter_map(|file| tree.read_text(file).ok());
    texts.filter_map(|text| value_of(&text, name).map(str::to_owned)).last()
}

/// Returns the value of a macro in a file of macros.
fn value_of<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let mut values = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix([' ', '\t']));
    values.next_back().map(str::trim)
}

/// Fails if the database of a tree has a form that rpm of this host does not write.
pub(super) fn check_form(tree: &RootTree) -> Result<()> {
    let Some(path) = path(tree) else { return Ok(()) };
    if tree.exists(format!("{path}/{SQLITE}")) {
        return Ok(());
    }
    let form = if tree.exists(format!("{path}/Packages.db")) { "ndb" } else { "Berkeley DB" };
    fail!(
        NotBuilt,
        "the database of rpm in /{path} of the root tree has the form {form}, and rpm of this host writes SQLite only: kiwi can \
         neither upgrade this tree nor remove packages from it; use the package manager of the tree itself"
    );
}

/// Returns the macro that makes the tree's rpm use the SQLite database if its own macros name another form; fails if its rpm cannot
/// read SQLite.
fn form_macro(tree: &RootTree) -> Result<Option<&'static str>> {
    let Some(form) = macro_of(tree, "%_db_backend").filter(|form| form != "sqlite") else { return Ok(None) };
    let mut libraries = Vec::new();
    for directory in ["usr/lib64", "usr/lib"] {
        let names = if tree.exists(directory) { tree.list(directory)? } else { Vec::new() };
        libraries.extend(
            names
                .iter()
                .filter(|name| name.starts_with("librpm.so"))
                .map(|name| format!("{directory}/{name}")),
        );
    }
    for library in &libraries {
        let bytes = tree.read(library)?;
        let needed = b"libsqlite3.so";
        if bytes.windows(needed.len()).any(|window| window == needed) {
            return Ok(Some("%_db_backend sqlite\n"));
        }
    }
    fail!(
        NotBuilt,
        "rpm of the root tree keeps its database in the form {form} (%_db_backend) and cannot read SQLite, the only form that rpm of \
         this host writes; leave rpm out of the packages, or build on a host whose rpm writes {form}"
    );
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
    let named = macro_of(tree, "%_dbpath").is_some() && configured(tree).is_none();
    let path_macro = if named { format!("%_dbpath /{wanted}\n") } else { String::new() };
    let macros = path_macro + form_macro(tree)?.unwrap_or_default();
    if !macros.is_empty() {
        tree.write(OWN_MACROS, macros, 0o644)?;
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
    fn the_form_of_the_database_is_sqlite_or_refused() {
        let directory = tempfile::tempdir().unwrap();
        let tree = RootTree::merged(directory.path()).unwrap();
        tree.write("usr/lib/sysimage/rpm/rpmdb.sqlite", "x", 0o644).unwrap();
        check_form(&tree).unwrap();
        tree.write("usr/lib/rpm/macros", "%_db_backend\t      ndb\n", 0o644).unwrap();
        let error = settle(&tree, SYSIMAGE).unwrap_err().to_string();
        assert!(error.contains("in the form ndb (%_db_backend)"), "{error}");
        tree.write("usr/lib64/librpm.so.10", "\0liblua.so\0libsqlite3.so.0\0", 0o755).unwrap();
        settle(&tree, SYSIMAGE).unwrap();
        assert_eq!(tree.read_text(OWN_MACROS).unwrap(), "%_db_backend sqlite\n");
        tree.remove("usr/lib/sysimage/rpm/rpmdb.sqlite").unwrap();
        for (file, form) in [("Packages", "Berkeley DB"), ("Packages.db", "ndb")] {
            tree.write(format!("usr/lib/sysimage/rpm/{file}"), "x", 0o644).unwrap();
            assert!(check_form(&tree).unwrap_err().to_string().contains(form));
        }
    }

    #[test]
    fn only_plain_paths_are_used() {
        assert_eq!(plain("%{_var}/lib/rpm").as_deref(), Some("var/lib/rpm"));
        for value in ["%(echo x)", "relative", "/a/../../b", "%{other}/rpm"] {
            assert_eq!(plain(value), None, "{value}");
        }
    }
}
