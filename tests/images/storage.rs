//! A disk with several partitions: written by the builder, read by foreign tools, booted by both firmwares and installed.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use kiwi_tests::machine::{Firmware, Machine, Slot, judge};
use kiwi_tests::program::{clear, kiwi, once};
use kiwi_tests::small::{
    DESCRIPTION, SYSTEM, attached, create, create_held, hold, log_in, mounted, text, tree,
};

/// A separate `/boot`, `/home` on XFS, swap space; programs that the init itself needs; a part that is read-only; one that
/// stays empty.
const DISK: &str = r#"<type image="oem" filesystem="ext4" bootpartition="true" bootfilesystem="ext2" installiso="true"
  fsmountoptions="noatime,data=journal">
  <bootloader name="grub2" timeout="1"/>
  <oemconfig><oem-swap>true</oem-swap><oem-swapsize>64</oem-swapsize><oem-unattended>true</oem-unattended>
    <oem-shutdown>true</oem-shutdown></oemconfig>
  <partitions>
    <partition name="home" size="340" mountpoint="/home" filesystem="xfs"/>
    <partition name="usr" size="600" mountpoint="/usr" filesystem="ext4" label="PROGRAMS"/>
    <partition name="opt" size="16M" mountpoint="/opt" filesystem="squashfs"/>
    <partition name="blank" size="8" partition_name="left.alone"/>
  </partitions></type>"#;

/// Bytes of the disk of a machine.
const ROOMY: u64 = 2200 << 20;

/// The disk, made once.
fn made() -> &'static Path {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(|| {
        once("storage", |directory| {
            clear(directory);
            create(DISK, directory);
        })
    })
}

fn image() -> PathBuf {
    made().join(format!("{SYSTEM}.raw"))
}

/// A copy of the disk, enlarged.
fn enlarged(directory: &Path) -> PathBuf {
    let disk = directory.join("disk.raw");
    judge("cp", &["--sparse=always", text(&image()), text(&disk)]);
    std::fs::OpenOptions::new().write(true).open(&disk).unwrap().set_len(ROOMY).unwrap();
    disk
}

/// Number, name, type and size in mebibytes of each partition, and its first sector.
fn partitions(disk: &Path) -> Vec<(String, u64)> {
    let table = judge("sfdisk", &["--dump", text(disk)]);
    let field = |line: &str, key: &str| {
        let rest = &line[line.find(&format!("{key}=")).expect(key) + key.len() + 1..];
        rest.trim_start().trim_start_matches('"').split([',', '"']).next().unwrap().to_owned()
    };
    let lines = table.lines().filter(|line| line.contains(" : start="));
    lines
        .map(|line| {
            let size: u64 = field(line, "size").parse().unwrap();
            let shape = format!("{} {} {}", field(line, "name"), &field(line, "type")[..8], size / 2048);
            (shape, field(line, "start").parse().unwrap())
        })
        .collect()
}

#[test]
fn foreign_tools_find_every_partition_and_file_system() {
    let image = image();
    judge("sfdisk", &["--verify", text(&image)]);
    let partitions = partitions(&image);
    let shapes: Vec<&str> = partitions.iter().map(|(shape, _)| shape.as_str()).collect();
    let expected = [
        "p.legacy 21686148 1",
        "p.UEFI C12A7328 64",
        "p.lxboot 0FC63DAF 300",
        "p.swap 0657FD6D 64",
        "p.lxhome 0FC63DAF 340",
        "p.lxusr 0FC63DAF 600",
        "p.lxopt 0FC63DAF 16",
        "left.alone 0FC63DAF 8",
    ];
    assert_eq!(shapes[..8], expected);
    assert!(shapes[8].starts_with("p.lxroot 0FC63DAF "), "{shapes:?}");
    let directory = tempfile::tempdir().unwrap();
    let part = directory.path().join("part");
    let extracted = |number: usize| {
        let next = partitions.get(number).map_or(partitions[number - 1].1 + (300 << 11), |(_, start)| *start);
        let (from, to) = (text(&image), text(&part));
        let [skip, count] = [partitions[number - 1].1, next - partitions[number - 1].1].map(|n| n / 2048);
        let range =
            [format!("if={from}"), format!("of={to}"), format!("skip={skip}"), format!("count={count}")];
        judge(
            "dd",
            &[&range.each_ref().map(String::as_str)[..], &["bs=1M", "conv=sparse", "status=none"]].concat(),
        );
        judge("blkid", &["-p", "-o", "export", to])
    };
    for (number, kind, label) in
        [(3, "ext2", "BOOT"), (4, "swap", "SWAP"), (5, "xfs", "HOME"), (6, "ext4", "PROGRAMS")]
    {
        let found = extracted(number);
        assert!(found.contains(&format!("TYPE={kind}\n")), "{found}");
        assert!(found.contains(&format!("LABEL={label}\n")), "{found}");
        match kind {
            "xfs" => drop(judge("xfs_repair", &["-n", text(&part)])),
            "ext2" | "ext4" => drop(judge("e2fsck", &["-fn", text(&part)])),
            _ => {}
        }
    }
    extracted(3);
    let boot = judge("debugfs", &["-R", "ls -p /", text(&part)]);
    assert!(boot.contains("/vmlinuz-") && boot.contains("/initrd.img-") && boot.contains("/grub/"), "{boot}");
    let name = boot.split('/').find(|name| name.starts_with("initrd.img-")).unwrap();
    let initrd = directory.path().join("initrd");
    judge("debugfs", &["-R", &format!("dump /{name} {}", text(&initrd)), text(&part)]);
    let settings = judge("sh", &["-c", &format!("zstd -dc < '{}' | grep --text ^storage=", text(&initrd))]);
    let system = settings.split(" partition;").find(|part| part.starts_with("number=9;")).unwrap();
    let found = extracted(9);
    let uuid = found.lines().find_map(|line| line.strip_prefix("UUID=")).unwrap();
    assert!(system.contains(&format!(";uuid={uuid};")), "{settings}");
    assert!(extracted(7).contains("TYPE=squashfs\n"));
}

#[test]
fn the_same_tree_gives_the_same_disk() {
    let again = tempfile::tempdir().unwrap();
    create(&DISK.replace(" installiso=\"true\"", ""), again.path());
    judge("cmp", &[text(&image()), text(&again.path().join(format!("{SYSTEM}.raw")))]);
}

/// The machine runs the system: everything is mounted, and only the system has grown.
fn is_whole(machine: &mut Machine) {
    for (path, expected) in [
        ("/", "/dev/vda9 ext4 rw"),
        ("/boot", "/dev/vda3 ext2 rw"),
        ("/boot/efi", "/dev/vda2 vfat rw"),
        ("/home", "/dev/vda5 xfs rw"),
        ("/usr", "/dev/vda6 ext4 rw"),
        ("/opt", "/dev/vda7 squashfs ro"),
    ] {
        assert_eq!(mounted(machine, path), expected, "{path}");
    }
    // An option that a mounted file system cannot be given any more.
    assert!(machine.ask("grep ' / ext4 ' /proc/mounts").contains("data=journal"));
    assert!(machine.ask("cat /proc/swaps").contains("/dev/vda4"));
    assert_eq!(
        machine.ask("stat -c '%U %a' /home /home/tux"),
        "root 755\ntux 755",
        "what was in /home is there"
    );
    let size = |machine: &mut Machine, number: u64| {
        let blocks = machine.ask(&format!("awk '$4 == \"vda{number}\" {{ print $3 }}' /proc/partitions"));
        blocks.parse::<u64>().unwrap() / 1024
    };
    let sizes: Vec<u64> = (3..=8).map(|number| size(machine, number)).collect();
    assert_eq!(sizes, [300, 64, 340, 600, 16, 8], "a partition has grown");
    let kilobytes = |machine: &mut Machine, path: &str| {
        machine.ask(&format!("df --output=size {path} | tail -n 1")).trim().parse::<u64>().unwrap()
    };
    assert!(kilobytes(machine, "/") > 600_000, "the system has not grown");
    assert!(kilobytes(machine, "/home") < 340 << 10);
    // Of the squashfs alone it is that of the partition.
    assert_eq!(machine.ask("grep -c '^UUID=' /etc/fstab"), "6");
    assert_eq!(machine.ask("grep -c '^PARTUUID=' /etc/fstab"), "1");
}

#[test]
fn every_file_system_is_mounted_by_bios_and_by_uefi() {
    let directory = tempfile::tempdir().unwrap();
    let disk = enlarged(directory.path());
    let mut machine = log_in(&attached(&disk), Firmware::Bios, directory.path());
    is_whole(&mut machine);
    machine.ask("echo mine > /home/tux/mine; sync");
    drop(machine);
    judge("sfdisk", &["--verify", text(&disk)]);
    let mut machine = log_in(&attached(&disk), Firmware::Uefi, directory.path());
    is_whole(&mut machine);
    assert_eq!(machine.ask("cat /home/tux/mine"), "mine");
}

#[test]
fn a_cd_installs_every_partition() {
    let directory = tempfile::tempdir().unwrap();
    let disk = directory.path().join("disk.raw");
    std::fs::File::create(&disk).unwrap().set_len(ROOMY).unwrap();
    let cd = made().join(format!("{SYSTEM}.install.iso"));
    let keywords = [Slot::Cdrom.keywords(&cd), attached(&disk), ["-boot", "d"].map(str::to_owned).to_vec()];
    let mut machine = Machine::start(&keywords.concat(), Firmware::Bios, directory.path());
    machine.expect(&[&format!("{SYSTEM} is installed on vda.")], 600);
    machine.expect_end(120);
    let mut machine = log_in(&attached(&disk), Firmware::Uefi, directory.path());
    is_whole(&mut machine);
}

/// Nothing changes at the first boot: the image contains its swap space, and `<deploy>` is only for an installer.
const FIXED: &str = r#"<type image="oem" filesystem="ext4"><bootloader name="grub2" timeout="1"/>
  <oemconfig><oem-resize>false</oem-resize><oem-swap>true</oem-swap><oem-swapsize>32</oem-swapsize></oemconfig>
  <deploy><partitions><partition type="S" number="1" size="64"/>
    <partition number="2" size="400" mountpoint="/" target="true"/>
    <partition number="3" mountpoint="/home"/></partitions></deploy></type>"#;

#[test]
fn a_disk_that_does_not_grow_keeps_its_partitions() {
    let directory = tempfile::tempdir().unwrap();
    create(FIXED, directory.path());
    let disk = directory.path().join(format!("{SYSTEM}.raw"));
    let settings = std::fs::read_to_string(directory.path().join(format!("{SYSTEM}.config"))).unwrap();
    assert!(settings.starts_with("PART=64;S;x,400;L;/,x;L;/home,\n"), "{settings}");
    let before = partitions(&disk);
    let names: Vec<&str> = before.iter().map(|(shape, _)| shape.split(' ').next().unwrap()).collect();
    assert_eq!(names, ["p.legacy", "p.UEFI", "p.swap", "p.lxroot"]);
    std::fs::OpenOptions::new().write(true).open(&disk).unwrap().set_len(ROOMY).unwrap();
    let mut machine = log_in(&attached(&disk), Firmware::Bios, directory.path());
    assert_eq!(mounted(&mut machine, "/"), "/dev/vda4 ext4 rw");
    assert!(machine.ask("cat /proc/swaps").contains("/dev/vda3"));
    assert_eq!(machine.ask("grep -c UUID= /etc/fstab"), "3", "root, ESP and swap space");
    drop(machine);
    // The firmware's table is still in front of the new space.
    assert_eq!(partitions(&disk), before);
}

#[test]
fn a_script_edits_the_configuration_of_the_boot_loader() {
    let directory = tempfile::tempdir().unwrap();
    let disk = r#"<type image="oem" filesystem="ext4" editbootconfig="boot/edit.sh" editbootinstall="boot/last.sh">
      <oemconfig><oem-resize>false</oem-resize></oemconfig></type>"#;
    let [script, last] = ["config", "install"].map(|name| tree().join(format!("image/edit_boot_{name}.sh")));
    {
        let _held = hold(tree());
        let edit = "#!/bin/sh\nset -e\necho \"$*\" > /etc/edited\nsed -i 's/timeout=.*/timeout=77/' /boot/grub/grub.cfg\n";
        std::fs::write(&script, edit).unwrap();
        // This is behind GRUB, in the partition of its core.
        let mark = "set -e\necho \"edited with $2\" | dd of=\"$1\" bs=1 seek=1048000 conv=notrunc\n";
        std::fs::write(&last, mark).unwrap();
        create_held(tree(), &DESCRIPTION.replace("TYPE", disk), directory.path());
        for path in [&script, &last] {
            std::fs::remove_file(path).unwrap();
        }
    }
    let image = directory.path().join(format!("{SYSTEM}.raw"));
    let start = partitions(&image)[2].1 * 512;
    let part = directory.path().join("part");
    judge("sh", &["-c", &format!("tail -c +{} '{}' > '{}'", start + 1, text(&image), text(&part))]);
    let read = |path: &str| judge("debugfs", &["-R", &format!("cat {path}"), text(&part)]);
    assert!(read("/etc/edited").contains("ext4 3\n"));
    assert!(read("/boot/grub/grub.cfg").contains("timeout=77\n"));
    let mut mark = [0; 13];
    std::os::unix::fs::FileExt::read_exact_at(&std::fs::File::open(&image).unwrap(), &mut mark, 1_048_000)
        .unwrap();
    assert_eq!(&mark, b"edited with 3");
    // A tree that was prepared for another type does not have the script.
    let _held = hold(tree());
    std::fs::write(tree().join("image/config.xml"), DESCRIPTION.replace("TYPE", disk)).unwrap();
    let refused = std::process::Command::new(kiwi())
        .args(["--json", "create", text(tree()), "--destdir", text(directory.path())])
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&refused.stdout).contains("boot/edit.sh"), "{refused:?}");
    assert_eq!(refused.status.code(), Some(1));
}
