use std::os::unix::fs::symlink;

use super::*;
use crate::failure::{Failure, Kind};
use crate::source::{AllowedPaths, Source};

fn overlay() -> (tempfile::TempDir, Source, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let description = directory.path().join("boot/debian");
    std::fs::create_dir_all(description.join("root/etc")).unwrap();
    std::fs::write(description.join("config.xml"), "<image/>").unwrap();
    let source = Source::open(&description, &AllowedPaths::default()).unwrap();
    let root = source.directory().join("root");
    (directory, source, root)
}

#[test]
fn links_inside_and_absolute_links_stay_links() {
    let (_keep, source, root) = overlay();
    symlink("../usr/x", root.join("etc/a")).unwrap();
    symlink("/etc/passwd", root.join("etc/b")).unwrap();
    assert_eq!(leads(&root.join("etc/a"), &root, source.files()).unwrap(), Leads::Inside);
    assert_eq!(leads(&root.join("etc/b"), &root, source.files()).unwrap(), Leads::Inside);
}

#[test]
fn links_to_shared_files_of_the_description_are_followed() {
    let (_keep, source, root) = overlay();
    let inside = source.directory().join("shared");
    let outside = source.directory().parent().unwrap().join("shared");
    for shared in [&inside, &outside] {
        std::fs::create_dir(shared).unwrap();
        std::fs::write(shared.join("file"), "x").unwrap();
        symlink("/etc/shadow", shared.join("link")).unwrap();
    }
    symlink("../shared", root.join("inside")).unwrap();
    symlink("../../shared", root.join("outside")).unwrap();
    let leads = |name: &str, source: &Source| leads(&root.join(name), &root, source.files());
    assert_eq!(leads("inside", &source).unwrap(), Leads::ToDescription(inside));
    let error = leads("outside", &source).unwrap_err();
    assert!(format!("{error:#}").contains("--allow-path"), "{error:#}");
    let allowed = AllowedPaths::new(&[outside.parent().unwrap().to_owned()]).unwrap();
    let allowing = Source::open(source.directory(), &allowed).unwrap();
    assert_eq!(leads("outside", &allowing).unwrap(), Leads::ToDescription(outside));
    let planned = plan("root", &root, allowing.files()).unwrap();
    let link = planned.items.iter().find(|item| item.inside == Path::new("inside/link")).unwrap();
    assert_eq!(link.content, Content::Link { target: "/etc/shadow".into() });
}

#[test]
fn links_that_lead_outside_are_rejected() {
    let (_keep, source, root) = overlay();
    symlink("../../../../../../../../../etc/passwd", root.join("etc/evil")).unwrap();
    let error = plan("root", &root, source.files()).unwrap_err().to_string();
    assert!(error.contains("etc/evil leads out of the description"), "{error}");
    assert_eq!(root.join("etc/evil").symlink_metadata().unwrap().uid(), rustix::process::geteuid().as_raw());
}

#[test]
fn a_file_keeps_its_mode_and_time_and_a_changed_file_is_rejected() {
    let (directory, source, root) = overlay();
    let host = Host::new(crate::host::Output::Quiet);
    let file = root.join("etc/large");
    let bytes: Vec<u8> = (0..300_000_u32).map(|number| (number % 251) as u8).collect();
    std::fs::write(&file, &bytes).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o4750)).unwrap();
    let tree = RootTree::create(&host, &directory.path().join("tree")).unwrap();
    let planned = plan("root", &root, source.files()).unwrap();
    copy(&planned, &tree, &host).unwrap();
    assert!(tree.read("etc/large").unwrap() == bytes);
    let (here, there) = (file.metadata().unwrap(), tree.metadata("etc/large").unwrap());
    assert_eq!(there.mode(), here.mode());
    assert_eq!(there.modified().unwrap(), here.modified().unwrap());
    let node = root.join("etc/node");
    let device = Device { is_block: true, major: 8, minor: 1 };
    device.make(rustix::fs::CWD, &node, 0o4640).unwrap();
    let time = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(77);
    std::fs::File::open(&node).unwrap().set_modified(time).unwrap();
    tree.symlink("etc/node", "/nowhere").unwrap();
    copy(&plan("root", &root, source.files()).unwrap(), &tree, &host).unwrap();
    let made = tree.path().join("etc/node");
    let metadata = made.symlink_metadata().unwrap();
    assert_eq!(Device::of(&made, &metadata).unwrap(), Some(device));
    assert_eq!((metadata.mode() & 0o7777, metadata.mtime()), (0o4640, 77));
    std::fs::write(&file, "another").unwrap();
    let error = format!("{:#}", copy(&planned, &tree, &host).unwrap_err());
    assert!(error.ends_with("etc/large changed during the build; build again"), "{error}");
}

/// Returns the tree after the overlay was copied over it, or the kind of the failure.
fn copied(root: &Path, source: &Source, tree: &RootTree) -> Result<(), Option<Kind>> {
    let host = Host::new(crate::host::Output::Quiet);
    let planned = plan("root", root, source.files()).unwrap();
    copy(&planned, tree, &host).map_err(|error| error.downcast_ref::<Failure>().map(|failure| failure.kind))
}

fn empty_tree(directory: &tempfile::TempDir) -> RootTree {
    let host = Host::new(crate::host::Output::Quiet);
    RootTree::create(&host, &directory.path().join("tree")).unwrap()
}

#[test]
fn directories_keep_set_id_and_sticky_bits_and_attributes() {
    let (directory, source, root) = overlay();
    let tree = empty_tree(&directory);
    tree.create_dir("etc", 0o750).unwrap();
    std::fs::set_permissions(root.join("etc"), std::fs::Permissions::from_mode(0o2775)).unwrap();
    for (name, mode) in [("srv", 0o2775), ("srv/drop", 0o1777), ("srv/drop/box", 0o750)] {
        std::fs::create_dir(root.join(name)).unwrap();
        std::fs::set_permissions(root.join(name), std::fs::Permissions::from_mode(mode)).unwrap();
    }
    std::fs::write(root.join("srv/file"), "x").unwrap();
    let list = [
        2_u32.to_le_bytes().to_vec(),
        acl_entry(1, 6, u32::MAX),
        acl_entry(2, 4, 0),
        acl_entry(4, 4, u32::MAX),
        acl_entry(16, 6, u32::MAX),
        acl_entry(32, 0, u32::MAX),
    ]
    .concat();
    let set = |path: &str, name: &str, value: &[u8]| {
        rustix::fs::setxattr(root.join(path), name, value, rustix::fs::XattrFlags::empty()).unwrap();
    };
    set("srv", "user.colour", b"blue");
    set("srv/file", "user.colour", b"red");
    set("srv/file", "system.posix_acl_access", &list);
    set("srv/drop", "system.posix_acl_default", &list);
    copied(&root, &source, &tree).unwrap();
    let mode = |path: &str| tree.metadata(path).unwrap().mode() & 0o7777;
    assert_eq!((mode("srv"), mode("srv/drop"), mode("srv/drop/box")), (0o2775, 0o1777, 0o750));
    assert_eq!(mode("etc"), 0o750, "a directory of the tree stays as it is");
    let found = |path: &str| crate::root_tree::extended_attributes(&tree.path().join(path)).unwrap();
    assert_eq!(found("srv"), [("user.colour".into(), b"blue".to_vec())]);
    assert_eq!(
        found("srv/file"),
        [("system.posix_acl_access".into(), list.clone()), ("user.colour".into(), b"red".to_vec())]
    );
    assert!(found("srv/drop").contains(&("system.posix_acl_default".into(), list)));
}

fn acl_entry(tag: u16, permissions: u16, id: u32) -> Vec<u8> {
    [&tag.to_le_bytes()[..], &permissions.to_le_bytes(), &id.to_le_bytes()].concat()
}

#[test]
fn hard_links_and_holes_are_kept() {
    let (directory, source, root) = overlay();
    let tree = empty_tree(&directory);
    std::fs::write(root.join("etc/a"), "x").unwrap();
    std::fs::create_dir(root.join("usr")).unwrap();
    std::fs::hard_link(root.join("etc/a"), root.join("usr/b")).unwrap();
    let sparse = std::fs::File::create(root.join("etc/sparse")).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&sparse, b"middle", 5_000_000).unwrap();
    sparse.set_len(20_000_001).unwrap();
    copied(&root, &source, &tree).unwrap();
    let (a, b) = (tree.metadata("etc/a").unwrap(), tree.metadata("usr/b").unwrap());
    assert_eq!((a.ino(), a.nlink()), (b.ino(), 2));
    let there = tree.metadata("etc/sparse").unwrap();
    assert_eq!(there.len(), 20_000_001);
    assert!(there.blocks() * 512 < 100_000, "{} blocks", there.blocks());
    assert!(tree.read("etc/sparse").unwrap() == std::fs::read(root.join("etc/sparse")).unwrap());
}

#[test]
fn files_and_directories_never_replace_each_other() {
    let (directory, source, root) = overlay();
    let tree = empty_tree(&directory);
    tree.create_dir("usr/share/doc", 0o755).unwrap();
    tree.write("usr/share/doc/copyright", "x", 0o644).unwrap();
    tree.write("etc/file", "x", 0o644).unwrap();
    tree.symlink("lib", "usr/share").unwrap();
    tree.symlink("etc/dangling", "/nowhere").unwrap();
    std::fs::create_dir_all(root.join("usr/share")).unwrap();
    let wrong = Err(Some(Kind::InvalidDescription));
    std::fs::write(root.join("usr/share/doc"), "f").unwrap();
    assert_eq!(copied(&root, &source, &tree), wrong);
    std::fs::remove_file(root.join("usr/share/doc")).unwrap();
    symlink("/nowhere", root.join("usr/share/doc")).unwrap();
    assert_eq!(copied(&root, &source, &tree), wrong);
    assert_eq!(tree.read("usr/share/doc/copyright").unwrap(), b"x");
    std::fs::remove_file(root.join("usr/share/doc")).unwrap();
    for name in ["etc/file", "etc/dangling"] {
        std::fs::create_dir(root.join(name)).unwrap();
        assert_eq!(copied(&root, &source, &tree), wrong, "{name}");
        std::fs::remove_dir(root.join(name)).unwrap();
    }
    // A link of the tree to a directory is followed; a link to a file is replaced.
    std::fs::create_dir(root.join("lib")).unwrap();
    std::fs::write(root.join("lib/file"), "y").unwrap();
    std::fs::write(root.join("etc/dangling"), "z").unwrap();
    copied(&root, &source, &tree).unwrap();
    assert_eq!(tree.read("usr/share/file").unwrap(), b"y");
    assert_eq!(tree.root().readlink("lib").unwrap(), Path::new("usr/share"));
    assert_eq!(tree.read("etc/dangling").unwrap(), b"z");
    assert!(!tree.exists("nowhere"));
}
