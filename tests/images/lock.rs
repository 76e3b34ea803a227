//! A lock outlives its repository: a package that was removed there comes from the cache, and the error names it if it is in
//! neither.

use std::path::Path;
use std::process::Command;

use kiwi_tests::program::kiwi;
use kiwi_tests::run::Run;

const DESCRIPTION: &str = r#"<image schemaversion="8.5" name="locked">
  <description type="system"><author>A</author><contact>a@example.org</contact><specification>S</specification></description>
  <preferences><version>1.0.0</version><packagemanager>apt</packagemanager><type image="squashfs"/></preferences>
  <repository><source path="debian://bookworm"/></repository>
  <repository type="deb-dir"><source path="this://packages"/></repository>
  <packages type="image"><package name="extra"/></packages>
</image>"#;

/// A package of this version, alone in the directory.
fn publish(version: &str, directory: &Path) {
    let build = tempfile::tempdir().unwrap();
    std::fs::create_dir(build.path().join("DEBIAN")).unwrap();
    let control = format!(
        "Package: extra\nVersion: {version}\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: x\n"
    );
    std::fs::write(build.path().join("DEBIAN/control"), control).unwrap();
    std::fs::write(build.path().join("version"), version).unwrap();
    let _ = std::fs::remove_dir_all(directory);
    std::fs::create_dir(directory).unwrap();
    let made = Command::new("dpkg-deb").arg("--build").arg(build.path()).arg(directory).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// Builds with the cache in `directory`.
fn build(directory: &Path, destination: impl AsRef<Path>, option: &str, others: &[&str]) -> Run {
    let destination = directory.join(destination);
    std::fs::create_dir_all(&destination).unwrap();
    let mut command = Command::new(kiwi());
    command
        .arg("build")
        .arg(directory.join("description"))
        .arg(option)
        .args(others)
        .args(["--sbom", "both", "--destdir"])
        .arg(&destination);
    Run::of(command.env("KIWI_CACHE", directory.join("cache")))
}

#[test]
fn a_locked_build_is_the_same_or_names_the_missing_package() {
    let directory = tempfile::tempdir().unwrap();
    let (path, packages) = (directory.path(), directory.path().join("description/packages"));
    std::fs::create_dir(path.join("description")).unwrap();
    std::fs::write(path.join("description/config.xml"), DESCRIPTION).unwrap();
    publish("1", &packages);
    let _ = build(path, "one", "--lock", &[]).done();
    let lock = std::fs::read_to_string(path.join("description/kiwi.lock")).unwrap();
    assert!(lock.contains("name = \"extra\"\nversion = \"1\"\n"), "{lock}");
    assert!(lock.contains("repository = \"debian://bookworm\"\nfile = \"pool/main/"), "{lock}");
    assert!(!lock.contains("http"), "the lock names a host:\n{lock}");

    publish("2", &packages);
    // A directory in memory is like any other.
    let memory = tempfile::tempdir_in("/dev/shm").unwrap();
    let (one, two) = (path.join("one"), memory.path());
    let _ = build(path, two, "--locked", &[]).done();
    let list =
        |directory: &Path| std::fs::read_to_string(directory.join("locked.x86_64-1.0.0.packages")).unwrap();
    assert!(list(&one).contains("extra|1|all"), "{}", list(&one));
    assert_eq!(list(&one), list(two), "the locked build has other packages");
    let image = |directory: &Path| std::fs::read(directory.join("locked.x86_64-1.0.0")).unwrap();
    assert!(image(&one) == image(two), "the images differ: kiwi diff {} {}", one.display(), two.display());

    for (file, origin) in [
        ("locked.x86_64-1.0.0.spdx.json", "installed from pool/main/"),
        ("locked.x86_64-1.0.0.cdx.json", "\"debian://bookworm\""),
    ] {
        let bill = |directory: &Path| std::fs::read_to_string(directory.join(file)).unwrap();
        assert_eq!(bill(&one), bill(two), "{file} differs");
        assert!(bill(&one).contains(origin) && bill(&one).contains("GPL-2.0-or-later"), "{file}");
        let result = std::fs::read_to_string(one.join("kiwi.result.json")).unwrap();
        assert!(result.contains(file) && result.contains("\"sbom-spdx\""), "{result}");
    }

    let entry = lock.split("[[package]]").find(|entry| entry.contains("name = \"extra\"")).unwrap();
    let digest =
        entry.lines().find_map(|line| line.strip_prefix("sha256 = \"")).unwrap().trim_end_matches('"');
    std::fs::remove_file(path.join("cache/packages/sha256").join(digest)).unwrap();
    let failed = build(path, "three", "--locked", &[]);
    assert_eq!(failed.error(), (1, "packages"));
    assert!(failed.names("extra 1 all"), "{failed:?}");

    // The newer package, in the order in which a user takes it.
    let (code, shown) = run(path, &["outdated"]);
    assert_eq!((code, &shown["kind"]), (1, &"outdated".into()), "{shown}");
    let changes = shown["packages"].as_array().unwrap();
    let [change] = changes.as_slice() else { panic!("{changes:?}") };
    assert_eq!(
        (&change["name"], &change["from"], &change["to"]),
        (&"extra".into(), &"1".into(), &"2".into())
    );
    assert_eq!(change["security"], false);
    let unchanged = || assert_eq!(std::fs::read_to_string(path.join("description/kiwi.lock")).unwrap(), lock);
    assert_eq!(run(path, &["lock", "--update", "--security-only"]).1["packages"], serde_json::json!([]));
    unchanged();
    assert_eq!(run(path, &["lock"]).0, 1, "a lock is not overwritten");
    unchanged();
    let (code, updated) = run(path, &["lock", "--update"]);
    assert_eq!((code, &updated["packages"]), (0, &shown["packages"]));
    let now = std::fs::read_to_string(path.join("description/kiwi.lock")).unwrap();
    assert!(
        now.contains("name = \"extra\"\nversion = \"2\"\n") && now.lines().count() == lock.lines().count()
    );
    assert_eq!(run(path, &["outdated"]), (0, serde_json::json!({ "kind": "outdated", "packages": [] })));
    let _ = build(path, "four", "--locked", &[]).done();
    assert!(list(&path.join("four")).contains("extra|2|all"));
}

const PROFILES: &str = r#"<image schemaversion="8.5" name="locked">
  <description type="system"><author>A</author><contact>a@example.org</contact><specification>S</specification></description>
  <profiles><profile name="old" description="O"/><profile name="new" description="N"/></profiles>
  <preferences><version>1.0.0</version><packagemanager>apt</packagemanager></preferences>
  <preferences profiles="old"><type image="squashfs"/></preferences>
  <preferences profiles="new"><type image="squashfs"/></preferences>
  <repository><source path="debian://bookworm"/></repository>
  <repository type="deb-dir" profiles="old"><source path="this://old"/></repository>
  <repository type="deb-dir" profiles="new"><source path="this://new"/></repository>
  <packages type="image"><package name="extra"/></packages>
  <packages type="image" profiles="new"><package name="less"/></packages>
</image>"#;

#[test]
fn a_lock_of_all_types_has_the_packages_of_each_profile() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    std::fs::create_dir(path.join("description")).unwrap();
    std::fs::write(path.join("description/config.xml"), PROFILES).unwrap();
    publish("1", &path.join("description/old"));
    publish("2", &path.join("description/new"));
    assert_eq!(run(path, &["lock", "--all-types"]).0, 0);
    let lock = std::fs::read_to_string(path.join("description/kiwi.lock")).unwrap();
    let names = |image: &str| -> Vec<&str> {
        let entries = lock.split("[[package]]\n").filter(|entry| entry.starts_with(image));
        entries.map(|entry| entry.lines().nth(1).unwrap()).collect()
    };
    let [old, new] = ["image = \"system:old\"", "image = \"system:new\""].map(names);
    assert_eq!(old.len() + new.len(), lock.matches("[[package]]").count(), "{lock}");
    assert!(!old.contains(&"name = \"less\"") && new.contains(&"name = \"less\""), "{lock}");
    assert!(old.is_sorted_by(|one, other| one < other), "a package is there twice:\n{lock}");

    // With the packages of the other profile, `old` would get the newer one.
    let _ = build(path, "all", "--locked", &["--all-types"]).done();
    let _ = build(path, "one", "--locked", &["--profile", "old"]).done();
    for (list, version) in [
        ("all/squashfs/locked-old.x86_64-1.0.0.packages", 1),
        ("all/squashfs/locked-new.x86_64-1.0.0.packages", 2),
        ("one/locked.x86_64-1.0.0.packages", 1),
    ] {
        let text = std::fs::read_to_string(path.join(list)).unwrap();
        assert!(text.contains(&format!("extra|{version}|all")), "{list}: {text}");
        assert_eq!(text.contains("less|"), version == 2, "{list}: {text}");
    }
    assert_eq!(run(path, &["outdated", "--all-types"]).0, 0);
    publish("3", &path.join("description/new"));
    let (code, shown) = run(path, &["outdated", "--all-types"]);
    let changes: Vec<_> =
        shown["packages"].as_array().unwrap().iter().map(|change| &change["image"]).collect();
    assert_eq!((code, changes), (1, vec![&"system:new".into()]), "{shown}");
}

/// Exit code and outcome of `kiwi VERB .. DESCRIPTION`.
fn run(directory: &Path, words: &[&str]) -> (i32, serde_json::Value) {
    let mut command = Command::new(kiwi());
    command
        .args(words)
        .arg(directory.join("description"))
        .arg("--json")
        .env("KIWI_CACHE", directory.join("cache"));
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    (output.status.code().unwrap(), last["outcome"].clone())
}
