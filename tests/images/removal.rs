//! Packages that are not in the tree at the end: image packages replace bootstrap packages, `uninstall` removes what is no longer
//! needed, and `delete` stays out after an upgrade.

use std::fs;
use std::path::Path;

use kiwi_tests::machine::{judge, run_kiwi};

const DESCRIPTION: &str = r#"<image schemaversion="8.5" name="removal">
  <description type="system"><author>A</author><contact>a@example.org</contact><specification>S</specification></description>
  <preferences><version>1.0.0</version><packagemanager>apt</packagemanager><type image="cpio"/></preferences>
  <repository><source path="debian://bookworm"/></repository>
  <repository type="deb-dir"><source path="this://packages"/></repository>
  <packages type="bootstrap"><package name="first"/></packages>
  <packages type="image">
    <package name="second"/><package name="needs-gone"/><package name="parent"/><package name="other"/>
  </packages>
  <packages type="uninstall"><package name="parent"/></packages>
  <packages type="delete"><package name="gone"/></packages>
</image>"#;

/// Name, version and relations of each package.
const PACKAGES: [(&str, u32, &str); 9] = [
    ("first", 1, "Depends: helper"),
    ("helper", 1, ""),
    ("second", 1, "Conflicts: first"),
    ("needs-gone", 1, "Depends: gone"),
    ("gone", 1, ""),
    ("parent", 1, "Depends: child, shared"),
    ("child", 1, ""),
    ("other", 1, "Depends: shared"),
    ("shared", 1, ""),
];

/// Builds a package into the repository of the description.
fn publish(description: &Path, (name, version, relations): (&str, u32, &str)) {
    let work = tempfile::tempdir().unwrap();
    fs::create_dir(work.path().join("DEBIAN")).unwrap();
    let control = format!(
        "Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: x\n{relations}\n"
    );
    fs::write(work.path().join("DEBIAN/control"), control.replace("\n\n", "\n")).unwrap();
    let target = description.join(format!("packages/{name}.deb"));
    judge(
        "dpkg-deb",
        &["--root-owner-group", "--build", work.path().to_str().unwrap(), target.to_str().unwrap()],
    );
}

/// Returns which of the packages are in the list, each with its version.
fn installed(list: &Path) -> Vec<String> {
    let text = fs::read_to_string(list).unwrap();
    let fields = text.lines().map(|line| line.split('|').collect::<Vec<_>>());
    let own = fields.filter(|fields| PACKAGES.iter().any(|(name, ..)| *name == fields[0]));
    own.map(|fields| format!("{} {}", fields[0], fields[1])).collect()
}

#[test]
fn packages_are_replaced_uninstalled_and_deleted() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let text = |name: &str| path(name).to_str().unwrap().to_owned();
    fs::create_dir_all(path("d/packages")).unwrap();
    fs::create_dir(path("images")).unwrap();
    fs::write(path("d/config.xml"), DESCRIPTION).unwrap();
    for package in PACKAGES {
        publish(&path("d"), package);
    }
    let expected = ["helper 1", "needs-gone 1", "other 1", "second 1", "shared 1"];
    for way in ["native", "plain"] {
        run_kiwi(&["prepare", &text("d"), "--package-path", way, "--root", &text(way)]);
        assert_eq!(installed(&path(way).join("image/packages")), expected, "{way}");
    }
    // A lock file has what the first step needs, too.
    for lock in ["--lock", "--locked"] {
        run_kiwi(&["build", &text("d"), lock, "--destdir", &text("images")]);
        assert_eq!(installed(&path("images/removal.x86_64-1.0.0.packages")), expected, "{lock}");
    }
    for package in
        [("needs-gone", 2, "Depends: gone"), ("gone", 2, ""), ("parent", 2, "Depends: child, shared")]
    {
        publish(&path("d"), package);
    }
    run_kiwi(&["upgrade", &text("native")]);
    let upgraded = ["helper 1", "needs-gone 2", "other 1", "second 1", "shared 1"];
    assert_eq!(installed(&path("native/image/packages")), upgraded);
}
