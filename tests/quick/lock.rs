//! `kiwi.lock` is data: a wrong value is an error at its position, before anything of the host is read or written.

use std::fs;
use std::path::Path;
use std::process::Command;

use kiwi_tests::program::kiwi;
use serde_json::{Value, json};

const DESCRIPTION: &str = r#"<image schemaversion="8.5" name="locked">
  <description type="system"><author>A</author><contact>a@example.org</contact><specification>S</specification></description>
  <preferences><version>1.0.0</version><packagemanager>apt</packagemanager><type image="squashfs"/></preferences>
  <repository type="deb-dir"><source path="this://packages"/></repository>
  <packages type="image"><package name="extra"/></packages>
</image>"#;

/// Lines of a lock, of which a case replaces one.
const PACKAGE: [(&str, &str); 8] = [
    ("image", "system"),
    ("name", "extra"),
    ("version", "1:2-3"),
    ("architecture", "all"),
    ("order", ""),
    ("sha256", "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f"),
    ("repository", "local"),
    ("file", "extra.deb"),
];

/// Returns a lock in which the field `changed` has another value.
fn lock(changed: &str, value: &str) -> String {
    let line = |(field, good): &(&str, &str)| {
        let value = if *field == changed { value } else { good };
        if *field == "order" { "order = 0\n".to_owned() } else { format!("{field} = {value:?}\n") }
    };
    format!("format = 1\nepoch = 12\n\n[[package]]\n{}", PACKAGE.iter().map(line).collect::<String>())
}

/// Builds with a lock; returns exit code and last event.
fn build(directory: &Path, lock: &str) -> (i32, Value) {
    fs::write(directory.join("d/kiwi.lock"), lock).unwrap();
    let output = Command::new(kiwi())
        .args(["--json", "build", "d", "--locked", "--destdir", "images"])
        .current_dir(directory)
        .env("KIWI_CACHE", directory.join("cache"))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let last = serde_json::from_str(text.lines().last().expect("an event")).unwrap();
    (output.status.code().expect("an exit code"), last)
}

#[test]
fn a_wrong_value_is_an_error_at_its_position_and_no_file_of_the_host_is_touched() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    fs::create_dir_all(path("d/packages")).unwrap();
    fs::create_dir_all(path("images")).unwrap();
    fs::create_dir_all(path("cache/packages/sha256")).unwrap();
    fs::write(path("d/config.xml"), DESCRIPTION).unwrap();
    fs::write(path("canary"), "canary").unwrap();
    let absolute = path("canary").display().to_string();
    for (line, field, value) in [
        (10, "sha256", "../../../canary"),
        (10, "sha256", absolute.as_str()),
        (10, "sha256", "0F0F"),
        (6, "name", "../../../canary"),
        (6, "name", "--option"),
        (7, "version", "1/../../canary"),
        (8, "architecture", "all/../../../canary"),
        (12, "file", "../../canary"),
        (12, "file", "%2e%2e/%2e%2e/canary"),
        (12, "file", absolute.as_str()),
        (11, "repository", "local\nx"),
    ] {
        let (code, last) = build(directory.path(), &lock(field, value));
        assert_eq!((code, &last["kind"]), (3, &json!("invalid-description")), "{field} {value}: {last}");
        assert_eq!(last["position"]["line"], json!(line), "{last}");
        assert_eq!(last["position"]["column"], json!(field.len() + 4), "{last}");
        assert!(last["position"]["file"].as_str().unwrap().ends_with("d/kiwi.lock"), "{last}");
        assert!(last["remedy"].as_str().unwrap().contains("--lock"), "{last}");
        assert_eq!(fs::read_to_string(path("canary")).unwrap(), "canary");
    }
    // The lock itself is right: only its package is missing.
    let (_, last) = build(directory.path(), &lock("", ""));
    assert_ne!(last["kind"], json!("invalid-description"), "{last}");
    assert!(last["message"].as_str().unwrap().contains("extra 1:2-3 all"), "{last}");
}
