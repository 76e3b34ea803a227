//! The maintenance of an image as the documentation of KIWI 1.x describes it: an upgrade with an added repository, a rebuild from a
//! description under version control, and a report of what changed.

use std::fs;
use std::path::{Path, PathBuf};

use kiwi_tests::machine::{judge, run_kiwi};
use kiwi_tests::program::{clear, scratch};
use kiwi_tests::run::json;

const DESCRIPTION: &str = r#"<image schemaversion="8.5" name="appliance">
  <description type="system"><author>A</author><contact>a@example.org</contact><specification>S</specification></description>
  <preferences><version>1.0.0</version><packagemanager>apt</packagemanager><type image="squashfs"/></preferences>
  <repository><source path="debian://bookworm"/></repository>
  <repository type="deb-dir"><source path="this://packages"/></repository>
  <packages type="image"><package name="browser"/></packages>
</image>"#;
const IMAGE: &str = "appliance.x86_64-1.0.0";

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Puts a package into the directory.
fn publish(name: &str, version: &str, directory: &Path) {
    let build = tempfile::tempdir().unwrap();
    fs::create_dir_all(build.path().join("DEBIAN")).unwrap();
    fs::create_dir_all(build.path().join("opt")).unwrap();
    let control = format!(
        "Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: x\n"
    );
    fs::write(build.path().join("DEBIAN/control"), control).unwrap();
    fs::write(build.path().join("opt").join(name), version).unwrap();
    fs::create_dir_all(directory).unwrap();
    judge("dpkg-deb", &["--build", text(build.path()), text(directory)]);
}

/// Returns the packages that `N.packages` lists: name and version.
fn packages(images: &Path) -> Vec<String> {
    let text = fs::read_to_string(images.join(format!("{IMAGE}.packages"))).unwrap();
    let shown = |line: &str| line.split('|').take(2).collect::<Vec<_>>().join(" ");
    text.lines().map(shown).collect()
}

/// Returns the paths that `kiwi diff` names in two trees or in two images.
fn differences(one: &Path, other: &Path) -> Vec<String> {
    let run = json(&["diff", "--no-times", text(one), text(other)]);
    assert_eq!(run.code, 1, "{run:?}");
    let named = |found: &serde_json::Value| {
        let inside: String =
            found["inside"].as_array().unwrap().iter().filter_map(|part| part.as_str()).collect();
        if inside.is_empty() { found["path"].as_str().unwrap().to_owned() } else { inside }
    };
    run.outcome()["differences"].as_array().unwrap().iter().map(named).collect()
}

fn is_named(differences: &[String], path: &str) -> bool {
    differences.iter().any(|named| named == path)
}

/// The directories of a test, with a description.
fn appliance(name: &str) -> (PathBuf, PathBuf) {
    let directory = scratch(name);
    clear(&directory);
    let description = directory.join("description");
    fs::create_dir_all(&description).unwrap();
    fs::write(description.join("config.xml"), DESCRIPTION).unwrap();
    publish("browser", "1", &description.join("packages"));
    (directory, description)
}

#[test]
fn an_upgrade_uses_one_more_repository_and_the_report_names_what_changed() {
    let (directory, description) = appliance("maintenance-upgrade");
    let [tree, before, after, repository] =
        ["tree", "before", "after", "repository"].map(|name| directory.join(name));
    fs::create_dir_all(&before).unwrap();
    fs::create_dir_all(&after).unwrap();
    run_kiwi(&["prepare", text(&description), "--root", text(&tree)]);
    run_kiwi(&["create", text(&tree), "--destdir", text(&before)]);
    let stored = fs::read(tree.join("image/config.xml")).unwrap();
    let earlier = directory.join("earlier");
    judge("cp", &["-a", text(&tree), text(&earlier)]);

    publish("browser", "2", &repository);
    // The spelling of KIWI 1.x.
    run_kiwi(&["--upgrade", text(&tree), "--add-repo", text(&repository), "--add-repotype", "deb-dir"]);
    run_kiwi(&["create", text(&tree), "--destdir", text(&after)]);
    assert_eq!(fs::read(tree.join("image/config.xml")).unwrap(), stored, "the repository is not stored");

    let (old, new) = (packages(&before), packages(&after));
    let removed: Vec<&String> = old.iter().filter(|package| !new.contains(package)).collect();
    let added: Vec<&String> = new.iter().filter(|package| !old.contains(package)).collect();
    assert_eq!((removed, added), (vec![&"browser 1".to_owned()], vec![&"browser 2".to_owned()]));
    // Two trees, then two images.
    assert!(is_named(&differences(&earlier, &tree), "/opt/browser"));
    let found = differences(&before.join(IMAGE), &after.join(IMAGE));
    assert!(is_named(&found, "/opt/browser") && !is_named(&found, "/usr/bin/dpkg"), "{found:?}");
    clear(&directory);
}

#[test]
fn a_version_of_the_description_gives_its_image_again() {
    let (directory, description) = appliance("maintenance-versions");
    let git = |words: &[&str]| {
        let identity =
            ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"];
        judge("git", &[&identity[..], &["-C", text(&description)], words].concat())
    };
    let build = |name: &str, lock: &str| {
        let images = directory.join(name);
        fs::create_dir_all(&images).unwrap();
        // Without the cache every stage runs again.
        run_kiwi(&["build", text(&description), "--destdir", text(&images), "--no-cache", lock]);
        images
    };
    git(&["init", "--quiet"]);
    let first = build("first", "--lock");
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message", "The appliance with its browser"]);
    git(&["tag", "1.0.0"]);

    // The better browser replaces the other one.
    publish("another-browser", "7", &description.join("packages"));
    let changed = DESCRIPTION.replace("name=\"browser\"", "name=\"another-browser\"");
    fs::write(description.join("config.xml"), changed).unwrap();
    let second = build("second", "--lock");
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message", "Replace the browser"]);
    let found = differences(&first.join(IMAGE), &second.join(IMAGE));
    assert!(is_named(&found, "/opt/browser") && is_named(&found, "/opt/another-browser"), "{found:?}");
    assert!(packages(&second).contains(&"another-browser 7".to_owned()));

    git(&["checkout", "--quiet", "1.0.0"]);
    let again = build("again", "--locked");
    assert_eq!(packages(&first), packages(&again));
    judge("cmp", &[text(&first.join(IMAGE)), text(&again.join(IMAGE))]);
    clear(&directory);
}
