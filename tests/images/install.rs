//! Installation media: a system installed from CD and stick that then boots alone, and media and disks that something is
//! wrong with.

use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use kiwi_tests::machine::{self, Firmware, Machine, Slot, judge, run_kiwi};
use kiwi_tests::program::{clear, once};
use kiwi_tests::small::{SYSTEM, attached, create, kernel_in, log_in, mounted, text};

/// The system with a medium that installs it.
const DISK: &str = r#"<type image="oem" filesystem="ext4" installiso="true" kernelcmdline="ODD"><bootloader name="grub2" timeout="1"/>
  <oemconfig><oem-device-filter>^/dev/vdb$</oem-device-filter><oem-shutdown-interactive>true</oem-shutdown-interactive>
    <oem-silent-install>true</oem-silent-install><oem-skip-verify>true</oem-skip-verify>
    <oem-silent-boot>true</oem-silent-boot></oemconfig>DEPLOY</type>"#;

/// Kernel parameters that GRUB's shell would interpret.
const ODD: &str =
    "ds=nocloud;s=http://x/ pipe=|x {brace} price=$5 note=&quot;two words&quot; last=1 console=ttyS0";

/// The same system as a file system, whose disk is made with the medium.
const BARE: &str = r#"<type image="ext4">DEPLOY</type>"#;

const DEPLOY: &str = r#"<deploy><partitions><partition type="S" number="1" size="64"/>
    <partition number="2" size="300" mountpoint="/" target="true"/>
    <partition number="3" mountpoint="/home"/></partitions></deploy>"#;

/// Bytes of a disk the system is installed on.
const ROOMY: u64 = 640 << 20;

/// An empty disk of `bytes`.
fn disk(directory: &Path, bytes: u64) -> PathBuf {
    let path = directory.join("disk.raw");
    std::fs::File::create(&path).unwrap().set_len(bytes).unwrap();
    path
}

/// The keywords for a machine with `cd` and `disk` that starts from the CD.
fn from_cd(cd: &Path, disk: &Path) -> Vec<String> {
    [Slot::Cdrom.keywords(cd), attached(disk), ["-boot", "d"].map(str::to_owned).to_vec()].concat()
}

/// The boot image of installation media, built once.
fn installer() -> &'static Path {
    static INSTALLER: OnceLock<PathBuf> = OnceLock::new();
    INSTALLER.get_or_init(|| {
        let directory = once("installer", |directory| {
            clear(directory);
            run_kiwi(&["build", "isoinstboot/debian-12", "--destdir", text(directory)]);
        });
        directory.join("initrd-isoinstboot-debian-12.x86_64-1.0.0.gz")
    })
}

/// The system that is installed, made once.
fn system() -> &'static Path {
    static SYSTEM_DISK: OnceLock<PathBuf> = OnceLock::new();
    SYSTEM_DISK.get_or_init(|| {
        let directory = once("installed", |directory| {
            clear(directory);
            create(&DISK.replace("DEPLOY", DEPLOY).replace("ODD", ODD), directory);
        });
        directory.join(format!("{SYSTEM}.raw"))
    })
}

/// The machine runs the installed system: it has divided the disk and kept what it had in /home.
fn is_divided(machine: &mut Machine) {
    machine.log_in("tux", "kiwi");
    assert_eq!(mounted(machine, "/"), "/dev/vda3 ext4 rw");
    assert_eq!(mounted(machine, "/home"), "/dev/vda5 ext4 rw");
    assert_eq!(machine.ask("stat -c %U /home/tux"), "tux", "what was in /home is there");
    assert!(machine.ask("cat /proc/swaps").contains("/dev/vda4"));
    let size = |machine: &mut Machine, name: &str| {
        let blocks = machine.ask(&format!("awk '$4 == \"{name}\" {{ print $3 }}' /proc/partitions"));
        blocks.parse::<u64>().unwrap() / 1024
    };
    assert_eq!((size(machine, "vda3"), size(machine, "vda4")), (300, 64));
    assert!(size(machine, "vda5") > 200, "/home does not fill the disk");
    let root: u64 = machine.ask("df --output=size / | tail -n 1").trim().parse().unwrap();
    assert!(root > 260_000, "the system has not grown: {root} kB");
    assert_eq!(machine.ask("grep -c PARTUUID /etc/fstab"), "2");
}

#[test]
fn a_cd_installs_a_file_system_that_then_boots_alone() {
    let directory = tempfile::tempdir().unwrap();
    create(&BARE.replace("DEPLOY", DEPLOY), directory.path());
    let system = directory.path().join(SYSTEM);
    let settings = std::fs::read_to_string(directory.path().join(format!("{SYSTEM}.config"))).unwrap();
    assert!(
        settings.starts_with("PART=64;S;x,300;L;/,x;L;/home,\nIMAGE=2;small.x86_64;1.0.0\n"),
        "{settings}"
    );
    let cd = directory.path().join("install.iso");
    run_kiwi(&["--installcd", text(installer()), "--installcd-system", text(&system), "--output", text(&cd)]);
    let bytes = std::fs::read(&cd).unwrap();
    run_kiwi(&["install-cd", text(installer()), "--system", text(&system), "--output", text(&cd)]);
    assert!(std::fs::read(&cd).unwrap() == bytes, "two media differ");
    let listed = judge("isoinfo", &["-f", "-R", "-i", text(&cd)]);
    for file in ["/config.isoclient\n", &format!("/image/{SYSTEM}.gz\n"), &format!("/image/{SYSTEM}.md5\n")] {
        assert!(listed.contains(file), "{file} is not on the medium: {listed}");
    }
    judge("sfdisk", &["--verify", text(&cd)]);
    let disk = disk(directory.path(), ROOMY);
    // A second one has the room for the system and not for its partitions.
    let small = directory.path().join("small.raw");
    std::fs::File::create(&small).unwrap().set_len(320 << 20).unwrap();
    let keywords = [from_cd(&cd, &disk), attached(&small)].concat();
    let mut machine = Machine::start(&keywords, Firmware::Bios, directory.path());
    machine.expect(&["Name of the disk to install on"], 300);
    machine.type_line("vdb");
    machine.expect(&["The disk vdb is too small: it has 320 MiB and the system needs "], 30);
    machine.type_line("vda");
    machine.expect(&["It is empty."], 30);
    machine.type_line("yes");
    machine.expect(&[&format!("{SYSTEM} is installed on vda.")], 300);
    machine.expect(&["The CD was ejected."], 30);
    machine.expect_end(60);
    let mut machine = Machine::start(&attached(&disk), Firmware::Bios, directory.path());
    is_divided(&mut machine);
    machine.ask("echo mine > /home/tux/mine; sync; cat /proc/uptime");
    drop(machine);
    judge("sfdisk", &["--verify", text(&disk)]);
    let mut machine = log_in(&attached(&disk), Firmware::Uefi, directory.path());
    assert_eq!(machine.ask("cat /home/tux/mine"), "mine");
    assert_eq!(machine.ask("grep -c PARTUUID /etc/fstab"), "2", "it is divided once");
}

/// A disk full of somebody's bytes, with a partition.
fn foreign_disk(directory: &Path, bytes: u64) -> (PathBuf, Vec<u8>) {
    let path = disk(directory, bytes);
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    judge("sh", &["-c", &format!("echo '2048,,L' | sfdisk -q --label dos '{}'", path.display())]);
    let canary: Vec<u8> = (0..4 << 20).map(|at: u32| (at * 31 % 251) as u8).collect();
    file.write_all_at(&canary, 1 << 20).unwrap();
    let before = std::fs::read(&path).unwrap();
    (path, before)
}

/// The keywords that start kernel and initrd of the installer without a boot loader.
fn direct(seconds: u8, directory: &Path) -> Vec<String> {
    let kernel = kernel_in(installer().parent().unwrap());
    machine::direct(&kernel, installer(), &format!("rd.timeout={seconds}"), directory)
}

#[test]
fn a_foreign_disk_is_only_overwritten_with_the_typed_keyword_or_unattended() {
    let directory = tempfile::tempdir().unwrap();
    let (disk, before) = foreign_disk(directory.path(), ROOMY);
    // The medium that the description asks for starts and finds what is on it.
    let cd = system().with_file_name(format!("{SYSTEM}.install.iso"));
    // The machine has no PS/2: its only keyboard is at a USB port.
    let keyboard = ["-machine", "i8042=off", "-device", "qemu-xhci", "-device", "usb-kbd"];
    let keywords = [from_cd(&cd, &disk), keyboard.map(str::to_owned).to_vec()].concat();
    let mut machine = Machine::start(&keywords, Firmware::Bios, directory.path());
    machine.expect(&["Name of the disk to install on"], 300);
    machine.press("vda");
    machine.expect(&["ALL THAT IS ON IT WILL BE LOST."], 30);
    machine.press("y");
    machine.expect_failure("Nothing was installed: \"y\" is not yes.", 30);
    drop(machine);
    assert!(std::fs::read(&disk).unwrap() == before, "the disk was touched");

    let stick = |name: &str, keywords: &[&str]| {
        let path = directory.path().join(name);
        run_kiwi(&[keywords, &["--output", text(&path)]].concat());
        path
    };
    let ng = ["install-stick", text(installer()), "--system", text(system())];
    let attended = stick("attended.raw", &ng);
    let legacy = ["--installstick", text(installer()), "--installstick-system", text(system())];
    assert!(
        std::fs::read(&attended).unwrap() == std::fs::read(stick("again.raw", &legacy)).unwrap(),
        "two sticks differ"
    );
    let unattended = stick("stick.raw", &[&ng[..], &["--unattended"]].concat());
    // The system's filter leaves the second disk out, so that there is no doubt about the first one.
    let other = directory.path().join("other.raw");
    std::fs::File::create(&other).unwrap().set_len(ROOMY).unwrap();
    let keywords =
        [direct(30, directory.path()), Slot::Usb.keywords(&unattended), attached(&disk), attached(&other)]
            .concat();
    let mut machine = Machine::start(&keywords, Firmware::Bios, directory.path());
    machine.expect(&[&format!("{SYSTEM} is installed on vda.")], 400);
    machine.expect(&["Press Enter and the machine is switched off: "], 30);
    for silenced in ["Checking the system", "Writing the system", "Comparing"] {
        assert!(!machine.said(silenced), "{silenced}");
    }
    machine.type_line("");
    machine.expect_end(60);
    let mut machine = Machine::start(&attached(&disk), Firmware::Uefi, directory.path());
    is_divided(&mut machine);
    let line = machine.ask("cat /proc/cmdline");
    assert!(line.contains(" quiet"), "the kernel of the disk is not silent: {line}");
    let odd = "ds=nocloud;s=http://x/ pipe=|x {brace} price=$5 \"note=two words\" last=1 console=ttyS0";
    assert!(line.contains(odd), "{line}");
    drop(machine);

    // The stick was left in its socket.
    let installed = std::fs::read(&disk).unwrap();
    let mut machine = Machine::start(&keywords, Firmware::Bios, directory.path());
    machine.expect(&[&format!("{SYSTEM} is installed on vda already.")], 300);
    machine.expect(&["ALL THAT IS ON vda WILL BE LOST"], 30);
    machine.pull_stick();
    machine.expect_end(60);
    assert!(std::fs::read(&disk).unwrap() == installed, "the installed system was touched");
}

#[test]
fn what_is_wrong_with_an_installation_is_said_and_nothing_is_written() {
    /// Bytes of a system that nobody starts, of a disk that has no room for it, and of one that has.
    const SYSTEM_SIZE: u64 = 24 << 20;
    const TINY: u64 = 8 << 20;
    const ENOUGH: u64 = 64 << 20;
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    std::fs::rename(foreign_disk(directory.path(), SYSTEM_SIZE).0, at(&format!("{SYSTEM}.raw"))).unwrap();
    let cd = at("install.iso");
    let system = at(&format!("{SYSTEM}.raw"));
    let keywords = ["install-cd", text(installer()), "--system", text(&system), "--unattended"];
    run_kiwi(&[&keywords[..], &["--output", text(&cd)]].concat());
    let says = |medium: Option<&Path>, size: u64, text: &str| {
        let (disk, before) = foreign_disk(directory.path(), size);
        let seconds = if medium.is_some() { 30 } else { 2 };
        let mut keywords = [direct(seconds, directory.path()), attached(&disk)].concat();
        keywords.extend(medium.into_iter().flat_map(|medium| Slot::Cdrom.keywords(medium)));
        Machine::start(&keywords, Firmware::Bios, directory.path()).expect_failure(text, 300);
        assert!(std::fs::read(&disk).unwrap() == before, "the disk was touched");
    };
    says(None, ENOUGH, "The CD or USB stick with the system to install was not found within 2 seconds.");
    says(Some(&cd), TINY, "The disk vda is too small: it has 8 MiB and the system needs ");
    let bytes = std::fs::read(&cd).unwrap();
    let sum = std::fs::read_to_string(sum_of(&cd, directory.path())).unwrap();
    let location =
        bytes.windows(sum.len()).position(|window| window == sum.as_bytes()).expect("the sum") as u64;
    let changed = |name: &str, from: &str, to: &str| {
        assert_eq!(from.len(), to.len());
        let path = at(name);
        std::fs::copy(&cd, &path).unwrap();
        let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.write_all_at(sum.replacen(from, to, 1).as_bytes(), location).unwrap();
        path
    };
    let wrong = changed("wrong.iso", &sum[..8], "00000000");
    says(Some(&wrong), ENOUGH, "The system on the medium has the wrong checksum: ");
    // A sum that is about more than what is on the medium.
    let count = sum.split_whitespace().nth(1).unwrap();
    let truncated =
        changed("truncated.iso", &format!("   {count} "), &format!("   {} ", "9".repeat(count.len())));
    says(Some(&truncated), ENOUGH, "The system on the medium is truncated: ");
    let cut = at("cut.iso");
    std::fs::copy(&cd, &cut).unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(&cut).unwrap();
    file.set_len(bytes.len() as u64 - (5 << 20)).unwrap();
    says(Some(&cut), ENOUGH, "The medium is incomplete: 5 MiB are missing at its end.");
}

/// The checksum file of a medium, taken from it.
fn sum_of(medium: &Path, directory: &Path) -> PathBuf {
    let path = directory.join("sum");
    let location = format!("/image/{SYSTEM}.md5");
    judge("xorriso", &["-osirrox", "on", "-indev", text(medium), "-extract", &location, text(&path)]);
    path
}
