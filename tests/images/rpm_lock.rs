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

/// The lock file names neither mirrors nor the server of a script: a locked build finds them as the build before it did.
#[test]
fn a_locked_build_follows_lists_of_mirrors_and_scripts_of_repositories() {
    let repository = rpm::small();
    let [good, features] = ["good", "features"].map(|variant| Web::serve(&repository.variant(variant)));
    let lists = tempfile::tempdir().unwrap();
    fs::write(lists.path().join("list"), format!("http://127.0.0.1:1/gone/\n{}/\n", good.url())).unwrap();
    let served = Web::serve(lists.path());
    let list = format!("{}/list", served.url());
    let names = r#"<packages type="image"><package name="weak"/><package name="sigtest"/></packages>"#;
    for manager in ["zypper", "dnf4"] {
        let repositories = [list.clone(), "http://127.0.0.1:1/r".to_owned()];
        let case = Case::new("", &repositories.map(Into::into), names).managed_by(manager);
        let path = case.path("description/config.xml");
        let text = fs::read_to_string(&path).unwrap();
        let text = text.replacen("type=\"rpm-md\"", "type=\"rpm-md\" sourcetype=\"mirrorlist\"", 1);
        let text = text.replace("type=\"rpm-md\">", "type=\"rpm-md\" customize=\"edit.sh\">");
        fs::write(&path, text).unwrap();
        let script = format!("sed -i 's|http://127.0.0.1:1/r|{}|' \"$1\"\n", features.url());
        fs::write(case.path("description/edit.sh"), script).unwrap();
        let _ = build(&case, "one", "--lock").done();
        fs::remove_dir_all(case.path("cache")).unwrap();
        let _ = build(&case, "two", "--locked").done();
        let image = |directory: &str| fs::read(case.path(directory).join("rpm.x86_64-1.0.0")).unwrap();
        assert!(image("one") == image("two"), "{manager}: the images differ");
        // Nothing is downloaded if the cache has everything.
        for server in [&good, &features, &served] {
            assert_ne!(server.requests(), [""; 0], "{manager}");
        }
        let _ = build(&case, "three", "--locked").done();
        assert_eq!(served.requests(), [""; 0], "{manager}");
    }
}
