//! Repositories of the image (`imageinclude`, `imageonly`): their `.repo` file and keys, and that zypper and dnf install further signed
//! packages from them without a question.

use std::fs;
use std::path::Path;
use std::process::Command;

use kiwi_tests::rpm;
use kiwi_tests::web::Web;

use super::rpm::{Case, packages};

const PACKAGES: &str =
    r#"<packages type="image"><package name="managers"/><package name="weak"/></packages>"#;

/// Runs a package manager of this machine on a tree as the image would run its own; returns the output.
fn manage(tree: &Path, manager: &str) -> String {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join(".rpmmacros"), "%_dbpath /usr/lib/sysimage/rpm\n").unwrap();
    let root = tree.to_str().unwrap();
    let mut command = match manager {
        "zypper" => {
            let mut zypper = Command::new("zypper");
            zypper.args(["--root", root, "--non-interactive", "install", "sigtest"]);
            zypper
        }
        _ => {
            let mut dnf = Command::new("dnf-3");
            dnf.arg(format!("--installroot={root}")).args([
                "--assumeyes",
                "--releasever=12",
                "install",
                "sigtest",
            ]);
            dnf
        }
    };
    command.env("HOME", home.path()).env("ZYPP_LOGFILE", home.path().join("log")).env("LC_ALL", "C");
    for name in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"] {
        command.env_remove(name);
    }
    let output = command.output().unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{manager}: {text}");
    text
}

#[test]
fn an_image_installs_signed_packages_of_its_repositories_without_a_question() {
    let repository = rpm::small();
    for (manager, file) in [("zypper", "etc/zypp/repos.d/kiwi.repo"), ("dnf4", "etc/yum.repos.d/kiwi.repo")] {
        let (web, included) =
            (Web::serve(&repository.variant("good")), Web::serve(&repository.variant("features")));
        let case = Case::new("", &[included.url().into()], PACKAGES).managed_by(manager);
        let config = case.path("description/config.xml");
        let text = fs::read_to_string(&config).unwrap();
        let only = format!(
            "<repository type=\"rpm-md\" alias=\"further\" priority=\"42\" imageonly=\"true\"><source path=\"{}\">\
             <signing key=\"file://{}\"/></source></repository>",
            web.url(),
            repository.key().display()
        );
        let text = text.replacen(
            "<repository type=\"rpm-md\">",
            &format!("{only}<repository type=\"rpm-md\" imageinclude=\"true\">"),
            1,
        );
        fs::write(&config, &text).unwrap();

        // The build does not use it.
        fs::write(&config, text.replace("name=\"weak\"", "name=\"sigtest\"")).unwrap();
        let failed = case.run(&["prepare", "description", "--root", "tree"]);
        assert_eq!(failed.error(), (1, "packages"), "{manager}: {}", failed.last());
        fs::write(&config, &text).unwrap();
        let tree = case.prepare();
        assert_eq!(web.requests(), [""; 0], "{manager}: the build reads a repository of the image");
        assert_eq!(packages(&tree), ["managers 12-1", "weak 12-1"], "{manager}");

        let written = fs::read_to_string(tree.join(file)).unwrap();
        let (first, second) = written.split_once("\n\n").expect("two sections");
        let start =
            format!("[further]\nname=further\nbaseurl={}\nenabled=1\npriority=42\ngpgcheck=1\n", web.url());
        assert!(first.starts_with(&start), "{manager}: {written}");
        let features = format!("[kiwi-1]\nname=kiwi-1\nbaseurl={}\n", included.url());
        assert!(second.starts_with(&features), "{manager}: {written}");
        for section in [first, second] {
            let key = section.lines().find_map(|line| line.strip_prefix("gpgkey=file:///")).expect("a key");
            assert_eq!(fs::read(tree.join(key)).unwrap(), fs::read(repository.key()).unwrap(), "{manager}");
        }

        let output = manage(&tree, manager);
        assert!(tree.join("opt/sigtest").exists(), "{manager}: {output}");
        assert!(!output.to_lowercase().contains("key"), "{manager} asks for a key: {output}");
    }
}
