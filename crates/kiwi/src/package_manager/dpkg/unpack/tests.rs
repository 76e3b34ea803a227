use std::os::unix::fs::{MetadataExt, PermissionsExt};

use super::super::super::deb::write_package;
use super::*;
use crate::host::Output;
use crate::stage::{Stage, assert_pinned};

/// An entry of a test package: name, type, link and content.
type File<'a> = (&'a str, tar::EntryType, &'a str, &'a [u8]);

const FILE: tar::EntryType = tar::EntryType::Regular;
const DIRECTORY: tar::EntryType = tar::EntryType::Directory;
const LINK: tar::EntryType = tar::EntryType::Symlink;

fn data(files: &[File<'_>]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, kind, link, content) in files {
        let mut header = tar::Header::new_gnu();
        let gnu = header.as_gnu_mut().unwrap();
        gnu.name[..name.len()].copy_from_slice(name.as_bytes());
        gnu.linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(*kind);
        header.set_size(content.len() as u64);
        header.set_mode(if *kind == DIRECTORY { 0o750 } else { 0o4755 });
        // An ordinary user who runs the test can only create files with his own ids.
        header.set_uid(u64::from(rustix::process::geteuid().as_raw()));
        header.set_gid(u64::from(rustix::process::getegid().as_raw()));
        header.set_mtime(1_000_000);
        header.set_cksum();
        builder.append(&header, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

struct Bench {
    _directory: tempfile::TempDir,
    path: PathBuf,
    host: Host,
    tree: RootTree,
}

impl Bench {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let host = Host::new(Output::Quiet);
        let tree = RootTree::create(&host, &directory.path().join("root")).unwrap();
        tree.create_dir("usr/lib", 0o755).unwrap();
        tree.symlink("lib", "usr/lib").unwrap();
        Self { path: directory.path().to_owned(), _directory: directory, host, tree }
    }

    /// Unpacks packages named a, b ... with these control fields and data archives.
    fn unpacked(&self, packages: &[(&str, Vec<u8>)]) -> Result<Unpacker<'_>> {
        let debs = packages.iter().enumerate().map(|(index, (fields, data))| {
            let name = char::from(b'a' + u8::try_from(index).unwrap()).to_string();
            let path = self.path.join(format!("{name}.deb"));
            std::fs::write(&path, write_package(&name, fields, data)).unwrap();
            Deb::open(&path)
        });
        let mut unpacker = Unpacker::new(&self.tree);
        let batch = unpacker.add(debs.collect::<Result<_>>()?);
        let open = |package: &Deb| -> Result<Box<dyn Read>> { Ok(Box::new(package.data()?)) };
        unpacker.unpack(&batch, &Rules::default(), open, &self.host)?;
        Ok(unpacker)
    }

    /// Like `unpacked`; returns the lists of their paths.
    fn unpack(&self, packages: &[(&str, Vec<u8>)]) -> Result<Vec<Vec<PathBuf>>> {
        Ok(self.unpacked(packages)?.lists)
    }

    fn refused(&self, data: Vec<u8>) -> String {
        format!("{:#}", self.unpack(&[("", data)]).unwrap_err())
    }
}

#[test]
fn computes_sums_for_a_package_without_md5sums() {
    let bench = Bench::new();
    let files: [File; 5] = [
        ("./lib/", DIRECTORY, "", b""),
        ("./lib/file", FILE, "", b"hello"),
        ("./lib/name", tar::EntryType::Link, "./lib/file", b""),
        ("./lib/link", LINK, "file", b""),
        ("./lib/a b", FILE, "", b""),
    ];
    // The second package replaces the first file; the sum is still that of the first package's file.
    let other: [File; 2] = [("./lib/", DIRECTORY, "", b""), ("./lib/file", FILE, "", b"other")];
    let unpacker = bench.unpacked(&[("", data(&files)), ("Replaces: a\n", data(&other))]).unwrap();
    let hello = "5d41402abc4b2a76b9719d911017c592";
    let expected =
        format!("{hello}  lib/file\n{hello}  lib/name\nd41d8cd98f00b204e9800998ecf8427e  lib/a b\n");
    assert_eq!(unpacker.sums(0).map(String::from_utf8_lossy).unwrap(), expected);
    assert_eq!(unpacker.sums(1), Some(b"795f3202b17cb6bc3d4b771d8c6c9eaf  lib/file\n".as_slice()));
}

#[test]
fn unpacks_files_with_mode_and_time_through_links_of_the_tree() {
    let bench = Bench::new();
    let files: [File; 4] = [
        ("./", DIRECTORY, "", b""),
        ("./lib/x/", DIRECTORY, "", b""),
        ("./lib/x/file", FILE, "", b"hello"),
        ("./lib/x/name", tar::EntryType::Link, "./lib/x/file", b""),
    ];
    let lists = bench.unpack(&[("", data(&files))]).unwrap();
    assert_eq!(lists[0].len(), 4);
    let file = bench.tree.metadata("usr/lib/x/file").unwrap();
    assert_eq!((file.mode() & 0o7777, file.mtime(), file.nlink()), (0o4755, 1_000_000, 2));
    assert_eq!(bench.tree.metadata("usr/lib/x").unwrap().permissions().mode() & 0o7777, 0o750);
    assert_eq!(bench.tree.read("lib/x/name").unwrap(), b"hello");
}

/// The layers of packages and the final packages are unpacked in the same way; configuration depends on their scripts
/// and on dpkg.
#[test]
fn the_result_of_the_package_stages_matches_their_format() {
    let bench = Bench::new();
    let files: [File; 5] = [
        ("./", DIRECTORY, "", b""),
        ("./lib/x/", DIRECTORY, "", b""),
        ("./lib/x/file", FILE, "", b"hello"),
        ("./lib/x/link", LINK, "file", b""),
        ("./lib/x/name", tar::EntryType::Link, "./lib/x/file", b""),
    ];
    bench.unpack(&[("", data(&files))]).unwrap();
    let listing = crate::root_tree::listing(&bench.tree);
    for stage in [Stage::Bootstrap, Stage::Scripts, Stage::Packages] {
        assert_pinned(
            stage,
            (1, "d0a0757f6fd469edd21f8c2faf0846f1cc028e731112b699e8cd81e774b454c7"),
            &listing,
        );
    }
}

#[test]
fn a_marker_file_of_a_device_node_replaces_an_existing_file() {
    let bench = Bench::new();
    bench.tree.write("dev/disk", "text", 0o644).unwrap();
    let mut builder = tar::Builder::new(Vec::new());
    for (name, kind, minor) in
        [("dev/disk", tar::EntryType::Block, 70000), ("dev/null", tar::EntryType::Char, 3)]
    {
        let mut header = tar::Header::new_gnu();
        header.set_path(name).unwrap();
        header.set_entry_type(kind);
        header.set_size(0);
        header.set_mode(0o4660);
        header.set_uid(u64::from(rustix::process::geteuid().as_raw()));
        header.set_gid(u64::from(rustix::process::getegid().as_raw()));
        header.set_mtime(1_000_000);
        header.set_device_major(1).unwrap();
        header.set_device_minor(minor).unwrap();
        header.set_cksum();
        builder.append(&header, &b""[..]).unwrap();
    }
    bench.unpack(&[("", builder.into_inner().unwrap())]).unwrap();
    for (name, is_block, minor) in [("dev/disk", true, 70000), ("dev/null", false, 3)] {
        let path = bench.tree.path().join(name);
        let metadata = path.symlink_metadata().unwrap();
        let device = crate::host::device::Device { is_block, major: 1, minor };
        assert_eq!(crate::host::device::Device::of(&path, &metadata).unwrap(), Some(device), "{name}");
        let facts = (metadata.mode() & 0o7777, metadata.mtime(), metadata.len());
        assert_eq!(facts, (0o4660, 1_000_000, 0), "{name}");
    }
}

#[test]
fn a_link_of_a_package_cannot_lead_out_of_the_tree() {
    let bench = Bench::new();
    let outside = bench.path.join("outside");
    std::fs::create_dir(&outside).unwrap();
    let target = outside.display().to_string();
    let files: [File; 4] = [
        ("./escape", LINK, &target, b""),
        ("./escape/file", FILE, "", b"x"),
        ("./up", LINK, "../../../..", b""),
        ("./up/file", FILE, "", b"y"),
    ];
    // Nothing is written outside, whether the directory exists inside the tree or not.
    let _ = bench.unpack(&[("", data(&files))]);
    assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 0);
    assert!(!bench.path.join("file").exists());
    let names: BTreeSet<_> =
        std::fs::read_dir(&bench.path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, BTreeSet::from(["a.deb".into(), "outside".into(), "root".into()]));
}

#[test]
fn a_file_is_not_written_through_a_link_of_its_name() {
    let bench = Bench::new();
    bench.tree.write("victim", "untouched", 0o644).unwrap();
    bench.tree.symlink("name", "/victim").unwrap();
    bench.unpack(&[("", data(&[("./name", FILE, "", b"new")]))]).unwrap();
    assert_eq!(bench.tree.read("victim").unwrap(), b"untouched");
    assert_eq!(bench.tree.read("name").unwrap(), b"new");
}

#[test]
fn rejects_hostile_archives() {
    let bench = Bench::new();
    assert!(bench.refused(data(&[("./../x", FILE, "", b"")])).contains("leads out of the tree"));
    let whole = data(&[("./big", FILE, "", &[7; 5000])]);
    let cut = bench.refused(whole[..2000].to_vec());
    assert!(cut.contains("unpacking the package a"), "{cut}");
    let mut absurd = tar::Header::new_gnu();
    absurd.set_path("big").unwrap();
    absurd.set_size(1 << 60);
    absurd.set_mode(0o644);
    absurd.set_uid(u64::from(rustix::process::geteuid().as_raw()));
    absurd.set_gid(u64::from(rustix::process::getegid().as_raw()));
    absurd.set_mtime(0);
    absurd.set_cksum();
    let text = bench.refused(absurd.as_bytes().to_vec());
    assert!(text.contains("unpacking the package a"), "{text}");
    bench.tree.write("file", "", 0o644).unwrap();
    assert!(
        bench.refused(data(&[("./file/", DIRECTORY, "", b"")])).contains("the tree has a file of that name")
    );
}

#[test]
fn two_packages_with_the_same_file_must_declare_a_replacement() {
    let files = |content: &'static [u8]| data(&[("./usr/file", FILE, "", content)]);
    let text = format!("{:#}", Bench::new().unpack(&[("", files(b"a")), ("", files(b"b"))]).unwrap_err());
    assert!(text.contains("both contain /usr/file"), "{text}");
    let bench = Bench::new();
    let lists = bench.unpack(&[("Replaces: b\n", files(b"a")), ("", files(b"b"))]).unwrap();
    assert_eq!(bench.tree.read("usr/file").unwrap(), b"a");
    assert_eq!((lists[0].len(), lists[1].len()), (1, 0));
}

#[test]
fn conffiles_wait_for_dpkg_and_diverted_files_are_moved() {
    let bench = Bench::new();
    bench.tree.write("var/lib/dpkg/diversions", "/usr/prog\n/usr/prog.real\n:\n", 0o644).unwrap();
    let package = super::super::super::deb::package("a", "", &[]);
    let rules = Rules::read(&bench.tree).unwrap();
    let conffiles = HashSet::from([PathBuf::from("etc/a.conf")]);
    let task = Task { index: 0, package: &package, rules: &rules, conffiles: &conffiles, again: false };
    assert_eq!(task.staged(Path::new("etc/a.conf")), Path::new("etc/a.conf.dpkg-new"));
    assert_eq!(task.staged(Path::new("usr/prog")), Path::new("usr/prog.real"));
}
