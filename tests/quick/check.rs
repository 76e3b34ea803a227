//! `kiwi check`: its documents for programs, its exit codes, and which file it reads.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use kiwi_tests::program::kiwi;

const GOOD: &str = r#"<image schemaversion="8.5" name="checked">
  <description type="system"><author>A</author><contact>a@example.org</contact><specification>S</specification></description>
  <preferences><version>1.0.0</version><packagemanager>apt</packagemanager><type image="ext4"/></preferences>
  <repository><source path="debian://bookworm"/></repository>
  <packages type="image"><package name="less"/></packages>
</image>
"#;

/// A directory with the description `text`.
fn described(text: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("desc")).unwrap();
    std::fs::write(directory.path().join("desc/config.xml"), text).unwrap();
    directory
}

fn run(directory: &Path, keywords: &[&str]) -> Output {
    Command::new(kiwi()).args(keywords).current_dir(directory).output().unwrap()
}

fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).expect("one JSON document on standard output")
}

#[test]
fn scripts_that_a_build_refuses_are_errors() {
    let windows = "#!/bin/sh\r\ntrue\r\n";
    for (path, text) in [
        ("config.sh", Some(windows)),
        ("config.sh", None),
        ("config/less", Some(windows)),
        ("images.sh", Some(windows)),
        ("images.sh", None),
        ("post_bootstrap.sh", Some(windows)),
    ] {
        let directory = described(GOOD);
        let script = directory.path().join("desc").join(path);
        std::fs::create_dir_all(script.parent().unwrap()).unwrap();
        match text {
            Some(text) => std::fs::write(script, text).unwrap(),
            None => std::fs::create_dir(script).unwrap(),
        }
        let output = run(directory.path(), &["check", "desc", "--format", "json"]);
        let report = document(&output);
        let found = report["diagnostics"].as_array().unwrap().iter().find(|one| one["rule"] == "script");
        let found = found.unwrap_or_else(|| panic!("{path}: {report}"));
        assert_eq!((output.status.code(), &found["severity"]), (Some(3), &json!("error")), "{path}");
        let built = run(directory.path(), &["--json", "prepare", "desc", "--root", "tree"]);
        let events = String::from_utf8(built.stdout).unwrap();
        let last: Value = serde_json::from_str(events.lines().last().unwrap()).unwrap();
        assert_eq!((built.status.code(), &last["message"]), (Some(3), &found["message"]), "{path}");
    }
}

#[test]
fn every_outcome_has_its_exit_code() {
    let directory = described(GOOD);
    let code = |keywords: &[&str]| run(directory.path(), keywords).status.code();
    assert_eq!(code(&["check", "desc"]), Some(0));
    assert_eq!(code(&["check", "nowhere"]), Some(1));
    assert_eq!(code(&["check", "desc", "--format", "xml"]), Some(2));
    assert_eq!(code(&["check", "desc", "--type", "iso"]), Some(3));
    assert_eq!(code(&["check", "desc", "--profile", "none"]), Some(3));
    let filtered = "</packagemanager><rpm-locale-filtering>true</rpm-locale-filtering>";
    let locales = described(&GOOD.replace("</packagemanager>", filtered));
    let output = run(locales.path(), &["check", "desc", "--format", "json"]);
    assert_eq!(output.status.code(), Some(4), "valid but not built");
    let report = document(&output);
    let [error] = report["diagnostics"].as_array().unwrap().as_slice() else { panic!("{report}") };
    assert_eq!((error["rule"].as_str(), error["start"]["line"].as_u64()), (Some("not-built"), Some(3)));
    let enclave = "<type image=\"enclave\"/>";
    let types =
        described(&GOOD.replace("<type image=\"ext4\"/>", &format!("<type image=\"ext4\"/>\n{enclave}")));
    let output = run(types.path(), &["check", "desc", "--format", "json", "--type", "enclave"]);
    assert_eq!(output.status.code(), Some(4), "a type that is not built");
    let start = &document(&output)["diagnostics"][0]["start"];
    assert_eq!((start["line"].as_u64(), start["column"].as_u64()), (Some(4), Some(14)), "at its keyword");
    let both = described(&GOOD.replace("</packagemanager>", filtered).replace("version>", "verzion>"));
    assert_eq!(run(both.path(), &["check", "desc"]).status.code(), Some(3), "errors have priority");
    let repository = "<repository><source path=\"debian://bookworm\"/></repository>";
    let none = described(&GOOD.replace(repository, ""));
    assert_eq!(
        run(none.path(), &["prepare", "desc", "--root", "root"]).status.code(),
        Some(1),
        "no repository"
    );
    let unreachable =
        "<repository type=\"apt-deb\" distribution=\"x\"><source path=\"http://127.0.0.1:1/\"/></repository>";
    let far = described(&GOOD.replace(repository, unreachable));
    let output = run(far.path(), &["prepare", "desc", "--root", "root", "--json"]);
    assert_eq!(output.status.code(), Some(1), "an unreachable repository");
    let last = String::from_utf8_lossy(&output.stdout).lines().last().unwrap_or_default().to_owned();
    let last: Value = serde_json::from_str(&last).unwrap();
    assert_eq!((&last["event"], &last["kind"]), (&json!("error"), &json!("repository-unreachable")));
    std::fs::remove_file(far.path().join("desc/config.xml")).unwrap();
    std::fs::create_dir(far.path().join("desc/config.xml")).unwrap();
    assert_eq!(run(far.path(), &["check", "desc"]).status.code(), Some(1), "an unreadable file");
}

#[test]
fn a_command_line_that_grub_would_change_is_not_built() {
    let code = |parameters: &str| {
        let image_type = format!("<type image=\"oem\" filesystem=\"ext4\" kernelcmdline=\"{parameters}\"/>");
        let directory = described(&GOOD.replace("<type image=\"ext4\"/>", &image_type));
        run(directory.path(), &["check", "desc"]).status.code()
    };
    assert_eq!(code("ds=nocloud;s=http://x/ pipe=|x {y} $z note=&quot;two words&quot;"), Some(0));
    for changed in ["say=it's", "path=C:\\x", "note=&quot;open"] {
        assert_eq!(code(changed), Some(4), "{changed}");
    }
}

#[test]
fn json_has_every_problem_with_its_position() {
    let text = GOOD.replace("version>", "verzion>");
    let offset = text.find("verzion").unwrap();
    let directory = described(&text);
    for keywords in [["check", "desc", "--format", "json"].as_slice(), &["--json", "check", "desc"]] {
        let output = run(directory.path(), keywords);
        assert_eq!(output.status.code(), Some(3));
        let events = keywords[0] == "--json";
        let report = if events { document(&output)["report"].clone() } else { document(&output) };
        assert_eq!(report["version"], 1);
        assert_eq!(report["valid"], false);
        assert_eq!(report["errors"], 1);
        let expected = json!({
            "severity": "error",
            "rule": "unknown-element",
            "message": "there is no element `<verzion>`",
            "label": "not an element of `<preferences>`",
            "help": "did you mean `<version>`?",
            "file": "desc/config.xml",
            "start": {"line": 3, "column": 17, "offset": offset},
            "end": {"line": 3, "column": 24, "offset": offset + 7},
        });
        assert_eq!(report["diagnostics"], json!([expected]));
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(said.lines().count(), usize::from(!events), "standard error repeats the report: {said}");
    }
}

#[test]
fn a_good_description_gives_an_empty_report() {
    let directory = described(GOOD);
    let output = run(directory.path(), &["check", "desc", "--format", "json"]);
    assert!(output.status.success());
    let expected = json!({"version": 1, "description": "desc/config.xml", "valid": true, "verdict": "right",
        "errors": 0, "warnings": 0, "diagnostics": [],
        "builds": [{"profiles": [], "type": "ext4", "selected": true, "verdict": "right"}]});
    assert_eq!(document(&output), expected);
}

/// What a reader of SARIF 2.1.0 relies on (its sections 3.13, 3.14, 3.18, 3.19, 3.27, 3.29 and 3.30).
#[test]
fn sarif_has_the_shape_of_its_standard() {
    let directory = described(&GOOD.replace("version>", "verzion>").replace("ext4", "ext44"));
    let output = run(directory.path(), &["check", "desc", "--format", "sarif"]);
    assert_eq!(output.status.code(), Some(3));
    let log = document(&output);
    assert_eq!(log["version"], "2.1.0");
    let runs = log["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 1);
    let driver = &runs[0]["tool"]["driver"];
    assert_eq!(driver["name"], "kiwi");
    let rules = driver["rules"].as_array().unwrap();
    let ids: Vec<&Value> = rules.iter().map(|rule| &rule["id"]).collect();
    assert_eq!(ids, ["unknown-element", "wrong-value"]);
    assert!(rules.iter().all(|rule| rule["shortDescription"]["text"].is_string()));
    let results = runs[0]["results"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(["none", "note", "warning", "error"].contains(&result["level"].as_str().unwrap()));
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        let location = &result["locations"][0]["physicalLocation"];
        assert_eq!(location["artifactLocation"]["uri"], "desc/config.xml");
        for edge in ["startLine", "startColumn", "endLine", "endColumn"] {
            assert!(location["region"][edge].as_u64().unwrap() >= 1, "{edge}");
        }
    }
}

#[test]
fn reports_an_unreadable_description_in_the_requested_form() {
    let directory = described("");
    std::fs::write(directory.path().join("desc/config.xml"), b"<image name=\"\xff\"/>").unwrap();
    for path in ["nowhere", "desc"] {
        let output = run(directory.path(), &["check", path, "--format", "json"]);
        assert_eq!(output.status.code(), Some(1), "{path}");
        let report = document(&output);
        assert_eq!((&report["valid"], &report["errors"]), (&json!(false), &json!(1)));
        assert_eq!(report["diagnostics"][0]["rule"], "readable-text", "{path}");
        let output = run(directory.path(), &["check", path, "--format", "sarif"]);
        assert_eq!(output.status.code(), Some(1), "{path}");
        let result = &document(&output)["runs"][0]["results"][0];
        assert_eq!(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], path);
        assert_eq!(result["ruleId"], "readable-text", "{path}");
    }
}

#[test]
fn old_keywords_are_warnings_and_no_errors() {
    let text = r#"<image name="old" schemeversion="1.4"><description type="system"><author>A</author>
<contact>C</contact><specification>S</specification></description>
<preferences><type primary="true">ext3</type><version>1.0.0</version><packagemanager>apt</packagemanager></preferences>
<repository type="apt-deb"><source path="debian://bookworm"/></repository>
<packages type="image"><package name="less"/></packages></image>"#;
    let directory = described(text);
    let output = run(directory.path(), &["check", "desc", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0));
    let report = document(&output);
    let diagnostics = report["diagnostics"].as_array().unwrap();
    assert!(diagnostics.iter().all(|one| one["severity"] == "warning"), "{report}");
    let at = |line: u64, column: u64| {
        diagnostics.iter().any(|one| one["start"]["line"] == line && one["start"]["column"] == column)
    };
    assert!(at(1, 34) && diagnostics.iter().any(|one| one["start"]["line"] == 3), "{report}");
}

#[test]
fn an_error_of_another_type_is_a_warning_until_the_type_is_selected() {
    let directory = described(&GOOD.replace(
        "<type image=\"ext4\"/>",
        "<type image=\"ext4\"/><type image=\"appx\" metadata_path=\"x\"/>",
    ));
    let output = run(directory.path(), &["check", "desc", "--format", "json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report = document(&output);
    assert_eq!(
        (report["errors"].as_u64(), report["diagnostics"][0]["severity"].as_str()),
        (Some(0), Some("warning"))
    );
    let output = run(directory.path(), &["check", "desc", "--format", "json", "--type", "appx"]);
    assert_eq!(output.status.code(), Some(4));
    let rule = &report["diagnostics"][0]["rule"];
    assert_eq!(
        (&document(&output)["diagnostics"][0]["rule"], rule),
        (&json!("not-built"), &json!("not-built"))
    );
}

#[test]
fn reports_a_missing_repository_and_a_missing_boot_image_description() {
    let report = |text: &str| {
        let directory = described(text);
        let output = run(directory.path(), &["check", "desc", "--format", "json"]);
        (output.status.code(), document(&output)["diagnostics"].clone())
    };
    let repository = "<repository><source path=\"debian://bookworm\"/></repository>";
    let (code, found) = report(&GOOD.replace(repository, ""));
    assert_eq!((code, found[0]["rule"].as_str()), (Some(0), Some("repository-to-install-from")));
    let disk = |boot: &str| format!("<type image=\"oem\" filesystem=\"ext4\" boot=\"{boot}\"/>");
    let one = "<type image=\"ext4\"/>";
    assert_eq!(report(&GOOD.replace(one, &disk("oemboot/debian-13"))), (Some(0), json!([])));
    let (code, found) = report(&GOOD.replace(one, &disk("oemboot/suse-13.2")));
    assert_eq!(
        (code, found[0]["start"]["line"].as_u64()),
        (Some(4), Some(3)),
        "another kiwi has it: {found}"
    );
    let (code, found) = report(&GOOD.replace(one, &format!("{one}{}", disk("oemboot/suse-13.2"))));
    assert_eq!((code, &found[0]["severity"]), (Some(0), &json!("warning")), "of another type");
}

#[test]
fn a_file_of_the_directory_can_be_named() {
    let directory = described("<image/>");
    std::fs::write(directory.path().join("desc/other.kiwi"), GOOD).unwrap();
    let path = "desc/other.kiwi";
    for keywords in [["check", "desc", "--kiwi-file", "other.kiwi"].as_slice(), &["check", path]] {
        let output = run(directory.path(), &[keywords, &["--format", "json"]].concat());
        assert_eq!(output.status.code(), Some(0));
        let report = document(&output);
        assert_eq!((&report["description"], &report["valid"]), (&json!(path), &json!(true)));
    }
}

#[test]
fn a_missing_inherited_description_is_reported_at_its_attribute() {
    let directory = described(&GOOD.replace("name=\"checked\"", "name=\"checked\" inherit=\"../nowhere\""));
    let output = run(directory.path(), &["check", "desc", "--format", "json"]);
    assert_eq!(output.status.code(), Some(3));
    let report = document(&output);
    let [error] = report["diagnostics"].as_array().unwrap().as_slice() else { panic!("{report}") };
    assert_eq!((error["start"]["line"].as_u64(), error["start"]["column"].as_u64()), (Some(1), Some(52)));
}
