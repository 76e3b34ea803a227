//! Live systems: one tree, every layout, from CD and stick, by BIOS and UEFI; and media that something is wrong with.

use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use kiwi_tests::machine::{self, Firmware, Machine, Slot, judge};
use kiwi_tests::small::{self, mounted};

/// A system that is quick to boot: its init is a shell script that offers a login.
const DESCRIPTION: &str = r#"<image schemaversion="8.5" name="live">
  <description type="system"><author>A</author><contact>a@example.org</contact><specification>S</specification></description>
  <preferences><version>1.0.0</version><packagemanager>apt</packagemanager>
    <type image="iso" TYPE><bootloader name="grub2" timeout="1"/></type></preferences>
  <users><user name="tux" home="/home/tux" shell="/bin/bash" password="$6$rounds=5000$r6KA41yQcb1snahg$6J3KM5oR1G4q4jh0rezU87HLi3pv4eNdG4fdvzqjExbBKtsfH5/9CI/F0iI6Ul0ew936oKScwV5icZrVN.vhu."/></users>
  <repository><source path="debian://bookworm"/></repository>
  <packages type="image">
    <package name="e2fsprogs"/><package name="kmod"/><package name="linux-image-amd64"/><package name="login"/><package name="mount"/><package name="udev"/><package name="xfsprogs"/>
  </packages>
</image>"#;

/// The prepared tree; each test makes its media from it.
fn tree() -> &'static Path {
    static TREE: OnceLock<PathBuf> = OnceLock::new();
    TREE.get_or_init(|| small::prepare("live", &DESCRIPTION.replace("TYPE", "flags=\"overlay\"")))
}

/// The medium with these attributes of its type.
fn medium(attributes: &str, directory: &Path) -> PathBuf {
    medium_and_keywords(attributes, directory).0
}

/// The same with what kiwi said.
fn medium_and_keywords(attributes: &str, directory: &Path) -> (PathBuf, String) {
    let said = small::create_from(tree(), &DESCRIPTION.replace("TYPE", attributes), directory);
    (directory.join("live.x86_64-1.0.0.iso"), said)
}

/// Boots a medium and logs in; the accounts are those of the description.
fn log_in(image: &Path, slot: Slot, firmware: Firmware, directory: &Path) -> Machine {
    let mut machine = Machine::start(&slot.keywords(image), firmware, directory);
    people_are_those_of_the_description(&mut machine);
    machine
}

/// Logs in.
fn people_are_those_of_the_description(machine: &mut Machine) {
    machine.log_in("tux", "kiwi");
    let people = machine.ask("awk -F: '$3 >= 1000 && $3 < 60000 { print $1 }' /etc/passwd");
    assert_eq!(people, "tux");
    assert_eq!(machine.ask("echo written > there; cat there"), "written");
}

#[test]
fn unified_boots_from_cd_by_bios_and_is_the_same_twice() {
    let directory = tempfile::tempdir().unwrap();
    let attributes = "flags=\"unified\" volid=\"UNIFIED\" kernelcmdline=\"s=a;b|{c} $d n=&quot;two words&quot; console=ttyS0\"";
    let image = medium(attributes, directory.path());
    let path = image.to_str().unwrap();
    let first = judge("sha256sum", &[path]);
    assert_eq!(judge("sha256sum", &[medium(attributes, directory.path()).to_str().unwrap()]), first);
    let described = judge("isoinfo", &["-d", "-i", path]);
    for line in
        ["Volume id: UNIFIED", "Rock Ridge signatures version 1 found", "El Torito VD version 1 found"]
    {
        assert!(described.contains(line), "{described}");
    }
    let report =
        judge("xorriso", &["-indev", path, "-report_el_torito", "plain", "-report_system_area", "plain"]);
    for line in ["1  BIOS  y   none", "2  UEFI  y   none", "MBR isohybrid", "0xef"] {
        assert!(report.contains(line), "{line}: {report}");
    }
    let sums = format!("head --bytes=-32768 {path} | sha256sum; tail --bytes=32768 {path} | head --lines=1");
    let sums = judge("sh", &["-c", &sums]);
    let (found, carried) = sums.split_once('\n').unwrap();
    assert_eq!(carried.trim(), format!("kiwi medium sha256 {}", &found[..64]));
    judge("sfdisk", &["--verify", path]);
    // The machine has swap space on a disk, which the system uses.
    let disk = directory.path().join("swap");
    std::fs::File::create(&disk).unwrap().set_len(64 << 20).unwrap();
    judge("mkswap", &[disk.to_str().unwrap()]);
    let mut keywords = Slot::Cdrom.keywords(&image);
    keywords.extend(["-drive".to_owned(), format!("file={},format=raw,if=virtio", disk.display())]);
    let mut machine = Machine::start(&keywords, Firmware::Bios, directory.path());
    machine.log_in("tux", "kiwi");
    let line = machine.ask("cat /proc/cmdline");
    assert!(line.contains("s=a;b|{c} $d n=\"two words\" console=ttyS0"), "{line}");
    assert_eq!(machine.ask("awk 'NR > 1 { print $1, $2 }' /proc/swaps"), "/dev/vda partition");
    assert_eq!(mounted(&mut machine, "/"), "overlay overlay rw");
    assert_eq!(mounted(&mut machine, "/run/kiwi/medium"), "/dev/sr0 iso9660 ro");
    assert_eq!(
        machine.ask("ls /run/kiwi/medium | paste -sd ' '"),
        "boot config.isoclient live-read-only.x86_64-1.0.0"
    );
}

/// The description's own settings of ISOLINUX: its label is seen, its directory is where names are looked for.
const ISOLINUX_CFG: &str = "serial 0 115200
default OWN-LABEL
prompt 0
display isolinux.msg
label OWN-LABEL
  kernel linux
  append initrd=initrd console=ttyS0 own.keyword
";

/// Every layout from every slot by every firmware: the other tests have one boot of each.
#[test]
#[ignore = "sixteen boots take five minutes; scripts/test --all"]
fn every_layout_boots_from_every_slot_by_every_firmware() {
    for layout in ["plain", "compressed", "unified", "overlay"] {
        let directory = tempfile::tempdir().unwrap();
        let image = medium(&format!("flags=\"{layout}\""), directory.path());
        for firmware in [Firmware::Bios, Firmware::Uefi] {
            std::thread::scope(|scope| {
                for slot in [Slot::Cdrom, Slot::Usb] {
                    let image = &image;
                    scope.spawn(move || {
                        let directory = tempfile::tempdir().unwrap();
                        // A stick is opened for writing.
                        let own = directory.path().join("medium");
                        std::fs::copy(image, &own).unwrap();
                        log_in(&own, slot, firmware, directory.path());
                        eprintln!("{layout} {slot:?} {firmware:?}: logged in");
                    });
                }
            });
        }
    }
}

/// The medium with these attributes, from the tree with the additions to a medium that KIWI 1.x supports.
fn medium_with_additions(script: Option<&str>, attributes: &str, directory: &Path) -> PathBuf {
    let _held = small::hold(tree());
    let image = tree().join("image");
    let cdboot = image.join("cdboot");
    std::fs::create_dir(&cdboot).unwrap();
    std::fs::write(cdboot.join("isolinux.cfg"), ISOLINUX_CFG).unwrap();
    std::fs::write(cdboot.join("isolinux.msg"), "Welcome to OWN-MESSAGE\n").unwrap();
    if let Some(script) = script {
        std::fs::write(cdboot.join("isolinux.sh"), script).unwrap();
    }
    let archive = image.join("config-cdroot.tgz");
    let pack =
        "d=$(mktemp -d); mkdir $d/more; echo licence > $d/more/LICENCE; tar -czf \"$0\" -C $d more; rm -r $d";
    judge("sh", &["-c", pack, archive.to_str().unwrap()]);
    small::create_held(tree(), &DESCRIPTION.replace("TYPE", attributes), directory);
    std::fs::remove_dir_all(cdboot).unwrap();
    std::fs::remove_file(archive).unwrap();
    directory.join("live.x86_64-1.0.0.iso")
}

#[test]
fn a_script_of_the_description_writes_the_medium_itself() {
    let directory = tempfile::tempdir().unwrap();
    let script =
        "test -f \"$1/boot/x86_64/loader/linux\" && exec genisoimage -quiet -R -V OWN -o \"$2\" \"$1\"\n";
    let image = medium_with_additions(Some(script), "flags=\"unified\"", directory.path());
    let image = image.to_str().unwrap();
    assert!(judge("isoinfo", &["-d", "-i", image]).contains("Volume id: OWN\n"));
    let listed = judge("isoinfo", &["-f", "-R", "-i", image]);
    for file in ["/more/LICENCE\n", "/boot/x86_64/loader/initrd\n", "/live-read-only.x86_64-1.0.0\n"] {
        assert!(listed.contains(file), "{file} is not on the medium: {listed}");
    }
    assert!(!listed.contains("isolinux.sh"), "{listed}");
}

#[test]
fn a_script_of_the_description_edits_the_boot_files() {
    let directory = tempfile::tempdir().unwrap();
    let script = tree().join("image/edit_boot_config.sh");
    {
        let _held = small::hold(tree());
        let text = "#!/bin/sh\nset -e\necho \"$*\" > /etc/edited\ncd \"${1#iso:}\"\ntest ! -e boot/x86_64/loader/linux\n\
            sed -i 's/console=ttyS0/& edited=1/' boot/grub/grub.cfg boot/x86_64/loader/isolinux.cfg\n\
            mkdir more\necho new > more/note\n";
        std::fs::write(&script, text).unwrap();
        let attributes = "kernelcmdline=\"console=ttyS0\" editbootconfig=\"boot/edit.sh\"";
        small::create_held(tree(), &DESCRIPTION.replace("TYPE", attributes), directory.path());
        std::fs::remove_file(&script).unwrap();
    }
    let image = directory.path().join("live.x86_64-1.0.0.iso");
    let grub = judge("isoinfo", &["-R", "-x", "/boot/grub/grub.cfg", "-i", image.to_str().unwrap()]);
    assert!(grub.contains("console=ttyS0 edited=1"), "{grub}");
    let mut machine = log_in(&image, Slot::Cdrom, Firmware::Bios, directory.path());
    assert!(machine.ask("cat /proc/cmdline").contains("edited=1"));
    assert_eq!(machine.ask("cat /etc/edited"), "iso:/run/medium 1");
    assert_eq!(machine.ask("cat /run/kiwi/medium/more/note"), "new");
}

#[test]
fn compressed_boots_from_a_stick_by_bios_with_what_the_description_adds() {
    let directory = tempfile::tempdir().unwrap();
    let image = medium_with_additions(None, "flags=\"compressed\"", directory.path());
    let mut machine = Machine::start(&Slot::Usb.keywords(&image), Firmware::Bios, directory.path());
    machine.expect(&["Welcome to OWN-MESSAGE"], 60);
    people_are_those_of_the_description(&mut machine);
    assert_eq!(mounted(&mut machine, "/"), "/dev/loop0 ext2 rw");
    assert_eq!(mounted(&mut machine, "/usr"), "/dev/loop1 squashfs ro");
    assert_eq!(mounted(&mut machine, "/run/kiwi/medium"), "/dev/sda1 iso9660 ro");
    assert!(machine.ask("touch /usr/new").contains("Read-only file system"));
    let free: u64 = machine.ask("df --output=size / | tail -n 1").trim().parse().unwrap();
    assert!(free > 300_000, "the part in memory has not grown: {free} kB");
    assert!(
        machine.ask("cat /proc/cmdline").contains("own.keyword"),
        "the description's isolinux.cfg was not read"
    );
    assert_eq!(machine.ask("cat /run/kiwi/medium/more/LICENCE"), "licence");
}

#[test]
fn plain_boots_through_its_boot_image_from_cd_by_uefi() {
    // The destination may be in memory.
    let directory = tempfile::tempdir_in("/dev/shm").unwrap();
    let image = medium("flags=\"plain\" boot=\"isoboot/debian-12\"", directory.path());
    let listed = judge("isoinfo", &["-f", "-R", "-i", image.to_str().unwrap()]);
    for file in ["/read-only-system/usr/bin/bash\n", "/live.x86_64-1.0.0.gz\n", "/boot/x86_64/loader/linux\n"]
    {
        assert!(listed.contains(file), "{file} is not on the medium");
    }
    let left: Vec<String> = std::fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(!left.iter().any(|name| name.starts_with("initrd-")), "{left:?}");
    let mut machine = log_in(&image, Slot::Cdrom, Firmware::Uefi, directory.path());
    assert_eq!(mounted(&mut machine, "/"), "/dev/loop0 ext2 rw");
    assert_eq!(mounted(&mut machine, "/usr"), "/dev/sr0 iso9660 ro");
    assert_eq!(machine.ask("stat -c '%U %a' /usr/bin/passwd"), "root 4755");
}

#[test]
fn a_persistent_stick_keeps_a_file_by_uefi_and_bios() {
    let directory = tempfile::tempdir().unwrap();
    let attributes = "flags=\"overlay\" hybridpersistent=\"true\" filesystem=\"erofs\"";
    let image = medium(attributes, directory.path());
    add_room(&image, 300);
    let mut machine = log_in(&image, Slot::Usb, Firmware::Uefi, directory.path());
    assert_eq!(mounted(&mut machine, "/"), "overlay overlay rw");
    assert_eq!(mounted(&mut machine, "/run/kiwi/read-only"), "/dev/loop0 erofs ro");
    assert_eq!(mounted(&mut machine, "/run/kiwi/kept"), "/dev/sda3 ext4 rw");
    assert_eq!(machine.ask("echo for ever > kept; sync; cat kept"), "for ever");
    drop(machine);
    judge("sfdisk", &["--verify", image.to_str().unwrap()]);
    let mut machine = log_in(&image, Slot::Usb, Firmware::Bios, directory.path());
    assert_eq!(machine.ask("cat kept"), "for ever");
    drop(machine);
    // The part does not count for the medium's sum.
    judge_check(&image, directory.path(), Slot::Usb, "The medium is intact.");
}

#[test]
fn a_stick_keeps_on_xfs_what_has_room_for_it() {
    let directory = tempfile::tempdir().unwrap();
    let attributes = "flags=\"dmsquash\" hybridpersistent=\"true\" hybridpersistent_filesystem=\"xfs\"";
    let (image, said) = medium_and_keywords(attributes, directory.path());
    assert_eq!(said.matches("flags=\"dmsquash\" is built as \"overlay\"").count(), 1, "{said}");
    add_room(&image, 302);
    let mut machine = log_in(&image, Slot::Usb, Firmware::Bios, directory.path());
    assert_eq!(machine.line_with("Changes will not be kept"), None);
    assert_eq!(mounted(&mut machine, "/run/kiwi/kept"), "/dev/sda3 xfs rw");
    assert_eq!(machine.ask("echo for ever > kept; sync; cat kept"), "for ever");
}

/// The stick that the image was written to is larger than it.
fn add_room(image: &Path, mib: u64) {
    let stick = std::fs::OpenOptions::new().write(true).open(image).unwrap();
    stick.set_len(stick.metadata().unwrap().len() + (mib << 20)).unwrap();
}

/// Boots kernel and initrd of a medium directly, with the medium put in, and waits for what the console must say.
fn judge_check(image: &Path, directory: &Path, slot: Slot, text: &str) {
    let mut keywords = slot.keywords(image);
    keywords.extend(direct(image, directory, "mediacheck=1 rd.timeout=20"));
    Machine::start(&keywords, Firmware::Bios, directory).expect_failure(text, 180);
}

/// The keywords that start kernel and initrd of `image` without a boot loader.
fn direct(image: &Path, directory: &Path, line: &str) -> Vec<String> {
    let [kernel, initrd] = ["linux", "initrd"].map(|name| {
        let path = directory.join(name);
        let location = format!("/boot/x86_64/loader/{name}");
        judge(
            "xorriso",
            &[
                "-osirrox",
                "on",
                "-indev",
                image.to_str().unwrap(),
                "-extract",
                &location,
                path.to_str().unwrap(),
            ],
        );
        path
    });
    machine::direct(&kernel, &initrd, line, directory)
}

#[test]
fn what_is_wrong_with_a_medium_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let image = medium("flags=\"unified\"", directory.path());
    let copy = |name: &str| {
        let path = directory.path().join(name);
        std::fs::copy(&image, &path).unwrap();
        (std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap(), path)
    };
    let bytes = std::fs::read(&image).unwrap();
    let squashfs = bytes.windows(4).position(|window| window == b"hsqs").expect("a squashfs") as u64;
    let says = |medium: Option<&Path>, line: &str, text: &str| {
        let mut keywords = direct(&image, directory.path(), line);
        keywords.extend(medium.into_iter().flat_map(|medium| Slot::Cdrom.keywords(medium)));
        Machine::start(&keywords, Firmware::Bios, directory.path()).expect_failure(text, 180);
    };
    says(None, "rd.timeout=3", "The CD or USB stick with the live system was not found within 3 seconds.");
    says(None, "rd.timeout=3", "*** The machine reboots in 60 seconds.");
    let mut machine = Machine::start(
        &direct(&image, directory.path(), "rd.timeout=3 DEBUG=1"),
        Firmware::Bios,
        directory.path(),
    );
    machine.expect_failure("*** A shell follows; the machine reboots when it ends.", 180);
    machine.type_line("echo SHELL-$((6*7))");
    machine.expect_failure("SHELL-42", 60);
    drop(machine);
    let (file, cut) = copy("cut");
    file.set_len(bytes.len() as u64 - (5 << 20)).unwrap();
    says(Some(&cut), "", "The medium is incomplete: 5 MiB are missing at its end.");
    let (file, damaged) = copy("damaged");
    file.write_all_at(&[0; 96], squashfs).unwrap();
    says(Some(&damaged), "", "The read-only part of the system, live-read-only.x86_64-1.0.0, is damaged: ");
    let (file, wrong) = copy("wrong");
    file.write_all_at(b"wrong", squashfs + (1 << 20)).unwrap();
    says(Some(&wrong), "mediacheck=1", "The medium is damaged: its checksum does not match its image.");

    // The part that goes to memory has another sum than the one beside it.
    let image = medium("flags=\"compressed\"", directory.path());
    let sum = directory.path().join("sum");
    let location = "/live.x86_64-1.0.0.md5";
    judge(
        "xorriso",
        &["-osirrox", "on", "-indev", image.to_str().unwrap(), "-extract", location, sum.to_str().unwrap()],
    );
    let sum = std::fs::read(sum).unwrap();
    let bytes = std::fs::read(&image).unwrap();
    let location = bytes.windows(sum.len()).position(|window| window == sum).expect("the sum") as u64;
    std::fs::OpenOptions::new()
        .write(true)
        .open(&image)
        .unwrap()
        .write_all_at(b"00000000", location)
        .unwrap();
    let mut keywords = direct(&image, directory.path(), "");
    keywords.extend(Slot::Cdrom.keywords(&image));
    Machine::start(&keywords, Firmware::Bios, directory.path()).expect_failure(
        "The part of the system that goes to memory, live.x86_64-1.0.0, is damaged: its MD5 sum is wrong.",
        180,
    );
}
