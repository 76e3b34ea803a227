//! The examples are built from the real archive and boot to their login prompt, by BIOS and by UEFI.

use std::path::{Path, PathBuf};
use std::process::Command;

use kiwi_tests::machine::{Firmware, Machine, run_kiwi, without_the_kernel};
use kiwi_tests::program::{checkout, kiwi};
use kiwi_tests::run::Run;

/// Gigabytes of the disk a machine gets: far more than the image has.
const DISK: &str = "4G";

fn build(description: &Path, name: &str, directory: &Path) -> PathBuf {
    run_kiwi(&["build", description.to_str().unwrap(), "--destdir", directory.to_str().unwrap()]);
    let image = directory.join(format!("{name}.x86_64-1.0.0.qcow2"));
    let check = Command::new("qemu-img").arg("check").arg(&image).output().unwrap();
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
    image
}

/// A disk of its own for one machine, as a cloud would give it: the image, enlarged.
fn disk_of(image: &Path, directory: &Path) -> PathBuf {
    let disk = directory.join("disk.qcow2");
    let _ = std::fs::remove_file(&disk);
    let create = ["create", "-q", "-f", "qcow2", "-F", "qcow2", "-b"];
    let made = Command::new("qemu-img").args(create).arg(image).arg(&disk).arg(DISK).status().unwrap();
    assert!(made.success());
    disk
}

/// What the description asked for is there, seen from inside.
fn inspect(machine: &mut Machine, name: &str) {
    machine.log_in("tux", "kiwi");
    assert_eq!(machine.ask("hostname"), name);
    assert!(machine.ask("cat /etc/motd").contains("built by kiwi"), "the overlay is missing");
    assert_eq!(machine.ask("readlink -f /etc/localtime"), "/usr/share/zoneinfo/Europe/Berlin");
    assert_eq!(machine.ask("echo $LANG"), "de_DE.UTF-8");
    assert!(machine.ask("locale -a").contains("de_DE.utf8"), "the locale has no data");
    let kilobytes: u64 = machine.ask("df --output=size / | tail -n 1").parse().unwrap();
    assert!(kilobytes > 3_500_000, "the root file system has {kilobytes} kB on a disk of {DISK}");
    assert_eq!(machine.ask("findmnt -n -o OPTIONS / | cut -d, -f1"), "rw");
}

/// What is one machine's own: its id and its public ssh host key, made since it started for the first time.
fn identity(machine: &mut Machine) -> [String; 2] {
    let key = "/etc/ssh/ssh_host_ed25519_key.pub";
    let said = machine.ask(&format!("until [ -s {key} ]; do sleep 1; done; cut -d' ' -f2 {key}"));
    assert!(said.starts_with("AAAA"), "this is no key: {said}");
    [machine.ask("cat /etc/machine-id"), said]
}

/// First boot of a disk of its own by this firmware, to a login.
fn first_boot(image: &Path, name: &str, firmware: Firmware, directory: &Path) -> (PathBuf, Machine) {
    let disk = disk_of(image, directory);
    let mut machine = Machine::boot(&disk, "qcow2", firmware, directory);
    inspect(&mut machine, name);
    (disk, machine)
}

#[test]
fn debian_12_boots_by_bios_and_again_by_uefi() {
    let directory = tempfile::tempdir().unwrap();
    let name = "debian-12-server";
    let image = build(&checkout().join("examples").join(name), name, directory.path());
    let (disk, mut machine) = first_boot(&image, name, Firmware::Bios, directory.path());
    let own = identity(&mut machine);
    // The id and the key were made since the machine started, so that no other machine of the image has them.
    let seconds = |machine: &mut Machine, question: &str| machine.ask(question).parse::<u64>().unwrap();
    let started = seconds(&mut machine, "awk '/btime/ { print $2 }' /proc/stat");
    for made in ["/etc/machine-id", "/etc/ssh/ssh_host_ed25519_key.pub"] {
        let made = seconds(&mut machine, &format!("stat -c %Y {made}"));
        // Both are rounded.
        assert!(made + 1 >= started, "made {} s before the machine started", started - made);
    }
    machine.power_off("kiwi");
    let mut machine = Machine::boot(&disk, "qcow2", Firmware::Uefi, directory.path());
    inspect(&mut machine, name);
    assert_eq!(identity(&mut machine), own);
}

/// What `kiwi init` gives boots; `tests/init.rs` compares it with the example of Debian 13.
#[test]
fn debian_13_of_init_boots_by_uefi_and_bios() {
    // Of the keyword kiwi.
    const HASH: &str = "$6$rounds=5000$r6KA41yQcb1snahg$6J3KM5oR1G4q4jh0rezU87HLi3pv4eNdG4fdvzqjExbBKtsfH5/9CI/F0iI6Ul0ew936oKScwV5icZrVN.vhu.";
    let directory = tempfile::tempdir().unwrap();
    let description = directory.path().join("description");
    let mut keywords = vec!["init", "server", "--directory", description.to_str().unwrap(), "--user", "tux"];
    keywords.extend(["--password-hash", HASH, "--locale", "de_DE", "--timezone", "Europe/Berlin"]);
    run_kiwi(&keywords);
    let image = build(&description, "debian-13-server", directory.path());
    drop(first_boot(&image, "debian-13-server", Firmware::Uefi, directory.path()));
    // What differs by BIOS is over when the system's init starts.
    let disk = disk_of(&image, directory.path());
    let mut machine = Machine::boot(&disk, "qcow2", Firmware::Bios, directory.path());
    machine.expect(&["Debian GNU/Linux 13 (trixie)"], 400);
}

#[test]
fn the_chapters_description_boots_through_its_boot_image() {
    let directory = tempfile::tempdir().unwrap();
    let image = build(&checkout().join("examples/debian-12-chapter"), "debian-12-chapter", directory.path());
    assert!(directory.path().join("initrd-vmxboot-debian-12.x86_64-1.0.0.gz").is_file());
    first_boot(&image, "debian-12-chapter", Firmware::Bios, directory.path());
}

#[test]
fn an_answer_is_what_the_command_printed() {
    let said = "[   77.718077] kvm_amd: Nested Virtualization enabled\n[   77.718585] x\nr[ 1077.730666] kvm_amd: Virtual GIF\nw\nend [1]";
    assert_eq!(without_the_kernel(said), "rw\nend [1]");
}

/// A boot sector that writes `KIWI` to the serial port and switches a `q35` machine off by ACPI.
fn boot_sector() -> Vec<u8> {
    let mut code = vec![0xba, 0xf8, 0x03]; // mov dx, 0x3f8
    code.extend(b"KIWI\n".iter().flat_map(|letter| [0xb0, *letter, 0xee])); // mov al, letter; out dx, al
    code.extend([0xba, 0x04, 0x06, 0xb8, 0x00, 0x20, 0xef]); // mov dx, 0x604; mov ax, 0x2000; out dx, ax
    code.extend([0xf4, 0xeb, 0xfd]); // hlt; jmp to hlt
    code.resize(510, 0);
    code.extend([0x55, 0xaa]);
    code
}

#[test]
fn run_writes_the_console_to_standard_error_with_json() {
    let directory = tempfile::tempdir().unwrap();
    let image = directory.path().join("disk.raw");
    std::fs::write(&image, boot_sector()).unwrap();
    std::fs::File::options().write(true).open(&image).unwrap().set_len(1 << 20).unwrap();
    let mut command = Command::new(kiwi());
    command.args(["run", "--accel", "tcg"]).arg(&image).stdin(std::process::Stdio::null());
    let run = Run::of(&mut command).done();
    assert_eq!(run.outcome()["kind"], "done");
    assert!(run.stderr.contains("KIWI"), "{}", run.stderr);
}
