//! Descriptions that KIWI NG accepts: `check` accepts them too, or says that this version cannot build them.

use std::path::Path;
use std::process::Command;

use kiwi_tests::program::kiwi;
use serde_json::{Value, json};

/// A description with a mark for each part that a test replaces.
const PARTS: &str = r#"<image schemaversion="8.5" name="accepted"ID>
  <description type="system"><author>A</author><contact>C</contact><specification>S</specification></description>
  <profiles>PROFILES</profiles>
  <preferences><version>1.0.0</version><packagemanager>MANAGER</packagemanager>SETTINGS</preferences>
  TYPES
  <repository type="apt-deb" distribution="trixie"REPOSITORY><source path="http://example.org/"/></repository>
  <packages type="image">PACKAGES</packages>
</image>
"#;

/// Returns the description with these parts; the others have none or their default.
fn described(parts: &[(&str, &str)]) -> String {
    let defaults = [
        ("ID", ""),
        ("PROFILES", "<profile name=\"a\" description=\"a\"/>"),
        ("MANAGER", "apt"),
        ("SETTINGS", ""),
        ("TYPES", "<preferences><type image=\"tbz\"/></preferences>"),
        ("REPOSITORY", ""),
        ("PACKAGES", "<package name=\"bash\"/>"),
    ];
    defaults.iter().fold(PARTS.to_owned(), |text, (name, default)| {
        let part = parts.iter().find(|(other, _)| other == name).map_or(*default, |(_, part)| part);
        text.replacen(name, part, 1)
    })
}

/// Returns exit code and document of `check` for a directory with this file.
fn check_file(name: &str, bytes: &[u8], arguments: &[&str]) -> (Option<i32>, Value) {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join(name), bytes).unwrap();
    check(directory.path(), arguments)
}

fn check(directory: &Path, arguments: &[&str]) -> (Option<i32>, Value) {
    let mut command = Command::new(kiwi());
    let output = command.args(["check", "."]).args(arguments).args(["--format", "json"]);
    let output = output.current_dir(directory).output().unwrap();
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or_default())
}

fn rules(report: &Value) -> Vec<&str> {
    let diagnostics = report["diagnostics"].as_array().unwrap();
    diagnostics.iter().map(|diagnostic| diagnostic["rule"].as_str().unwrap()).collect()
}

#[test]
fn harmless_settings_are_one_warning_each() {
    for (part, text, rule) in [
        ("SETTINGS", "<release-version>13</release-version>", "keyword-without-effect"),
        (
            "TYPES",
            "<preferences><type image=\"cpio\" bootkernel=\"std\"/></preferences>",
            "keyword-without-effect",
        ),
        (
            "TYPES",
            "<preferences><type image=\"oem\" filesystem=\"ext4\" installiso=\"true\" installboot=\"install\"/></preferences>",
            "keyword-without-effect",
        ),
        (
            "TYPES",
            "<preferences><type image=\"oem\" filesystem=\"ext4\" devicepersistency=\"by-label\"/></preferences>",
            "keyword-without-effect",
        ),
        (
            "TYPES",
            "<preferences><type image=\"oem\" filesystem=\"ext4\"><size>0</size></type></preferences>",
            "size-of-nothing",
        ),
        (
            "PACKAGES",
            "<package name=\"a\" bootinclude=\"true\"/><package name=\"b\" bootinclude=\"true\"/>",
            "keyword-without-effect",
        ),
        (
            "PROFILES",
            "<profile name=\"a\" description=\"a\"/><profile name=\"a\" description=\"a\"/>",
            "repeated-profile",
        ),
        (
            "TYPES",
            "<preferences><type image=\"tbz\"/></preferences><packages type=\"image\" profiles=\"none\"/>",
            "unknown-profile",
        ),
    ] {
        let (code, report) = check_file("config.xml", described(&[(part, text)]).as_bytes(), &[]);
        assert_eq!((code, rules(&report)), (Some(0), vec![rule]), "{text}: {report:#}");
        assert_eq!(report["verdict"], json!("right"));
    }
}

#[test]
fn other_package_managers_are_right_and_not_built() {
    for (manager, packages) in
        [("pacman", "<package name=\"base\"/>"), ("apt", "<namedCollection name=\"desktop\"/>")]
    {
        let text = described(&[("MANAGER", manager), ("PACKAGES", packages)]);
        let (code, report) = check_file("config.xml", text.as_bytes(), &[]);
        assert_eq!((code, &report["verdict"]), (Some(4), &json!("not-built")), "{manager}: {report:#}");
        assert_eq!(report["diagnostics"][0]["needed"], json!(true), "{manager}");
    }
}

#[test]
fn names_of_rpm_packages_are_right_and_a_replaced_program_is_a_warning() {
    for (manager, packages, expected) in [
        (
            "dnf5",
            "<package name=\"@core\"/><package name=\"group(mail)\"/><package name=\"[a-o]*-firmware\"/>",
            vec!["package-manager"],
        ),
        ("microdnf", "<package name=\"bash\"/>", vec!["package-manager"]),
        ("zypper", "<package name=\"systemd >= 255.7\"/><package name=\"/usr/bin/python3\"/>", vec![]),
    ] {
        let text = described(&[("MANAGER", manager), ("PACKAGES", packages)]);
        let text = text.replace("type=\"apt-deb\" distribution=\"trixie\"", "type=\"rpm-md\"");
        let (code, report) = check_file("config.xml", text.as_bytes(), &[]);
        assert_eq!((code, rules(&report)), (Some(0), expected), "{manager}: {report:#}");
    }
}

#[test]
fn what_is_not_built_has_its_schema_and_who_needs_it() {
    let types = "<preferences><type image=\"tbz\" primary=\"true\"/><type image=\"oem\" filesystem=\"ext4\" \
                 luks=\"x\" btrfs_root_is_snapper_snapshot=\"true\"/></preferences>";
    let types = types.replace("ext4", "btrfs");
    let (code, report) = check_file("config.xml", described(&[("TYPES", &types)]).as_bytes(), &[]);
    assert_eq!(code, Some(0), "{report:#}");
    let found: Vec<(&Value, &Value, &Value)> = report["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["severity"], &one["since"], &one["needed"]))
        .collect();
    let warning = json!("warning");
    let expected = [(&warning, &json!("2.0"), &json!(false)), (&warning, &json!("8.3"), &json!(false))];
    assert_eq!(found, expected);
    let builds = json!([
        {"profiles": [], "type": "tbz", "selected": true, "verdict": "right"},
        {"profiles": [], "type": "oem", "selected": false, "verdict": "not-built"},
    ]);
    assert_eq!(report["builds"], builds);
    let (code, report) =
        check_file("config.xml", described(&[("TYPES", &types)]).as_bytes(), &["--type", "oem"]);
    assert_eq!((code, &report["diagnostics"][0]["needed"]), (Some(4), &json!(true)));
}

const IN_PROFILES: [(&str, &str); 2] = [
    (
        "PROFILES",
        "<profile name=\"disk\" description=\"d\"/><profile name=\"live\" description=\"l\"/><profile name=\"none\" description=\"n\"/>",
    ),
    (
        "TYPES",
        "<preferences profiles=\"disk\"><type image=\"oem\" filesystem=\"ext4\"/></preferences>\
         <preferences profiles=\"live\"><type image=\"iso\"/><type image=\"enclave\"/></preferences>",
    ),
];

#[test]
fn each_profile_with_types_is_checked_if_there_are_no_others() {
    let text = described(&IN_PROFILES);
    let (code, report) = check_file("config.xml", text.as_bytes(), &[]);
    let builds = json!([
        {"profiles": ["disk"], "type": "oem", "selected": true, "verdict": "right"},
        {"profiles": ["live"], "type": "iso", "selected": true, "verdict": "right"},
        {"profiles": ["live"], "type": "enclave", "selected": false, "verdict": "not-built"},
    ]);
    assert_eq!((code, &report["builds"]), (Some(0), &builds), "{report:#}");
    let wrong = text.replace("<type image=\"iso\"/>", "<type image=\"iso\" filesystem=\"ext3,ext4\"/>");
    assert_eq!(check_file("config.xml", wrong.as_bytes(), &[]).0, Some(3));
    let some = text.replace("image=\"oem\"", "image=\"oem\" luks=\"x\"");
    assert_eq!(check_file("config.xml", some.as_bytes(), &[]).0, Some(0), "the other profile is built");
    let all = text.replace("apt<", "zypper<");
    assert_eq!(check_file("config.xml", all.as_bytes(), &[]).0, Some(4));
    assert_eq!(check_file("config.xml", some.as_bytes(), &["--profile", "disk"]).0, Some(4));
}

#[test]
fn info_lists_the_types_of_profiles() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("config.xml"), described(&IN_PROFILES)).unwrap();
    let info = |arguments: &[&str]| {
        let mut command = Command::new(kiwi());
        let command = command.args(["info", "."]).args(arguments).args(["--format", "json"]);
        let output = command.current_dir(directory.path()).output().unwrap();
        assert!(output.status.success(), "{arguments:?}");
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let all = info(&[]);
    assert_eq!(all["build"], Value::Null);
    let types: Vec<_> =
        all["types"].as_array().unwrap().iter().map(|one| (&one["name"], &one["profiles"][0])).collect();
    let [oem, iso, enclave] = ["oem", "iso", "enclave"].map(|name| json!(name));
    let [disk, live] = ["disk", "live"].map(|name| json!(name));
    assert_eq!(types, [(&oem, &disk), (&iso, &live), (&enclave, &live)]);
    assert_eq!(info(&["--profile", "live"])["build"]["type"], json!("iso"));
}

#[test]
fn a_profile_may_be_declared_for_each_architecture() {
    let profiles = "<profile name=\"a\" description=\"x\" arch=\"x86_64\"/><profile name=\"a\" description=\"y\" arch=\"aarch64\"/>";
    let (code, report) = check_file("config.xml", described(&[("PROFILES", profiles)]).as_bytes(), &[]);
    assert_eq!((code, &report["diagnostics"]), (Some(0), &json!([])));
}

#[test]
fn keywords_of_later_schemas_are_used() {
    let text = described(&[(
        "TYPES",
        "<preferences><type image=\"oem\" filesystem=\"ext4\"><bootloader name=\"grub2\" output_console=\"serial\"/></type></preferences>",
    )]);
    let (code, report) = check_file("config.xml", text.replace("8.5", "7.5").as_bytes(), &[]);
    assert_eq!(code, Some(0), "{report:#}");
    let mut found = rules(&report);
    found.sort_unstable();
    assert_eq!(found, ["keyword-of-a-later-schema", "old-keyword"]);
}

#[test]
fn the_content_decides_the_format() {
    let yaml = "image:\n  '@name': probe\n  '@schemaversion': '7.5'\n  description: {'@type': system, author: A, \
                contact: C, specification: S}\n  preferences: {version: 1.0.0, packagemanager: apt, type: {'@image': tbz}}\n  \
                repository: {source: {'@path': 'debian://bookworm'}}\n  packages: {'@type': image, package: {'@name': less}}\n";
    assert_eq!(check_file("appliance.kiwi", yaml.as_bytes(), &[]).0, Some(0));
    let wrong = yaml.replace("version:", "verzion:");
    let (code, report) = check_file("appliance.kiwi", wrong.as_bytes(), &[]);
    let diagnostics = report["diagnostics"].as_array().unwrap();
    let error = diagnostics.iter().find(|one| one["severity"] == "error").unwrap();
    assert_eq!((code, &error["start"]["line"]), (Some(3), &json!(5)), "{report:#}");
}

#[test]
fn declared_encodings_keep_lines_columns_and_text() {
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"LABEL\"?>\n{}",
        described(&[("ID", " displayname=\"B\u{e4}r\" wrong=\"\u{fc}\"")])
    );
    let latin: Vec<u8> =
        text.replace("LABEL", "iso-8859-1").chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let utf_16: Vec<u8> = std::iter::once(0xfeff)
        .chain(text.replace("LABEL", "UTF-16").encode_utf16())
        .flat_map(u16::to_be_bytes)
        .collect();
    let column = text.lines().nth(1).unwrap().chars().count() - " wrong=\"x\">".chars().count() + 2;
    for bytes in [latin, utf_16] {
        let (code, report) = check_file("config.xml", &bytes, &[]);
        let start = &report["diagnostics"][0]["start"];
        let expected = (Some(3), &json!(2), &json!(column));
        assert_eq!((code, &start["line"], &start["column"]), expected, "{report:#}");
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("config.xml"), &bytes).unwrap();
        let output =
            Command::new(kiwi()).args(["check", "."]).current_dir(directory.path()).output().unwrap();
        let shown = String::from_utf8(output.stderr).unwrap();
        assert!(shown.contains("displayname=\"B\u{e4}r\" wrong=\"\u{fc}\""), "{shown}");
    }
}

#[test]
fn what_a_build_needs_and_ignores_beside_the_description_is_reported() {
    let directory = tempfile::tempdir().unwrap();
    let packages = "<package name=\"bash\"/><archive name=\"missing.tar.xz\"/><archive name=\"there.tar\"/>";
    std::fs::write(directory.path().join("config.xml"), described(&[("PACKAGES", packages)])).unwrap();
    for name in ["there.tar", "confg.sh", "README"] {
        std::fs::write(directory.path().join(name), "").unwrap();
    }
    let (code, report) = check(directory.path(), &[]);
    let mut found = rules(&report);
    found.sort_unstable();
    assert_eq!((code, found), (Some(0), vec!["file-that-nothing-reads", "missing-archive"]), "{report:#}");
    let messages: Vec<&str> = report["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["message"].as_str().unwrap())
        .collect();
    assert!(messages.iter().any(|message| message.contains("confg.sh") && !message.contains("README")));
    assert!(messages.iter().any(|message| message.contains("missing.tar.xz")));
}

#[test]
fn missing_keys_and_accounts_without_a_login_are_reported() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let key = "<signing key=\"this://key.asc\"/><signing key=\"https://example.org/key\"/>";
    let source = format!("<source path=\"http://example.org/\">{key}</source>");
    let users = r#"<users><user name="tux" password="*"/><user name="dae" password="*" shell="/usr/sbin/nologin"/>
      <user name="able" password="*"/><user name="set" password="!"/></users><packages type="image">"#;
    let text = described(&[]).replace("<source path=\"http://example.org/\"/>", &source);
    std::fs::write(path("config.xml"), text.replace("<packages type=\"image\">", users)).unwrap();
    std::fs::write(path("config.sh"), "echo set:secret | chpasswd\n").unwrap();
    std::fs::create_dir_all(path("root/home/able/.ssh")).unwrap();
    let (code, report) = check(directory.path(), &[]);
    let mut found = rules(&report);
    found.sort_unstable();
    assert_eq!((code, found), (Some(0), vec!["account-without-login", "missing-key"]), "{report:#}");
    let text = report.to_string();
    assert!(text.contains("`tux`") && text.contains("this://key.asc"), "{text}");
    std::fs::write(path("key.asc"), "").unwrap();
    assert_eq!(rules(&check(directory.path(), &[]).1), ["account-without-login"]);
}

#[test]
fn repositories_of_another_package_manager_are_not_built_with_this_one() {
    let text = described(&[]).replace("type=\"apt-deb\" distribution=\"trixie\"", "type=\"rpm-md\"");
    let list = described(&[("REPOSITORY", " sourcetype=\"metalink\"")]);
    let customized = described(&[("REPOSITORY", " customize=\"x.sh\"")]);
    for text in [text, list, customized] {
        let (code, report) = check_file("config.xml", text.as_bytes(), &[]);
        assert_eq!((code, rules(&report)), (Some(4), vec!["not-built"]), "{report:#}");
        assert_eq!(report["diagnostics"][0]["start"]["line"], json!(6));
    }
}

#[test]
fn settings_without_a_value_are_as_if_missing() {
    let types = "<preferences><timezone/><keytable></keytable><type image=\"oem\" filesystem=\"ext4\" boot=\"\" kernelcmdline=\"\" \
                 rootfs_label=\"\"/></preferences>";
    let (code, report) = check_file("config.xml", described(&[("TYPES", types)]).as_bytes(), &[]);
    assert_eq!((code, rules(&report)), (Some(0), vec!["keyword-without-effect"; 5]), "{report:#}");
    let (code, _) =
        check_file("config.xml", described(&[("PACKAGES", "<package name=\"\"/>")]).as_bytes(), &[]);
    assert_eq!(code, Some(3), "a required value");
}

#[test]
fn a_size_of_zero_is_as_if_missing() {
    let machine = "memory=\"0\" ncpus=\"0\" min_memory=\"0\"";
    let config = "<oem-swap>true</oem-swap><oem-systemsize>0</oem-systemsize><oem-swapsize>0</oem-swapsize>";
    let types = format!(
        "<preferences><type image=\"oem\" filesystem=\"ext4\" format=\"vmdk\" efipartsize=\"0\"><machine {machine}/>\
         <oemconfig>{config}</oemconfig></type></preferences>"
    );
    let (code, report) = check_file("config.xml", described(&[("TYPES", &types)]).as_bytes(), &[]);
    let mut found = rules(&report);
    found.sort_unstable();
    let expected = [vec!["keyword-without-effect"; 5], vec!["swap-space-with-a-size"]].concat();
    assert_eq!((code, found), (Some(0), expected), "{report:#}");
}

#[test]
fn accounts_of_kiwi_ng_are_accepted() {
    let user = "<users><user name=\"a\" password=\"*\" shell=\"/bin/false\" groups=\"100,audio\" home=\"srv/a\"/></users>";
    let text = described(&[]).replace("<packages", &format!("{user}<packages"));
    let (code, report) = check_file("config.xml", text.as_bytes(), &[]);
    assert_eq!((code, rules(&report)), (Some(0), vec!["names-of-groups", "home-of-a-user"]), "{report:#}");
    for (right, wrong) in [("100,audio", "100:audio"), ("100,audio", "4294967295"), ("srv/a", "srv/../a")] {
        let (code, _) = check_file("config.xml", text.replace(right, wrong).as_bytes(), &[]);
        assert_eq!(code, Some(3), "{wrong}");
    }
}

#[test]
fn spellings_that_mean_the_same_are_accepted() {
    let disk = |inside: &str, attributes: &str| {
        format!(
            "<preferences><type image=\"oem\" filesystem=\"ext4\" format=\"vmdk\" {attributes}>{inside}</type></preferences>"
        )
    };
    let partition = |path: &str| {
        format!(
            "<partitions><partition name=\"a\" size=\"9\" mountpoint=\"{path}\" filesystem=\"ext4\"/></partitions>"
        )
    };
    for (part, text) in [
        ("PACKAGES", "<archive name=\"a.tar.gz\" target_dir=\"etc\"/>".to_owned()),
        (
            "TYPES",
            disk(
                "<machine memory=\"512\"><vmdisk id=\"0\" controller=\"ide\"/><vmnic interface=\"\"/></machine>",
                "",
            ),
        ),
        ("TYPES", disk(&partition("/home/"), "")),
        ("TYPES", disk("", "bootpartition=\"true\" bootpartsize=\"0\"")),
    ] {
        let (code, report) = check_file("config.xml", described(&[(part, &text)]).as_bytes(), &[]);
        assert_eq!(code, Some(0), "{text}: {report}");
    }
    for path in ["/", "//", "home", "/home//a", "/home/../a"] {
        let text = disk(&partition(path), "");
        let (code, _) = check_file("config.xml", described(&[("TYPES", &text)]).as_bytes(), &[]);
        assert_eq!(code, Some(3), "{path}");
    }
    let two = partition("/home/").replace(
        "</partitions>",
        "<partition name=\"b\" size=\"9\" mountpoint=\"/home\" filesystem=\"ext4\"/></partitions>",
    );
    let (_, report) = check_file("config.xml", described(&[("TYPES", &disk(&two, ""))]).as_bytes(), &[]);
    assert!(report.to_string().contains("is a duplicate"), "{report}");
}
