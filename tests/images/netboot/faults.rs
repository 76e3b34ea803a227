//! What goes wrong on a network, and what the machine shows and does then.

use std::fs;

use super::lab::{BOOT, Content, Lab, MAC_IN_NAMES, NAME, with_disk};

const PART: &str = "PART=10;S;x,x;L;/\nDISK=/dev/vda\n";

fn image() -> String {
    format!("IMAGE=/dev/vda2;{NAME};1.0.0\n")
}

/// Whether nothing but zeros is on a disk.
fn is_empty(disk: &std::path::Path) -> bool {
    fs::read(disk).unwrap().iter().all(|byte| *byte == 0)
}

#[test]
fn errors_are_shown_before_anything_is_written() {
    let lab = Lab::new("errors");
    lab.publish("1.0.0", Content::Plain);
    let disk = lab.disk(64);
    let config = format!("KIWI/config.{MAC_IN_NAMES}");
    for (text, expected) in [
        (format!("{}DISK=/dev/vda\nPORT=1;S;x\n", image()), format!("{config}: line 3: ")),
        (
            format!("{}PART=10;S;x,5;L;/\nDISK=/dev/vda\n", image()),
            "the image for partition 2 has 12 MiB".to_owned(),
        ),
        (
            format!("{}PART=10;S;x,100;L;/\nDISK=/dev/vda\n", image()),
            "the partitions need 111 MiB, but the disk has 64 MiB".to_owned(),
        ),
        (
            format!("IMAGE=/dev/sdz2;{NAME};1.0.0\nPART=10;S;x,x;L;/\nDISK=/dev/sdz\n"),
            "The disk /dev/sdz of the configuration was not found".to_owned(),
        ),
        (format!("IMAGE=/dev/vda2;{NAME};7.0.0\n{PART}"), format!("The image {NAME}-7.0.0 has no checksum")),
    ] {
        lab.configure(&text);
        let mut machine = lab.boot("rd.timeout=3", &with_disk(&disk));
        machine.expect_failure(&expected, BOOT);
        machine.expect_failure("*** The machine reboots in 60 seconds.", 60);
        drop(machine);
        assert!(is_empty(&disk), "{text}");
    }
}
