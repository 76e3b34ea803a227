//! `kiwi build --all-types`: every type of every profile in one build.

use std::path::Path;
use std::process::Command;

use kiwi_tests::program::kiwi;
use kiwi_tests::run::Run;
use serde_json::json;

/// Types without a profile and with two; one of them has another package.
const DESCRIPTION: &str = r#"<image schemaversion="8.5" name="tiny">
  <description type="system"><author>A</author><contact>a@example.org</contact><specification>S</specification></description>
  <profiles><profile name="small" description="S"/><profile name="large" description="L"/></profiles>
  <preferences><version>1.0.0</version><packagemanager>apt</packagemanager><type image="ext4"/></preferences>
  <preferences profiles="small,large"><type image="squashfs"/></preferences>
  <preferences profiles="large"><type image="tbz"/></preferences>
  <repository><source path="debian://bookworm"/></repository>
  <packages type="image"><package name="less"/></packages>
  <packages type="image" profiles="large"><package name="hello"/></packages>
</image>"#;

#[test]
#[ignore = "installs packages into three trees; scripts/test --all"]
fn one_build_makes_every_type_of_every_profile() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    std::fs::create_dir_all(path("description")).unwrap();
    std::fs::create_dir_all(path("images")).unwrap();
    std::fs::write(path("description/config.xml"), DESCRIPTION).unwrap();
    let run = |keywords: &str| {
        Run::of(Command::new(kiwi()).args(keywords.split(' ')).current_dir(directory.path())).done()
    };
    let built = run("build description --destdir images --all-types");
    assert!(built.warnings("description").is_empty(), "{built:?}");
    let text = std::fs::read_to_string(path("images/kiwi.result.json")).unwrap();
    let record: serde_json::Value = serde_json::from_str(&text).unwrap();
    let facts = |image: &serde_json::Value| {
        let files = image["files"].as_array().unwrap();
        let image_file = files.last().unwrap()["file"].as_str().unwrap().to_owned();
        let directory = image["directory"].as_str().unwrap().to_owned();
        for file in files {
            let file = path("images").join(&directory).join(file["file"].as_str().unwrap());
            assert!(file.is_file(), "{file:?}");
        }
        (directory, image_file, image["profiles"].clone())
    };
    let mut images: Vec<_> = record["images"].as_array().unwrap().iter().map(facts).collect();
    images.sort_by(|one, other| (&one.0, &one.1).cmp(&(&other.0, &other.1)));
    let expected = [
        ("ext4", "tiny.x86_64-1.0.0", json!([])),
        ("squashfs", "tiny-large.x86_64-1.0.0", json!(["large"])),
        ("squashfs", "tiny-small.x86_64-1.0.0", json!(["small"])),
        ("tbz", "tiny-large.x86_64-1.0.0.tar.xz", json!(["large"])),
    ];
    assert_eq!(images, expected.map(|(place, file, profiles)| (place.to_owned(), file.to_owned(), profiles)));
    let packages = |file: &str| std::fs::read_to_string(path("images").join(Path::new(file))).unwrap();
    assert!(packages("squashfs/tiny-large.x86_64-1.0.0.packages").contains("\nhello|"));
    assert!(!packages("squashfs/tiny-small.x86_64-1.0.0.packages").contains("\nhello|"));
    // The directory of a type has its own record, too.
    let listed = run("result list --target-dir images/squashfs");
    assert_eq!(listed.outcome()["images"].as_array().unwrap().len(), 2);
    // A build of one profile replaces its own images only, and adds nothing twice.
    let _ = run("build description --destdir images --all-types --profile small");
    let listed = run("result list --target-dir images");
    assert_eq!(listed.outcome()["missing"], json!([]));
    assert_eq!(listed.outcome()["images"].as_array().unwrap().len(), 4, "{listed:?}");
    let _ = run(
        "result bundle --target-dir images --bundle-dir out --id 7 --bundle-format %N-%T-%I --no-compress",
    );
    for name in ["tiny-ext4-7", "tiny-small-squashfs-7", "tiny-large-squashfs-7", "tiny-large-tbz-7.tar.xz"] {
        assert!(path("out").join(name).is_file(), "{name}");
    }
}
