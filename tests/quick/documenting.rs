//! The manual pages and completion scripts that packagers make cover every verb, NG's services included; the README stays short.

use std::process::Command;

use kiwi_tests::program::kiwi;

#[test]
fn every_verb_has_a_manual_page() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    let output = Command::new(kiwi()).args(["man-pages", path]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for page in ["kiwi", "kiwi-init", "kiwi-check", "kiwi-info", "kiwi-convert", "kiwi-build"]
        .into_iter()
        .chain(["kiwi-system-build", "kiwi-image-info", "kiwi-result-list", "kiwi-result-bundle"])
    {
        let text = std::fs::read_to_string(directory.path().join(format!("{page}.1"))).expect(page);
        assert!(text.contains(".SH NAME") && text.contains(".SH SYNOPSIS"), "{page}");
    }
}

#[test]
fn shells_complete_verbs_and_their_options() {
    for shell in ["bash", "zsh", "fish"] {
        let output = Command::new(kiwi()).args(["completions", shell]).output().unwrap();
        let script = String::from_utf8_lossy(&output.stdout).into_owned();
        for keyword in ["init", "convert", "in-place", "resolve", "bundle-format", "target-dir", "sarif"] {
            assert!(script.contains(keyword), "{shell}: {keyword}");
        }
    }
}

#[test]
fn the_readme_stays_short() {
    let text = std::fs::read_to_string(kiwi_tests::program::checkout().join("README.md")).unwrap();
    assert!(text.lines().count() <= 65 && text.len() <= 3708, "move what is new to the handbook");
}
