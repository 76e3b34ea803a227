//! RPM systems boot: the example for zypper from its disk, with a repository in a directory, the example for dnf as a live
//! system, with a repository on a web server, and both as every other type, with signatures and with boot images of their own
//! (`tests/rpm/boot`).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use kiwi_tests::machine::{Firmware, Machine, judge};
use kiwi_tests::program::{checkout, kiwi};
use kiwi_tests::rpm;
use kiwi_tests::run::Run;
use kiwi_tests::small::{attached, mounted, text};
use kiwi_tests::web::Web;

use crate::netboot::built::{Server, disk};

/// Builds a description from this repository.
fn build(description: &Path, repository: &str, directory: &Path) {
    let mut command = Command::new(kiwi());
    command.arg("build").arg(description).arg("--destdir").arg(directory);
    command.env("KIWI_RPM_REPO", repository).env("KIWI_CACHE", directory.join("cache"));
    command.env("XDG_DATA_HOME", directory.join("data"));
    for name in ["http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"] {
        command.env_remove(name);
    }
    let _ = Run::of(&mut command).done();
}

fn example(name: &str) -> PathBuf {
    checkout().join("examples").join(name)
}

/// Returns a copy of an example with another type, which checks signatures and has a second repository, and provides the boot
/// images of the distribution. Each contains `weak`, a package of the second repository.
fn variation(name: &str, image_type: &str, directory: &Path) -> PathBuf {
    let description = directory.join(name);
    judge("cp", &["-r", text(&example(name)), text(&description)]);
    let (config, repository) = (description.join("config.xml"), rpm::bootable());
    let written = fs::read_to_string(&config).unwrap();
    let (before, rest) = written.split_once("<type ").unwrap();
    let (_, after) = rest.split_once("</type>").unwrap();
    let key = format!("<signing key=\"file://{}\"/></source>", repository.key().display());
    let more = format!(
        "</repository><repository type=\"rpm-md\"><source path=\"{}\">{key}</repository>",
        repository.variant("features").display()
    );
    let changed = format!("{before}{image_type}{after}")
        .replace(" repository_gpgcheck=\"false\" package_gpgcheck=\"false\"", "")
        .replace("<source path=\"{KIWI_RPM_REPO}\"/>", &format!("<source path=\"{{KIWI_RPM_REPO}}\">{key}"))
        .replace("</repository>", &more);
    fs::write(config, changed).unwrap();

    let data = directory.join("data");
    judge("cp", &["-rL", text(&checkout().join("tests/rpm/boot")), text(&data)]);
    for kind in ["vmxboot", "isoboot", "netboot"] {
        let boot = data.join("kiwi/image").join(kind).join("debrpm-12");
        let add = |file: &str, line: &str, added: &str| {
            let path = boot.join(file);
            let written = fs::read_to_string(&path).unwrap();
            assert!(written.contains(line), "{written}");
            fs::write(&path, written.replace(line, &format!("{line}\n{added}"))).unwrap();
        };
        add("config.xml", "<package name=\"kmod\"/>", "<package name=\"weak\"/>");
        add("images.sh", "mv /usr/lib/modules /keep/usr/lib/modules", "mv /opt/weak /keep/usr/lib/weak");
    }
    description
}

/// A boot image has what only the repositories of its system provide.
fn inherited(directory: &Path, kind: &str) {
    let initrd = directory.join(format!("initrd-{kind}-debrpm-12.x86_64-1.0.0.gz"));
    let listed = judge("sh", &["-c", &format!("gzip -dc '{}' | cpio --list --quiet", initrd.display())]);
    assert!(listed.lines().any(|path| path == "usr/lib/weak"), "{listed}");
    assert!(!listed.contains("usr/lib/python"), "{listed}");
}

/// The account and the name are those of the description, and each service has started.
fn inspect(machine: &mut Machine, name: &str) {
    machine.log_in("tux", "kiwi");
    look_around(machine, name);
}

/// Like [`inspect`], after the login.
fn look_around(machine: &mut Machine, name: &str) {
    assert_eq!(machine.ask("hostname"), name);
    assert!(!machine.said("[FAILED]"), "a service did not start; {}", machine.tail());
    assert_eq!(machine.ask("echo written > there; cat there"), "written");
    // config.sh has enabled it.
    assert_eq!(machine.ask("cat /proc/[0-9]*/comm 2>/dev/null | grep -c systemd-network"), "1");
}

#[test]
fn a_disk_of_packages_that_zypper_selects_boots() {
    let directory = tempfile::tempdir().unwrap();
    let repository = rpm::bootable();
    build(&example("rpm-zypper"), text(repository.path()), directory.path());
    let image = directory.path().join("rpm-zypper.x86_64-1.0.0.raw");
    judge("sfdisk", &["--verify", image.to_str().unwrap()]);
    let mut machine = Machine::boot(&image, "raw", Firmware::Bios, directory.path());
    inspect(&mut machine, "rpm-zypper");
    assert_eq!(machine.ask("findmnt -n -o FSTYPE /"), "ext4");
}

#[test]
fn a_live_system_of_packages_that_dnf_selects_boots() {
    let directory = tempfile::tempdir().unwrap();
    let repository = rpm::bootable();
    let web = Web::serve(repository.path());
    build(&example("rpm-dnf"), &web.url(), directory.path());
    let packages = |requests: Vec<String>| requests.iter().filter(|path| path.ends_with(".rpm")).count();
    let (listed, image) =
        (directory.path().join("rpm-dnf.x86_64-1.0.0.packages"), "rpm-dnf.x86_64-1.0.0.iso");
    let listed = std::fs::read_to_string(listed).unwrap().lines().count();
    assert_eq!(packages(web.requests()), listed, "each package is fetched once");
    let image = directory.path().join(image);
    let mut machine = live(&image, Firmware::Bios, directory.path());
    look_around(&mut machine, "rpm-dnf");
}

/// Boots a live medium. Debian's kernel for clouds drives no SATA.
fn live(image: &Path, firmware: Firmware, directory: &Path) -> Machine {
    let drive = format!("if=none,id=medium,media=cdrom,readonly=on,format=raw,file={}", image.display());
    let keywords = ["-device", "virtio-scsi-pci", "-drive", &drive, "-device", "scsi-cd,drive=medium"];
    let mut machine = Machine::start(&keywords.map(str::to_owned), firmware, directory);
    machine.log_in("tux", "kiwi");
    assert_eq!(machine.ask("findmnt -n -o FSTYPE /"), "overlay");
    machine
}

/// A client loads the system of an example by its boot image, which was built from the signed repositories of the system.
fn boots_over_the_network(name: &str) {
    let server = Server::new(name);
    let images = server.directory.join("images");
    fs::create_dir_all(&images).unwrap();
    let description =
        variation(name, r#"<type image="pxe" boot="netboot/debrpm-12" filesystem="ext4"/>"#, &images);
    build(&description, text(rpm::bootable().path()), &images);
    inherited(&images, "netboot");
    server.publish(&images);
    server.configure(&format!("IMAGE=/dev/vda2;{name}.x86_64;1.0.0\nPART=64;S;x,x;L;/\nDISK=/dev/vda\n"));
    let disk = disk(&server.directory);
    let mut machine = server.boot(&attached(&disk));
    look_around(&mut machine, name);
    assert_eq!(mounted(&mut machine, "/"), "/dev/vda2 ext4 rw");
}

#[test]
fn a_client_of_packages_that_zypper_selects_boots_over_the_network() {
    boots_over_the_network("rpm-zypper");
}

#[test]
#[ignore = "zypper's client boots in every run"]
fn a_client_of_packages_that_dnf_selects_boots_over_the_network() {
    boots_over_the_network("rpm-dnf");
}

#[test]
#[ignore = "zypper's disk and dnf's live system boot in every run"]
fn a_disk_of_packages_that_dnf_selects_boots_by_uefi_through_its_boot_image() {
    let directory = tempfile::tempdir().unwrap();
    let image_type = r#"<type image="vmx" boot="vmxboot/debrpm-12" filesystem="ext4" firmware="efi"
        kernelcmdline="console=tty0 console=ttyS0"><bootloader name="grub2" timeout="1"/></type>"#;
    let description = variation("rpm-dnf", image_type, directory.path());
    build(&description, text(rpm::bootable().path()), directory.path());
    inherited(directory.path(), "vmxboot");
    let image = directory.path().join("rpm-dnf.x86_64-1.0.0.raw");
    judge("sfdisk", &["--verify", text(&image)]);
    let mut machine = Machine::boot(&image, "raw", Firmware::Uefi, directory.path());
    inspect(&mut machine, "rpm-dnf");
    assert_eq!(machine.ask("findmnt -n -o FSTYPE /"), "ext4");
    assert_eq!(machine.ask("ls -d /sys/firmware/efi"), "/sys/firmware/efi");
}

#[test]
#[ignore = "zypper's disk and dnf's live system boot in every run"]
fn a_live_system_of_packages_that_zypper_selects_boots_by_both_firmwares_through_its_boot_image() {
    let directory = tempfile::tempdir().unwrap();
    let image_type = r#"<type image="iso" boot="isoboot/debrpm-12" flags="unified" volid="RPMLIVE"
        kernelcmdline="console=tty0 console=ttyS0"><bootloader name="grub2" timeout="1"/></type>"#;
    let description = variation("rpm-zypper", image_type, directory.path());
    build(&description, text(rpm::bootable().path()), directory.path());
    let image = directory.path().join("rpm-zypper.x86_64-1.0.0.iso");
    for firmware in [Firmware::Bios, Firmware::Uefi] {
        let mut machine = live(&image, firmware, directory.path());
        look_around(&mut machine, "rpm-zypper");
    }
}
