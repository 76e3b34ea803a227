//! Boots disks in QEMU with the real linuxrc and Debian's cloud kernel.
//!
//! Everything is made on the spot below the target directory: linuxrc itself, the kernel from the Debian archive, an
//! initrd, and a disk of 400 MiB in a file of 1 GiB whose system prints what it sees and switches the machine off.
//! A program that is missing fails the test with its name.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use kiwi_tests::program::{checkout, once, target};

const UUID: &str = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";

/// The system's init. It says things that are not in its own text, so that an echo of it proves nothing.
const INIT: &str = "#!/bin/sh\n\
    mount | while read device on where type fs rest; do [ $where = / ] && echo ROOT $device $fs $rest; done\n\
    while read major minor blocks name; do echo BLOCKS $name $blocks; done < /proc/partitions\n\
    df -m / | while read device size used rest; do case $used in [0-9]*) echo SIZE $size;; esac; done\n\
    echo ARGUMENTS $* END\n\
    sync; poweroff -f\n";

/// Runs a program of the test and shows what it printed when it fails.
fn run(command: &mut Command) -> String {
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("LC_ALL", "C").stdin(Stdio::null());
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn shell(directory: &Path, script: &str) -> String {
    run(Command::new("sh").arg("-euc").arg(script).current_dir(directory))
}

/// What all tests share.
pub(crate) struct Material {
    pub(crate) directory: PathBuf,
    pub(crate) kernel: PathBuf,
}

pub(crate) fn material() -> &'static Material {
    static MATERIAL: OnceLock<Material> = OnceLock::new();
    MATERIAL.get_or_init(|| {
        let directory = once("boot", |directory| {
            let mut cargo = Command::new(env!("CARGO"));
            cargo.args(["linuxrc", "--quiet", "--target-dir"]).arg(target()).current_dir(checkout());
            assert!(cargo.status().is_ok_and(|status| status.success()), "cargo linuxrc");
            fetch_kernel(directory);
            make_initrd(directory, &target().join("x86_64-unknown-linux-gnu/linuxrc/linuxrc"));
            make_system(directory);
        });
        let boot = fs::read_dir(directory.join("kernel/boot")).unwrap().map(|entry| entry.unwrap().path());
        let is_kernel = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with("vmlinuz");
        let kernel = boot.into_iter().find(is_kernel).expect("a kernel");
        Material { directory, kernel }
    })
}

fn fetch_kernel(directory: &Path) {
    if !directory.join("kernel/boot").exists() {
        shell(
            directory,
            "package=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: \\(linux-image-[0-9].*\\)/\\1/p')
             apt-get -q download \"$package\"
             rm -rf unpacked; dpkg-deb -x \"$package\"_*.deb unpacked
             depmod -b unpacked \"$(ls unpacked/lib/modules)\"
             mv unpacked kernel",
        );
    }
}

fn make_initrd(directory: &Path, linuxrc: &Path) {
    shell(
        directory,
        &format!(
            "rm -rf initrd; release=$(ls kernel/lib/modules); lib=lib/modules/$release; mkdir -p initrd/$lib
             cp kernel/$lib/modules.* initrd/$lib/
             for module in virtio_pci virtio_blk sd_mod ata_piix ext4 xfs btrfs crc32c_generic xxhash_generic \
                     blake2b_generic sha256_generic; do
                 modprobe -d \"$PWD/kernel\" -S $release --show-depends $module
             done | while read keyword file; do
                 [ $keyword = insmod ] || continue
                 short=${{file#$PWD/kernel/}}; mkdir -p initrd/${{short%/*}}; cp \"$file\" initrd/$short
             done
             cp '{}' initrd/init; printf 'kind=vmx\\n' > initrd/kiwi.boot
             cd initrd; find . | cpio --quiet -o -H newc -R 0:0 | gzip -1 > ../initrd.gz",
            linuxrc.display()
        ),
    );
}

fn make_system(directory: &Path) {
    let system = directory.join("system");
    shell(
        directory,
        "rm -rf system; mkdir -p system/bin system/sbin system/dev system/proc system/sys system/run
         cp /bin/busybox system/bin/
         for name in sh mount df poweroff sync echo; do ln -s busybox system/bin/$name; done",
    );
    fs::write(system.join("sbin/init"), INIT).unwrap();
    shell(&system, "chmod 755 sbin/init");
}

#[test]
fn the_program_has_less_than_two_mebibytes() {
    let _ = material();
    let program = target().join("x86_64-unknown-linux-gnu/linuxrc/linuxrc");
    let bytes = program.metadata().unwrap().len();
    assert!(bytes < 2 << 20, "linuxrc has {bytes} bytes");
}

/// A disk whose last partition holds the system, with more room behind it.
fn disk(name: &str, table: &str, filesystem: &str) -> PathBuf {
    let directory = &material().directory;
    let (disk, part) = (directory.join(format!("{name}.disk")), directory.join(format!("{name}.part")));
    for (path, mebibytes) in [(&disk, 400), (&part, 380)] {
        File::create(path).unwrap().set_len(mebibytes << 20).unwrap();
    }
    let part_name = part.to_str().unwrap();
    match filesystem {
        "xfs" => {
            fs::write(directory.join("proto"), proto(&directory.join("system"))).unwrap();
            shell(directory, &format!("mkfs.xfs -q -m uuid={UUID} -p proto '{part_name}'"))
        }
        "btrfs" => shell(directory, &format!("mkfs.btrfs -q -U {UUID} --rootdir system '{part_name}'")),
        ext => shell(directory, &format!("mke2fs -q -F -t {ext} -U {UUID} -d system '{part_name}'")),
    };
    let (disk_name, script) = (disk.display(), directory.join(format!("{name}.table")));
    fs::write(&script, table).unwrap();
    shell(
        directory,
        &format!(
            "sfdisk -q '{disk_name}' < '{}'
             dd if='{part_name}' of='{disk_name}' bs=1M seek=3 conv=notrunc,sparse status=none; rm '{part_name}'
             truncate -s 1G '{disk_name}'",
            script.display()
        ),
    );
    disk
}

const GPT: &str = "label: gpt\n2048,4096,U\ntype=L,name=root\n";
const MBR: &str = "label: dos\n2048,4096,L\n6144,,L,*\n";

/// The tree as mkfs.xfs wants it told.
fn proto(system: &Path) -> String {
    fn list(directory: &Path, text: &mut String) {
        for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
            let (name, path) = (entry.file_name().into_string().unwrap(), entry.path());
            if path.is_symlink() {
                *text += &format!("{name} l--777 0 0 {}\n", fs::read_link(&path).unwrap().display());
            } else if path.is_dir() {
                *text += &format!("{name} d--755 0 0\n");
                list(&path, text);
                *text += "$\n";
            } else {
                *text += &format!("{name} ---755 0 0 {}\n", path.display());
            }
        }
    }
    let mut text = "/\n0 0\nd--755 0 0\n".to_owned();
    list(system, &mut text);
    text + "$\n"
}

/// Boots `disk` on `bus` and gives what the console showed until `end` was seen.
fn boot(disk: &Path, bus: &str, line: &str, end: &str) -> String {
    let material = material();
    let mut machine = Command::new("qemu-system-x86_64")
        .args(["-accel", "tcg", "-m", "512", "-nographic", "-nic", "none", "-no-reboot"])
        .arg("-kernel")
        .arg(&material.kernel)
        .arg("-initrd")
        .arg(material.directory.join("initrd.gz"))
        .args(["-append", &format!("console=ttyS0 quiet panic=-1 kiwi.phases=1 {line}")])
        .args(["-drive", &format!("file={},format=raw,if={bus}", disk.display())])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("qemu-system-x86_64 (Debian: qemu-system-x86)");
    let console = BufReader::new(machine.stdout.take().unwrap());
    let (sender, lines) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        console.split(b'\n').map_while(Result::ok).try_for_each(|line| sender.send(line))
    });
    let (begin, mut shown) = (Instant::now(), String::new());
    while let Ok(line) = lines.recv_timeout(Duration::from_secs(120).saturating_sub(begin.elapsed())) {
        shown += &(String::from_utf8_lossy(&line).trim_end().to_owned() + "\n");
        if shown.contains(end) {
            // A system that has said everything switches the machine off, and what it wrote is on the disk.
            while lines.recv_timeout(Duration::from_secs(10)).is_ok() {}
            break;
        }
    }
    machine.kill().unwrap();
    machine.wait().unwrap();
    let _ = std::io::stderr().write_all(shown.as_bytes());
    assert!(shown.contains(end), "\"{end}\" was not seen");
    shown
}

/// The size that `line`, a keyword and a number, gives for `name`.
fn number(shown: &str, name: &str) -> u64 {
    let line = shown.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("no {name}"));
    line.trim().parse().unwrap()
}

/// Boots twice: the first boot lets the system have the disk, the second one changes no table and no size.
fn grows(name: &str, table: &str, filesystem: &str, bus: &str, partition: &str) {
    let disk = disk(name, table, filesystem);
    let line = format!("root=UUID={UUID} -- single");
    let first = boot(&disk, bus, &line, "ARGUMENTS single END");
    assert!(first.contains(&format!("ROOT /dev/{partition} {filesystem} ")), "the root file system");
    assert!(number(&first, &format!("BLOCKS {partition} ")) >= 1020 << 10);
    assert!(number(&first, "SIZE ") >= 900, "the size of the file system");
    let judged = shell(&material().directory, &format!("sfdisk -V '{}' 2>&1", disk.display()));
    assert!(judged.contains("No errors detected"), "{judged}");
    let mut table = fs::read(&disk).unwrap();
    let second = boot(&disk, bus, &line, "ARGUMENTS single END");
    let kept = |line: &&str| line.starts_with("BLOCKS") || line.starts_with("ROOT");
    assert!(first.lines().filter(kept).eq(second.lines().filter(kept)));
    table.truncate(1 << 20);
    assert!(fs::read(&disk).unwrap()[..1 << 20] == table, "the second boot wrote to the partition table");
    fs::remove_file(disk).unwrap();
}

#[test]
fn ext4_on_gpt_and_virtio_grows_once() {
    grows("ext4", GPT, "ext4", "virtio", "vda2");
}

#[test]
fn ext3_on_mbr_and_ide_grows_once() {
    grows("ext3", MBR, "ext3", "ide", "sda2");
}

#[test]
fn xfs_grows_once() {
    grows("xfs", GPT, "xfs", "virtio", "vda2");
}

#[test]
fn btrfs_grows_once() {
    grows("btrfs", GPT, "btrfs", "virtio", "vda2");
}

#[test]
fn a_torn_partition_table_is_restored_from_its_backup() {
    let disk = disk("torn", GPT, "ext4");
    boot(&disk, "virtio", &format!("root=UUID={UUID}"), "ARGUMENTS END");
    let mut file = File::options().write(true).open(&disk).unwrap();
    std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(1024)).unwrap();
    file.write_all(&[0; 256]).unwrap();
    let shown = boot(&disk, "virtio", &format!("root=UUID={UUID}"), "ARGUMENTS END");
    assert!(shown.contains("*** kiwi: /dev/vda: partition table restored from its backup"));
    fs::remove_file(disk).unwrap();
}

#[test]
fn a_missing_root_device_is_said_with_what_was_seen() {
    let disk = disk("missing", GPT, "ext4");
    let end = "*** The machine reboots in 60 seconds.";
    let shown = boot(&disk, "virtio", "root=LABEL=nowhere rd.timeout=3", end);
    assert!(shown.contains("*** kiwi: the root device LABEL=nowhere was not found within 3 seconds."));
    assert!(shown.contains(&format!("vda2 (396 MiB, ext4, UUID={UUID}, PARTUUID=")), "the devices");
    assert!(shown.contains("Modules loaded: ") && shown.contains("virtio_blk"), "the modules");
    fs::remove_file(disk).unwrap();
}
