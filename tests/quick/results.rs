//! `kiwi result list` and `kiwi result bundle` on a directory as a build leaves it.

use std::path::Path;
use std::process::Command;

use serde_json::json;
use sha2::{Digest, Sha256};

use kiwi_tests::program::kiwi;
use kiwi_tests::run::Run;

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

fn run(directory: &Path, keywords: &str) -> Run {
    Run::of(Command::new(kiwi()).args(keywords.split(' ')).current_dir(directory))
}

/// Runs a judge in `directory`; it must be content.
fn judge(directory: &Path, script: &str) {
    let output = Command::new("sh").args(["-e", "-c", script]).current_dir(directory).output().unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn list_shows_each_build_with_its_files() {
    let directory = built();
    let listed = run(directory.path(), "result list --target-dir images").done();
    let image = &listed.outcome()["images"][0];
    assert_eq!(
        (&image["name"], &image["version"], &image["type"]),
        (&json!("n"), &json!("1.0.0"), &json!("oem"))
    );
    let file = &image["files"][1];
    let facts = [&file["role"], &file["file"], &file["size"], &file["compress"]];
    assert_eq!(facts, [&json!("image"), &json!("n.x86_64-1.0.0.raw"), &json!(3 << 20), &json!(true)]);
    assert_eq!(listed.outcome()["missing"], json!([]));
    std::fs::remove_file(directory.path().join("images/n.x86_64-1.0.0.raw")).unwrap();
    let listed = run(directory.path(), "result list --target-dir images").done();
    assert_eq!(listed.outcome()["missing"], json!(["n.x86_64-1.0.0.raw"]));
}

#[test]
fn bundle_renames_files_and_keeps_their_content() {
    let directory = built();
    let _ = run(directory.path(), "result bundle --target-dir images --bundle-dir out/7 --id Build7").done();
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
    let _ = run(directory.path(), keywords).done();
    judge(directory.path(), "cmp plain/n-8.raw images/n.x86_64-1.0.0.raw");
}

/// Adds a record for several types above the directory of the build, whose files it names in two directories.
fn together(directory: &Path) {
    let text = std::fs::read_to_string(directory.join("images/kiwi.result.json")).unwrap();
    let mut record: serde_json::Value = serde_json::from_str(&text).unwrap();
    let one = record["images"][0].clone();
    let other = json!({"name": "n-kvm", "profiles": ["kvm"]});
    record["images"] = json!([one, one]);
    record["images"].as_array_mut().unwrap().iter_mut().for_each(|image| image["directory"] = json!("oem"));
    let second = record["images"][1].as_object_mut().unwrap();
    second.extend(other.as_object().unwrap().clone());
    std::fs::rename(directory.join("images"), directory.join("oem")).unwrap();
    for file in second["files"].as_array_mut().unwrap() {
        let name = file["file"].as_str().unwrap().to_owned();
        let renamed = name.replacen("n.", "n-kvm.", 1);
        std::fs::copy(directory.join("oem").join(&name), directory.join("oem").join(&renamed)).unwrap();
        file["file"] = json!(renamed);
    }
    std::fs::write(directory.join("kiwi.result.json"), record.to_string()).unwrap();
}

#[test]
fn bundles_the_types_of_several_profiles_from_one_record() {
    let directory = built();
    together(directory.path());
    let listed = run(directory.path(), "result list --target-dir .").done();
    let names = |image: &serde_json::Value| (image["name"].clone(), image["directory"].clone());
    let images: Vec<_> = listed.outcome()["images"].as_array().unwrap().iter().map(names).collect();
    assert_eq!(images, [(json!("n"), json!("oem")), (json!("n-kvm"), json!("oem"))]);
    assert_eq!(listed.outcome()["missing"], json!([]));
    let bundled = run(directory.path(), "result bundle --target-dir . --bundle-dir out --id 7").done();
    // In the order of the record, although the files are made in parallel.
    let files = bundled.outcome()["artifacts"].as_array().unwrap().iter();
    let files: Vec<&str> = files.map(|file| file["path"].as_str().unwrap()).collect();
    let expected = ["n.x86_64-1.0.0-7.packages", "n.x86_64-1.0.0-7.raw.xz"];
    let expected = expected.iter().flat_map(|name| [name.to_string(), name.replacen("n.", "n-kvm.", 1)]);
    let mut expected: Vec<String> = expected.map(|name| format!("out/{name}")).collect();
    expected.swap(1, 2);
    assert_eq!(files, expected);
    judge(&directory.path().join("out"), "sha256sum --check --strict *.sha256");
    judge(directory.path(), "xz -dc out/n-kvm.x86_64-1.0.0-7.raw.xz | cmp - oem/n-kvm.x86_64-1.0.0.raw");
    std::fs::remove_file(directory.path().join("oem/n-kvm.x86_64-1.0.0.raw")).unwrap();
    let listed = run(directory.path(), "result list --target-dir .").done();
    assert_eq!(listed.outcome()["missing"], json!(["oem/n-kvm.x86_64-1.0.0.raw"]));
}

#[test]
fn bundle_rejects_a_file_that_was_changed_after_the_build() {
    let directory = built();
    std::fs::write(directory.path().join("images/n.x86_64-1.0.0.raw"), "other").unwrap();
    let output = run(directory.path(), "result bundle --target-dir images --bundle-dir out --id 1");
    assert_eq!(output.error(), (1, "damaged"));
    assert!(output.names("images/n.x86_64-1.0.0.raw"), "{output:?}");
    assert!(!directory.path().join("out/n.x86_64-1.0.0-1.raw.xz").exists());
}

#[test]
fn rejects_a_directory_without_a_record_and_bundles_that_are_not_built() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(run(directory.path(), "result list --target-dir .").error(), (1, "file"));
    let output = run(directory.path(), "result bundle --target-dir . --bundle-dir b --id 1 --package-as-rpm");
    assert_eq!(output.error(), (2, "usage"));
}

#[test]
fn kiwi_yml_determines_the_bundle() {
    let directory = built();
    let configuration = "bundle:\n  - compress: false\n  - shasum_size: 512\n  - shasum_sise: 256\n";
    std::fs::write(directory.path().join("own.yml"), configuration).unwrap();
    let bundle = |configuration: &str, output: &str| {
        let keywords = format!(
            "--config {configuration} result bundle --target-dir images --bundle-dir {output} --id 1"
        );
        run(directory.path(), &keywords)
    };
    let warned = bundle("own.yml", "out").done();
    let [warning] = warned.warnings("configuration")[..] else { panic!("{warned:?}") };
    assert!(warning.contains("own.yml:4:") && warning.contains("shasum_size"), "{warning}");
    judge(
        &directory.path().join("out"),
        "sha512sum --check --strict *.sha512 && test -f n.x86_64-1.0.0-1.raw",
    );
    assert_eq!(bundle("none.yml", "o").error(), (1, "file"));
    std::fs::write(directory.path().join("wrong.yml"), "bundle:\n  - shasum_size: 255\n").unwrap();
    assert_eq!(bundle("wrong.yml", "o").error(), (1, "configuration"));
}
