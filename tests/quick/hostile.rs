//! Hostile descriptions: each is an error within a second of CPU time and 200 MiB, in every format.

use std::fs;
use std::path::Path;
use std::process::Command;

use kiwi_tests::program::kiwi;

/// Address space, of which memory is a part, in KiB.
const SPACE: u32 = 200 << 10;

/// Seconds of CPU time, which do not depend on the load of the machine: one for a release build. The program that
/// cargo builds for a quick run is not optimised.
fn seconds() -> u32 {
    if kiwi().parent().is_some_and(|directory| directory.ends_with("release")) { 1 } else { 10 }
}

/// Checks the description in `directory`; one of its errors must be of `rule`. The kernel kills a program that
/// takes more than its limits, and then there is no exit code.
fn refused(directory: &Path, name: &str, rule: &str) {
    let output = Command::new("sh")
        .arg("-c")
        .arg(format!("ulimit -v {SPACE}; ulimit -t {}; exec \"$0\" check --format json \"$1\"", seconds()))
        .arg(kiwi())
        .arg(directory.join(name))
        .output()
        .expect("sh runs");
    let printed = String::from_utf8_lossy(&output.stderr);
    let shown = &printed[..printed.floor_char_boundary(2000)];
    assert!(output.status.code().is_some_and(|code| code != 0), "{name}: {:?}: {shown}", output.status);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a report");
    let diagnostics = report["diagnostics"].as_array().expect("diagnostics");
    assert!(diagnostics.iter().any(|one| one["rule"] == rule), "{name}: expected {rule}: {shown}");
}

fn text_refused(name: &str, text: impl AsRef<[u8]>) {
    text_refused_by(name, text, "readable-text");
}

fn text_refused_by(name: &str, text: impl AsRef<[u8]>, rule: &str) {
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(directory.path().join(name), text).expect("a file");
    refused(directory.path(), name, rule);
}

#[test]
fn rejects_texts_that_expand() {
    let mut entities = "<!DOCTYPE image [<!ENTITY a0 \"ha\">".to_owned();
    for level in 1..30 {
        let before = level - 1;
        entities.push_str(&format!("<!ENTITY a{level} \"&a{before};&a{before};&a{before};&a{before};\">"));
    }
    text_refused("config.xml", entities + "]><image>&a29;</image>");
    let mut aliases = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..30 {
        let before = format!("*a{}, ", level - 1).repeat(10);
        aliases.push_str(&format!("a{level}: &a{level} [{before}]\n"));
    }
    text_refused("config.yaml", aliases);
    let mut merged = "a0: &a0 {x: y}\n".to_owned();
    for level in 1..200 {
        let before = level - 1;
        merged.push_str(&format!(
            "a{level}: &a{level} {{b{level}: *a{before}, <<: [*a{before}, *a{before}]}}\n"
        ));
    }
    text_refused("config.yaml", merged);
}

#[test]
fn rejects_large_files_without_reading_them() {
    let directory = tempfile::tempdir().expect("a directory");
    for format in ["xml", "yaml", "toml", "json"] {
        let name = format!("config.{format}");
        fs::File::create(directory.path().join(&name)).expect("a file").set_len(100 << 20).expect("a size");
        refused(directory.path(), &name, "readable-text");
    }
}

#[test]
fn rejects_deep_nesting() {
    let deep = 100_000;
    text_refused("config.xml", format!("<image>{}", "<a>".repeat(deep)));
    text_refused("config.xml", format!("<image>{}{}</image>", "<a>".repeat(500), "</a>".repeat(500)));
    text_refused("config.xml", "<a xmlns:a=\"b\">".repeat(deep));
    text_refused("config.yaml", format!("image: {}", "[".repeat(deep)));
    text_refused("config.yaml", format!("image: {}", "{a: ".repeat(deep)));
    text_refused("config.yaml", format!("image:\n {}x", "- ".repeat(deep)));
    text_refused("config.toml", format!("image = {}", "[".repeat(deep)));
    text_refused("config.toml", format!("image = {}", "{a = ".repeat(deep)));
    text_refused("config.toml", format!("[image{}]", ".a".repeat(deep)));
    text_refused("config.toml", format!("[image]\na{} = 1", ".a".repeat(deep)));
    text_refused("config.json", format!("{{\"image\": {}", "[".repeat(deep)));
    text_refused("config.json", format!("{{\"image\": {}1{}}}", "{\"a\": ".repeat(deep), "}".repeat(deep)));
}

#[test]
fn rejects_bytes_that_are_not_text() {
    for (name, before, after) in [
        ("config.xml", "<image name=\"", "\"/>"),
        ("config.yaml", "image: \"", "\""),
        ("config.toml", "image = \"", "\""),
        ("config.json", "{\"image\": \"", "\"}"),
    ] {
        text_refused(name, [before.as_bytes(), b"\xff\xfe", after.as_bytes()].concat());
        text_refused(name, [before.as_bytes(), b"\0", after.as_bytes()].concat());
    }
}

#[test]
fn rejects_endless_mistakes() {
    let many = 60_000;
    text_refused("config.xml", format!("<image {}/>", "a=\"\" ".repeat(many)));
    text_refused_by(
        "config.xml",
        "<image schemaversion=\"8.5\">".to_owned() + &"<nonsense/>".repeat(many) + "</image>",
        "too-many-problems",
    );
    text_refused_by(
        "config.xml",
        "<image schemaversion=\"8.5\">".to_owned() + &"<tpye/>".repeat(many) + "</image>",
        "too-many-problems",
    );
    let profiles: String =
        (0..30_000).map(|n| format!("<packages type=\"image\" profiles=\"p{n}\"/>")).collect();
    text_refused_by(
        "config.xml",
        format!("<image schemaversion=\"8.5\" name=\"x\">{profiles}</image>"),
        "too-many-problems",
    );
    text_refused("config.xml", format!("<image>{}", "<a/>".repeat(500_000)));
    text_refused("config.yaml", format!("image: [{}]", "a, ".repeat(690_000)));
    text_refused("config.yaml", format!("image: {}", "? ".repeat(many)));
    text_refused("config.yaml", format!("image: {}", "&a ".repeat(many)));
    text_refused("config.yaml", format!("image: \"{}", "a".repeat(2_000_000)));
    text_refused("config.toml", format!("image = [{}]", "1,".repeat(1_000_000)));
    let keys: String = (0..100_000).map(|n| format!("k{n} = 1\n")).collect();
    text_refused("config.toml", format!("[image]\n{keys}"));
    text_refused("config.json", format!("{{\"image\": [{}1]}}", "1,".repeat(1_000_000)));
}

#[test]
fn rejects_includes_in_circles_and_outside_of_the_description() {
    let directory = tempfile::tempdir().expect("a directory");
    let include =
        |path: &str| format!("<image schemaversion=\"8.5\" name=\"x\"><include from=\"{path}\"/></image>");
    fs::write(directory.path().join("config.xml"), include("a.xml")).expect("a file");
    fs::write(directory.path().join("a.xml"), include("b.yaml")).expect("a file");
    fs::write(directory.path().join("b.yaml"), "image: {include: {from: config.xml}}").expect("a file");
    refused(directory.path(), "config.xml", "include");
    fs::write(directory.path().join("config.xml"), include("../../../../../../../etc/passwd"))
        .expect("a file");
    refused(directory.path(), "config.xml", "include");
    std::os::unix::fs::symlink("/etc/passwd", directory.path().join("link.xml")).expect("a link");
    fs::write(directory.path().join("config.xml"), include("link.xml")).expect("a file");
    refused(directory.path(), "config.xml", "include");
    // Twice at each level, so that ten levels are a thousand files.
    for level in 0..12 {
        let next = format!("<include from=\"l{}.xml\"/>", level + 1);
        fs::write(directory.path().join(format!("l{level}.xml")), format!("<image>{next}{next}</image>"))
            .expect("a file");
    }
    fs::write(directory.path().join("l12.xml"), "<image/>").expect("a file");
    fs::write(directory.path().join("config.xml"), include("l0.xml")).expect("a file");
    refused(directory.path(), "config.xml", "include");
}
