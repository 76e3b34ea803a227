//! Thirty typical mistakes: each is reported at its position, with a message that names the fix. The table of
//! docs/troubleshooting.md lists the same thirty.

use std::process::Command;

use serde_json::Value;

use kiwi_tests::program::{checkout, kiwi};

/// A description of the current schema. The line numbers of the mistakes below are those of this text.
const TODAY: &str = r#"<image schemaversion="8.5" name="web">
  <description type="system"><author>A</author><contact>a@example.org</contact><specification>S</specification></description>
  <profiles><profile name="cloud" description="C"/><profile name="metal" description="M"/></profiles>
  <preferences>
    <version>1.0.0</version>
    <packagemanager>apt</packagemanager>
    <timezone>Europe/Berlin</timezone>
    <type image="oem" filesystem="ext4" format="qcow2" firmware="uefi">
      <size unit="G">4</size>
    </type>
  </preferences>
  <users><user name="tux" groups="tux" home="/home/tux" password="$6$a$b"/></users>
  <repository type="apt-deb"><source path="debian://bookworm"/></repository>
  <packages type="image"><package name="less"/></packages>
  <packages type="image" profiles="cloud"><package name="cloud-init"/></packages>
</image>
"#;

/// A description of KIWI 1.x.
const LEGACY: &str = r#"<image schemeversion="1.4" name="old">
  <description type="system"><author>A</author><contact>a@example.org</contact><specification>S</specification></description>
  <preferences><type primary="true" boot="isoboot/debian-13">iso</type><version>1.0.0</version><packagemanager>apt</packagemanager></preferences>
  <repository type="apt-deb"><source path="debian://bookworm"/></repository>
  <packages type="image"><package name="less"/></packages>
</image>
"#;

struct Mistake {
    /// The mistake, as the handbook names it.
    what: &'static str,
    text: &'static str,
    /// The correct text, and the wrong text in its position.
    right: &'static str,
    wrong: &'static str,
    /// Line and column.
    location: (u64, u64),
    message: &'static str,
    /// The fix.
    help: &'static str,
}

const fn mistake(
    what: &'static str,
    (right, wrong): (&'static str, &'static str),
    location: (u64, u64),
    message: &'static str,
    help: &'static str,
) -> Mistake {
    Mistake { what, text: TODAY, right, wrong, location, message, help }
}

const fn in_legacy(mistake: Mistake) -> Mistake {
    Mistake { text: LEGACY, ..mistake }
}

const MISTAKES: [Mistake; 30] = [
    mistake(
        "misspelt attribute",
        (r#"filesystem="ext4""#, r#"fielsystem="ext4""#),
        (8, 23),
        "`<type>` has no attribute `fielsystem`",
        "did you mean `filesystem`?",
    ),
    mistake(
        "misspelt element",
        ("<timezone>Europe/Berlin</timezone>", "<timezon>Europe/Berlin</timezon>"),
        (7, 6),
        "there is no element `<timezon>`",
        "did you mean `<timezone>`?",
    ),
    mistake(
        "misspelt value",
        (r#"filesystem="ext4""#, r#"filesystem="ext44""#),
        (8, 35),
        "`ext44` is not a value of the attribute `filesystem`",
        "did you mean `ext4`?",
    ),
    mistake(
        "end tag that does not match",
        ("</preferences>", "</preference>"),
        (11, 3),
        "`</preference>` does not close `<preferences>`",
        "`<preferences>` is opened in line 4 and not closed before this position",
    ),
    mistake(
        "forgotten end tag",
        ("\n    </type>", ""),
        (10, 3),
        "`</preferences>` does not close `<type>`",
        "`<type>` is opened in line 8 and not closed before this position",
    ),
    mistake(
        "attribute without quotes",
        (r#"unit="G""#, "unit=G"),
        (9, 18),
        "expected a quote, found `G`",
        "write the value of an attribute in quotes",
    ),
    mistake(
        "`&` in a text",
        ("<specification>S", "<specification>R & D"),
        (2, 97),
        "a lone `&`",
        "write `&amp;` where the character & is meant",
    ),
    mistake(
        "wrong nesting",
        ("<timezone>", r#"<package name="vim"/><timezone>"#),
        (7, 6),
        "`<package>` is not allowed in `<preferences>`",
        "it belongs in `<packages>`",
    ),
    mistake(
        "size outside of its type",
        ("<packagemanager>apt", r#"<size unit="G">4</size><packagemanager>apt"#),
        (6, 6),
        "schema 8.5 has no `<size>` in `<preferences>`",
        "it belongs in `<type>`",
    ),
    mistake(
        "unit in the number of a size",
        (">4</size>", ">4G</size>"),
        (9, 22),
        "`4G` is not a value of `<size>`",
        r#"write the number alone, 4, and `unit="G"` beside it"#,
    ),
    mistake(
        "profile typo",
        (r#"profiles="cloud""#, r#"profiles="clowd""#),
        (15, 36),
        "the profile `clowd` is not declared",
        "did you mean `cloud`?",
    ),
    mistake(
        "required profile that is not declared",
        (r#"description="M"/>"#, r#"description="M"><requires profile="clowd"/></profile>"#),
        (3, 109),
        "the profile `clowd` is not declared",
        "did you mean `cloud`?",
    ),
    mistake(
        "profile declared twice",
        (r#"<profile name="metal""#, r#"<profile name="cloud""#),
        (3, 67),
        "the profile `cloud` is declared twice",
        "remove one of them, or give them different `arch`",
    ),
    mistake(
        "attribute of another image type",
        (r#"firmware="uefi""#, r#"flags="overlay""#),
        (8, 56),
        "`flags` does not fit the image type `oem`",
        "it fits `iso`",
    ),
    mistake(
        "format as image type",
        (r#"image="oem""#, r#"image="qcow2""#),
        (8, 18),
        "`qcow2` is not a value of the attribute `image`",
        r#"`qcow2` is the format of a disk: `image="oem" format="qcow2"`"#,
    ),
    mistake(
        "everyday name of an image type",
        (r#"image="oem""#, r#"image="disk""#),
        (8, 18),
        "`disk` is not a value of the attribute `image`",
        r#"a disk is `image="oem"`"#,
    ),
    mistake(
        "missing file system",
        (r#"filesystem="ext4" "#, ""),
        (8, 18),
        "the image type `oem` needs `filesystem`",
        r#"add `filesystem="..."`: one of ext2, ext3, ext4, reiserfs, xfs, btrfs, squashfs, erofs"#,
    ),
    mistake(
        "type in the old spelling",
        (
            r#"<type image="oem" filesystem="ext4" format="qcow2" firmware="uefi">
      <size unit="G">4</size>
    </type>"#,
            r#"<type filesystem="ext4">oem</type>"#,
        ),
        (8, 29),
        "`<type>` has no text in schema 8.5",
        r#"write it `<type image="oem">`"#,
    ),
    mistake(
        "boot loader as attribute",
        (r#"firmware="uefi""#, r#"bootloader="grub2""#),
        (8, 56),
        "schema 8.5 has no attribute `bootloader` of `<type>`",
        "schema 8.5 writes it `<bootloader name=...>`",
    ),
    mistake(
        "missing version",
        ("<version>1.0.0</version>", ""),
        (4, 4),
        "no `<preferences>` has a `<version>`",
        "add `<version>...</version>`: Major.Minor.Release, made of letters, digits, '_', '-' and '.'",
    ),
    mistake(
        "element given twice",
        ("</packagemanager>", "</packagemanager>\n    <packagemanager>dnf5</packagemanager>"),
        (7, 6),
        "`<packagemanager>` occurs more than once in `<preferences>`",
        "remove one of them; the first one is in line 6",
    ),
    mistake(
        "missing schema version",
        (r#"schemaversion="8.5" "#, ""),
        (1, 2),
        "`<image>` does not specify its schema version",
        r#"today's is `schemaversion="8.5"`"#,
    ),
    mistake(
        "schema of the future",
        (r#""8.5""#, r#""9.0""#),
        (1, 23),
        "this version of kiwi does not read schema version `9.0`",
        "the newest schema it knows is 8.5; a newer kiwi may read this file",
    ),
    mistake(
        "repository without a source",
        (r#"<source path="debian://bookworm"/>"#, ""),
        (13, 4),
        "`<repository>` lacks `<source>`",
        "add a `<source>` element",
    ),
    mistake(
        "source without a scheme",
        ("debian://bookworm", "deb.example.org/debian"),
        (13, 44),
        "`deb.example.org/debian` is not a source path",
        "write `this://deb.example.org/debian` for a directory inside the description, or an absolute path",
    ),
    mistake(
        "path at the repository",
        (r#"<repository type="apt-deb">"#, r#"<repository type="apt-deb" path="debian://bookworm">"#),
        (13, 30),
        "`<repository>` has no attribute `path`",
        "it is an attribute of `<source>`, which belongs in `<repository>`",
    ),
    mistake(
        "repository type cut short",
        (r#"type="apt-deb""#, r#"type="apt""#),
        (13, 21),
        "`apt` is not a value of the attribute `type`",
        "did you mean `apt-deb`?",
    ),
    mistake(
        "package name as text",
        (r#"<package name="less"/>"#, "<package>less</package>"),
        (14, 35),
        "`<package>` has no text in schema 8.5",
        r#"write it `<package name="less">`"#,
    ),
    mistake(
        "password in the old spelling",
        ("password=", "pwd="),
        (12, 57),
        "schema 8.5 has no attribute `pwd` of `<user>`",
        "schema 8.5 writes it `password`",
    ),
    in_legacy(mistake(
        "missing boot=",
        (r#" boot="isoboot/debian-13""#, ""),
        (3, 37),
        "the image type `iso` needs `boot`",
        r#"add `boot="..."`: the description of its boot image, such as `isoboot/suse-10.3`"#,
    )),
];

/// The errors of `kiwi check`.
fn errors(text: &str) -> Vec<Value> {
    reported(text).into_iter().filter(|one| one["severity"] == "error").collect()
}

/// The errors of `kiwi check`; its warnings if there are none.
fn found(text: &str) -> Vec<Value> {
    let errors = errors(text);
    if errors.is_empty() { reported(text) } else { errors }
}

fn reported(text: &str) -> Vec<Value> {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("config.xml"), text).unwrap();
    let keywords = ["check", ".", "--format", "json"];
    let output = Command::new(kiwi()).args(keywords).current_dir(directory.path()).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    report["diagnostics"].as_array().unwrap().clone()
}

#[test]
fn the_correct_descriptions_have_no_errors() {
    assert_eq!(errors(TODAY), Vec::<Value>::new());
    // The live system of KIWI 1.x is not built in every version; it has no other errors.
    let others = errors(LEGACY);
    assert!(
        others.iter().all(|error| error["message"].as_str().unwrap().contains("not built")),
        "{others:?}"
    );
}

#[test]
fn reports_every_mistake_once_at_its_position_with_its_fix() {
    for mistake in &MISTAKES {
        assert!(mistake.text.contains(mistake.right), "{}", mistake.what);
        let found = found(&mistake.text.replacen(mistake.right, mistake.wrong, 1));
        let [error] = found.as_slice() else { panic!("{}: {found:#?}", mistake.what) };
        let location = (error["start"]["line"].as_u64().unwrap(), error["start"]["column"].as_u64().unwrap());
        let actual =
            (location, error["message"].as_str().unwrap(), error["help"].as_str().unwrap_or_default());
        assert_eq!(actual, (mistake.location, mistake.message, mistake.help), "{}", mistake.what);
    }
}

#[test]
fn handbook_lists_every_mistake() {
    let page = std::fs::read_to_string(checkout().join("docs/troubleshooting.md")).unwrap();
    for Mistake { what, message, help, .. } in &MISTAKES {
        let line = format!("| {what} | {message} | {help} |");
        assert!(page.lines().any(|row| row == line), "docs/troubleshooting.md lacks\n{line}");
    }
}
