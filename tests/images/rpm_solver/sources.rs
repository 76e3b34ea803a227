//! The sources of RPM repositories: paths, web servers, directories of packages, media, lists of mirrors, variables, passwords,
//! scripts, groups.

use std::fs;

use kiwi_tests::machine::judge;
use kiwi_tests::rpm;
use kiwi_tests::web::Web;

use super::case::{Case, MANAGERS, UNSIGNED, element, selected};

const HELLO: &str = "<package name=\"hello\"/>";
const SIGTEST: &str = "<package name=\"sigtest\"/>";
const PASSWORD: &str = "secret-of-a-repository";
/// `u` and the password, in Base64.
const LOGIN: &str = "Authorization: Basic dTpzZWNyZXQtb2YtYS1yZXBvc2l0b3J5";

#[test]
fn signed_repositories_are_read_from_a_path_and_from_a_server() {
    let repository = rpm::small();
    let server = Web::serve(repository.path());
    let path = repository.path().display().to_string();
    for (manager, source) in
        [("zypper", format!("dir://{path}")), ("zypper", server.url()), ("dnf4", server.url())]
    {
        let case = Case::new(manager);
        let run = case.run(&element(&source, "", Some(&repository.key())), HELLO, &[]).done();
        let names = selected(&run);
        assert!(names.contains(&"hello".to_owned()) && names.contains(&"libc6".to_owned()), "{names:?}");
        // The key of somebody else, or none.
        for key in [Some(repository.other_key()), None] {
            let run = case.run(&element(&source, "", key.as_deref()), HELLO, &[]);
            assert_eq!(run.error(), (1, "signature"), "{manager}: {}", run.last());
            assert!(run.names("config.xml:4:"), "{manager}: {}", run.last());
        }
    }
}

#[test]
fn metadata_without_a_valid_signature_is_refused_with_its_position() {
    let repository = rpm::small();
    for manager in MANAGERS {
        let case = Case::new(manager);
        for variant in ["unsigned", "tampered-repomd"] {
            let source = repository.variant(variant).display().to_string();
            let run = case.run(&element(&source, "", Some(&repository.key())), SIGTEST, &[]);
            assert_eq!(run.error(), (1, "signature"), "{manager}, {variant}: {}", run.last());
            assert!(run.names("config.xml:4:"), "{manager}, {variant}: {}", run.last());
        }
        let source = repository.variant("rpm-signed-only").display().to_string();
        let lax = element(&source, "repository_gpgcheck=\"false\"", Some(&repository.key()));
        assert_eq!(selected(&case.run(&lax, SIGTEST, &[]).done()), ["sigtest"], "{manager}");
    }
}

#[test]
fn a_directory_of_packages_needs_no_metadata() {
    let repository = rpm::small();
    let plain = repository.variant("plain").display().to_string();
    for manager in MANAGERS {
        let run = Case::new(manager).run(&element(&plain, "type=\"rpm-dir\"", None), SIGTEST, &[]).done();
        assert_eq!(selected(&run), ["sigtest"], "{manager}");
    }
    assert!(!repository.variant("plain").join("repodata").exists());
}

#[test]
fn lists_of_mirrors_name_the_repository() {
    let repository = rpm::small();
    let server = Web::serve(repository.path());
    let lists = tempfile::tempdir().unwrap();
    let url = server.url();
    fs::write(lists.path().join("mirrorlist"), format!("# mirrors\n{url}/\n")).unwrap();
    let metalink = format!(
        "<metalink xmlns=\"http://www.metalinker.org/\"><files><file name=\"repomd.xml\"><resources><url protocol=\"http\" \
         preference=\"1\">{url}/repodata/repomd.xml</url></resources></file></files></metalink>"
    );
    fs::write(lists.path().join("metalink"), metalink).unwrap();
    let web = Web::serve(lists.path());
    for (manager, list) in [("zypper", "mirrorlist"), ("dnf4", "metalink")] {
        let attributes = format!("sourcetype=\"{list}\" {UNSIGNED}");
        let run =
            Case::new(manager).run(&element(&format!("{}/{list}", web.url()), &attributes, None), HELLO, &[]);
        assert!(selected(&run.done()).contains(&"hello".to_owned()), "{manager}");
        assert!(server.requests().iter().any(|path| path.contains("repomd.xml")), "{manager}");
    }
}

#[test]
fn projects_of_the_open_build_service_are_below_its_download_server() {
    let repository = rpm::small();
    let tree = tempfile::tempdir().unwrap();
    fs::create_dir_all(tree.path().join("Devel:/Tools")).unwrap();
    std::os::unix::fs::symlink(repository.path(), tree.path().join("Devel:/Tools/standard")).unwrap();
    let server = Web::serve(tree.path());
    for manager in MANAGERS {
        for source in ["obs://Devel:Tools/standard", "opensuse://Devel:Tools"] {
            let case = Case::new(manager);
            fs::write(case.path("kiwi.yml"), format!("obs:\n  download_url: {}\n", server.url())).unwrap();
            let configuration = case.path("kiwi.yml").display().to_string();
            let case = case.variable("KIWI_CONFIG", configuration);
            let run = case.run(&element(source, UNSIGNED, None), HELLO, &[]).done();
            assert!(selected(&run).contains(&"hello".to_owned()), "{manager}: {source}");
            assert!(
                server.requests().iter().all(|path| path.starts_with("/Devel:/Tools/standard/")),
                "{manager}: {source}"
            );
        }
    }
}

#[test]
fn variables_of_the_release_and_the_environment_are_replaced() {
    let repository = rpm::small();
    let path = repository.path().display().to_string();
    let case = Case::new("zypper");
    let source = element(&path.replace("rpm-small", "rpm-$releasever"), UNSIGNED, None);
    let run = case.run_with("<release-version>small</release-version>", &source, HELLO, &[]);
    assert!(selected(&run.done()).contains(&"hello".to_owned()));
    assert_eq!(case.run(&source, HELLO, &[]).error(), (3, "invalid-description"));
    let case = Case::new("dnf4");
    let named = element("{KIWI_TEST_REPOSITORY}", UNSIGNED, None);
    assert_eq!(case.run(&named, HELLO, &[]).error(), (1, "no-repository"));
    let run = case.run(&named, HELLO, &["--set-repo", &path]).done();
    assert!(selected(&run).contains(&"hello".to_owned()));
    let run = case.variable("KIWI_TEST_REPOSITORY", &path).run(&named, HELLO, &[]).done();
    assert!(selected(&run).contains(&"hello".to_owned()));
}

#[test]
fn a_password_is_used_and_never_shown() {
    let repository = rpm::small();
    let server = Web::serve_to(repository.path(), Some(LOGIN));
    for manager in MANAGERS {
        let case = Case::new(manager);
        let in_url = element(&format!("http://u:{PASSWORD}@{}", server.host()), UNSIGNED, None);
        let attributes = format!("{UNSIGNED} username=\"u\" password=\"{PASSWORD}\"");
        let beside = element(&server.url(), &attributes, None);
        for (repository, package) in [(in_url, HELLO), (beside, "<package name=\"no-such-tool\"/>")] {
            let run = case.run(&repository, package, &[]);
            let kind = run.last()["kind"].as_str().map(str::to_owned);
            let expected = (package != HELLO).then(|| "packages".to_owned());
            assert_eq!(kind, expected, "{manager}: {}", run.last());
            let everything = format!("{:?}{}", run.events, run.stderr);
            assert!(!everything.contains(PASSWORD), "{manager}: {everything}");
        }
        let run = case.run(&element(&server.url(), UNSIGNED, None), HELLO, &[]);
        assert_eq!(run.error(), (1, "repository-unreachable"), "{manager}: {}", run.last());
    }
}

#[test]
fn a_script_of_the_description_edits_the_file_of_a_repository_and_nothing_else() {
    let repository = rpm::small();
    let source = repository.path().display().to_string();
    let customized = element(&source, &format!("customize=\"edit.sh\" {UNSIGNED}"), None);
    for manager in MANAGERS {
        let case = Case::new(manager);
        let run = |script: &str| {
            fs::write(case.path("description/edit.sh"), script).unwrap();
            case.run(&customized, HELLO, &[])
        };
        // Neither reads a repository that is not enabled.
        let run_disabled = run("sed -i s/enabled=1/enabled=0/ \"$1\" && ! touch /usr/changed 2>/dev/null\n");
        assert!(
            run_disabled.code != 0 && !run_disabled.names("edit.sh"),
            "{manager}: {}",
            run_disabled.last()
        );
        let changed = run("echo priority=7 >> \"$1\"\n").done();
        assert!(selected(&changed).contains(&"hello".to_owned()), "{manager}");
    }
    // A local directory stays where the description says.
    for manager in MANAGERS {
        let case = Case::new(manager);
        let moving = "sed -i 's|^baseurl=.*|baseurl=http://127.0.0.1:1/moved|' \"$1\"\n";
        fs::write(case.path("description/edit.sh"), moving).unwrap();
        let run = case.run(&customized, HELLO, &[]);
        assert_eq!(run.last()["kind"], "not-built", "{manager}: {}", run.last());
        assert!(run.names("edit.sh") && run.names("http://127.0.0.1:1/moved"), "{manager}: {}", run.last());
    }
    let case = Case::new("zypper");
    assert_eq!(case.run(&customized, HELLO, &[]).error(), (1, "file"));
    fs::write(case.path("description/edit.sh"), "exit 3\n").unwrap();
    let run = case.run(&customized, HELLO, &[]);
    assert!(run.code != 0 && run.names("edit.sh"), "{}", run.last());
}

#[test]
fn packages_come_from_the_server_that_a_script_names() {
    let repository = rpm::small();
    let own = tempfile::tempdir().unwrap();
    let package = "sigtest-12-1.noarch.rpm";
    fs::copy(repository.variant("plain").join(package), own.path().join(package)).unwrap();
    // The package must be fetched to know its SHA-256.
    judge("createrepo_c", &["--quiet", "--checksum", "sha512", own.path().to_str().unwrap()]);
    let server = Web::serve(own.path());
    let source = element("http://127.0.0.1:1/r", &format!("customize=\"edit.sh\" {UNSIGNED}"), None);
    for manager in MANAGERS {
        let case = Case::new(manager);
        let script = format!("sed -i 's|http://127.0.0.1:1/r|{}|' \"$1\"\n", server.url());
        fs::write(case.path("description/edit.sh"), script).unwrap();
        assert_eq!(selected(&case.run(&source, SIGTEST, &[]).done()), ["sigtest"], "{manager}");
        assert!(server.requests().contains(&format!("/{package}")), "{manager}");
    }
}
