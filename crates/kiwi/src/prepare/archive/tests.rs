#![allow(clippy::disallowed_methods, reason = "a test is its own host")]

use std::io::Write;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::process::Command;

use super::*;
use crate::host::Output;

/// A directory with the files of an archive, and a tree.
struct Case {
    directory: tempfile::TempDir,
    tree: RootTree,
    host: Host,
}

impl Case {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let host = Host::new(Output::Quiet);
        let tree = RootTree::create(&host, &directory.path().join("tree")).unwrap();
        std::fs::create_dir_all(directory.path().join("files/etc")).unwrap();
        std::fs::write(directory.path().join("files/etc/file"), "content").unwrap();
        Self { directory, tree, host }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().canonicalize().unwrap().join(name)
    }

    /// Packs `files` with these options of GNU tar.
    fn tar(&self, options: &[&str]) -> Vec<u8> {
        let mut command = Command::new("tar");
        command.args(["--create", "--file", "-", "--directory"]).arg(self.path("files")).args(options);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// Unpacks the bytes of an archive into the tree, at `target`.
    fn unpack(&self, bytes: &[u8], target: &str) -> Result<()> {
        std::fs::write(self.path("archive"), bytes).unwrap();
        let plan = plan("archive", self.path("archive"), target).unwrap();
        unpack(&plan, &mut |_| {}, &self.tree, &self.host)
    }

    fn refused(&self, bytes: &[u8]) -> Kind {
        let error = self.unpack(bytes, "/").unwrap_err();
        error.downcast_ref::<Failure>().unwrap_or_else(|| panic!("{error:#}")).kind
    }
}

#[test]
fn every_compression_is_read_by_content() {
    let case = Case::new();
    let tar = case.tar(&["."]);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&tar).unwrap();
    let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    bzip2.write_all(&tar).unwrap();
    let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
    xz.write_all(&tar).unwrap();
    let packed = [
        tar.clone(),
        gzip.finish().unwrap(),
        bzip2.finish().unwrap(),
        xz.finish().unwrap(),
        zstd::encode_all(&tar[..], 1).unwrap(),
    ];
    for (number, bytes) in packed.iter().enumerate() {
        case.tree.remove("etc").unwrap();
        case.unpack(bytes, "/").unwrap();
        assert_eq!(case.tree.read("etc/file").unwrap(), b"content", "{number}");
        // A byte in the middle and the end of a stream are checked.
        if number > 0 {
            assert_eq!(case.refused(&bytes[..bytes.len() - 9]), Kind::Damaged, "{number}");
        }
    }
    case.unpack(&packed[1], "/opt/app").unwrap();
    assert_eq!(case.tree.read("opt/app/etc/file").unwrap(), b"content");
    assert_eq!(case.refused(b"\x04\x22\x4d\x18 and more"), Kind::InvalidDescription);
    assert_eq!(case.refused(&[b'x'; 2000]), Kind::Damaged);
}

#[test]
fn attributes_links_and_holes_are_kept() {
    let case = Case::new();
    let etc = case.path("files/etc");
    std::fs::hard_link(etc.join("file"), etc.join("again")).unwrap();
    std::os::unix::fs::symlink("/nowhere", etc.join("link")).unwrap();
    std::fs::create_dir(etc.join("shared")).unwrap();
    let mode = |name: &str, mode: u32| {
        std::fs::set_permissions(etc.join(name), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode("file", 0o4711);
    mode("shared", 0o3775);
    let old = std::time::UNIX_EPOCH + std::time::Duration::new(1_000_000, 250_000_000);
    std::fs::File::open(etc.join("file")).unwrap().set_modified(old).unwrap();
    std::fs::File::open(etc.join("shared")).unwrap().set_modified(old).unwrap();
    let empty = rustix::fs::XattrFlags::empty();
    rustix::fs::setxattr(etc.join("file"), "user.colour", b"red", empty).unwrap();
    let list = acl::parse("user::rwx,user:0:r--,group::--x,mask::r-x,other::--x", &acl::Accounts::default())
        .unwrap();
    rustix::fs::setxattr(etc.join("shared"), "system.posix_acl_default", &list, empty).unwrap();
    let sparse = std::fs::File::create(etc.join("sparse")).unwrap();
    sparse.write_all_at(b"middle", 5_000_000).unwrap();
    sparse.set_len(20_000_001).unwrap();
    // Attributes exist only in the pax format, and both formats have their own way to store holes.
    for format in ["--format=pax", "--format=gnu"] {
        let is_pax = format == "--format=pax";
        let mut options = vec!["--sparse", "--numeric-owner", format, "."];
        if is_pax {
            options.extend(["--xattrs", "--acls"]);
        }
        case.tree.remove("etc").unwrap();
        case.tree.write("etc/passwd", "root:x:0:0::/:/bin/sh\n", 0o644).unwrap();
        case.unpack(&case.tar(&options), "/").unwrap();
        let facts = |name: &str| case.tree.metadata(format!("etc/{name}")).unwrap();
        assert_eq!((facts("file").mode() & 0o7777, facts("file").nlink()), (0o4711, 2));
        assert_eq!((facts("shared").mode() & 0o7777, facts("shared").mtime()), (0o3775, 1_000_000));
        assert_eq!(facts("file").ino(), facts("again").ino());
        assert_eq!(case.tree.root().readlink("etc/link").unwrap(), Path::new("/nowhere"));
        assert_eq!(facts("sparse").len(), 20_000_001);
        assert!(facts("sparse").blocks() * 512 < 100_000, "{format}: {} blocks", facts("sparse").blocks());
        assert!(
            case.tree.read("etc/sparse").unwrap() == std::fs::read(etc.join("sparse")).unwrap(),
            "{format}"
        );
        if is_pax {
            assert_eq!(facts("file").modified().unwrap(), old);
            let found = |name: &str| {
                crate::root_tree::extended_attributes(&case.tree.path().join("etc").join(name)).unwrap()
            };
            assert_eq!(found("file"), [("user.colour".into(), b"red".to_vec())]);
            assert_eq!(found("shared"), [("system.posix_acl_default".into(), list.clone())]);
        }
    }
}

#[test]
fn members_stay_in_the_tree_and_replace_no_directory() {
    let case = Case::new();
    let host_file = case.path("outside");
    std::fs::write(&host_file, "outside").unwrap();
    case.tree.symlink("out", case.directory.path()).unwrap();
    for name in ["../outside", "a/../../outside", "/etc/passwd"] {
        let bytes = case.tar(&["--absolute-names", "--transform", &format!("s|.*file|{name}|"), "etc/file"]);
        assert_eq!(case.refused(&bytes), Kind::InvalidDescription, "{name}");
    }
    let _ = case.unpack(&case.tar(&["--transform", "s|.*file|out/outside|", "etc/file"]), "/");
    assert_eq!(std::fs::read(&host_file).unwrap(), b"outside");
    case.tree.create_dir("usr/file", 0o755).unwrap();
    let bytes = case.tar(&["--transform", "s|.*file|usr/file|", "etc/file"]);
    assert!(case.unpack(&bytes, "/").is_err() && case.tree.metadata("usr/file").unwrap().is_dir());
    case.tree.write("srv", "x", 0o644).unwrap();
    let bytes = case.tar(&["--transform", "s|.*etc|srv|", "--no-recursion", "etc"]);
    assert!(case.unpack(&bytes, "/").is_err() && case.tree.metadata("srv").unwrap().is_file());
}

#[test]
fn access_control_lists_name_accounts_by_name_or_number() {
    let case = Case::new();
    case.tree.write("etc/passwd", "tux:x:1000:100::/:/bin/sh\n", 0o644).unwrap();
    case.tree.write("etc/group", "users:x:100:\n", 0o644).unwrap();
    let accounts = acl::Accounts::of(&case.tree).unwrap();
    let parse = |text: &str| acl::parse(text, &accounts);
    let named = parse("user::rw-,user:tux:r--,group::r--,group:users:rw-,mask::rw-,other::---").unwrap();
    assert_eq!(
        parse("other:---\nu:tux:r--:1000\nu::rw-\ng::r--\nm::rw- # x\ng:users:rw-:100").unwrap(),
        named
    );
    assert_eq!((named.len(), &named[4..12]), (52, &[1, 0, 6, 0, 255, 255, 255, 255][..]));
    assert_eq!(&named[12..20], &[2, 0, 4, 0, 232, 3, 0, 0]);
    for wrong in ["user:nobody-known:r--", "user::rwz", "kind::r--", "user"] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
}
