use std::fs::File;
use std::process::Command;

use test_programs::have;

use super::*;

const MIB: u64 = 1 << 20;

fn disk(mebibytes: u64, scheme: Scheme) -> Disk {
    Disk { bytes: Bytes(mebibytes * MIB), sector_size: 512, scheme, uefi: false }
}

fn planned(part: &str, disk: &Disk, image: Option<(u32, u64)>) -> Result<Layout, LayoutError> {
    let deployed = Deployed::parse(part, None).unwrap();
    plan(&deployed, disk, |number| image.filter(|image| image.0 == number).map(|image| Bytes(image.1 * MIB)))
}

/// Returns number, start and length in MiB of each partition.
fn placed(layout: &Layout) -> Vec<(u32, u64, u64)> {
    layout.partitions.iter().map(|part| (part.number, part.start.0 / MIB, part.length.0 / MIB)).collect()
}

#[test]
fn places_partitions_in_order_and_gives_one_the_rest() {
    let layout = planned("200;S;x,x;L;/,100;83;/home", &disk(1000, Scheme::Mbr), None).unwrap();
    assert_eq!(placed(&layout), [(1, 1, 200), (2, 201, 699), (3, 900, 100)]);
    assert!(layout.partitions[0].is_swap());
    assert_eq!(layout.partitions[2].mount.as_deref(), Some("/home"));
    let fixed = planned("200;S;x,300;L;/", &disk(1000, Scheme::Mbr), None).unwrap();
    assert_eq!(placed(&fixed), [(1, 1, 200), (2, 201, 300)], "space can stay free");
}

#[test]
fn more_than_four_partitions_have_the_same_numbers_in_both_tables() {
    let part = "10;S;x,20;L;/,30;L;/a,40;L;/b,x;L;/c";
    let mbr = planned(part, &disk(1000, Scheme::Mbr), None).unwrap();
    assert_eq!(placed(&mbr), [(1, 1, 10), (2, 11, 20), (3, 31, 30), (5, 62, 40), (6, 103, 897)]);
    let gpt = planned(part, &disk(1000, Scheme::Gpt), None).unwrap();
    assert_eq!(placed(&gpt)[..5], [(1, 1, 10), (2, 11, 20), (3, 31, 30), (5, 62, 40), (6, 103, 896)]);
    assert_eq!(gpt.partitions[5].number, BOOT_CODE);
    let uefi = Disk { uefi: true, ..disk(1000, Scheme::Gpt) };
    let efi = planned(part, &uefi, None).unwrap();
    assert_eq!(placed(&efi)[0], (1, 17, 10), "behind the EFI system partition");
    assert_eq!(placed(&efi)[4..], [(6, 119, 880), (BOOT_CODE, 1, 16)]);
    assert_eq!(efi.esp().map(|esp| esp.number), Some(BOOT_CODE));
    let own = planned("10;S;x,20;L;/,5;U;/boot/efi,x;L;/c", &uefi, None).unwrap();
    assert_eq!(placed(&own), [(1, 1, 10), (2, 11, 20), (3, 31, 5), (4, 36, 963)], "PART has one");
    assert_eq!(own.esp().map(|esp| esp.number), Some(3));
    assert_eq!(mbr.esp(), None);
}

#[test]
fn sizes_and_types_that_do_not_fit_are_errors() {
    let error = |part: &str| planned(part, &disk(500, Scheme::Mbr), Some((2, 120))).unwrap_err();
    assert_eq!(
        error("200;S;x,300;L;/"),
        LayoutError::DiskTooSmall { needed: Bytes(501 * MIB), disk: Bytes(500 * MIB) }
    );
    assert!(matches!(error("499;S;x,x;L;/"), LayoutError::DiskTooSmall { .. }));
    assert_eq!(error("x;S;x,x;L;/"), LayoutError::TwoRests);
    assert_eq!(error("0;S;x,x;L;/"), LayoutError::Empty(1));
    assert_eq!(error("image;S;x,x;L;/"), LayoutError::NoImage(1));
    let (image, partition) = (Bytes(120 * MIB), Bytes(119 * MIB));
    assert_eq!(error("1;S;x,119;L;/"), LayoutError::ImageTooLarge { number: 2, image, partition });
    assert_eq!(error("1;S;x,x;8e;/"), LayoutError::Lvm(2));
    assert_eq!(error("1;S;x,x;E;/"), LayoutError::Extended(2));
    for text in ["zz", "100", "0", "00"] {
        assert_eq!(error(&format!("1;{text};x,x;L;/")), LayoutError::Type(1, text.to_owned()));
    }
    let of_image = planned("1;S;x,image;L;/,5;fd;x", &disk(500, Scheme::Mbr), Some((2, 120))).unwrap();
    assert_eq!(placed(&of_image), [(1, 1, 1), (2, 2, 120), (3, 122, 5)]);
    assert_eq!(of_image.partitions[2].partition_type, PartitionType::Other(0xfd));
}

#[test]
fn the_disk_decides_about_the_kind_of_its_table() {
    let two_tib = Bytes(2 << 40);
    assert_eq!(scheme(two_tib, 512, None, false), Scheme::Gpt);
    assert_eq!(scheme(two_tib, 4096, None, false), Scheme::Mbr);
    assert_eq!(scheme(Bytes(MIB), 512, None, false), Scheme::Mbr);
    assert_eq!(scheme(Bytes(MIB), 512, None, true), Scheme::Gpt);
}

#[test]
fn sfdisk_finds_no_errors_in_the_tables() {
    if !have(&["sfdisk"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("disk");
    let parts =
        ["10;S;x,20;L;/", "1;S;x,2;L;/,3;L;/a,4;7;x", "10;S;x,20;L;/,3;U;/boot/efi,4;L;/b,x;L;/c,5;fd;x"];
    for part in parts {
        for scheme in [Scheme::Mbr, Scheme::Gpt] {
            let file =
                File::options().read(true).write(true).create(true).truncate(true).open(&path).unwrap();
            file.set_len(100 * MIB).unwrap();
            let layout = planned(part, &disk(100, scheme), None).unwrap();
            let mut last = 0;
            let mut guid = || {
                last += 1;
                Ok::<_, ()>(Uuid([last; 16]))
            };
            let table = layout.table(&mut guid).unwrap();
            table.write(&mut &file, 512).unwrap();
            let output =
                Command::new("sfdisk").arg("-V").arg(&path).env("PATH", "/usr/sbin:/sbin:/usr/bin").output();
            let output = output.unwrap();
            let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            assert!(text.contains("No errors detected"), "{part}: {text}");
        }
    }
}
