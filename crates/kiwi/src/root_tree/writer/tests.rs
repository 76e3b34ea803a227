#![allow(clippy::disallowed_methods, reason = "a test is its own host")]

use std::os::unix::fs::MetadataExt;

use super::*;
use crate::host::{Host, Output};

/// A tree with the link `lib` to `usr/lib`, `out` to a directory outside, and the file `usr/lib/file`.
fn tree(directory: &Path) -> RootTree {
    let tree = RootTree::create(&Host::new(Output::Quiet), &directory.join("root")).unwrap();
    std::fs::create_dir(directory.join("outside")).unwrap();
    std::fs::write(directory.join("outside/file"), "outside").unwrap();
    tree.create_dir("usr/lib", 0o755).unwrap();
    tree.symlink("lib", "usr/lib").unwrap();
    std::os::unix::fs::symlink(directory.join("outside"), tree.path().join("out")).unwrap();
    tree.write("usr/lib/file", "old", 0o600).unwrap();
    tree
}

fn attributes() -> Attributes {
    Attributes {
        mode: 0o640,
        user: rustix::process::geteuid().as_raw(),
        group: rustix::process::getegid().as_raw(),
        times: times(1_000),
        extended: Vec::new(),
    }
}

#[test]
fn packages_follow_links_inside_the_tree_only() {
    let directory = tempfile::tempdir().unwrap();
    let tree = tree(directory.path());
    let mut writer = TreeWriter::of_packages(&tree);
    writer.file(Path::new("lib/file"), &mut &b"new"[..], &attributes()).unwrap();
    let file = tree.metadata("usr/lib/file").unwrap();
    assert_eq!((tree.read("usr/lib/file").unwrap(), file.mode() & 0o7777), (b"new".to_vec(), 0o640));
    assert_eq!(writer.link(Path::new("usr/lib"), Path::new("x"), &attributes()).unwrap(), Made::Kept);
    // The absolute link leads to the same path below the root of the tree, where a directory is created for the file.
    let _ = writer.file(Path::new("out/file"), &mut &b"new"[..], &attributes());
    assert_eq!(std::fs::read(directory.path().join("outside/file")).unwrap(), b"outside");
    writer.fifo(Path::new("usr/lib/file"), &attributes()).unwrap();
    assert_eq!(
        FileType::from_raw_mode(tree.path().join("lib/file").metadata().unwrap().mode()),
        FileType::Fifo
    );
    let left: Vec<_> = tree.list("usr/lib").unwrap();
    assert_eq!(left, ["file"], "nothing is left beside the entries");
}

#[test]
fn archives_follow_no_link_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let tree = tree(directory.path());
    let mut writer = TreeWriter::of_archive(tree.path()).unwrap();
    for path in ["lib/file", "out/file", "missing/file", "../file", "/etc/file"] {
        assert!(writer.file(Path::new(path), &mut &b"new"[..], &attributes()).is_err(), "{path}");
    }
    for first in ["lib/file", "out/file", "../outside/file"] {
        assert!(writer.hard_link(Path::new("usr/name"), Path::new(first)).is_err(), "{first}");
    }
    writer.hard_link(Path::new("usr/name"), Path::new("usr/lib/file")).unwrap();
    assert_eq!(tree.metadata("usr/name").unwrap().nlink(), 2);
    writer.directory(Path::new("usr"), &Attributes { mode: 0o700, ..attributes() }).unwrap();
    writer.file(Path::new("usr/name"), &mut &b"new"[..], &attributes()).unwrap();
    writer.close().unwrap();
    assert_eq!(tree.read("usr/lib/file").unwrap(), b"old", "the other name of a replaced file stays");
    let usr = tree.metadata("usr").unwrap();
    assert_eq!((usr.mode() & 0o7777, usr.mtime()), (0o700, 1_000));
}

#[test]
fn a_hard_link_replaces_what_has_its_name() {
    let directory = tempfile::tempdir().unwrap();
    let tree = tree(directory.path());
    let mut writer = TreeWriter::of_packages(&tree);
    tree.write("usr/name", "other", 0o600).unwrap();
    for _ in 0..2 {
        writer.hard_link(Path::new("usr/name"), Path::new("lib/file")).unwrap();
        assert_eq!(tree.read("usr/name").unwrap(), b"old");
        assert_eq!(tree.list("usr").unwrap(), ["lib", "name"]);
    }
}
