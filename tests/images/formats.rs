//! A disk in formats other than raw: a whole image for QEMU's checker, the same bytes as the raw disk, and a machine starts from it.

use std::path::{Path, PathBuf};

use kiwi_tests::machine::{Firmware, Machine, judge};
use kiwi_tests::program::{clear, once};
use kiwi_tests::small::{SYSTEM, create, mounted, text};

/// A format: its keyword, the ending of its file, QEMU's name of it.
struct Format(&'static str, &'static str, &'static str);

/// Returns a directory with the disk in this format.
fn built(format: &str) -> PathBuf {
    once(&format!("disk-in-{format}"), |directory| {
        clear(directory);
        let image = format!(
            r#"<type image="oem" filesystem="ext4" firmware="bios" format="{format}" kernelcmdline="console=ttyS0 quiet">
               <bootloader name="grub2" timeout="0"/><machine memory="512" guestOS="debian12-64"/></type>"#
        );
        create(&image, directory);
    })
}

impl Format {
    /// Checks the image, and compares it with the raw disk.
    fn judged(&self) -> PathBuf {
        let Self(keyword, ending, name) = self;
        let disk = built(keyword).join(format!("{SYSTEM}.{ending}"));
        judge("qemu-img", &["check", "-f", name, text(&disk)]);
        let raw = built("raw").join(format!("{SYSTEM}.raw"));
        judge("qemu-img", &["compare", "-f", "raw", "-F", name, text(&raw), text(&disk)]);
        disk
    }

    /// Boots a machine from the disk, which stays as it is.
    fn start(&self, disk: &Path) -> Machine {
        let Self(_, _, name) = self;
        let drive = format!("file={},format={name},if=virtio,snapshot=on", disk.display());
        Machine::start(&["-drive".to_owned(), drive], Firmware::Bios, disk.parent().unwrap())
    }

    fn boots(&self) {
        let disk = self.judged();
        let mut machine = self.start(&disk);
        machine.log_in("tux", "kiwi");
        assert_eq!(mounted(&mut machine, "/"), "/dev/vda1 ext4 rw", "{}", self.0);
    }
}

#[test]
fn a_vdi_boots() {
    Format("vdi", "vdi", "vdi").boots();
}

#[test]
fn a_vhdx_boots() {
    Format("vhdx", "vhdx", "vhdx").boots();
}
