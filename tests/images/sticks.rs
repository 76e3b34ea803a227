//! Sticks and boot CDs: made, judged by foreign tools, and booted.

use std::path::Path;

use kiwi_tests::machine::{self, Firmware, Machine, Slot, judge, run_kiwi};
use kiwi_tests::run::json;
use kiwi_tests::small::{SYSTEM, attached, create, kernel_in, log_in, mounted, text};

const STICK: &str = r#"<type image="usb" filesystem="ext4"/>"#;
const READ_ONLY_STICK: &str = r#"<type image="usb" filesystem="squashfs" boot="usbboot/debian-12"/>"#;
const INITRD: &str = "initrd-small.x86_64-1.0.0";

/// Lets the firmware start from this stick although there is a disk.
fn first(keywords: Vec<String>) -> Vec<String> {
    keywords.into_iter().map(|keyword| keyword.replace("drive=stick", "drive=stick,bootindex=0")).collect()
}

#[test]
fn a_stick_with_a_read_only_system_keeps_a_file_by_bios_and_uefi() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    create(READ_ONLY_STICK, directory.path());
    let initrd = at("initrd-usbboot-debian-12.x86_64-1.0.0.gz");
    let stick = |name: &str| {
        let path = at(name);
        let system = at(SYSTEM);
        let keywords =
            ["--bootstick", text(&initrd), "--bootstick-system", text(&system), "--output", text(&path)];
        let run = json(&keywords).done();
        // A file is treated as a device is.
        for task in ["write-stick", "verify-stick"] {
            assert!(
                run.all("stage").any(|stage| stage["task"] == task && stage["state"] == "finished"),
                "{run:?}"
            );
        }
        path
    };
    let image = stick("stick.raw");
    assert!(
        std::fs::read(&image).unwrap() == std::fs::read(stick("again.raw")).unwrap(),
        "two sticks differ"
    );
    judge("sfdisk", &["--verify", text(&image)]);
    for (number, checker) in [(1, &["fsck.vfat", "-n"][..]), (3, &["e2fsck", "-f", "-n"])] {
        let partition = at("partition");
        judge("sh", &["-c", &cut(&image, number, &partition)]);
        judge(checker[0], &[&checker[1..], &[text(&partition)]].concat());
    }
    let file = std::fs::OpenOptions::new().write(true).open(&image).unwrap();
    file.set_len(1 << 30).unwrap();
    let mut machine = log_in(&Slot::Usb.keywords(&image), Firmware::Bios, directory.path());
    assert_eq!(mounted(&mut machine, "/"), "overlay overlay rw");
    let free: u64 = machine.ask("df --output=avail / | tail -n 1").trim().parse().unwrap();
    assert!(free > 500_000, "the layer has not grown: {free} kB");
    assert_eq!(machine.ask("echo for ever > kept; sync; cat kept"), "for ever");
    drop(machine);
    let mut machine = log_in(&Slot::Usb.keywords(&image), Firmware::Uefi, directory.path());
    assert_eq!(machine.ask("cat kept"), "for ever");
}

/// A shell command that writes partition `number` of `image` to `output`.
fn cut(image: &Path, number: u32, output: &Path) -> String {
    format!(
        "set -e; sfdisk -d '{0}' | sed -n 's/.*raw{number} : start= *\\([0-9]*\\), size= *\\([0-9]*\\).*/\\1 \\2/p' | {{
         read start size; dd if='{0}' of='{1}' bs=512 skip=$start count=$size status=none; }}; test -s '{1}'",
        image.display(),
        output.display()
    )
}

#[test]
fn a_boot_stick_and_a_boot_cd_start_the_system_of_a_stick() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    create(STICK, directory.path());
    let initrd = at(INITRD);
    let system = at("system.raw");
    run_kiwi(&["boot-stick", text(&initrd), "--system", text(&at(SYSTEM)), "--output", text(&system)]);
    let mut machine = log_in(&Slot::Usb.keywords(&system), Firmware::Bios, directory.path());
    assert_eq!(mounted(&mut machine, "/"), "/dev/sda2 ext4 rw");
    drop(machine);

    // Neither carries a system: the boot image finds the one on the disk.
    let boot = at("boot.raw");
    run_kiwi(&["boot-stick", text(&initrd), "--output", text(&boot)]);
    let keywords = [first(Slot::Usb.keywords(&boot)), attached(&system)].concat();
    let mut machine = log_in(&keywords, Firmware::Bios, directory.path());
    assert_eq!(mounted(&mut machine, "/"), "/dev/vda2 ext4 rw");
    drop(machine);

    run_kiwi(&["--bootcd", text(&initrd)]);
    let cd = at(&format!("{INITRD}.cdboot.iso"));
    let first = std::fs::read(&cd).unwrap();
    run_kiwi(&["boot-cd", text(&initrd)]);
    assert!(std::fs::read(&cd).unwrap() == first, "two CDs differ");
    let report = judge("xorriso", &["-indev", text(&cd), "-report_el_torito", "plain"]);
    assert!(report.contains("BIOS  y") && report.contains("UEFI  y"), "{report}");
    let keywords =
        [Slot::Cdrom.keywords(&cd), attached(&system), vec!["-boot".to_owned(), "d".to_owned()]].concat();
    let mut machine = log_in(&keywords, Firmware::Bios, directory.path());
    assert_eq!(mounted(&mut machine, "/"), "/dev/vda2 ext4 rw");
    drop(machine);

    // The same CD as a stick: its menu goes on to the disk, whose own menu names the root device. This disk is a VMDK.
    let of_system = text(&at(SYSTEM)).to_owned();
    let options = ["--bootvm-system", &of_system, "--bootvm-disksize", "2G", "--bootvm-format", "vmdk"];
    run_kiwi(&[&["--bootvm", text(&initrd)][..], &options].concat());
    let disk = at(&format!("{SYSTEM}.vmdk"));
    judge("qemu-img", &["check", text(&disk)]);
    let drive = format!("file={},format=vmdk,if=virtio", text(&disk));
    let keywords = [self::first(Slot::Usb.keywords(&cd)), vec!["-drive".to_owned(), drive]].concat();
    let mut machine = Machine::start(&keywords, Firmware::Bios, directory.path());
    machine.choose("The selected entry starts in", 2);
    machine.log_in("tux", "kiwi");
    assert!(machine.ask("cat /proc/cmdline").contains("root=PARTUUID="), "the disk did not start");
    assert_eq!(mounted(&mut machine, "/"), "/dev/vda2 ext4 rw");
    let size = |device: &str| format!("cat /sys/class/block/{device}/size");
    assert_eq!(machine.ask(&size("vda")), (2 << 21).to_string());
    assert!(machine.ask(&size("vda2")).parse::<u64>().unwrap() > 3 << 20, "the system did not grow");
    drop(machine);

    // UEFI has its own way to the disk: here its menu is enough.
    let keywords =
        [Slot::Cdrom.keywords(&cd), attached(&system), vec!["-boot".to_owned(), "d".to_owned()]].concat();
    let mut machine = Machine::start(&keywords, Firmware::Uefi, directory.path());
    machine.choose("Boot from the disk", 2);
    machine.expect(&["KIWI Stick boot"], 120);
    drop(machine);

    // Nobody has a system.
    let keywords = machine::direct(&kernel_in(directory.path()), &initrd, "rd.timeout=5", directory.path());
    Machine::start(&keywords, Firmware::Bios, directory.path()).expect_failure(
        "no system was found on partition 2 of a disk, and root= does not specify one within 5 seconds.",
        180,
    );
}
