//! Every way in which an RPM repository or a package can be wrong, with the kind of the error and its message.

use std::path::Path;
use std::process::Command;

use kiwi_tests::case::Case;
use kiwi_tests::program::kiwi;
use kiwi_tests::rpm::{self, Repository};
use kiwi_tests::run::Run;

const MANAGERS: [&str; 2] = ["zypper", "dnf4"];

/// Returns a `<repository>` with these attributes, on a line of its own.
fn repository(directory: &Path, attributes: &str, key: Option<&Path>) -> String {
    let key = key.map_or(String::new(), |key| format!("<signing key=\"file://{}\"/>", key.display()));
    let path = directory.display();
    format!("<repository type=\"rpm-md\" {attributes}><source path=\"{path}\">{key}</source></repository>")
}

/// Writes a description with this package manager, these repositories and packages.
fn described(manager: &str, repositories: &str, packages: &str) -> Case {
    let case = Case::new(repositories, "less");
    let text = std::fs::read_to_string(case.path("desc/config.xml")).unwrap();
    let packages: String = packages.split(' ').map(|name| format!("<package name=\"{name}\"/>\n")).collect();
    let text = text.replace(">apt<", &format!(">{manager}<")).replace("<package name=\"less\"/>", &packages);
    case.file("config.xml", &text);
    case
}

/// Returns kind and message of the error of `kiwi prepare`, with the path of the repository as `[REPO]`, and asserts that no tree
/// is left.
fn error(case: &Case, repository: &Repository) -> (String, String) {
    let mut command = Command::new(kiwi());
    command.args(["prepare", "desc", "--root", "root"]).current_dir(case.directory.path());
    command.env("KIWI_CACHE", case.path("cache"));
    let run = Run::of(&mut command);
    assert_ne!(run.code, 0, "kiwi succeeded");
    assert!(!Path::new(&case.path("root")).exists());
    let (last, here) = (run.last(), repository.path().display().to_string());
    let text = |field: &str| last[field].as_str().unwrap_or_default().replace(&here, "[REPO]");
    (text("kind"), text("message"))
}

/// Signatures are checked by default, each package and the metadata, with the keys of the repository alone.
#[test]
fn every_wrong_signature_and_file_is_an_error_of_its_kind() {
    let repository = rpm::small();
    let rows = [
        ("unsigned", "", "signature", "the metadata of the repository [V] has no signature"),
        ("rpm-signed-only", "", "signature", "the metadata of the repository [V] has no signature"),
        (
            "repomd-signed-only",
            "",
            "signature",
            "the package sigtest_12-1_noarch of the repository [V] has no signature",
        ),
        (
            "wrong-key",
            "",
            "signature",
            "the package sigtest_12-1_noarch of the repository [V] is signed with none of the keys of the repository, or its \
             signature is wrong",
        ),
        (
            "tampered-repomd",
            "",
            "signature",
            "the metadata of the repository [V] is signed with none of its keys, or was changed after it was signed",
        ),
        (
            "tampered-rpm",
            "",
            "signature",
            "the package sigtest_12-1_noarch of the repository [V] is signed with none of the keys of the repository, or its \
             signature is wrong",
        ),
        (
            "tampered-rpm",
            "repository_gpgcheck=\"false\" package_gpgcheck=\"false\"",
            "damaged",
            "the package sigtest-12-1.noarch is damaged: Payload SHA256 ALT digest: BAD",
        ),
        (
            "bad-checksum",
            "repository_gpgcheck=\"false\" package_gpgcheck=\"false\"",
            "damaged",
            "the package [REPO]/variants/bad-checksum/sigtest-12-1.noarch.rpm does not have the digest in the metadata of its \
             repository [V]",
        ),
        (
            "missing-rpm",
            "repository_gpgcheck=\"false\" package_gpgcheck=\"false\"",
            "packages",
            "the repository [V] lists the package sigtest_12-1_noarch and does not have its file \
             [REPO]/variants/missing-rpm/sigtest-12-1.noarch.rpm",
        ),
    ];
    for (variant, attributes, kind, message) in rows {
        let source = self::repository(&repository.variant(variant), attributes, Some(&repository.key()));
        let column = source.find("path=").unwrap() + 9;
        let shown = format!("[REPO]/variants/{variant} (desc/config.xml:4:{column})");
        let expected = (kind.to_owned(), message.replace("[V]", &shown));
        for manager in MANAGERS {
            let case = described(manager, &source, "sigtest");
            assert_eq!(error(&case, &repository), expected, "{manager}: {variant}");
        }
    }
}

#[test]
fn a_repository_without_a_key_is_refused_unless_nothing_is_checked() {
    let repository = rpm::small();
    let good = repository.variant("good");
    for manager in MANAGERS {
        let case = described(manager, &self::repository(&good, "", None), "sigtest");
        let (kind, message) = error(&case, &repository);
        assert_eq!(kind, "signature", "{manager}");
        assert!(message.ends_with("has no signing key to check it with"), "{manager}: {message}");
        let other = repository.other_key();
        let case = described(manager, &self::repository(&good, "", Some(&other)), "sigtest");
        assert_eq!(error(&case, &repository).0, "signature", "{manager}: the key of another repository");
    }
}

/// zypper, dnf and rpm report some of them as success.
#[test]
fn every_failing_script_and_contradiction_is_an_error_that_names_the_package() {
    let repository = rpm::small();
    let unchecked = "repository_gpgcheck=\"false\" package_gpgcheck=\"false\"";
    let rows = [
        (
            "scriptfail",
            "command-failed",
            "the script %pre of the package scriptfail-12-1.noarch failed: this pre always fails",
        ),
        (
            "scriptfail-post",
            "command-failed",
            "the script %post of the package scriptfail-post-12-1.noarch failed: this post always fails",
        ),
        (
            "scriptfail-post-sh",
            "command-failed",
            "the script %post of the package scriptfail-post-sh-12-1.noarch failed: exit status 3",
        ),
        (
            "scriptfail-posttrans",
            "command-failed",
            "the script %posttrans of the package scriptfail-posttrans-12-1.noarch failed: [LUA]",
        ),
        (
            "scriptfail-trigger conflict-a",
            "command-failed",
            "the script %triggerin of the package scriptfail-trigger-12-1.noarch failed: this trigger always fails",
        ),
        (
            "scriptfail-pretrans",
            "command-failed",
            "the script %pretrans of the package scriptfail-pretrans-12-1.noarch failed: this script always fails",
        ),
        (
            "scriptfail-with-a-name-that-is-too-long-for-an-error-of-lua",
            "command-failed",
            "the script %post of the package scriptfail-with-a-name-that-is-too-long-for-an-error-of-lua-12-1.noarch failed: this script always fails",
        ),
        (
            "scriptfail-triggerprein conflict-a",
            "command-failed",
            "the script %triggerprein of the package scriptfail-triggerprein-12-1.noarch failed: this trigger always fails",
        ),
        (
            "scriptfail-filetrigger conflict-a",
            "command-failed",
            "the script %filetriggerin of the package scriptfail-filetrigger-12-1.noarch failed: this trigger always fails",
        ),
        (
            "scriptfail-transfiletrigger conflict-a",
            "command-failed",
            "the script %transfiletriggerin of the package scriptfail-transfiletrigger-12-1.noarch failed: this trigger",
        ),
        (
            "conflict-a conflict-b",
            "packages",
            "the packages conflict-a-12-1.noarch and conflict-b-12-1.noarch contain different files /opt/same-file",
        ),
        (
            "needs-nothing-there",
            "packages",
            "the packages of the description cannot be installed together:\n  nothing provides no-such-capability >= 9 needed by \
             needs-nothing-there-12-1.noarch (desc/config.xml:5:41)",
        ),
        (
            "nosuch scriptfai",
            "packages",
            "packages are not in the repositories of the description: nosuch (desc/config.xml:5:41), scriptfai \
             (desc/config.xml:6:16; did you mean scriptfail?)",
        ),
    ];
    for (packages, kind, message) in rows {
        let source = self::repository(&repository.variant("broken"), unchecked, None)
            + &self::repository(repository.path(), unchecked, None);
        let message = message.split("[LUA]").next().unwrap();
        for manager in MANAGERS {
            let found = error(&described(manager, &source, packages), &repository);
            assert!(found.0 == kind && found.1.starts_with(message), "{manager}: {packages}: {found:?}");
        }
    }
}
