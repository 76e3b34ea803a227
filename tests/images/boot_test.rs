//! `kiwi test`: a disk is booted, and its checks pass or fail.

use kiwi_tests::machine::judge;
use kiwi_tests::run::json;
use kiwi_tests::small::{SYSTEM, create, text};

const DISK: &str = r#"<type image="oem" filesystem="ext4" kernelcmdline="console=ttyS0"><bootloader name="grub2" timeout="0"/></type>"#;

/// The last check fails.
const CHECKS: &str = "time_limit: 500
login: {user: tux, password: kiwi}
checks:
- command: id -un
  output: tux
- file: /etc/debian_version
  content: '12.'
- command: test -e /nowhere
  exit_code: 1
- file: /nowhere
";

#[test]
fn checks_of_a_booted_disk_pass_and_fail() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    create(DISK, directory.path());
    std::fs::create_dir(at("description")).unwrap();
    let description = kiwi_tests::small::DESCRIPTION.replace("TYPE", DISK);
    std::fs::write(at("description/config.xml"), description).unwrap();
    std::fs::write(at("description/test.yaml"), CHECKS).unwrap();
    let _run = json(&["check", text(&at("description"))]).done();
    let image = std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path());
    let image = image.into_iter().find(|path| {
        text(path).contains(SYSTEM) && [".raw", "1.0.0"].iter().any(|end| text(path).ends_with(end))
    });
    let (image, report) = (image.expect("a disk"), at("report.xml"));
    // On some hosts /dev/kvm can be opened and machines hang: the probe must find that.
    let run = json(&[
        "test",
        text(&at("description")),
        "--image",
        text(&image),
        "--junit",
        text(&report),
        "--accel",
        "auto",
    ]);
    let outcome = run.outcome();
    assert_eq!(run.code, 1, "a check fails: {outcome}");
    let checks = outcome["checks"].as_array().unwrap();
    let failed: Vec<_> = checks.iter().filter(|check| !check["failure"].is_null()).collect();
    assert_eq!((checks.len(), failed.len()), (5, 1), "{outcome}");
    assert_eq!(failed[0]["name"], "file /nowhere");
    let count = judge("xmllint", &["--xpath", "count(//testcase[failure])", text(&report)]);
    assert_eq!(count.trim(), "1");
}
