//! A small system that boots in seconds, prepared once per run, and the images that are made from it.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::machine::{Firmware, Machine, judge, run_kiwi};
use crate::program::{clear, lock, once};

/// A system that boots quickly: its init is a shell script that starts a login. `TYPE` stands for its types.
pub const DESCRIPTION: &str = r#"<image schemaversion="8.5" name="small">
  <description type="system"><author>A</author><contact>a@example.org</contact><specification>S</specification></description>
  <preferences><version>1.0.0</version><packagemanager>apt</packagemanager>TYPE</preferences>
  <users><user name="tux" home="/home/tux" shell="/bin/bash" password="$6$rounds=5000$r6KA41yQcb1snahg$6J3KM5oR1G4q4jh0rezU87HLi3pv4eNdG4fdvzqjExbBKtsfH5/9CI/F0iI6Ul0ew936oKScwV5icZrVN.vhu."/></users>
  <repository><source path="debian://bookworm"/></repository>
  <packages type="image">
    <package name="e2fsprogs"/><package name="kmod"/><package name="linux-image-amd64"/><package name="login"/><package name="mount"/><package name="udev"/>
  </packages>
</image>"#;

const INIT: &str = "#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mkdir -p /dev/pts; mount -t devpts devpts /dev/pts
swapon -a; mount -a
ln -sf /proc/mounts /run/mounts
case \" $(cat /proc/cmdline) \" in *' console=hvc0 '*) terminal=hvc0;; *) terminal=ttyS0;; esac
while :; do setsid agetty --noclear 115200 $terminal vt100; done
";

/// Removes the files that no machine of these tests needs, most of the system, so that it boots and is installed sooner under
/// emulation. The drivers for QEMU's devices stay.
const CONFIG_SH: &str = r#"set -e
cd /lib/modules/*
modprobe --set-version "${PWD##*/}" --show-depends --all ahci ata_piix sd_mod sr_mod cdrom virtio_pci virtio_blk virtio_scsi \
    xhci_pci ehci_pci usb_storage uas usbhid hid_generic loop squashfs overlay isofs udf erofs ext4 xfs vfat nls_ascii nls_cp437 nls_iso8859-1 nls_utf8 \
    virtio_net af_packet reiserfs crc32c_generic crc32c_intel | sed -n 's/^insmod \([^ ]*\).*/\1/p' >/kept
find "$PWD/kernel" -name '*.ko*' | grep -vxFf /kept | xargs rm
depmod "${PWD##*/}"
rm -rf /kept /usr/share/doc /usr/share/info /usr/share/man /usr/share/locale /var/lib/apt/lists/* \
    /usr/share/perl* /usr/lib/*/perl* /usr/lib/*/libperl* /usr/lib/*/gconv /usr/lib/udev/hwdb* \
    /usr/bin/python3* /usr/lib/python3* /usr/lib/*/libicu*
"#;

/// Returns `path` as text.
pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The prepared tree; every image is made from it.
pub fn tree() -> &'static Path {
    static TREE: OnceLock<PathBuf> = OnceLock::new();
    TREE.get_or_init(|| prepare("small", &DESCRIPTION.replace("TYPE", "<type image=\"ext4\"/>")))
}

/// Prepares the tree of a description of a system that boots quickly, once per run and `name`.
pub fn prepare(name: &str, description: &str) -> PathBuf {
    once(name, |directory| prepare_in(directory, description)).join("tree")
}

fn prepare_in(directory: &Path, description: &str) {
    clear(directory);
    let location = directory.join("description");
    std::fs::create_dir_all(location.join("root/usr/sbin")).unwrap();
    std::fs::write(location.join("config.xml"), description).unwrap();
    std::fs::write(location.join("config.sh"), CONFIG_SH).unwrap();
    let init = location.join("root/usr/sbin/init");
    std::fs::write(&init, INIT).unwrap();
    judge("chmod", &["755", text(&init)]);
    let tree = directory.join("tree");
    run_kiwi(&["prepare", text(&location), "--root", text(&tree)]);
}

/// Creates the tree's image of this type in `directory`.
pub fn create(image_type: &str, directory: &Path) {
    create_from(tree(), &DESCRIPTION.replace("TYPE", image_type), directory);
}

/// Creates the image of `description` from `tree`, which other tests use, too; returns what kiwi reports.
pub fn create_from(tree: &Path, description: &str, directory: &Path) -> String {
    let _held = hold(tree);
    create_held(tree, description, directory)
}

/// Keeps other tests from creating images from `tree`, as long as the result lives.
pub fn hold(tree: &Path) -> std::fs::File {
    let name = tree.parent().and_then(Path::file_name).expect("a directory of this run").display();
    lock(&format!("{name}.create"))
}

/// Like [`create_from`], from a tree that the test holds because it changes it.
pub fn create_held(tree: &Path, description: &str, directory: &Path) -> String {
    std::fs::write(tree.join("image/config.xml"), description).unwrap();
    run_kiwi(&["create", text(tree), "--destdir", text(directory)])
}

/// Returns the kernel beside a boot image.
pub fn kernel_in(directory: &Path) -> PathBuf {
    let mut paths = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    paths.find(|path| text(path).contains(".kernel.")).expect("a kernel")
}

/// Name of the image files, without their ending.
pub const SYSTEM: &str = "small.x86_64-1.0.0";

/// Returns the arguments of QEMU that attach a raw `disk`.
pub fn attached(disk: &Path) -> Vec<String> {
    vec!["-drive".to_owned(), format!("file={},format=raw,if=virtio", disk.display())]
}

/// Returns device, type and first option of the mount at `location`.
pub fn mounted(machine: &mut Machine, location: &str) -> String {
    machine.ask(&format!(
        "awk '$2 == \"{location}\" {{ split($4, o, \",\"); print $1, $3, o[1] }}' /proc/mounts | tail -n 1"
    ))
}

/// Starts a machine with these arguments of QEMU and logs in.
pub fn log_in(keywords: &[String], firmware: Firmware, directory: &Path) -> Machine {
    let mut machine = Machine::start(keywords, firmware, directory);
    machine.log_in("tux", "kiwi");
    machine
}
