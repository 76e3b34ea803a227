//! `kiwi result list` and `kiwi result bundle` on a directory as a build leaves it.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use kiwi_tests::program::kiwi;

/// A directory with one build: a raw disk and its list of packages.
fn built() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("images")).unwrap();
    let file = |role: &str, name: &str, bytes: &[u8], compress: bool| {
        std::fs::write(directory.path().join("images").join(name), bytes).unwrap();
        let sha256: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        json!({"role": role, "file": name, "size": bytes.len(), "sha256": sha256, "compress": compress})
    };
    let files = [
        file("package-list", "n.x86_64-1.0.0.packages", b"less|1|amd64|GPL\n", false),
        file("image", "n.x86_64-1.0.0.raw", &vec![7; 3 << 20], true),
    ];
    let image = json!({"name": "n", "version": "1.0.0", "architecture": "x86_64", "type": "oem", "profiles": [],
        "files": files});
    let record = json!({"version": 1, "images": [image]});
    std::fs::write(directory.path().join("images/kiwi.result.json"), record.to_string()).unwrap();
    directory
}

fn run(directory: &Path, keywords: &str) -> Output {
    Command::new(kiwi()).args(keywords.split(' ')).current_dir(directory).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs a judge in `directory`; it must be content.
fn judge(directory: &Path, script: &str) {
    let output = Command::new("sh").args(["-e", "-c", script]).current_dir(directory).output().unwrap();
    assert!(output.status.success(), "{script}: {}", said(&output));
}

#[test]
fn list_shows_each_build_with_its_files() {
    let directory = built();
    let output = run(directory.path(), "result list --target-dir images");
    let expected = [
        "n 1.0.0, oem, x86_64",
        "  Package list               17  images/n.x86_64-1.0.0.packages",
        "  Image                 3145728  images/n.x86_64-1.0.0.raw\n",
    ]
    .join("\n");
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
    std::fs::remove_file(directory.path().join("images/n.x86_64-1.0.0.raw")).unwrap();
    let output = run(directory.path(), "result list --target-dir images");
    assert!(String::from_utf8_lossy(&output.stdout).contains(".raw  (no longer there)\n"));
    let record: Value =
        serde_json::from_slice(&run(directory.path(), "--json result list --target-dir images").stdout)
            .unwrap();
    assert_eq!(record["outcome"]["images"][0]["files"][1]["compress"], true);
}

#[test]
fn bundle_has_new_names_and_good_sums_and_gives_back_what_was_built() {
    let directory = built();
    let output = run(directory.path(), "result bundle --target-dir images --bundle-dir out/7 --id Build7");
    assert!(output.status.success(), "{}", said(&output));
    let mut names: Vec<String> = std::fs::read_dir(directory.path().join("out/7"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let expected = ["packages", "packages.sha256", "raw.xz", "raw.xz.sha256"]
        .map(|ending| format!("n.x86_64-1.0.0-Build7.{ending}"));
    assert_eq!(names, expected);
    judge(&directory.path().join("out/7"), "sha256sum --check --strict *.sha256");
    judge(directory.path(), "xz -dc out/7/n.x86_64-1.0.0-Build7.raw.xz | cmp - images/n.x86_64-1.0.0.raw");
    let keywords =
        "result bundle --target-dir images --bundle-dir plain --id 8 --no-compress --bundle-format %N-%I";
    assert!(run(directory.path(), keywords).status.success());
    judge(directory.path(), "cmp plain/n-8.raw images/n.x86_64-1.0.0.raw");
}

#[test]
fn bundle_refuses_what_is_not_what_was_built() {
    let directory = built();
    std::fs::write(directory.path().join("images/n.x86_64-1.0.0.raw"), "other").unwrap();
    let output = run(directory.path(), "result bundle --target-dir images --bundle-dir out --id 1");
    let expected = "error: images/n.x86_64-1.0.0.raw was changed after the build: its digest differs from the record; build it \
                    again";
    assert!(said(&output).contains(expected), "{}", said(&output));
    assert!(!directory.path().join("out/n.x86_64-1.0.0-1.raw.xz").exists());
}

#[test]
fn a_directory_without_a_record_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let output = run(directory.path(), "result list --target-dir .");
    assert_eq!(said(&output), "error: . has no kiwi.result.json: this kiwi built nothing there\n");
    let output = run(directory.path(), "result bundle --target-dir . --bundle-dir b --id 1 --package-as-rpm");
    assert!(said(&output).starts_with("error: --package-as-rpm is not built by this version of kiwi;"));
}

#[test]
fn kiwi_yml_says_how_a_bundle_is_made() {
    let directory = built();
    let configuration = "bundle:\n  - compress: false\n  - shasum_size: 512\n  - shasum_sise: 256\n";
    std::fs::write(directory.path().join("own.yml"), configuration).unwrap();
    let output =
        run(directory.path(), "--config own.yml result bundle --target-dir images --bundle-dir out --id 1");
    assert!(output.status.success(), "{}", said(&output));
    let expected = "warning: own.yml:4: `bundle` has no setting `shasum_sise`; did you mean `shasum_size`?\n";
    assert!(said(&output).starts_with(expected), "{}", said(&output));
    judge(
        &directory.path().join("out"),
        "sha512sum --check --strict *.sha512 && test -f n.x86_64-1.0.0-1.raw",
    );
    let output =
        run(directory.path(), "--config none.yml result bundle --target-dir images --bundle-dir o --id 1");
    assert!(said(&output).starts_with("error: reading the configuration none.yml: "), "{}", said(&output));
}
