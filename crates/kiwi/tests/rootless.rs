//! As root and as an ordinary user with subordinate ids, the same description gives the same image.
//!
//! Runs as root, which makes the ordinary user; without root there is nothing to compare and the test says so by
//! failing.
#![cfg(feature = "image-tests")]
#![allow(clippy::disallowed_methods, reason = "a test is its own host")]

mod machine;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use machine::{kiwi, run_kiwi};

const USER: &str = "kiwi-test";

const TYPES: [(&str, &str); 4] = [
    ("tbz", "twin.x86_64-1.0.0.tar.xz"),
    ("squashfs", "twin.x86_64-1.0.0"),
    ("ext4", "twin.x86_64-1.0.0"),
    ("oem", "twin.x86_64-1.0.0.raw"),
];

const DESCRIPTION: &str = r#"<image schemaversion="8.5" name="twin">
  <description type="system"><author>A</author><contact>a@example.org</contact><specification>S</specification></description>
  <preferences><version>1.0.0</version><packagemanager>apt</packagemanager><locale>de_DE</locale><timezone>Europe/Berlin</timezone>
    <type image="oem" filesystem="ext4" primary="true"/><type image="tbz"/><type image="squashfs"/><type image="ext4"/></preferences>
  <users><user name="tux" groups="tux,sudo" password="x" pwdformat="plain"/></users>
  <repository><source path="debian://bookworm"/></repository>
  <packages type="bootstrap"><package name="passwd"/></packages>
  <packages type="image">
    <package name="iputils-ping"/><package name="kmod"/><package name="linux-image-cloud-amd64"/><package name="locales"/>
    <package name="openssh-server"/><package name="sudo"/><package name="systemd-sysv"/><package name="tzdata"/><package name="udev"/>
  </packages>
</image>"#;

/// An ordinary user with ids of its own, made once.
fn make_user() {
    assert!(
        rustix::process::geteuid().is_root(),
        "this test compares root with an ordinary user and must run as root"
    );
    let known = std::fs::read_to_string("/etc/passwd").unwrap().contains(&format!("\n{USER}:"));
    if !known {
        assert!(Command::new("useradd").args(["--create-home", USER]).status().unwrap().success());
    }
    let ranges = std::fs::read_to_string("/etc/subuid").unwrap_or_default();
    if !ranges.contains(&format!("{USER}:")) {
        let range = ["--add-subuids", "1000000-1065535", "--add-subgids", "1000000-1065535", USER];
        assert!(Command::new("usermod").args(range).status().unwrap().success());
    }
}

/// kiwi and its boot program where every user can start them; a checkout may be closed to others.
fn copy_programs(folder: &Path) -> PathBuf {
    let linuxrc = kiwi().parent().unwrap().join("../x86_64-unknown-linux-gnu/linuxrc/linuxrc");
    std::fs::copy(linuxrc, folder.join("linuxrc")).expect("the boot program is needed: cargo linuxrc");
    std::fs::copy(kiwi(), folder.join("kiwi")).unwrap();
    folder.join("kiwi")
}

fn run_as_user(program: &Path, words: &[&str]) {
    let store = format!("/home/{USER}/store");
    let output = Command::new("setpriv")
        .args(["--reuid", USER, "--regid", USER, "--init-groups", "--reset-env", "env"])
        .arg(format!("KIWI_CACHE={store}"))
        .arg(program)
        .args(words)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "as {USER}: kiwi {words:?}:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Where two files differ first.
fn compare(one: &Path, other: &Path) {
    let (first, second) = (std::fs::read(one).unwrap(), std::fs::read(other).unwrap());
    assert_eq!(first.len(), second.len(), "{} has another size", other.display());
    let place = first.iter().zip(&second).position(|(one, other)| one != other);
    assert_eq!(place, None, "{} differs from what root built, first at this byte", other.display());
}

#[test]
fn root_and_user_build_the_same_bytes() {
    make_user();
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let program = copy_programs(folder.path());
    let description = folder.path().join("description");
    std::fs::create_dir_all(description.join("root/etc")).unwrap();
    std::fs::write(description.join("config.xml"), DESCRIPTION).unwrap();
    std::fs::write(description.join("root/etc/hostname"), "twin\n").unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for who in ["root", "user"] {
        std::fs::create_dir(path(who)).unwrap();
    }
    let chown = Command::new("chown").arg(USER).arg(path("user")).status().unwrap();
    assert!(chown.success());
    let description = description.to_str().unwrap();
    run_kiwi(&["prepare", description, "--root", &path("root/tree")]);
    run_as_user(&program, &["prepare", description, "--root", &path("user/tree")]);
    for (image_type, file) in TYPES {
        for who in ["root", "user"] {
            std::fs::create_dir(path(&format!("{who}/{image_type}"))).unwrap();
        }
        let chown =
            Command::new("chown").arg(USER).arg(path(&format!("user/{image_type}"))).status().unwrap();
        assert!(chown.success());
        let words = |who: &str| [path(&format!("{who}/tree")), path(&format!("{who}/{image_type}"))];
        let [tree, images] = words("root");
        run_kiwi(&["create", &tree, "--destdir", &images, "--type", image_type]);
        let [tree, images] = words("user");
        run_as_user(&program, &["create", &tree, "--destdir", &images, "--type", image_type]);
        compare(
            Path::new(&path(&format!("root/{image_type}/{file}"))),
            Path::new(&path(&format!("user/{image_type}/{file}"))),
        );
    }
}
