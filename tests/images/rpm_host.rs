//! A build of an RPM system leaves the machine as it was: no database, log, cache, setting or key of zypper, dnf, rpm or GnuPG
//! changes, and settings of the user have no effect on the tree.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use kiwi_tests::rpm;
use sha2::{Digest, Sha256};

use super::rpm::{Case, packages};

/// Where zypper, dnf, rpm and GnuPG have their files. What rpm calls `rpmdb` is in one of the first two.
const PLACES: [&str; 24] = [
    "/var/lib/rpm",
    "/usr/lib/sysimage",
    "/usr/lib/rpm",
    "/var/lib/zypp",
    "/var/lib/dnf",
    "/var/lib/yum",
    "/var/cache/zypp",
    "/var/cache/dnf",
    "/var/cache/libdnf5",
    "/var/cache/yum",
    "/var/cache/PackageKit",
    "/var/log/zypp",
    "/var/log/zypper.log",
    "/var/log/dnf.log",
    "/var/log/dnf.librepo.log",
    "/var/log/dnf.rpm.log",
    "/var/log/hawkey.log",
    "/var/log/dnf5.log",
    "/etc/zypp",
    "/etc/dnf",
    "/etc/yum",
    "/etc/yum.repos.d",
    "/etc/rpm",
    "/etc/pki",
];

/// Returns each file below these places with its kind, size, time and digest.
fn files(places: &[PathBuf]) -> BTreeMap<PathBuf, String> {
    let (mut found, mut open) = (BTreeMap::new(), places.to_vec());
    while let Some(path) = open.pop() {
        let Ok(state) = fs::symlink_metadata(&path) else {
            found.insert(path, "missing".to_owned());
            continue;
        };
        let content = if state.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            String::new()
        } else if state.is_symlink() {
            fs::read_link(&path).unwrap().display().to_string()
        } else {
            format!("{:x?}", &Sha256::digest(fs::read(&path).unwrap())[..])
        };
        let changed = (state.mtime(), state.mtime_nsec(), state.ctime(), state.ctime_nsec());
        found.insert(path, format!("{:o} {} {changed:?} {content}", state.mode(), state.len()));
    }
    found
}

/// Fills a home directory with settings that would break every build that reads them.
fn fill(home: &Path) {
    let settings = [
        (".rpmmacros", "%_dbpath /does/not/exist\n%_excludedocs 1\n%_install_langs none\n"),
        (".rpmrc", "include: /does/not/exist\n"),
        (".zypper.conf", "[solver]\ninstallRecommends = yes\n"),
        (".curlrc", "proxy = http://127.0.0.1:1\n"),
        (".gnupg/gpg.conf", "this-option-does-not-exist\n"),
    ];
    for (name, text) in settings {
        fs::create_dir_all(home.join(name).parent().unwrap()).unwrap();
        fs::write(home.join(name), text).unwrap();
    }
}

#[test]
fn neither_zypper_nor_dnf_change_or_read_files_of_the_host() {
    let repository = rpm::small();
    let names = r#"<packages type="image"><package name="features"/><package name="watcher"/></packages>
                   <packages type="delete"><package name="watcher"/></packages>"#;
    for manager in ["zypper", "dnf4"] {
        let case = Case::new("", &[repository.variant("features")], names).managed_by(manager);
        fill(&case.path("home"));
        let places: Vec<PathBuf> =
            PLACES.iter().map(PathBuf::from).chain([case.path("home"), case.path("description")]).collect();
        let before = files(&places);
        let tree = case.prepare();
        fs::create_dir(case.path("images")).unwrap();
        let _ = case.run(&["create", "tree", "--destdir", "images"]).done();
        let _ = case.run(&["upgrade", "tree"]).done();
        let after = files(&places);
        let paths = before.keys().chain(after.keys());
        let changed: BTreeSet<_> = paths.filter(|path| before.get(*path) != after.get(*path)).collect();
        assert!(changed.is_empty(), "{manager} changed {changed:?}");
        assert_eq!(packages(&tree), ["features 12-1"], "{manager}");
        assert!(tree.join("usr/share/doc/features/README").exists(), "{manager} read .rpmmacros");
    }
}
