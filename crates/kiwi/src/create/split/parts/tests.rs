#![allow(clippy::disallowed_methods, reason = "a test is its own host")]

use super::*;

/// Returns the parts with these lists; `!` stands before an exception.
fn parts(temporary: &[&str], persistent: &[&str]) -> Parts {
    let list = |paths: &[&str]| {
        let entry = |path: &&str| (path.trim_start_matches('!').to_owned(), !path.starts_with('!'));
        paths.iter().map(entry).collect()
    };
    Parts::new(list(temporary), list(persistent), &["boot", "usr"]).unwrap()
}

#[test]
fn the_longest_path_that_is_not_excluded_decides() {
    use Part::{Persistent, ReadOnly, Temporary};
    let parts = parts(
        &["var", "!var/lib", "var/lib/cache", "usr/share/state", "!usr/share/state/kept"],
        &["usr/local", "!usr/local/bin", "usr/share", "var/spool", "boot"],
    );
    for (path, part) in [
        ("etc/fstab", Persistent),
        ("usr/bin/cat", ReadOnly),
        ("var", Temporary),
        ("var/log/x", Temporary),
        ("variable", Persistent),
        ("var/lib/x", Persistent),
        ("var/lib/cache/x", Temporary),
        ("var/spool/x", Persistent),
        ("usr/local/x", Persistent),
        ("usr/local/bin/x", ReadOnly),
        ("usr/share/x", Persistent),
        ("usr/share/state", Temporary),
        ("usr/share/state/kept", Persistent),
        ("boot/vmlinuz", Persistent),
    ] {
        assert_eq!(parts.part(path), part, "{path}");
    }
    assert_eq!(parts.read_only_directories(), ["usr"]);
    let moved: Vec<&str> = parts.moved().collect();
    let expected = "usr/local usr/local/bin usr/share usr/share/state usr/share/state/kept var var/lib var/lib/cache var/spool";
    assert_eq!(moved.join(" "), expected);
}

#[test]
fn every_path_has_its_own_place() {
    let parts = parts(&["var", "!var/lib", "var/lib/cache"], &["usr/local", "!usr/local/bin"]);
    for (path, is_read_only, stored, running) in [
        ("etc/fstab", false, "etc/fstab", "etc/fstab"),
        ("usr/bin/cat", true, "usr/bin/cat", "system/usr/bin/cat"),
        ("usr/local/x", false, ".kiwi/persistent/usr/local/x", ".kiwi/persistent/usr/local/x"),
        ("usr/local/bin", true, ".kiwi/read-only/usr/local/bin", "system/.kiwi/read-only/usr/local/bin"),
        ("var/log", true, ".kiwi/temporary/var/log", ".kiwi/temporary/var/log"),
        ("var/lib/x", false, ".kiwi/persistent/var/lib/x", ".kiwi/persistent/var/lib/x"),
        // .kiwi/temporary/var/lib is a link.
        ("var/lib/cache", true, ".kiwi/temporary/.1/var/lib/cache", ".kiwi/temporary/.1/var/lib/cache"),
    ] {
        let place = Place { is_read_only, stored: stored.to_owned(), running: running.to_owned() };
        assert_eq!(parts.place(path), place);
    }
    let links = ["var", "usr/local", "var/lib/cache"].map(|path| parts.place_of_link(path).running);
    assert_eq!(links, ["var", "system/usr/local", ".kiwi/persistent/var/lib/cache"]);
}

#[test]
fn links_of_the_system_are_followed_and_contradictions_found() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("root");
    std::fs::create_dir_all(root.join("usr/bin")).unwrap();
    std::fs::create_dir_all(root.join("var")).unwrap();
    for (link, target) in [("bin", "usr/bin"), ("var/run", "/run"), ("var/tmp", "../usr/tmp")] {
        std::os::unix::fs::symlink(target, root.join(link)).unwrap();
    }
    let tree = RootTree::merged(&root).unwrap();
    let list = |files: &[&str]| SplitList {
        files: files.iter().map(|file| (*file).to_owned()).collect(),
        exceptions: Vec::new(),
    };
    let of = |temporary: &[&str], persistent: &[&str]| {
        let files = SplitFiles { temporary: list(temporary), persistent: list(persistent) };
        Parts::of(&tree, &files, &["usr"])
    };
    let found =
        of(&["/bin/x", "/var/run/*", "/var/tmp", "/run/a", "/usr/none/./y/"], &["/var/tmp/*"]).unwrap();
    let moved: Vec<&str> = found.moved().collect();
    assert_eq!(moved, ["usr/bin/x", "usr/none/y", "usr/tmp", "var/tmp"]);
    let error = of(&["/bin/x"], &["/usr/bin/x"]).unwrap_err();
    let failure = error.downcast_ref::<Failure>().unwrap();
    assert_eq!(failure.kind, Kind::InvalidDescription);
    assert!(failure.message.contains("/usr/bin/x"), "{failure:?}");
}
