//! The two package paths give one result: a tree unpacked by kiwi is compared, file by file and in dpkg's database, with
//! one that apt-get and dpkg installed alone.
//!
//! The set has diversions made by preinst scripts, conffiles, Multi-Arch: same libraries, pre-dependencies that make
//! batches, packages that only bring files (manual pages, for which man-db waits, and libraries), triggers, setuid and setgid
//! files, users and groups, device nodes, and an initramfs generator that is held back.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use kiwi::deb822::{self, Comments};
use kiwi::host::device::Device;
use kiwi_tests::program::kiwi;
use kiwi_tests::run::Run;
use sha2::{Digest, Sha256};

const PACKAGES: [&str; 14] = [
    "ca-certificates",
    "dbus",
    "e2fsprogs",
    "file",
    "initramfs-tools",
    "locales",
    "man-db",
    "openssh-server",
    "python3-minimal",
    "sudo",
    "systemd-sysv",
    "udev",
    "vim-tiny",
    "zstd",
];

/// Lists whose order is not part of what they say.
const SETS_OF_PARAGRAPHS: [&str; 2] = ["var/lib/apt/extended_states", "var/lib/dpkg/status"];

/// man-db's index is a hash table on disk: its bytes tell in which order pages were found.
const UNORDERED: [&str; 1] = ["var/cache/man/index.db"];

fn description(suite: &str, directory: &Path) -> PathBuf {
    let node = "mkdir -p node/DEBIAN node/srv local; mknod node/srv/tty c 5 1; mknod node/srv/disk b 259 70000; \
                chown 12:34 node/srv/tty; chmod 4620 node/srv/tty; ln node/srv/disk node/srv/again; printf '%s\n' 'Package: device-nodes' 'Version: 1' \
                'Architecture: all' 'Maintainer: A <a@example.org>' 'Description: x' > node/DEBIAN/control; \
                mkdir node/etc; echo > node/etc/node; echo /etc/node > node/DEBIAN/conffiles; ln node/etc/node node/srv/node; \
                dpkg-deb --build node local/device-nodes_1_all.deb";
    let built = Command::new("sh").args(["-e", "-c", node]).current_dir(directory).output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let local = directory.join("local").display().to_string();
    let packages: String = PACKAGES.iter().map(|name| format!("<package name=\"{name}\"/>")).collect();
    let text = format!(
        r#"<image schemaversion="8.5" name="paths">
  <description type="system"><author>A</author><contact>a@example.org</contact><specification>S</specification></description>
  <preferences><version>1.0.0</version><packagemanager>apt</packagemanager><type image="ext4" primary="true"/></preferences>
  <repository><source path="debian://{suite}"/></repository>
  <repository type="deb-dir"><source path="{local}"/></repository>
  <packages type="image">{packages}<package name="device-nodes"/></packages>
</image>"#
    );
    let location = directory.join("description");
    std::fs::create_dir_all(&location).unwrap();
    std::fs::write(location.join("config.xml"), text).unwrap();
    location
}

/// Prepares the tree `name`.
fn prepare(name: &str, path: &str, description: &Path, directory: &Path) -> (PathBuf, Run) {
    let root = directory.join(name);
    let mut command = Command::new(kiwi());
    command.env("KIWI_CACHE", directory.join("cache"));
    command.args(["prepare", "--no-cache", "--package-path", path, "--root"]).args([&root, description]);
    (root, Run::of(&mut command).done())
}

/// Damages two packages of the cache: one as it was fetched, whose recompressed form is removed, and one recompressed.
fn damage(packages: &Path) -> [PathBuf; 2] {
    let of = |form: &str| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(packages.join(form)).unwrap();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    };
    let (fetched, repacked) = (of("sha256"), of("zstd"));
    assert!(repacked.len() > 100, "only {} packages were recompressed", repacked.len());
    std::fs::remove_file(&repacked[0]).unwrap();
    let fetched = fetched.into_iter().find(|path| path.file_name() == repacked[0].file_name()).unwrap();
    for path in [&fetched, &repacked[1]] {
        let mut bytes = std::fs::read(path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(path, bytes).unwrap();
    }
    [fetched, repacked[1].clone()]
}

/// Everything a path says: kind and mode, owner, time of what is no directory, number of names, target or digest of its bytes.
fn facts(root: &Path) -> BTreeMap<PathBuf, String> {
    let mut facts = BTreeMap::new();
    for entry in walkdir::WalkDir::new(root).min_depth(1) {
        let entry = entry.unwrap();
        let inside = entry.path().strip_prefix(root).unwrap().to_owned();
        let stat = entry.path().symlink_metadata().unwrap();
        let content = if stat.is_symlink() {
            std::fs::read_link(entry.path()).unwrap().display().to_string()
        } else if stat.is_file() && !UNORDERED.iter().any(|path| inside == Path::new(path)) {
            content(&inside, &std::fs::read(entry.path()).unwrap())
        } else {
            String::new()
        };
        // The time of a directory is that of the last name put into it: it tells the order of work, not the result.
        let (names, time) = if stat.is_dir() { (0, 0) } else { (stat.nlink(), stat.mtime()) };
        let (mode, user, group) = (stat.mode(), stat.uid(), stat.gid());
        let device = Device::of(entry.path(), &stat).unwrap();
        let text =
            format!("{device:?} mode {mode:o} owner {user}:{group} time {time} names {names} {content}");
        facts.insert(inside, text);
    }
    facts
}

fn content(path: &Path, bytes: &[u8]) -> String {
    let digest =
        |bytes: &[u8]| Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    if SETS_OF_PARAGRAPHS.iter().any(|set| path == Path::new(set)) {
        let text = String::from_utf8_lossy(bytes);
        let paragraphs = deb822::paragraphs(&text, Comments::Stray);
        let paragraphs: BTreeSet<String> =
            paragraphs.iter().map(|paragraph| format!("{paragraph:?}")).collect();
        return digest(format!("{paragraphs:?}").as_bytes());
    }
    digest(bytes)
}

/// What dpkg says of the tree's database.
fn dpkg(root: &Path, question: &str) -> String {
    let output =
        Command::new("dpkg").arg(format!("--root={}", root.display())).arg(question).output().unwrap();
    assert!(output.stderr.is_empty(), "dpkg {question}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Compares the two trees of a suite; its description, what a tree says, and the directory of the trees and the cache.
fn paths_agree(suite: &str) -> (PathBuf, BTreeMap<PathBuf, String>, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let description = description(suite, directory.path());
    let [plain, native] =
        ["plain", "native"].map(|path| prepare(path, path, &description, directory.path()).0);
    let expected = facts(&plain);
    assert!(expected.len() > 5_000, "only {} paths: this is no system", expected.len());
    same(&expected, &facts(&native));
    let node = |name: &str, text: &str| assert!(expected[Path::new(name)].starts_with(text), "{expected:?}");
    node("srv/tty", "Some(Device { is_block: false, major: 5, minor: 1 }) mode 104620 owner 12:34 ");
    node("srv/disk", "Some(Device { is_block: true, major: 259, minor: 70000 }) mode 100644 owner 0:0 ");
    assert_eq!(dpkg(&native, "--audit"), "");
    assert_eq!(dpkg(&native, "--verify"), dpkg(&plain, "--verify"));
    let status = std::fs::read_to_string(native.join("var/lib/dpkg/status")).unwrap();
    assert!(status.contains("\nConffiles:\n"), "nothing says which files are configuration");
    assert!(!native.join("usr/sbin/update-initramfs.kiwi").exists(), "the generator is still held back");

    (description, expected, directory)
}

/// Recompressed packages are read by the next run, except damaged ones.
fn recompressed_packages_give_the_same_tree(
    description: &Path,
    expected: &BTreeMap<PathBuf, String>,
    directory: &Path,
) {
    let damaged = damage(&directory.join("cache/packages"));
    let inodes = || {
        let entries =
            std::fs::read_dir(directory.join("cache/packages/sha256")).unwrap().map(|entry| entry.unwrap());
        entries.map(|entry| (entry.path(), entry.metadata().unwrap().ino())).collect::<BTreeMap<_, _>>()
    };
    let before = inodes();
    let (again, run) = prepare("again", "native", description, directory);
    same(expected, &facts(&again));
    for path in &damaged {
        let named = run.warnings("cache").iter().any(|message| message.contains(path.to_str().unwrap()));
        assert!(named, "no warning about {}: {run:?}", path.display());
    }
    let fetched: Vec<PathBuf> = inodes()
        .into_iter()
        .filter(|file| !before.contains_key(&file.0) || before[&file.0] != file.1)
        .map(|file| file.0)
        .collect();
    assert_eq!(fetched, [damaged[0].clone()]);
    let digest = damaged[0].file_name().unwrap().to_string_lossy();
    let bytes = std::fs::read(&damaged[0]).unwrap();
    assert_eq!(Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>(), digest);
}

/// Refuses any difference between two trees.
fn same(expected: &BTreeMap<PathBuf, String>, found: &BTreeMap<PathBuf, String>) {
    let paths: BTreeSet<&PathBuf> = expected.keys().chain(found.keys()).collect();
    let differences: Vec<String> = paths
        .into_iter()
        .filter(|path| expected.get(*path) != found.get(*path))
        .map(|path| {
            format!("{}\n  plain  {:?}\n  native {:?}", path.display(), expected.get(path), found.get(path))
        })
        .collect();
    assert!(differences.is_empty(), "{} paths differ:\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn both_paths_give_the_same_debian_12() {
    let (description, expected, directory) = paths_agree("bookworm");
    recompressed_packages_give_the_same_tree(&description, &expected, directory.path());
}

#[test]
fn both_paths_give_the_same_debian_13() {
    paths_agree("trixie");
}
