//! `kiwi info` and `kiwi convert`, as a user calls them.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use kiwi_tests::program::{checkout, kiwi};
use kiwi_tests::run::Run;

fn run(directory: &Path, keywords: &[&str]) -> Output {
    Command::new(kiwi()).args(keywords).current_dir(directory).output().unwrap()
}

/// Returns what kiwi printed; it must succeed.
fn printed(directory: &Path, keywords: &[&str]) -> String {
    let output = run(directory, keywords);
    assert!(output.status.success(), "{keywords:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Returns exit code and kind of the error of kiwi, which must fail.
fn refused(directory: &Path, keywords: &[&str]) -> (i32, String) {
    let run = Run::of(Command::new(kiwi()).args(keywords).current_dir(directory));
    let (code, kind) = run.error();
    (code, kind.to_owned())
}

const MANY: &str = r#"<image schemaversion="8.5" name="many" displayname="It's many">
  <description type="system"><author>A</author><contact>a@example.org</contact><specification>S</specification></description>
  <profiles><profile name="base" description="B" import="true"/><profile name="gui" description="G"><requires profile="base"/></profile></profiles>
  <preferences><version>1.2.3</version><packagemanager>apt</packagemanager><type image="ext4"/></preferences>
  <preferences profiles="gui"><type image="oem" filesystem="ext4" primary="true"/></preferences>
  <repository type="apt-deb" alias="own" priority="5" imageonly="true"><source path="http://example.org/repo"/></repository>
  <repository><source path="debian://bookworm" /></repository>
  <packages type="image"><package name="less"/><package name="foreign" arch="s390x"/><ignore name="vim"/></packages>
  <packages type="image" profiles="gui"><package name="xterm"/></packages>
  <packages type="oem"><package name="mksq"/></packages>
  <packages type="delete"><package name="gone"/></packages>
</image>
"#;

#[test]
fn info_shows_the_contents_of_this_build() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("config.xml"), MANY).unwrap();
    let document = |keywords: &[&str]| -> Value {
        serde_json::from_str(&printed(directory.path(), &[&["info", "."], keywords].concat())).unwrap()
    };
    let plain = document(&["--format", "json"]);
    assert_eq!(plain["types"][1], json!({"name": "oem", "primary": true, "profiles": ["gui"]}));
    assert_eq!(plain["build"]["type"], "ext4");
    assert_eq!(plain["build"]["profiles"], json!(["base"]));
    assert_eq!(
        plain["packages"]["image"],
        json!(["less"]),
        "neither another architecture's nor an inactive profile's"
    );
    let expected = json!({"source": "http://example.org/repo", "type": "apt-deb", "alias": "own", "priority": 5,
        "distribution": null, "components": [], "in_image": true, "used_by_build": false});
    assert_eq!(plain["repositories"][0], expected);
    let gui = document(&["--profile", "gui", "--add-package", "extra", "--format", "json"]);
    assert_eq!(gui["build"]["type"], "oem");
    assert_eq!(gui["packages"]["image"], json!(["extra", "less", "mksq", "xterm"]));
    assert_eq!(gui["packages"]["ignored"], json!(["vim"]));
    assert_eq!(gui["packages"]["delete"], json!(["gone"]));
    assert_eq!(gui["profile"]["kiwi_profiles"], "gui,base");
    let profile = &gui["profiles"][1];
    assert_eq!((&profile["name"], &profile["active"]), (&json!("gui"), &json!(true)), "{gui}");
}

#[test]
fn a_shell_reads_the_profile_that_info_shows() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("config.xml"), MANY).unwrap();
    let profile = printed(directory.path(), &["info", ".", "--format", "profile"]);
    let script = format!("{profile}\nprintf '%s|%s' \"$kiwi_displayname\" \"$kiwi_iversion\"");
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "It's many|1.2.3");
}

#[test]
fn convert_writes_current_keywords_with_the_same_meaning() {
    let directory = tempfile::tempdir().unwrap();
    let old = checkout().join("examples/debian-12-chapter");
    let old = old.to_str().unwrap();
    let text = printed(directory.path(), &["convert", old]);
    assert!(text.contains("schemaversion=\"8.5\"") && text.contains("<!--"), "{text}");
    printed(directory.path(), &["convert", old, "--output", "new.kiwi"]);
    assert_eq!(std::fs::read_to_string(directory.path().join("new.kiwi")).unwrap(), text);
    assert_eq!(
        printed(directory.path(), &["convert", "new.kiwi"]),
        text,
        "a second conversion changes nothing"
    );
    let packages = |path: &str| -> Value {
        let document: Value =
            serde_json::from_str(&printed(directory.path(), &["info", path, "--format", "json"])).unwrap();
        document["packages"].clone()
    };
    assert_eq!(packages(old), packages("new.kiwi"));
}

#[test]
fn every_format_of_a_description_gives_the_same_build() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("config.xml"), MANY).unwrap();
    let info = |path: &str| -> Value {
        let keywords = ["info", path, "--profile", "gui", "--format", "json"];
        serde_json::from_str(&printed(directory.path(), &keywords)).unwrap()
    };
    for format in ["yaml", "toml", "json", "xml"] {
        let file = format!("new/config.{format}");
        std::fs::create_dir_all(directory.path().join("new")).unwrap();
        printed(directory.path(), &["convert", ".", "--to", format, "--output", &file]);
        // The file itself, and the directory in which it is the only one.
        assert_eq!(info(&file), info("."), "{format}");
        assert_eq!(info("new"), info("."), "{format}");
        std::fs::remove_file(directory.path().join(&file)).unwrap();
    }
    let usage = (2, "usage".to_owned());
    assert_eq!(refused(directory.path(), &["convert", ".", "--to", "yaml", "--in-place"]), usage);
}

#[test]
fn convert_replaces_a_file_only_in_place_and_keeps_its_mode() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config.xml");
    std::fs::copy(checkout().join("examples/debian-12-chapter/config.xml"), &file).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    let exists = (1, "exists".to_owned());
    assert_eq!(refused(directory.path(), &["convert", ".", "--output", "config.xml"]), exists);
    assert!(std::fs::read_to_string(&file).unwrap().contains("\"1.4\""));
    printed(directory.path(), &["convert", ".", "--in-place"]);
    assert!(std::fs::read_to_string(&file).unwrap().contains("\"8.5\""));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "another file remains");
}

#[test]
fn convert_rejects_unknown_and_unsuitable_schemas() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(refused(directory.path(), &["convert", ".", "--to", "9.0"]), (2, "usage".to_owned()));
    std::fs::write(directory.path().join("config.xml"), MANY).unwrap();
    let wrong = (3, "invalid-description".to_owned());
    assert_eq!(refused(directory.path(), &["convert", ".", "--to", "6.2"]), wrong);
}
