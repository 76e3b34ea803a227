//! Boots clients over a network, with real servers: registration, installation, updates, every kind of root file system.

pub(crate) mod built;
mod crowd;
mod faults;
mod lab;
mod roots;
mod verified;

use std::fs;
use std::path::PathBuf;

use kiwi_tests::machine::{Firmware, Machine};

use crate::linuxrc::{material, shell};
use lab::{BOOT, Content, Lab, MAC_IN_NAMES, NAME, end, enter, server, with_disk};

fn install(version: &str, more: &str) -> String {
    format!(
        "KIWI_KERNEL_OPTIONS=quiet console=ttyS0 panic=-1\nKIWI_BOOT_TIMEOUT=1\nIMAGE=/dev/vda2;{NAME};{version};{};8192\nPART=20;S;x,100;L;/,x;L;/home\nDISK=/dev/vda\n{more}",
        server()
    )
}

#[test]
fn registers_waits_installs_boots_from_disk_and_updates() {
    let lab = Lab::new("life");
    let disk = lab.disk(300);
    lab.publish("1.0.0", Content::Bootable);
    fs::write(lab.tree.join("KIWI/motd"), "from the server\n").unwrap();

    let mut machine = lab.boot("", &with_disk(&disk));
    machine.expect(&[&format!("It registered as upload/hwinfo.{MAC_IN_NAMES}")], BOOT);
    let registered = fs::read_to_string(lab.tree.join(format!("upload/hwtype.{MAC_IN_NAMES}"))).unwrap();
    assert!(registered.starts_with("NCNAME=undefined\nARCHITECTURE=x86_64\n"), "{registered}");
    let files = format!(
        "CONF=KIWI/motd;/etc/motd;{0};1024, \\\n    KIWI/motd;/etc/inside/deep/motd;{0};1024\n",
        server()
    );
    lab.configure(&install("1.0.0", &files));
    machine.expect(&["next attempt in"], 60);
    enter(&mut machine);
    assert_eq!(
        machine.ask("cat /etc/version /etc/motd /srv/deep/motd"),
        "this is 1.0.0\nfrom the server\nfrom the server"
    );
    let mounts = machine.ask("cat /proc/mounts");
    assert!(mounts.contains("/dev/vda2 / ext4 rw") && mounts.contains("/dev/vda3 /home ext4 rw"), "{mounts}");
    assert!(machine.ask("cat /proc/swaps").contains("/dev/vda1"));
    assert!(
        machine.ask(&format!("cat /etc/ImageVersion-{NAME}-1.0.0")).starts_with(&format!("{NAME}-1.0.0 "))
    );
    // The image has 40 MiB, its partition 100.
    let blocks: u64 =
        machine.ask("df -k / | sed -n '$s/  */ /gp' | sed 's/[^ ]* //;s/ .*//'").parse().unwrap();
    assert!(blocks > 80 << 10, "{blocks} KiB");
    machine.ask("echo mine > /home/kept; echo mine > /etc/kept");
    end(machine);

    let mut machine = Machine::boot(&disk, "raw", Firmware::Bios, &lab.directory);
    enter(&mut machine);
    assert_eq!(machine.ask("cat /etc/version /etc/kept"), "this is 1.0.0\nmine");
    assert!(machine.ask("cat /proc/cmdline").contains("root=UUID="));
    end(machine);

    let mut machine = lab.boot("", &with_disk(&disk));
    machine.expect(&[&format!("{NAME}-1.0.0: is up to date")], BOOT);
    enter(&mut machine);
    assert_eq!(machine.ask("cat /etc/kept"), "mine");
    assert!(!machine.said("Partitioning") && !machine.said("Loading"));
    end(machine);

    lab.publish("2.0.0", Content::Plain);
    lab.configure(&install("2.0.0", ""));
    let mut machine = lab.boot("", &with_disk(&disk));
    machine.expect(&[&format!("{NAME}-2.0.0: this version is not installed")], BOOT);
    enter(&mut machine);
    assert_eq!(machine.ask("cat /etc/version /home/kept; cat /etc/kept || echo absent"), {
        "this is 2.0.0\nmine\ncat: can't open '/etc/kept': No such file or directory\nabsent"
    });
    end(machine);

    lab.configure(&install("2.0.0", "RELOAD_IMAGE=yes\n"));
    let mut machine = lab.boot("", &with_disk(&disk));
    machine.expect(&["RELOAD_IMAGE is set"], BOOT);
    enter(&mut machine);
    assert_eq!(machine.ask("cat /home/kept"), "mine");
    end(machine);
}

#[test]
fn boots_from_the_disk_by_the_boot_image_of_the_configuration() {
    let lab = Lab::new("local");
    let disk = lab.disk(300);
    // A disk with a GPT keeps this kind of table.
    shell(&lab.directory, "echo 'label: gpt' | sfdisk -q disk");
    lab.publish("1.0.0", Content::Bootable);
    fs::copy(Lab::boot_image(), lab.tree.join("boot/initrd")).unwrap();
    fs::copy(&material().kernel, lab.tree.join("boot/linux")).unwrap();
    let local = "KIWI_INITRD=/boot/initrd\nKIWI_KERNEL=boot/linux\n";
    lab.configure(&install("1.0.0", local));
    let mut machine = lab.boot("", &with_disk(&disk));
    enter(&mut machine);
    end(machine);
    let mut machine = Machine::boot(&disk, "raw", Firmware::Bios, &lab.directory);
    enter(&mut machine);
    let line = machine.ask("cat /proc/cmdline");
    assert!(
        line.contains(&format!("IMAGE=/dev/vda2;{NAME};1.0.0;")) && line.contains("console=ttyS0"),
        "{line}"
    );
    assert!(machine.ask("cat /proc/mounts").contains("/dev/vda2 / ext4 rw"));
    end(machine);
    let judged = shell(&lab.directory, "sfdisk -V disk 2>&1");
    assert!(judged.contains("No errors detected"), "{judged}");
}

/// `REBOOT_IMAGE` after an installation, and `RELOAD_CONFIG` for a system that is up to date.
#[test]
#[ignore = "exhaustive: keys that few configurations have"]
fn a_machine_restarts_after_its_installation_and_gets_new_files() {
    let lab = Lab::new("reload");
    let disk = lab.disk(300);
    lab.publish("1.0.0", Content::Plain);
    let boot = |motd: &str, key: &str| {
        fs::write(lab.tree.join("KIWI/motd"), motd).unwrap();
        lab.configure(&install("1.0.0", &format!("CONF=KIWI/motd;/etc/motd\n{key}=yes\n")));
        lab.boot("", &with_disk(&disk))
    };
    let mut machine = boot("first\n", "REBOOT_IMAGE");
    machine.expect_end(BOOT);
    assert!(machine.said("PHASE loaded") && !machine.said(lab::PROMPT), "it does not start the system");
    for (motd, key, expected) in
        [("second\n", "REBOOT_IMAGE", "first"), ("third\n", "RELOAD_CONFIG", "third")]
    {
        let mut machine = boot(motd, key);
        machine.expect(&[&format!("{NAME}-1.0.0: is up to date")], BOOT);
        enter(&mut machine);
        assert_eq!(machine.ask("cat /etc/version /etc/motd"), format!("this is 1.0.0\n{expected}"));
        assert!(!machine.said(&format!("Loading {NAME}")));
        end(machine);
    }
}

/// Boots by the ROM of the card, which loads the kernel and the boot image from the server, with this configuration and disk.
/// Returns the disk, with what was installed on it.
fn boots_by_its_card(
    name: &str,
    firmware: Firmware,
    content: Content,
    configuration: &str,
) -> (Lab, PathBuf) {
    let lab = Lab::with(name, &["--dhcp-boot=boot/start.ipxe"]);
    let disk = lab.disk(300);
    lab.publish("1.0.0", content);
    fs::copy(Lab::boot_image(), lab.tree.join("boot/initrd")).unwrap();
    fs::copy(&material().kernel, lab.tree.join("boot/linux")).unwrap();
    let script = "#!ipxe\nkernel tftp://${next-server}/boot/linux initrd=initrd console=ttyS0 quiet panic=-1 BOOTIF=01-${mac:hexhyp}\n\
                  initrd --name initrd tftp://${next-server}/boot/initrd\nboot\n";
    fs::write(lab.tree.join("boot/start.ipxe"), script).unwrap();
    lab.configure(configuration);
    let mut machine = lab.network.machine(&with_disk(&disk), firmware, lab::MAC, &lab.directory);
    enter(&mut machine);
    assert_eq!(machine.ask("cat /etc/version"), "this is 1.0.0");
    assert!(machine.ask("cat /proc/cmdline").contains("BOOTIF=01-52-54-00-12-34-ab"));
    assert_eq!(
        machine.ask("ls -d /sys/firmware/efi 2>/dev/null | wc -l"),
        if firmware == Firmware::Uefi { "1" } else { "0" }
    );
    end(machine);
    (lab, disk)
}

#[test]
fn a_client_with_bios_boots_by_its_card() {
    let in_memory = format!("IMAGE=/dev/ram1;{NAME};1.0.0\n");
    boots_by_its_card("bios", Firmware::Bios, Content::Plain, &in_memory);
}

/// Such a client starts from its disk, too: its boot loader is on an EFI system partition, which PART does not have.
#[test]
fn a_client_with_uefi_boots_by_its_card_and_from_its_disk() {
    let (lab, disk) =
        boots_by_its_card("uefi", Firmware::Uefi, Content::Bootable, &install("1.0.0", "# on the disk\n"));
    let mut machine = Machine::boot(&disk, "raw", Firmware::Uefi, &lab.directory);
    enter(&mut machine);
    assert_eq!(machine.ask("cat /etc/version"), "this is 1.0.0");
    let mounts = machine.ask("cat /proc/mounts");
    assert!(mounts.contains("/dev/vda2 / ext4 r") && mounts.contains("/dev/vda3 /home ext4 rw"), "{mounts}");
    end(machine);
    let table = shell(&lab.directory, "sfdisk -d disk; sfdisk -V disk 2>&1");
    assert!(table.contains("No errors detected"), "{table}");
    assert!(table.contains("size=       32768, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B"), "{table}");
}
