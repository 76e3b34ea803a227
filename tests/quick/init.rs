//! `kiwi init`: every template passes `kiwi check`, nothing is overwritten, and the questions give the same as options.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use kiwi_tests::program::{checkout, kiwi};
use kiwi_tests::run::Run;

const TEMPLATES: [&str; 7] =
    ["server", "appliance", "cloud", "live-desktop", "rescue", "kiosk", "pxe-client"];
const DISTRIBUTIONS: [&str; 5] = ["debian-12", "debian-13", "opensuse-leap", "opensuse-tumbleweed", "fedora"];

fn run(directory: &Path, keywords: &[&str]) -> Run {
    Run::of(Command::new(kiwi()).args(keywords).current_dir(directory))
}

#[test]
fn every_template_gives_a_valid_description_without_warnings() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(directory.path().join("images")).unwrap();
    let debian =
        TEMPLATES.into_iter().flat_map(|template| [(template, "debian-12"), (template, "debian-13")]);
    let others = DISTRIBUTIONS[2..].iter().map(|distribution| ("server", *distribution));
    for (template, distribution) in debian.chain(others) {
        let repository: &[&str] =
            if distribution == "fedora" { &["--repository", "https://example.org/os"] } else { &[] };
        let keywords = ["init", template, "--distribution", distribution];
        let output = run(directory.path(), &[&keywords, repository].concat()).done();
        let made = format!("{distribution}-{template}");
        let outcome = output.outcome();
        assert_eq!((&outcome["directory"], &outcome["template"]), (&json!(made), &json!(template)));
        assert_eq!(&outcome["distribution"], distribution);
        let nobody = outcome["login"].as_str().unwrap().starts_with("Nobody can log in yet");
        assert_eq!(nobody, matches!(template, "server" | "appliance" | "pxe-client" | "kiosk"), "{template}");
        let output = run(directory.path(), &["check", &made]);
        assert_eq!(output.code, 0, "{made}: {output:?}");
        let report = &output.outcome()["report"];
        let rules = report["diagnostics"].as_array().unwrap().iter().map(|one| &one["rule"]);
        assert_eq!(rules.count(), 0, "{made}: {report}");
        let script = directory.path().join(&made).join("config.sh");
        assert_eq!(std::fs::metadata(script).unwrap().permissions().mode() & 0o777, 0o755);
        let text = |path: &str| std::fs::read_to_string(directory.path().join(&made).join(path)).unwrap();
        assert_eq!(text("root/etc/hostname").trim_end(), made);
        assert!(text("root/etc/hosts").contains(&format!("127.0.1.1 {made}\n")));
    }
}

#[test]
fn a_key_is_read_from_its_file() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("key.pub"), "ssh-ed25519 AAAA tux@host\n").unwrap();
    let output = run(directory.path(), &["init", "server", "--user", "tux", "--ssh-key", "key.pub"]).done();
    assert_eq!(output.outcome()["login"], "Log in as tux by SSH with the key");
    let key = directory.path().join("debian-13-server/root/home/tux/.ssh/authorized_keys");
    assert_eq!(std::fs::read_to_string(key).unwrap(), "ssh-ed25519 AAAA tux@host\n");
    let output = run(directory.path(), &["check", "debian-13-server"]);
    assert_eq!(output.code, 0, "{output:?}");
    assert_eq!(run(directory.path(), &["init", "server", "--ssh-key", "missing"]).error(), (2, "usage"));
}

/// The boot test builds what init makes of Debian 13; the example people copy has the same packages.
#[test]
fn the_template_of_debian_13_is_the_example_without_its_profile() {
    let directory = tempfile::tempdir().unwrap();
    let _ = run(directory.path(), &["init", "server"]).done();
    let facts = |path: &str| -> [Value; 3] {
        let output = run(directory.path(), &["info", path]).done();
        ["packages", "repositories", "build"].map(|part| output.outcome()["info"][part].clone())
    };
    let example = checkout().join("examples/debian-13-server");
    assert_eq!(facts("debian-13-server"), facts(example.to_str().unwrap()));
}

#[test]
fn never_overwrites_a_file() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("mine")).unwrap();
    std::fs::write(directory.path().join("mine/file"), "precious").unwrap();
    let output = run(directory.path(), &["init", "server", "--directory", "mine"]);
    assert_eq!(output.error(), (1, "exists"));
    std::fs::create_dir(directory.path().join("empty")).unwrap();
    let _ = run(directory.path(), &["init", "server", "--directory", "empty"]).done();
    let names = std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = names.collect();
    names.sort();
    assert_eq!(names, ["empty", "mine"], "nothing else may remain");
}

#[test]
fn rejects_a_missing_template_without_a_terminal() {
    let directory = tempfile::tempdir().unwrap();
    let output = run(directory.path(), &["init"]);
    assert_eq!(output.error(), (2, "usage"));
    assert!(TEMPLATES.iter().all(|template| output.names(template)), "{output:?}");
    assert_eq!(
        run(directory.path(), &["init", "server", "--distribution", "debian-99"]).error(),
        (2, "usage")
    );
}

/// Runs `kiwi init` on a terminal of its own and types `answers`.
#[test]
fn answers_at_the_terminal_give_the_same_as_options() {
    let directory = tempfile::tempdir().unwrap();
    let mut child = Command::new("script")
        .args(["--quiet", "--return", "--command"])
        .arg(format!("{} init", kiwi().display()))
        .arg("/dev/null")
        .current_dir(directory.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script of bsdutils is needed");
    // Template (one wrong), distribution, name, repository, type, locale, keys, zone, user, directory.
    let answers = "desktop\nappliance\ndebian-12\nasked\n\next4\nde_DE\n\n\n\n\n";
    child.stdin.take().unwrap().write_all(answers.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{shown}");
    let options = [
        "init",
        "appliance",
        "--distribution",
        "debian-12",
        "--name",
        "asked",
        "--type",
        "ext4",
        "--locale",
        "de_DE",
        "--directory",
        "by-options",
    ];
    let _ = run(directory.path(), &options).done();
    let text = |name: &str| std::fs::read_to_string(directory.path().join(name).join("config.xml")).unwrap();
    assert_eq!(text("asked"), text("by-options"));
}
