//! `--json`: every line is valid by `docs/json.schema.json`, and the last one is the only `result` or `error`.

use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use kiwi::artifact::Role;
use kiwi::failure::Kind;
use kiwi::host::{StageTask, Warning};
use kiwi_tests::program::{checkout, kiwi};

const GOOD: &str = r#"<image schemaversion="8.5" name="j">
  <description type="system"><author>A</author><contact>a@example.org</contact><specification>S</specification></description>
  <profiles><profile name="gui" description="with a screen"/></profiles>
  <preferences><version>1.0.0</version><packagemanager>apt</packagemanager><type image="ext4"/></preferences>
  <repository><source path="debian://bookworm"/></repository>
  <packages type="image"><package name="less"/></packages>
</image>"#;

/// A directory with descriptions: right, wrong, old, and right but not built.
fn directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let old = r#"<image name="old" schemeversion="1.4"><description type="system"><author>A</author>
<contact>C</contact><specification>S</specification></description>
<preferences><type primary="true">ext3</type><version>1.0.0</version><packagemanager>apt</packagemanager></preferences>
<repository type="apt-deb"><source path="debian://bookworm"/></repository>
<packages type="image"><package name="less"/></packages></image>"#;
    for (name, text) in [
        ("good", GOOD.to_owned()),
        ("wrong", GOOD.replace("version>", "verzion>")),
        ("old", old.to_owned()),
        ("zypper", GOOD.replace(">apt<", ">pacman<")),
        ("guest", GOOD.replace("image=\"ext4\"", "image=\"enclave\"")),
        ("alone", GOOD.replace("<repository><source path=\"debian://bookworm\"/></repository>", "")),
    ] {
        std::fs::create_dir(directory.path().join(name)).unwrap();
        std::fs::write(directory.path().join(name).join("config.xml"), text).unwrap();
    }
    directory
}

/// Exit code and events of `kiwi --json WORDS`.
fn events(directory: &Path, words: &[&str]) -> (i32, Vec<Value>) {
    let output = Command::new(kiwi())
        .arg("--json")
        .args(words)
        .current_dir(directory)
        .env("KIWI_CACHE", directory.join("cache"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let events =
        text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{words:?}: {line}")));
    (output.status.code().expect("an exit code"), events.collect())
}

/// The JSON Schema's own validator is the judge.
fn validate(directory: &Path, lines: &[Value]) {
    let path = directory.join("events");
    std::fs::write(&path, Value::from(lines.to_vec()).to_string()).unwrap();
    let script = "import json, sys, jsonschema
schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
for line in json.load(open(sys.argv[2])):
    for error in validator.iter_errors(line):
        sys.exit(f'{line}: {error.message}; {[one.message for one in error.context or []]}')";
    let schema = checkout().join("docs/json.schema.json");
    let output = Command::new("python3")
        .args(["-c", script])
        .arg(schema)
        .arg(path)
        .output()
        .expect("python3 is needed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn every_line_is_valid_and_the_last_is_the_only_end() {
    let directory = directory();
    let here = directory.path();
    // What is asked, the exit code, and the kind of the outcome or of the error.
    let cases: [(&[&str], i32, &str); 21] = [
        (&["list"], 0, "boot-images"),
        (&["list-profiles", "good"], 0, "profiles"),
        (&["check", "good"], 0, "checked"),
        (&["check", "old"], 0, "checked"),
        (&["check", "wrong"], 3, "invalid-description"),
        (&["check", "zypper"], 4, "not-built"),
        (&["check", "nowhere"], 1, "file"),
        (&["info", "good"], 0, "info"),
        (&["info", "old"], 0, "info"),
        (&["convert", "old"], 0, "converted"),
        (&["convert", "old", "--output", "new.xml"], 0, "converted"),
        (&["convert", "good", "--to", "xml", "--to", "yaml"], 2, "usage"),
        (&["init", "server", "--directory", "made"], 0, "initialized"),
        (&["cache", "list"], 0, "cache"),
        (&["cache", "prune"], 0, "pruned"),
        (&["cache", "verify"], 0, "verified"),
        (&["result", "list", "--target-dir", "."], 1, "file"),
        (&["prepare", "alone", "--root", "root"], 1, "no-repository"),
        (&["prepare", "zypper", "--root", "root"], 4, "not-built"),
        (&["build", "--no-such-option"], 2, "usage"),
        (&["outdated", "good"], 2, "file"),
    ];
    let mut all = Vec::new();
    for (words, code, kind) in cases {
        let (found, events) = events(here, words);
        assert_eq!(found, code, "{words:?}: {events:?}");
        let ends = events.iter().filter(|event| event["event"] == "result" || event["event"] == "error");
        assert_eq!(ends.count(), 1, "{words:?}: {events:?}");
        let last = events.last().unwrap();
        let of_last = if code == 0 { &last["outcome"]["kind"] } else { &last["kind"] };
        assert_eq!(of_last, kind, "{words:?}: {last}");
        all.extend(events);
    }
    validate(here, &all);
}

#[test]
fn diff_ends_with_0_1_or_2() {
    let directory = directory();
    let here = directory.path();
    let (code, same) = events(here, &["diff", "good", "good"]);
    assert_eq!((code, &same.last().unwrap()["outcome"]["same"]), (0, &json!(true)));
    let (code, differ) = events(here, &["diff", "--no-times", "good", "zypper"]);
    let differences = &differ.last().unwrap()["outcome"]["differences"];
    assert_eq!(
        (code, &differences[0]["path"], &differences[0]["inside"]),
        (1, &json!("/config.xml"), &json!([]))
    );
    let (code, failed) = events(here, &["diff", "good", "nowhere"]);
    assert_eq!((code, &failed.last().unwrap()["kind"]), (2, &json!("file")));
    validate(here, &[same, differ, failed].concat());
}

/// Waits until something connects to `listener`.
fn accept(listener: &TcpListener) -> TcpStream {
    listener.set_nonblocking(true).unwrap();
    let limit = Instant::now() + Duration::from_secs(120);
    loop {
        match listener.accept() {
            Ok((stream, _)) => return stream,
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
        assert!(Instant::now() < limit, "kiwi did not read its repository");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_signal_ends_the_run_with_its_exit_code_and_an_error_event() {
    for (signal, code) in [("HUP", 129), ("INT", 130), ("TERM", 143)] {
        let directory = directory();
        // A repository that never answers.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let repository = format!(
            "<repository type=\"apt-deb\" distribution=\"x\"><source path=\"http://{address}/\"/></repository>"
        );
        let text = GOOD.replace("<repository><source path=\"debian://bookworm\"/></repository>", &repository);
        std::fs::write(directory.path().join("good/config.xml"), text).unwrap();
        let child = Command::new(kiwi())
            .args(["--json", "prepare", "good", "--root", "root"])
            .current_dir(directory.path())
            .env("KIWI_CACHE", directory.path().join("cache"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let connection = accept(&listener);
        let sent = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let output = child.wait_with_output().unwrap();
        drop(connection);
        assert_eq!(output.status.code(), Some(code), "{signal}");
        let text = String::from_utf8(output.stdout).unwrap();
        let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let last = events.last().expect("an event");
        assert_eq!(
            (&last["event"], &last["kind"], &last["exit_code"]),
            (&json!("error"), &json!("interrupted"), &json!(code)),
            "{signal}"
        );
        let stage = events.iter().find(|event| event["event"] == "stage").expect("a stage");
        assert_eq!(stage["task"], "read-repositories");
        assert!(!directory.path().join("root").exists(), "{signal}: a part of a tree stays");
        validate(directory.path(), &events);
    }
}

#[test]
fn warnings_and_errors_have_positions() {
    let directory = directory();
    let (_, old) = events(directory.path(), &["info", "old"]);
    let warnings: Vec<&Value> = old.iter().filter(|event| event["event"] == "warning").collect();
    assert!(warnings.iter().all(|warning| warning["position"]["file"] == "old/config.xml"), "{warnings:?}");
    let (_, wrong) = events(directory.path(), &["check", "wrong"]);
    let error = wrong.last().unwrap();
    assert_eq!(error["position"], json!({"file": "wrong/config.xml", "line": 4, "column": 17}));
    for (name, column) in [("zypper", 56), ("guest", 89)] {
        let (code, events) = events(directory.path(), &["build", name, "--destdir", "."]);
        let error = events.last().unwrap();
        assert_eq!((code, &error["kind"]), (4, &json!("not-built")), "{error}");
        let file = format!("{name}/config.xml");
        assert_eq!(error["position"], json!({"file": file, "line": 4, "column": column}), "{error}");
    }
    assert_eq!((&error["report"]["valid"], &error["report"]["errors"]), (&json!(false), &json!(1)));
}

#[test]
fn handbook_and_schema_list_every_kind_role_task_and_code() {
    let page = std::fs::read_to_string(checkout().join("docs/json.md")).unwrap();
    for kind in Kind::ALL {
        let row =
            format!("| `{}` | {} |", serde_json::to_value(kind).unwrap().as_str().unwrap(), kind.exit_code());
        assert!(page.contains(&row), "docs/json.md lacks {row}");
    }
    let schema: Value =
        serde_json::from_str(&std::fs::read_to_string(checkout().join("docs/json.schema.json")).unwrap())
            .unwrap();
    let listed =
        |definition: &str, field: &str| schema["$defs"][definition]["properties"][field]["enum"].clone();
    let keywords = Kind::ALL.map(|kind| serde_json::to_value(kind).unwrap());
    assert_eq!(listed("error", "kind"), Value::from(keywords.to_vec()));
    // A container image is an `image`, as a disk is.
    assert_eq!(listed("artifact", "role"), json!(Role::ALL.map(Role::keyword)));
    for role in Role::ALL {
        assert!(page.contains(&format!("`{}`", role.keyword())), "docs/json.md lacks {}", role.keyword());
    }
    let stages = kiwi::stage::Stage::ALL.map(kiwi::stage::Stage::keyword);
    assert_eq!(listed("stage", "cached"), json!(stages));
    for task in StageTask::ALL {
        let row = format!("| `{}` | ", serde_json::to_value(task).unwrap().as_str().unwrap());
        assert!(page.contains(&row), "docs/json.md lacks {row}");
    }
    for warning in Warning::ALL {
        assert!(
            page.contains(&format!("| `{}` |", warning.keyword())),
            "docs/json.md lacks {}",
            warning.keyword()
        );
    }
}

/// Gives lines of events to the example; returns its exit code and the summary.
fn summary(events: &str) -> (i32, String) {
    use std::io::Write;
    let script = checkout().join("examples/ci/job-summary");
    let mut python = Command::new("python3");
    let pipe = Stdio::piped;
    let mut child = python.arg(script).stdin(pipe()).stdout(pipe()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(events.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn example_makes_a_job_summary_of_the_events() {
    let case = kiwi_tests::case::Case::good();
    let text = std::fs::read_to_string(case.path("desc/config.xml")).unwrap();
    case.file("config.xml", &text.replace("<packagemanager>", "<pakagemanager>"));
    let mut kiwi = Command::new(kiwi());
    let output = kiwi.args(["check", &case.path("desc"), "--json"]).output().unwrap();
    let (code, text) = summary(&String::from_utf8(output.stdout).unwrap());
    assert_eq!(code, 3, "the exit code of kiwi");
    assert!(text.starts_with("## kiwi failed: invalid-description"), "{text}");
    let events = r#"{"event": "stage", "state": "started", "name": "a|b", "id": 1, "version": 1}
{"event": "stage", "state": "reused", "name": "a|b", "seconds": 1.5, "id": 1, "version": 1}
{"event": "artifact", "path": "x.raw", "role": "image", "size": 3145728, "version": 1}
{"event": "of the future", "version": 1}
{"event": "result", "verb": "build", "outcome": {"kind": "artifacts"}, "version": 1}
"#;
    let (code, text) = summary(events);
    let rows = ["| `x.raw` | image | 3.0 MiB |", "| a\\|b | 1.5 s | reused |"];
    assert!(code == 0 && rows.iter().all(|row| text.contains(row)), "{text}");
    assert_eq!(summary("").0, 1, "kiwi was killed");
}
