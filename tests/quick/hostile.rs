//! Descriptions that were written to do harm: an error within a second of CPU time and 200 MiB, in every format.

use std::fs;
use std::path::Path;
use std::process::Command;

use kiwi_tests::program::kiwi;

/// Address space, of which memory is a part, in KiB.
const SPACE: u32 = 200 << 10;

/// Seconds of CPU time, which what else the machine does leaves alone: one for the release build that `KIWI` names, as
/// the whole run has it. The program cargo builds for a quick run is not optimised.
fn seconds() -> u32 {
    if std::env::var_os("KIWI").is_some() { 1 } else { 10 }
}

/// Checks the description in `directory`, which must end with an error that says `expected`. The kernel ends a program
/// that takes more than its limits, and then there is no exit code.
fn refused(directory: &Path, name: &str, expected: &str) {
    let output = Command::new("sh")
        .arg("-c")
        .arg(format!("ulimit -v {SPACE}; ulimit -t {}; exec \"$0\" check \"$1\"", seconds()))
        .arg(kiwi())
        .arg(directory.join(name))
        .output()
        .expect("sh runs");
    let told = String::from_utf8_lossy(&output.stderr);
    let shown = &told[..told.floor_char_boundary(2000)];
    assert!(output.status.code().is_some_and(|code| code != 0), "{name}: {:?}: {shown}", output.status);
    assert!(told.contains(expected), "{name}: expected {expected:?}: {shown}");
}

fn text_refused(name: &str, text: impl AsRef<[u8]>, expected: &str) {
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(directory.path().join(name), text).expect("a file");
    refused(directory.path(), name, expected);
}

#[test]
fn texts_that_grow_are_refused() {
    let mut entities = "<!DOCTYPE image [<!ENTITY a0 \"ha\">".to_owned();
    for level in 1..30 {
        let before = level - 1;
        entities.push_str(&format!("<!ENTITY a{level} \"&a{before};&a{before};&a{before};&a{before};\">"));
    }
    text_refused("config.xml", entities + "]><image>&a29;</image>", "document type");
    let mut aliases = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..30 {
        let before = format!("*a{}, ", level - 1).repeat(10);
        aliases.push_str(&format!("a{level}: &a{level} [{before}]\n"));
    }
    text_refused("config.yaml", aliases, "values");
    let mut merged = "a0: &a0 {x: y}\n".to_owned();
    for level in 1..200 {
        let before = level - 1;
        merged.push_str(&format!(
            "a{level}: &a{level} {{b{level}: *a{before}, <<: [*a{before}, *a{before}]}}\n"
        ));
    }
    text_refused("config.yaml", merged, "values");
}

#[test]
fn large_files_are_refused_unread() {
    let directory = tempfile::tempdir().expect("a directory");
    for format in ["xml", "yaml", "toml", "json"] {
        let name = format!("config.{format}");
        fs::File::create(directory.path().join(&name)).expect("a file").set_len(100 << 20).expect("a size");
        refused(directory.path(), &name, "the maximum size of a description");
    }
}

#[test]
fn nesting_without_end_is_refused() {
    let deep = 100_000;
    text_refused("config.xml", format!("<image>{}", "<a>".repeat(deep)), "open at once");
    text_refused(
        "config.xml",
        format!("<image>{}{}</image>", "<a>".repeat(500), "</a>".repeat(500)),
        "nested more than 32 deep",
    );
    text_refused("config.xml", "<a xmlns:a=\"b\">".repeat(deep), "open at once");
    text_refused("config.yaml", format!("image: {}", "[".repeat(deep)), "recursion limit");
    text_refused("config.yaml", format!("image: {}", "{a: ".repeat(deep)), "");
    text_refused("config.yaml", format!("image:\n {}x", "- ".repeat(deep)), "deep");
    text_refused("config.toml", format!("image = {}", "[".repeat(deep)), "recursion");
    text_refused("config.toml", format!("image = {}", "{a = ".repeat(deep)), "recursion");
    text_refused("config.toml", format!("[image{}]", ".a".repeat(deep)), "recursion");
    text_refused("config.toml", format!("[image]\na{} = 1", ".a".repeat(deep)), "recursion");
    text_refused("config.json", format!("{{\"image\": {}", "[".repeat(deep)), "deep");
    text_refused(
        "config.json",
        format!("{{\"image\": {}1{}}}", "{\"a\": ".repeat(deep), "}".repeat(deep)),
        "deep",
    );
}

#[test]
fn what_is_not_text_is_refused() {
    for (name, before, after) in [
        ("config.xml", "<image name=\"", "\"/>"),
        ("config.yaml", "image: \"", "\""),
        ("config.toml", "image = \"", "\""),
        ("config.json", "{\"image\": \"", "\"}"),
    ] {
        text_refused(name, [before.as_bytes(), b"\xff\xfe", after.as_bytes()].concat(), "not UTF-8");
        text_refused(name, [before.as_bytes(), b"\0", after.as_bytes()].concat(), "");
    }
}

#[test]
fn mistakes_without_end_are_refused() {
    let many = 60_000;
    text_refused("config.xml", format!("<image {}/>", "a=\"\" ".repeat(many)), "attributes");
    text_refused(
        "config.xml",
        "<image schemaversion=\"8.5\">".to_owned() + &"<nonsense/>".repeat(many) + "</image>",
        "problems",
    );
    text_refused(
        "config.xml",
        "<image schemaversion=\"8.5\">".to_owned() + &"<tpye/>".repeat(many) + "</image>",
        "problems",
    );
    let profiles: String =
        (0..30_000).map(|n| format!("<packages type=\"image\" profiles=\"p{n}\"/>")).collect();
    text_refused(
        "config.xml",
        format!("<image schemaversion=\"8.5\" name=\"x\">{profiles}</image>"),
        "problems",
    );
    text_refused("config.xml", format!("<image>{}", "<a/>".repeat(500_000)), "elements and texts");
    text_refused("config.yaml", format!("image: [{}]", "a, ".repeat(690_000)), "values");
    text_refused("config.yaml", format!("image: {}", "? ".repeat(many)), "");
    text_refused("config.yaml", format!("image: {}", "&a ".repeat(many)), "");
    text_refused("config.yaml", format!("image: \"{}", "a".repeat(2_000_000)), "");
    text_refused("config.toml", format!("image = [{}]", "1,".repeat(1_000_000)), "");
    let keys: String = (0..100_000).map(|n| format!("k{n} = 1\n")).collect();
    text_refused("config.toml", format!("[image]\n{keys}"), "");
    text_refused("config.json", format!("{{\"image\": [{}1]}}", "1,".repeat(1_000_000)), "values");
}

#[test]
fn includes_do_not_run_in_circles_or_away() {
    let directory = tempfile::tempdir().expect("a directory");
    let include =
        |path: &str| format!("<image schemaversion=\"8.5\" name=\"x\"><include from=\"{path}\"/></image>");
    fs::write(directory.path().join("config.xml"), include("a.xml")).expect("a file");
    fs::write(directory.path().join("a.xml"), include("b.yaml")).expect("a file");
    fs::write(directory.path().join("b.yaml"), "image: {include: {from: config.xml}}").expect("a file");
    refused(directory.path(), "config.xml", "the chain is config.xml -> a.xml -> b.yaml -> config.xml");
    fs::write(directory.path().join("config.xml"), include("../../../../../../../etc/passwd"))
        .expect("a file");
    refused(directory.path(), "config.xml", "this path leaves the description");
    std::os::unix::fs::symlink("/etc/passwd", directory.path().join("link.xml")).expect("a link");
    fs::write(directory.path().join("config.xml"), include("link.xml")).expect("a file");
    refused(directory.path(), "config.xml", "link.xml leads out of the description");
    // Each of them twice: with ten there are a thousand to read.
    for level in 0..12 {
        let next = format!("<include from=\"l{}.xml\"/>", level + 1);
        fs::write(directory.path().join(format!("l{level}.xml")), format!("<image>{next}{next}</image>"))
            .expect("a file");
    }
    fs::write(directory.path().join("l12.xml"), "<image/>").expect("a file");
    fs::write(directory.path().join("config.xml"), include("l0.xml")).expect("a file");
    refused(directory.path(), "config.xml", "more than 1000 included files");
}
