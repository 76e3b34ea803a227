//! `kiwi explain`: where a path of a tree or an image comes from.

use std::path::Path;
use std::process::Command;

use kiwi_tests::machine::judge;
use kiwi_tests::program::kiwi;
use serde_json::{Value, json};

const STATUS: &str = "Package: base-files\nStatus: install ok installed\nMaintainer: Nobody\nArchitecture: amd64\n\
    Version: 12.4\nConffiles:\n /etc/issue d41d8cd98f00b204e9800998ecf8427e\n /etc/motd \
    d41d8cd98f00b204e9800998ecf8427e\n\nPackage: dash\nStatus: install ok installed\nMaintainer: Nobody\nArchitecture: \
    amd64\nVersion: 0.5\n\nPackage: less\nStatus: install ok installed\nMaintainer: Nobody\nArchitecture: amd64\nVersion: 1\n";

/// A tree with packages, and what a build recorded about it.
fn tree(directory: &Path) {
    let file = |path: &str, text: &str| {
        let path = directory.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    file("var/lib/dpkg/status", STATUS);
    let info = |file_name: &str, text: &str| file(&format!("var/lib/dpkg/info/{file_name}"), text);
    info("base-files.list", "/.\n/etc\n/etc/issue\n/etc/motd\n");
    info("dash.list", "/.\n/bin\n/bin/sh\n/bin/sh.distrib\n/etc\n");
    info("dash.md5sums", "d41d8cd98f00b204e9800998ecf8427e  bin/sh\n");
    info("less:amd64.list", "/.\n/bin\n/bin/sh.distrib\n/bin/sh\n");
    file("var/lib/dpkg/diversions", "/bin/sh\n/bin/sh.distrib\ndash\n");
    file("var/lib/apt/extended_states", "Package: less\nArchitecture: amd64\nAuto-Installed: 1\n");
    file("etc/motd", "hello\n");
    file("etc/issue", "");
    file("etc/made", "");
    file("usr/bin/sh", "");
    file("usr/bin/sh.distrib", "");
    std::os::unix::fs::symlink("usr/bin", directory.join("bin")).unwrap();
    std::os::unix::fs::symlink("/etc/alternatives/pager", directory.join("usr/bin/pager")).unwrap();
    let origins = json!({
        "bootstrap": ["base-files"],
        "steps": [
            {"stage": "tree", "kind": "overlay", "name": "root", "paths": ["etc/motd"]},
            {"stage": "tree", "kind": "script", "name": "config.sh", "paths": ["etc/made", "etc/motd"], "omitted": 7},
        ],
    });
    file("image/origins.json", &origins.to_string());
}

/// Returns the lines of standard output, then those of standard error.
fn explain(image: &Path, path: &str) -> (Vec<String>, String) {
    let output = Command::new(kiwi()).arg("explain").arg(image).arg(path).output().unwrap();
    let notes = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{notes}");
    (String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect(), notes)
}

#[test]
fn names_the_package_and_every_step_in_order() {
    let directory = tempfile::tempdir().unwrap();
    tree(directory.path());
    let (lines, notes) = explain(directory.path(), "/etc/motd");
    let expected = [
        "/etc/motd: file",
        "  package base-files 12.4 amd64, configuration file, its content was changed later \
         (stage bootstrap)",
        "  overlay root/etc/motd (stage tree)",
        "  script config.sh (stage tree)",
    ];
    assert_eq!((lines.as_slice(), notes.as_str()), (expected.map(str::to_owned).as_slice(), ""));
    let (lines, _) = explain(directory.path(), "etc/issue");
    assert_eq!(lines[1..], ["  package base-files 12.4 amd64, configuration file (stage bootstrap)"]);
    let (lines, _) = explain(directory.path(), "/etc");
    assert_eq!(lines.len(), 5, "{lines:?}");
    assert_eq!(lines[4], "  script config.sh, 2 files below (stage tree)");
}

#[test]
fn follows_links_of_directories_and_diversions() {
    let directory = tempfile::tempdir().unwrap();
    tree(directory.path());
    let package = |path: &str| explain(directory.path(), path).0[1..].join(" ");
    for path in ["/bin/sh", "/usr/bin/sh"] {
        assert_eq!(package(path), "  package dash 0.5 amd64 (stage packages)");
    }
    // The file of less has this name because dash diverted it; the own file of dash with this name is there as well.
    let diverted = package("/usr/bin/sh.distrib");
    assert!(diverted.contains("package less 1 amd64, installed as a dependency"), "{diverted}");
    assert_eq!(package("/usr/bin/pager"), "  update-alternatives, group pager");
}

#[test]
fn says_what_is_not_known() {
    let directory = tempfile::tempdir().unwrap();
    let own = directory.path().join("tree");
    tree(&own);
    let (_, notes) = explain(&own, "/usr/bin/pager");
    assert!(notes.contains("script config.sh changed more files than the record lists (7 more)"), "{notes}");
    let (lines, notes) = explain(&own, "/var/lib/dpkg/status");
    assert_eq!(lines, ["/var/lib/dpkg/status: file"]);
    assert!(notes.contains("a script of a package or post_bootstrap.sh made it"), "{notes}");
    std::fs::remove_file(own.join("image/origins.json")).unwrap();
    let (lines, notes) = explain(&own, "/etc/issue");
    assert!(lines[1].ends_with("configuration file"), "the stage is not known: {lines:?}");
    assert!(notes.contains("no record of the build"), "{notes}");
    for (path, text) in
        [("/etc/none", "has no /etc/none; a script may have removed it"), ("/", "needs the path")]
    {
        let output = Command::new(kiwi()).arg("explain").arg(&own).arg(path).output().unwrap();
        assert!(!output.status.success());
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(error.contains(text), "{error}");
    }
}

#[test]
fn reads_the_system_of_a_live_medium() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    tree(&path("tree"));
    std::fs::create_dir_all(path("medium/LiveOS")).unwrap();
    let (packed, image) = (path("medium/LiveOS/squashfs.img"), path("live.iso"));
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    judge("mksquashfs", &[&text(&path("tree")), &text(&packed), "-quiet", "-no-progress"]);
    let medium = text(&path("medium"));
    judge("xorriso", &["-as", "mkisofs", "-quiet", "-R", "-o", &text(&image), &medium]);
    let (lines, notes) = explain(&image, "/etc/issue");
    assert_eq!(
        lines,
        ["/etc/issue: file", "  package base-files 12.4 amd64, configuration file (stage bootstrap)"],
        "{notes}"
    );
}

#[test]
fn the_json_names_each_source() {
    let directory = tempfile::tempdir().unwrap();
    tree(directory.path());
    let arguments = ["explain", "--json"];
    let output =
        Command::new(kiwi()).args(arguments).arg(directory.path()).arg("/etc/motd").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    let steps = &last["outcome"]["steps"];
    assert_eq!(last["outcome"]["kind"], "origin", "{text}");
    assert_eq!(steps[0]["source"], "package");
    assert_eq!(steps[0]["changed"], true);
    assert_eq!(
        steps[1],
        json!({"stage": "tree", "source": "overlay", "name": "root/etc/motd", "files_below": null})
    );
}
