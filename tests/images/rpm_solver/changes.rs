//! What is read again if a repository has not changed, mirrors that fail, and checksums of other types.

use std::fs;
use std::path::Path;

use kiwi_tests::machine::judge;
use kiwi_tests::rpm;
use kiwi_tests::web::Web;

use super::case::{Case, MANAGERS, UNSIGNED, element, selected};

const HELLO: &str = "<package name=\"hello\"/>";
const SIGTEST: &str = "<package name=\"sigtest\"/>";

/// Makes the metadata of a directory of packages with checksums of this type.
fn index(directory: &Path, checksum: &str) {
    judge("createrepo_c", &["--quiet", "--checksum", checksum, directory.to_str().unwrap()]);
}

#[test]
fn the_metadata_of_an_unchanged_repository_is_not_read_again() {
    let repository = rpm::small();
    let own = tempfile::tempdir().unwrap();
    let publish = |variant: &str| {
        for name in ["repodata", "sigtest-12-1.noarch.rpm", "sigtest-12.1-1.noarch.rpm"] {
            let _ = judge("rm", &["-rf", own.path().join(name).to_str().unwrap()]);
        }
        let from = format!("{}/.", repository.variant(variant).display());
        judge("cp", &["-r", &from, own.path().to_str().unwrap()]);
    };
    for manager in MANAGERS {
        publish("good");
        let server = Web::serve(own.path());
        let case = Case::new(manager);
        let source = element(&server.url(), "", Some(&repository.key()));
        let first = case.run(&source, SIGTEST, &[]).done();
        assert_eq!(selected(&first), ["sigtest"], "{manager}");
        assert!(server.requests().iter().any(|path| path.contains("primary")), "{manager}");
        let _ = case.run(&source, SIGTEST, &[]).done();
        let mut read = server.requests();
        read.sort();
        assert_eq!(read, ["/repodata/repomd.xml", "/repodata/repomd.xml.asc"], "{manager}");
        // The answer was given for the key that signs the repository.
        let other = element(&server.url(), "", Some(&repository.other_key()));
        assert_eq!(case.run(&other, SIGTEST, &[]).error(), (1, "signature"), "{manager}");
        publish("newer");
        let run = case.run(&source, SIGTEST, &[]).done();
        assert!(run.outcome().to_string().contains("12.1-1"), "{manager}: {}", run.outcome());
    }
}

/// zypper and dnf answer another question from what they read for the first one.
#[test]
fn another_question_about_an_unchanged_repository_downloads_nothing_again() {
    let repository = rpm::small();
    for manager in MANAGERS {
        let server = Web::serve(&repository.variant("good"));
        let case = Case::new(manager);
        let source = element(&server.url(), "", Some(&repository.key()));
        let ask = |ignored: &str| {
            let _ = server.requests();
            let packages = format!("{SIGTEST}<ignore name=\"{ignored}\"/>");
            let run = case.run(&source, &packages, &[]).done();
            assert_eq!(selected(&run), ["sigtest"], "{manager}");
            (run, server.requests().iter().any(|path| path.contains("primary")))
        };
        assert!(ask("one").1, "{manager}");
        assert!(!ask("two").1, "{manager} downloads again");
        // The metadata was checked with the key that signs the repository.
        let other = element(&server.url(), "", Some(&repository.other_key()));
        let run = case.run(&other, &format!("{SIGTEST}<ignore name=\"three\"/>"), &[]);
        assert_eq!(run.error(), (1, "signature"), "{manager}: {}", run.last());
        // A damaged entry is not used.
        let script = "find \"$1\" -type f -name '*primary*' -exec sh -c 'echo x >> \"$0\"' {} +";
        judge("sh", &["-c", script, "sh", case.path("cache/indices").to_str().unwrap()]);
        let (run, read_again) = ask("four");
        assert!(read_again && !run.warnings("cache").is_empty(), "{manager}");
    }
}

#[test]
fn a_mirror_that_fails_is_replaced_by_the_next() {
    let repository = rpm::small();
    let (server, lists) = (Web::serve(repository.path()), tempfile::tempdir().unwrap());
    let empty = tempfile::tempdir().unwrap();
    let failing = Web::serve(empty.path());
    fs::write(lists.path().join("list"), format!("{}\n{}\n", failing.url(), server.url())).unwrap();
    let web = Web::serve(lists.path());
    let source =
        element(&format!("{}/list", web.url()), &format!("sourcetype=\"mirrorlist\" {UNSIGNED}"), None);
    for manager in MANAGERS {
        let run = Case::new(manager).run(&source, HELLO, &[]).done();
        assert!(selected(&run).contains(&"hello".to_owned()), "{manager}");
        assert!(!failing.requests().is_empty(), "{manager}: the first mirror was not tried");
    }
}

#[test]
fn checksums_of_every_strong_type_are_read() {
    let repository = rpm::small();
    let own = tempfile::tempdir().unwrap();
    let package = repository.variant("plain").join("sigtest-12-1.noarch.rpm");
    let copied = own.path().join("sigtest-12-1.noarch.rpm");
    fs::copy(&package, &copied).unwrap();
    let source = element(&own.path().display().to_string(), UNSIGNED, None);
    for (checksum, manager) in [("sha512", "zypper"), ("sha384", "dnf4"), ("sha224", "dnf4")] {
        index(own.path(), checksum);
        let case = Case::new(manager);
        assert_eq!(selected(&case.run(&source, SIGTEST, &[]).done()), ["sigtest"], "{checksum}");
        assert_eq!(selected(&case.run(&source, SIGTEST, &[]).done()), ["sigtest"], "{checksum}, again");
        fs::write(&copied, "another file").unwrap();
        let run = Case::new(manager).run(&source, SIGTEST, &[]);
        assert_eq!(run.error(), (1, "damaged"), "{checksum}: {}", run.last());
        fs::copy(&package, &copied).unwrap();
    }
    index(own.path(), "sha1");
    let run = Case::new("dnf4").run(&source, SIGTEST, &[]);
    assert_eq!(run.last()["kind"], "not-built", "{}", run.last());
    assert!(run.names("sha1") && run.names("forged"), "{}", run.last());
}
