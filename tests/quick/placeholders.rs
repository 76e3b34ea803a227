//! Sources of packages that only stand for repositories: valid everywhere, refused by a build that would read them.

use std::path::Path;
use std::process::{Command, Output};

use kiwi_tests::program::kiwi;
use serde_json::{Value, json};

/// Returns a directory with a description whose repositories have these paths, each on a line of its own.
fn described(sources: &[&str]) -> tempfile::TempDir {
    let repositories: String =
        sources.iter().map(|path| format!("<repository><source path=\"{path}\"/></repository>\n")).collect();
    let text = format!(
        "<image schemaversion=\"8.5\" name=\"service\"><description type=\"system\"><author>A</author>\
         <contact>C</contact><specification>S</specification></description>\n<preferences><version>1.0.0</version>\
         <packagemanager>apt</packagemanager><type image=\"tbz\"/></preferences>\n{repositories}\
         <packages type=\"bootstrap\"><package name=\"base-files\"/></packages></image>\n"
    );
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("desc")).unwrap();
    std::fs::write(directory.path().join("desc/config.xml"), text).unwrap();
    directory
}

fn run(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(kiwi()).args(arguments).current_dir(directory).output().unwrap()
}

/// Returns the last event of `--json`.
fn last_event(directory: &Path, arguments: &[&str]) -> Value {
    let output = run(directory, &[arguments, &["--json"]].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    serde_json::from_str(text.lines().last().expect("an event")).unwrap()
}

const SOURCES: [&str; 5] = [
    "obsrepositories:/",
    "obs://inherited_from_system_image_description",
    "iso:///image/CDs/dvd.iso",
    "https://{SERVER}/standard",
    "{REPOSITORY}",
];

#[test]
fn a_placeholder_is_valid_and_check_says_what_a_build_needs() {
    for source in SOURCES {
        let directory = described(&[source]);
        for arguments in [["info", "desc"], ["convert", "desc"]] {
            assert_eq!(run(directory.path(), &arguments).status.code(), Some(0), "{source} {arguments:?}");
        }
        let output = run(directory.path(), &["check", "desc", "--format", "json"]);
        assert_eq!(output.status.code(), Some(0), "{source}");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let [warning] = report["diagnostics"].as_array().unwrap().as_slice() else { panic!("{report}") };
        assert_eq!(
            (&warning["severity"], &warning["rule"], &warning["start"]["line"], &warning["start"]["column"]),
            (&json!("warning"), &json!("repository-to-replace"), &json!(3), &json!(27)),
            "{source}"
        );
    }
}

#[test]
fn a_build_refuses_a_placeholder_that_nothing_replaces_at_its_position() {
    let directory = described(&["debian://bookworm", "obsrepositories:/"]);
    for verb in [["prepare", "desc", "--root", "tree"], ["build", "desc", "--destdir", "."]] {
        let last = last_event(directory.path(), &verb);
        assert_eq!((&last["event"], &last["kind"]), (&json!("error"), &json!("no-repository")), "{verb:?}");
        assert_eq!(last["position"]["line"], json!(4), "{last}");
        let remedy = last["remedy"].as_str().unwrap_or_default();
        for option in ["--set-repo", "--add-repo", "--ignore-repos"] {
            assert!(remedy.contains(option), "{remedy}");
        }
        assert!(!directory.path().join("tree").exists(), "refused before any work");
    }
}

#[test]
fn repositories_of_the_command_line_replace_placeholders() {
    let directory = described(&["obsrepositories:/", "obs://inherited"]);
    let replacement = "http://127.0.0.1:1/debian";
    for options in [
        vec!["--set-repo", replacement, "--set-repotype", "apt-deb"],
        vec!["--add-repo", replacement, "--add-repotype", "apt-deb"],
        vec!["--ignore-repos", "--add-repo", replacement, "--add-repotype", "apt-deb"],
    ] {
        let verb = [vec!["prepare", "desc", "--root", "tree"], options.clone()].concat();
        let last = last_event(directory.path(), &verb);
        assert_eq!(last["kind"], json!("repository-unreachable"), "{options:?}: {last}");
    }
    let verb = ["prepare", "desc", "--root", "tree", "--set-repo", "obsrepositories:/"];
    assert_eq!(run(directory.path(), &verb).status.code(), Some(2), "a placeholder replaces nothing");
}
