//! Secure Boot: disks and media with the programs that Debian signed start, and a GRUB that is made here is refused.

use std::path::{Path, PathBuf};

use kiwi_tests::machine::{Firmware, Machine, Slot, judge};
use kiwi_tests::program::{clear, once};
use kiwi_tests::run::json;
use kiwi_tests::small::{self, SYSTEM, attached, text};

/// Debian's packages with shim, GRUB and MokManager.
const PACKAGES: [&str; 3] = ["shim-signed", "grub-efi-amd64-signed", "shim-helpers-amd64-signed"];

/// Where these packages install their programs.
const PROGRAMS: [&str; 2] = ["usr/lib/shim", "usr/lib/grub"];

/// What the kernel says when the firmware checks signatures.
const ENABLED: &str = "Secure boot enabled";

/// The packages, unpacked.
fn packages() -> PathBuf {
    once("signed", |directory| {
        clear(directory);
        let download =
            "apt-get download -qq \"$@\" || { apt-get update -qq && apt-get download -qq \"$@\"; }";
        let unpack = "for package in *.deb; do dpkg -x \"$package\" .; done";
        let script = format!("cd '{}'; {download}; {unpack}", text(directory));
        judge("sh", &[&["-ec", &script, "sh"][..], &PACKAGES].concat());
    })
}

/// The description of this type.
fn description(image_type: &str) -> String {
    small::DESCRIPTION.replace("TYPE", image_type)
}

/// Returns the machine when its kernel has said whether the firmware checks signatures, and shows a login.
fn logged_in(keywords: &[String], firmware: Firmware, directory: &Path) -> Machine {
    let mut machine = Machine::start(keywords, firmware, directory);
    if firmware == Firmware::SecureBoot {
        machine.expect(&[ENABLED], 300);
    }
    machine.log_in("tux", "kiwi");
    machine
}

#[test]
fn a_disk_and_a_medium_start_with_the_programs_that_debian_signed() {
    const DISK: &str = r#"<type image="oem" filesystem="ext4" firmware="uefi"><bootloader name="grub2" timeout="0"/></type>"#;
    const PLAIN: &str =
        r#"<type image="oem" filesystem="ext4" firmware="efi"><bootloader name="grub2" timeout="0"/></type>"#;
    const MEDIUM: &str = r#"<type image="iso" firmware="uefi"><bootloader name="grub2" timeout="1"/></type>"#;
    let packages = packages();
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    for name in ["none", "signed", "plain", "medium"] {
        std::fs::create_dir(at(name)).unwrap();
    }
    let tree = small::tree();
    {
        let _held = small::hold(tree);
        std::fs::write(tree.join("image/config.xml"), description(DISK)).unwrap();
        let refused = json(&["create", text(tree), "--destdir", text(&at("none"))]);
        assert_eq!(refused.error().1, "packages", "the tree has no signed GRUB");
        assert!(PACKAGES[..2].iter().all(|package| refused.names(package)), "{}", refused.last());
        for programs in PROGRAMS {
            judge("cp", &["-a", text(&packages.join(programs)), text(&tree.join(programs))]);
        }
        for (image_type, name) in [(DISK, "signed"), (PLAIN, "plain"), (MEDIUM, "medium")] {
            small::create_held(tree, &description(image_type), &at(name));
        }
        for programs in PROGRAMS {
            std::fs::remove_dir_all(tree.join(programs)).unwrap();
        }
    }
    let [signed, plain] = ["signed", "plain"].map(|name| at(name).join(format!("{SYSTEM}.raw")));
    drop(logged_in(&attached(&signed), Firmware::SecureBoot, directory.path()));
    // The same disk starts on machines of before.
    drop(logged_in(&attached(&signed), Firmware::Bios, directory.path()));
    let medium = at("medium").join(format!("{SYSTEM}.iso"));
    drop(logged_in(&Slot::Cdrom.keywords(&medium), Firmware::SecureBoot, directory.path()));
    let mut refused = Machine::start(&attached(&plain), Firmware::SecureBoot, directory.path());
    refused.expect(&["Access Denied"], 120);
    assert!(!refused.said("Linux version"));
}
