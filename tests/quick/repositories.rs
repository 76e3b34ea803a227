//! Repositories on a web server of this machine: proxies, passwords, keys, times, and errors that name repository, URL and
//! position. apt is the judge: `info --resolve` lets it read the repositories and select the packages.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use kiwi_tests::program::kiwi;
use kiwi_tests::run::Run;
use kiwi_tests::web::Web;

const PASSWORD: &str = "secret-of-a-repository";
/// `u` and the password, in Base64.
const LOGIN: &str = "Basic dTpzZWNyZXQtb2YtYS1yZXBvc2l0b3J5";
const INDEX: &str = "Package: tool\nVersion: 1\nArchitecture: all\nEssential: yes\nFilename: ./tool.deb\nSize: 1\nSHA256: SUM\n\n\
                     Package: exim4\nVersion: 4\nArchitecture: all\nProvides: mta\nFilename: ./exim4.deb\nSize: 1\nSHA256: SUM\n\n\
                     Package: postfix\nVersion: 3\nArchitecture: all\nProvides: mta\nFilename: ./postfix.deb\nSize: 1\nSHA256: SUM\n";

struct Case {
    directory: tempfile::TempDir,
    variables: Vec<(&'static str, String)>,
}

fn shell(directory: &Path, script: &str) {
    let output = Command::new("bash").args(["-e", "-c", script]).current_dir(directory).output().unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
}

impl Case {
    /// A mirror with the suite `one` and its component `main`, and the fields `more` in its release file.
    fn new(more: &str) -> Self {
        let case = Self { directory: tempfile::tempdir().unwrap(), variables: Vec::new() };
        case.mirror("mirror", "one", more);
        fs::create_dir(case.path("description")).unwrap();
        case
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn mirror(&self, name: &str, suite: &str, more: &str) {
        let directory = self.path(name).join("dists").join(suite).join("main/binary-amd64");
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("Packages"), INDEX.replace("SUM", &"0".repeat(64))).unwrap();
        shell(
            &directory,
            &format!(
                "cd ../..; p=main/binary-amd64/Packages
                 printf 'Suite: {suite}\nCodename: {suite}\nArchitectures: amd64\nComponents: main\n{more}SHA256:\n %s %s %s\n' \
                     $(sha256sum < $p | cut -d ' ' -f 1) $(wc -c < $p) $p > Release"
            ),
        );
    }

    /// Runs `info --resolve` with these repositories and packages.
    fn run(&self, repositories: &str, packages: &[&str], more: &[&str]) -> Run {
        let packages: String = packages.iter().map(|name| format!("<package name=\"{name}\"/>")).collect();
        let text = format!(
            "<image schemaversion=\"8.5\" name=\"x\">\n<description type=\"system\"><author>A</author>\
             <contact>a@example.org</contact><specification>S</specification></description>\n<preferences><version>1.0.0\
             </version><packagemanager>apt</packagemanager><type image=\"tbz\"/></preferences>\n{repositories}\n\
             <packages type=\"image\">{packages}</packages>\n</image>\n"
        );
        fs::write(self.path("description/config.xml"), text).unwrap();
        let mut command = Command::new(kiwi());
        command.args(["info", "--resolve", "--format", "json", "description"]).args(more);
        command.current_dir(self.directory.path()).env("KIWI_CACHE", self.path("cache"));
        for name in
            ["http_proxy", "https_proxy", "no_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"]
        {
            command.env_remove(name);
        }
        command.envs(self.variables.iter().map(|(name, value)| (*name, value)));
        Run::of(&mut command)
    }
}

/// A `<repository>` of the suite `one`, without a signature.
fn unsigned(url: &str) -> String {
    format!(
        "<repository type=\"apt-deb\" distribution=\"one\" repository_gpgcheck=\"false\"><source path=\"{url}\"/></repository>"
    )
}

#[test]
fn proxies_of_environment_and_configuration_reach_what_this_host_cannot() {
    let mut case = Case::new("");
    fs::rename(case.path("mirror"), case.path("mirror.invalid")).unwrap();
    let header = format!("Proxy-Authorization: {LOGIN}");
    let proxy = Web::serve_to(case.directory.path(), Some(&header));
    let repository = unsigned("http://mirror.invalid");
    let used = |case: &Case| {
        let run = case.run(&repository, &["tool"], &[]);
        let asked = proxy.requests();
        assert!(asked.iter().all(|url| url.starts_with("http://mirror.invalid/dists/one/")), "{asked:?}");
        let all = format!("{:?}{}", run.events, run.stderr);
        assert!(!all.contains(PASSWORD), "{all}");
        (run.code == 0, !asked.is_empty())
    };
    assert_eq!(used(&case), (false, false), "without a proxy");
    let url = format!("u:{PASSWORD}@{}", proxy.host());
    case.variables = vec![("http_proxy", format!("http://{url}"))];
    assert_eq!(used(&case), (true, true), "http_proxy");
    // The indices are in the cache now: another one is used.
    fs::remove_dir_all(case.path("cache")).unwrap();
    case.variables.push(("no_proxy", "other.example,.invalid".to_owned()));
    assert_eq!(used(&case), (false, false), "no_proxy");
    fs::write(case.path("kiwi.yml"), format!("proxy:\n  http: {url}\n")).unwrap();
    let configuration = ("KIWI_CONFIG", case.path("kiwi.yml").display().to_string());
    case.variables = vec![configuration.clone()];
    assert_eq!(used(&case), (true, true), "kiwi.yml");
    fs::remove_dir_all(case.path("cache")).unwrap();
    case.variables = vec![configuration, ("HTTP_PROXY", "http://127.0.0.1:1".to_owned())];
    assert_eq!(used(&case), (false, false), "the environment comes before kiwi.yml");
}

#[test]
fn keys_are_fetched_through_the_proxy() {
    let mut case = Case::new("");
    let proxy = Web::serve(case.directory.path());
    let repository = "<repository type=\"apt-deb\" distribution=\"one\"><source path=\"http://mirror.invalid\">\
                      <signing key=\"http://keys.invalid/key\"/></source></repository>";
    case.variables = vec![("http_proxy", proxy.url())];
    let run = case.run(repository, &["tool"], &[]);
    assert_eq!(run.error(), (1, "repository-unreachable"), "{}", run.last());
    assert_eq!(proxy.requests()[0], "http://keys.invalid/key");
    // Not a key: a page of a server.
    fs::create_dir(case.path("keys.invalid")).unwrap();
    fs::write(case.path("keys.invalid/key"), "<html>sign in</html>").unwrap();
    let run = case.run(repository, &["tool"], &[]);
    assert_eq!(run.error(), (1, "signature"), "{}", run.last());
}

#[test]
fn a_password_in_a_url_is_used_and_never_shown() {
    let case = Case::new("");
    let server = Web::serve_to(&case.path("mirror"), Some(&format!("Authorization: {LOGIN}")));
    let host = server.host();
    let with_password = unsigned(&format!("http://u:{PASSWORD}@{host}"));
    let run = case.run(&with_password, &["tool"], &[]).done();
    assert!(!format!("{:?}{}", run.events, run.stderr).contains(PASSWORD), "{}", run.last());
    let run = case.run(&with_password, &["no-such-tool"], &[]);
    assert_eq!(run.error(), (1, "packages"));
    assert!(!format!("{:?}{}", run.events, run.stderr).contains(PASSWORD), "{}", run.last());
    let run = case.run(&unsigned(&format!("http://{host}")), &["tool"], &[]);
    assert_eq!(run.error(), (1, "repository-unreachable"), "{}", run.last());
}

#[test]
fn archives_are_used_only_on_request_and_a_wrong_clock_is_recognised() {
    let old = "Date: Sat, 03 Jan 2015 00:00:00 UTC\nValid-Until: Sat, 10 Jan 2015 00:00:00 UTC\n";
    let mut case = Case::new(old);
    let server = Web::serve(&case.path("mirror"));
    let repository = unsigned(&server.url());
    let run = case.run(&repository, &["tool"], &[]);
    assert_eq!(run.error(), (1, "repository-expired"), "{}", run.last());
    assert!(run.names("--ignore-valid-until"), "{}", run.last());
    let _ = case.run(&repository, &["tool"], &["--ignore-valid-until"]).done();
    fs::write(case.path("kiwi.yml"), "repositories:\n  valid_until: false\n").unwrap();
    case.variables = vec![("KIWI_CONFIG", case.path("kiwi.yml").display().to_string())];
    let _ = case.run(&repository, &["tool"], &[]).done();
    let case = Case::new("Date: Sat, 03 Jan 2099 00:00:00 UTC\n");
    let server = Web::serve(&case.path("mirror"));
    let run = case.run(&unsigned(&server.url()), &["tool"], &["--ignore-valid-until"]);
    assert_eq!(run.error(), (1, "repository-expired"), "{}", run.last());
    assert!(run.names("the clock of this machine"), "{}", run.last());
}

#[test]
fn a_snapshot_of_debian_comes_from_the_configured_mirror() {
    let mut case = Case::new("");
    let old = "Valid-Until: Sat, 10 Jan 2015 00:00:00 UTC\n";
    let time = "20150103T000000Z";
    for (archive, suite) in
        [("debian", "one"), ("debian", "one-updates"), ("debian-security", "one-security")]
    {
        case.mirror(&format!("snapshots/{archive}/{time}"), suite, old);
    }
    let server = Web::serve(&case.path("snapshots"));
    let repository = format!(
        "<repository repository_gpgcheck=\"false\"><source path=\"debian://one@{time}\"/></repository>"
    );
    let run = case.run(&repository, &["tool"], &[]);
    assert_eq!(run.error(), (1, "no-repository"), "{}", run.last());
    case.variables = vec![("KIWI_DEBIAN_SNAPSHOT_MIRROR", server.url() + "/")];
    let _ = case.run(&repository, &["tool"], &[]).done();
    assert!(server.requests().contains(&format!("/debian-security/{time}/dists/one-security/Release")));
}

#[test]
fn errors_name_packages_with_their_position_and_the_reason() {
    let case = Case::new("");
    let server = Web::serve(&case.path("mirror"));
    let repository = unsigned(&server.url());
    for (package, reason) in [
        ("toool", "did you mean tool?"),
        ("tool:i386", "i386 is not the architecture of the image, amd64"),
        ("mta", "a virtual package, provided by exim4, postfix"),
    ] {
        let run = case.run(&repository, &[package], &[]);
        assert_eq!(run.error(), (1, "packages"), "{}", run.last());
        assert!(run.names(&format!("{package} (description/config.xml:5:39; {reason})")), "{}", run.last());
    }
}

#[test]
fn errors_name_repository_url_and_origin() {
    let mut case = Case::new("");
    let server = Web::serve(&case.path("mirror"));
    let url = server.url();
    let other =
        format!("<repository type=\"apt-deb\" distribution=\"two\"><source path=\"{url}\"/></repository>");
    let run = case.run(&other, &["tool"], &[]);
    assert_eq!(run.error(), (1, "repository-unreachable"), "{}", run.last());
    assert!(
        run.names(&format!("{url}/dists/two/Release: 404")) && run.names("config.xml:4:"),
        "{}",
        run.last()
    );
    case.variables = vec![("KIWI_DEBIAN_MIRROR", url.clone()), ("KIWI_DEBIAN_SECURITY_MIRROR", url.clone())];
    let release = "<repository alias=\"ours\"><source path=\"debian://two\"/></repository>";
    let run = case.run(release, &["tool"], &[]);
    assert!(run.names("debian://two") && run.names("the variable KIWI_DEBIAN_MIRROR"), "{}", run.last());
    let run = case.run(release, &["tool"], &["--set-repo", "debian://three"]);
    assert!(run.names("debian://three") && run.names("--set-repo"), "{}", run.last());
    // Two components of one suite with different trust.
    let signed = unsigned(&url).replace("repository_gpgcheck=\"false\"", "components=\"more\"");
    let run = case.run(&format!("{}\n{signed}", unsigned(&url)), &["tool"], &[]);
    assert_eq!(run.error(), (3, "invalid-description"), "{}", run.last());
    assert!(run.names("config.xml:4:") && run.names("config.xml:5:"), "{}", run.last());
}

#[test]
fn a_misspelt_component_is_a_warning_with_a_suggestion() {
    let case = Case::new("");
    let server = Web::serve(&case.path("mirror"));
    let repository =
        unsigned(&server.url()).replace("distribution", "components=\"main mainn\" distribution");
    let run = case.run(&repository, &["tool"], &[]).done();
    let warnings = run.warnings("repository");
    assert!(
        warnings.iter().any(|text| text.contains("no component mainn; did you mean main?")),
        "{warnings:?}"
    );
}
