//! Tests that pack and unpack trees.
#![allow(clippy::disallowed_methods, reason = "a test is its own host")]

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::*;
use crate::host::device::Device;
use crate::host::{Host, Output, StageTask};
use crate::root_tree::RootTree;

fn tree(directory: &Path, name: &str, host: &Host) -> RootTree {
    RootTree::create(host, &directory.join(name)).unwrap()
}

/// Returns path, kind, mode, size, time and link target of every entry.
fn listing(tree: &RootTree) -> Vec<String> {
    let entries = walkdir::WalkDir::new(tree.path()).min_depth(1).sort_by_file_name();
    entries
        .into_iter()
        .map(|entry| {
            let entry = entry.unwrap();
            let metadata = entry.metadata().unwrap();
            let size = if metadata.is_dir() { 0 } else { metadata.len() };
            let target = std::fs::read_link(entry.path()).unwrap_or_default();
            let device = Device::of(entry.path(), &metadata).unwrap();
            format!(
                "{} {:o} {size} {}.{} {} {} {device:?}",
                entry.path().strip_prefix(tree.path()).unwrap().display(),
                metadata.mode(),
                metadata.mtime(),
                metadata.mtime_nsec(),
                if metadata.is_dir() { 0 } else { metadata.nlink() },
                target.display()
            )
        })
        .collect()
}

fn set_time(path: &Path, seconds: u64, nanoseconds: u32) {
    let time = std::time::UNIX_EPOCH + std::time::Duration::new(seconds, nanoseconds);
    std::fs::File::open(path).unwrap().set_modified(time).unwrap();
}

fn fill(tree: &RootTree) {
    let long = format!("usr/share/{}/{}", "directory-".repeat(20), "name-".repeat(30));
    for (path, mode) in [("etc/motd", 0o640), ("usr/bin/tool", 0o4755), (long.as_str(), 0o644)] {
        tree.write(path, path, mode).unwrap();
    }
    let at = |path: &str| tree.path().join(path);
    std::fs::hard_link(at("usr/bin/tool"), at("usr/bin/twin")).unwrap();
    symlink("../usr/bin/tool", at("etc/link")).unwrap();
    tree.create_dir("var/empty", 0o700).unwrap();
    let tty = Device { is_block: false, major: 5, minor: 1 };
    let disk = Device { is_block: true, major: 259, minor: 70000 };
    for (device, name) in [(tty, "etc/tty"), (disk, "etc/disk")] {
        device.make(rustix::fs::CWD, at(name), 0o620).unwrap();
        set_time(&at(name), 5_000, 9);
    }
    std::fs::hard_link(at("etc/disk"), at("etc/disk-again")).unwrap();
    for (path, seconds, nanoseconds) in
        [("etc/motd", 1_000, 5), ("usr/bin/tool", 2_000, 0), ("etc", 3_000, 7), ("var/empty", 4_000, 0)]
    {
        set_time(&at(path), seconds, nanoseconds);
    }
}

fn pack(
    tree: &RootTree,
    extent: Extent<'_>,
    began: Moment,
    output: &mut Vec<u8>,
    host: &Host,
) -> anyhow::Result<Vec<PathBuf>> {
    let stage = host.stage(StageTask::Save, "Saving");
    super::pack(tree, extent, began, output, &stage, host)
}

/// A time after which nothing was created: every time is kept.
const NEVER: Moment = (i64::MAX, 0);

#[test]
fn unpacking_restores_every_entry() {
    let (directory, host) = (tempfile::tempdir().unwrap(), Host::new(Output::Quiet));
    let (one, other) = (tree(directory.path(), "one", &host), tree(directory.path(), "other", &host));
    fill(&one);
    let mut archive = Vec::new();
    pack(&one, Extent::All, NEVER, &mut archive, &host).unwrap();
    unpack(archive.as_slice(), &other, &host).unwrap();
    assert_eq!(listing(&one), listing(&other));
    let inode = |path: &str| other.metadata(path).unwrap().ino();
    assert_eq!(inode("usr/bin/tool"), inode("usr/bin/twin"));
    assert_eq!(inode("etc/disk"), inode("etc/disk-again"));
    // The archive contains a device node.
    let decoded = zstd::decode_all(archive.as_slice()).unwrap();
    assert!(!decoded.windows(11).any(|window| window == b"kiwi.device"));
}

#[test]
fn a_copy_has_the_marker_files_of_device_nodes() {
    let (directory, host) = (tempfile::tempdir().unwrap(), Host::new(Output::Quiet));
    let (one, other) = (tree(directory.path(), "one", &host), tree(directory.path(), "other", &host));
    fill(&one);
    copy(&one, other.path(), &host).unwrap();
    assert_eq!(listing(&one), listing(&other));
}

#[test]
fn the_difference_unpacked_over_the_first_tree_gives_the_second() {
    let (directory, host) = (tempfile::tempdir().unwrap(), Host::new(Output::Quiet));
    let (one, other) = (tree(directory.path(), "one", &host), tree(directory.path(), "other", &host));
    fill(&one);
    let (mut whole, mut difference) = (Vec::new(), Vec::new());
    pack(&one, Extent::All, NEVER, &mut whole, &host).unwrap();
    let snapshot = Snapshot::take(&one).unwrap();
    one.write("etc/motd", "other", 0o600).unwrap();
    one.write("etc/new", "new", 0o644).unwrap();
    one.remove("var/empty").unwrap();
    one.write("var/empty", "a file now", 0o644).unwrap();
    one.remove("etc/link").unwrap();
    std::fs::rename(one.path().join("usr"), one.path().join("opt")).unwrap();
    let gone = pack(&one, Extent::Since(&snapshot), NEVER, &mut difference, &host).unwrap();
    assert!(difference.len() < whole.len() * 2, "{}", difference.len());
    unpack(whole.as_slice(), &other, &host).unwrap();
    remove(&gone, &other).unwrap();
    unpack(difference.as_slice(), &other, &host).unwrap();
    assert_eq!(listing(&one), listing(&other));
    assert_eq!(other.read_text("var/empty").unwrap(), "a file now");
}

#[test]
fn files_created_by_the_build_get_the_current_time() {
    let (directory, host) = (tempfile::tempdir().unwrap(), Host::new(Output::Quiet));
    let (one, other) = (tree(directory.path(), "one", &host), tree(directory.path(), "other", &host));
    let began = now(&one).unwrap();
    one.write("made", "x", 0o644).unwrap();
    one.write("old", "x", 0o644).unwrap();
    set_time(&one.path().join("old"), 77, 0);
    let mut archive = Vec::new();
    pack(&one, Extent::All, began, &mut archive, &host).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(20));
    let later = now(&other).unwrap();
    unpack(archive.as_slice(), &other, &host).unwrap();
    let time = |path: &str| other.metadata(path).map(|found| (found.mtime(), found.mtime_nsec())).unwrap();
    assert!(time("made") >= later, "{:?} {later:?}", time("made"));
    assert_eq!(time("old"), (77, 0));
}

#[test]
fn rejects_a_truncated_archive() {
    let (directory, host) = (tempfile::tempdir().unwrap(), Host::new(Output::Quiet));
    let (one, other) = (tree(directory.path(), "one", &host), tree(directory.path(), "other", &host));
    fill(&one);
    let mut archive = Vec::new();
    pack(&one, Extent::All, NEVER, &mut archive, &host).unwrap();
    assert!(unpack(&archive[..archive.len() / 2], &other, &host).is_err());
}

#[test]
fn modes_of_a_packed_tree_do_not_depend_on_the_umask() {
    let (directory, host) = (tempfile::tempdir().unwrap(), Host::new(Output::Quiet));
    let (one, other) = (tree(directory.path(), "one", &host), tree(directory.path(), "other", &host));
    one.write("open", "x", 0o666).unwrap();
    std::fs::set_permissions(one.path(), PermissionsExt::from_mode(0o751)).unwrap();
    let mut archive = Vec::new();
    pack(&one, Extent::All, NEVER, &mut archive, &host).unwrap();
    unpack(archive.as_slice(), &other, &host).unwrap();
    assert_eq!(other.metadata("open").unwrap().mode() & 0o7777, 0o666);
    assert_eq!(other.path().metadata().unwrap().mode() & 0o7777, 0o751);
}

#[test]
fn attributes_with_line_breaks_and_holes_are_restored() {
    let (directory, host) = (tempfile::tempdir().unwrap(), Host::new(Output::Quiet));
    let (one, other) = (tree(directory.path(), "one", &host), tree(directory.path(), "other", &host));
    one.write("file", "x", 0o644).unwrap();
    // The capabilities DAC_OVERRIDE and FOWNER are a byte that is a line break, too.
    let value = b"a\nb\0\xff";
    rustix::fs::setxattr(one.path().join("file"), "user.list", value, rustix::fs::XattrFlags::empty())
        .unwrap();
    one.write("sparse", "", 0o644).unwrap();
    let sparse = std::fs::File::options().write(true).open(one.path().join("sparse")).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&sparse, b"middle", 5_000_000).unwrap();
    sparse.set_len(20_000_001).unwrap();
    let mut archive = Vec::new();
    pack(&one, Extent::All, NEVER, &mut archive, &host).unwrap();
    unpack(archive.as_slice(), &other, &host).unwrap();
    let restored = crate::root_tree::extended_attributes(&other.path().join("file")).unwrap();
    assert_eq!(restored, [("user.list".into(), value.to_vec())]);
    let facts = other.metadata("sparse").unwrap();
    assert!(facts.blocks() * 512 < 100_000, "{} blocks", facts.blocks());
    assert!(other.read("sparse").unwrap() == one.read("sparse").unwrap());
}
