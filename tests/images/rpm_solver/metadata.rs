//! kiwi reads of a repository's metadata what rpm reads in its packages.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use kiwi::package_manager::rpm::metadata::{self, PrimaryPackage, Repomd};
use kiwi_tests::rpm;
use sha2::{Digest, Sha256};

/// Reads the packages of the repository in a directory.
fn packages(directory: &Path) -> Vec<PrimaryPackage> {
    let file =
        fs::read(directory.join(repomd(directory).file("primary").unwrap().location.as_str())).unwrap();
    let mut found = Vec::new();
    metadata::packages(metadata::uncompressed(file.as_slice()).unwrap(), |package| {
        found.push(package);
        Ok(())
    })
    .unwrap();
    found
}

fn repomd(directory: &Path) -> Repomd {
    Repomd::parse(&fs::read(directory.join(metadata::REPOMD)).unwrap()).unwrap()
}

fn sha256(path: &Path) -> String {
    Sha256::digest(fs::read(path).unwrap()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns what rpm says about these files of packages, one line for each.
fn of_rpm(files: &[PathBuf]) -> BTreeSet<String> {
    // rpm creates a database in the home directory even when it only reads files.
    let home = tempfile::tempdir().unwrap();
    let mut command = test_programs::command("rpm");
    command.env("HOME", home.path()).args(["-qp", "--nosignature", "--qf"]);
    command.arg("%{NEVRA} %{SIZE} %{BUILDTIME}\\n").args(files);
    let output = command.output().unwrap();
    assert!(output.status.success());
    // NEVRA has an epoch only if the package has one.
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn every_package_is_what_rpm_and_sha256_say() {
    let repository = rpm::small();
    for directory in
        [repository.path().to_owned(), repository.variant("features"), repository.variant("broken")]
    {
        let found = packages(&directory);
        assert!(found.len() > 3, "{found:?}");
        let files: Vec<PathBuf> = found.iter().map(|package| directory.join(&package.location)).collect();
        for (package, file) in found.iter().zip(&files) {
            assert_eq!(package.checksum.sha256(), Some(sha256(file).as_str()), "{}", package.name);
            assert_eq!(package.file_size, file.metadata().unwrap().len(), "{}", package.name);
        }
        let read = found
            .iter()
            .map(|package| format!("{} {} {}", package.nevra(), package.installed_size, package.build_time));
        assert_eq!(read.collect::<BTreeSet<_>>(), of_rpm(&files));
    }
}

#[test]
fn checksums_in_repomd_are_those_of_the_files_and_groups_are_found() {
    let repository = rpm::small();
    let repomd = repomd(repository.path());
    for file in &repomd.files {
        let path = repository.path().join(&file.location);
        assert_eq!(file.checksum.sha256(), Some(sha256(&path).as_str()), "{}", file.kind);
        assert_eq!(file.size, Some(path.metadata().unwrap().len()), "{}", file.kind);
    }
    let bytes = |location: &str| fs::read(repository.path().join(location)).unwrap();
    let patterns = bytes(&repomd.file("patterns").unwrap().location);
    let patterns = metadata::patterns(metadata::uncompressed(patterns.as_slice()).unwrap()).unwrap();
    assert_eq!(patterns[0].id, "base");
    assert_eq!(patterns[0].required, ["patterns-base-base"]);
    let groups = bytes(&repomd.groups().unwrap().location);
    let groups = metadata::groups(metadata::uncompressed(groups.as_slice()).unwrap()).unwrap();
    assert_eq!(groups[0].title, "Base System");
    assert!(groups[0].required.contains(&"filesystem".to_owned()), "{groups:?}");
}
