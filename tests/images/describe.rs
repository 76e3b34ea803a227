//! `kiwi info --resolve`, which asks the repositories.

use std::process::Command;

use kiwi_tests::program::{checkout, kiwi};
use serde_json::Value;

#[test]
fn info_resolves_dependencies_and_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let example = checkout().join("examples/debian-12-server");
    let output = Command::new(kiwi())
        .args(["info", example.to_str().unwrap(), "--resolve", "--format", "json"])
        .env("TMPDIR", directory.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let info: Value = serde_json::from_slice(&output.stdout).unwrap();
    let resolved = info["resolved"].as_array().unwrap();
    assert!(resolved.iter().any(|package| package["name"] == "libc6"), "a dependency nobody names");
    assert!(resolved.iter().all(|package| package["sha256"].as_str().unwrap().len() == 64));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}
