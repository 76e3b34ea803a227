//! A disk in formats other than raw: a whole image for QEMU's checker, the same bytes as the raw disk, and a machine starts from it.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
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
        if *keyword == "vhd" {
            judge_vhd(&disk);
        } else {
            judge("qemu-img", &["check", "-f", name, text(&disk)]);
        }
        self.compare(&disk);
        disk
    }

    /// Compares the image with the raw disk.
    fn compare(&self, disk: &Path) {
        let raw = built("raw").join(format!("{SYSTEM}.raw"));
        judge("qemu-img", &["compare", "-f", "raw", "-F", self.2, text(&raw), text(disk)]);
    }

    /// Boots a machine from the disk, which stays as it is.
    fn start(&self, disk: &Path) -> Machine {
        let Self(_, _, name) = self;
        let drive = format!("file={},format={name},if=virtio,snapshot=on", disk.display());
        Machine::start(&["-drive".to_owned(), drive], Firmware::Bios, disk.parent().unwrap())
    }

    fn boots(&self) {
        self.boots_from(&self.judged());
    }

    fn boots_from(&self, disk: &Path) {
        let mut machine = self.start(disk);
        machine.log_in("tux", "kiwi");
        assert_eq!(mounted(&mut machine, "/"), "/dev/vda1 ext4 rw", "{}", self.0);
    }
}

/// Checks the footer of a VHD, which QEMU's checker does not know: its mark, its checksum, and that the copy at the start is equal.
fn judge_vhd(disk: &Path) {
    let mut file = File::open(disk).unwrap();
    let (mut first, mut last) = ([0; 512], [0; 512]);
    file.read_exact(&mut first).unwrap();
    file.seek(SeekFrom::End(-512)).unwrap();
    file.read_exact(&mut last).unwrap();
    assert_eq!(first, last);
    assert_eq!(&first[..8], b"conectix");
    let sum: u32 =
        first.iter().enumerate().filter(|(at, _)| !(64..68).contains(at)).map(|(_, b)| u32::from(*b)).sum();
    assert_eq!(first[64..68], (!sum).to_be_bytes());
}

#[test]
#[ignore = "exhaustive: the same disk in one more format"]
fn a_vmdk_boots() {
    Format("vmdk", "vmdk", "vmdk").boots();
}

#[test]
#[ignore = "exhaustive: the same disk in one more format"]
fn a_vhd_boots() {
    Format("vhd", "vhd", "vpc").boots();
}

#[test]
#[ignore = "exhaustive: the same disk in one more format"]
fn the_disk_of_an_ova_boots() {
    let directory = built("ova");
    let archive = directory.join(format!("{SYSTEM}.ova"));
    judge("tar", &["--extract", "--file", text(&archive), "--directory", text(&directory)]);
    let disk = directory.join(format!("{SYSTEM}.vmdk"));
    judge("qemu-img", &["check", "-f", "vmdk", text(&disk)]);
    let format = Format("ova", "vmdk", "vmdk");
    format.compare(&disk);
    format.boots_from(&disk);
}

#[test]
fn a_vdi_boots() {
    Format("vdi", "vdi", "vdi").boots();
}

#[test]
fn a_vhdx_boots() {
    Format("vhdx", "vhdx", "vhdx").boots();
}
