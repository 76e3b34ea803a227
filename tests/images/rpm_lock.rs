//! A lock file of RPM packages outlives its repository: packages that a newer one has replaced come from the cache, the others
//! also from a directory or a server, and the error names what neither has.

use std::fs;

use kiwi_tests::machine::judge;
use kiwi_tests::rpm;
use kiwi_tests::run::Run;
use kiwi_tests::web::Web;

use super::rpm::Case;

/// Builds the image in a directory of its own.
fn build(case: &Case, directory: &str, option: &str) -> Run {
    fs::create_dir(case.path(directory)).unwrap();
    case.run(&["build", "description", option, "--destdir", directory])
}

#[test]
fn a_locked_build_has_the_packages_of_the_lock_file_or_names_the_missing_one() {
    let repository = rpm::small();
    let names = r#"<packages type="bootstrap"><package name="weak"/></packages>
                   <packages type="image"><package name="sigtest"/></packages>"#;
    for manager in ["zypper", "dnf4"] {
        let own = tempfile::tempdir().unwrap();
        let served = own.path().join("repository");
        let publish = |variant: &str| {
            let _ = fs::remove_dir_all(&served);
            judge("cp", &["-r", repository.variant(variant).to_str().unwrap(), served.to_str().unwrap()]);
        };
        publish("good");
        let web = Web::serve(&repository.variant("features"));
        let case = Case::new("", &[served.clone(), web.url().into()], names).managed_by(manager);
        let _ = build(&case, "one", "--lock").done();
        let lock = fs::read_to_string(case.path("description/kiwi.lock")).unwrap();
        assert!(lock.contains("name = \"sigtest\"\nversion = \"12-1\"\n"), "{manager}: {lock}");

        publish("newer");
        let _ = build(&case, "two", "--locked").done();
        let image = |directory: &str| fs::read(case.path(directory).join("rpm.x86_64-1.0.0")).unwrap();
        assert!(image("one") == image("two"), "{manager}: the images differ");
        let changed = fs::read_to_string(case.path("description/kiwi.lock")).unwrap();
        assert_eq!(changed, lock, "{manager}: a locked build changed the lock file");
        let _ = build(&case, "newest", "--lock").done();
        assert!(image("one") != image("newest"), "{manager}: nothing was newer");

        fs::write(case.path("description/kiwi.lock"), &lock).unwrap();
        let entry = lock.split("[[package]]").find(|entry| entry.contains("name = \"sigtest\"")).unwrap();
        let digest = entry.lines().find_map(|line| line.strip_prefix("sha256 = \"")).unwrap();
        let kept = case.path("cache/packages/sha256").join(digest.trim_end_matches('"'));
        fs::remove_file(kept).unwrap();
        let failed = build(&case, "three", "--locked");
        assert_eq!(failed.error(), (1, "packages"), "{manager}");
        assert!(failed.names("sigtest 12-1 noarch"), "{manager}: {failed:?}");

        // Without a cache, the packages come from the directory and from the server.
        publish("good");
        fs::remove_dir_all(case.path("cache")).unwrap();
        let _ = web.requests();
        let _ = build(&case, "four", "--locked").done();
        assert!(image("one") == image("four"), "{manager}: the images differ");
        let packages = web.requests().into_iter().filter(|path| path.ends_with(".rpm"));
        assert_eq!(packages.collect::<Vec<_>>(), ["/weak-12-1.noarch.rpm"], "{manager}");
    }
}
