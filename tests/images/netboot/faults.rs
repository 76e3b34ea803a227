//! What goes wrong on a network, and what the machine shows and does then.

use std::fs::{self, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use super::lab::{BOOT, Content, Lab, MAC_IN_NAMES, NAME, end, enter, with_disk};

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

#[test]
fn a_damaged_image_is_named_loaded_again_and_never_used() {
    let lab = Lab::new("damaged");
    lab.publish("1.0.0", Content::Plain);
    lab.configure(&format!("{}{PART}", image()));
    let disk = lab.disk(64);
    let whole = fs::read(lab.image("1.0.0")).unwrap();
    let mut wrong = OpenOptions::new().write(true).open(lab.image("1.0.0")).unwrap();
    wrong.seek(SeekFrom::Start(5 << 20)).unwrap();
    wrong.write_all(b"damaged").unwrap();
    let mut machine = lab.boot("", &with_disk(&disk));
    machine.expect_failure("has a wrong MD5 sum", BOOT);
    machine.expect_failure("attempt 2 of 3", 60);
    // It is mended while the machine waits.
    fs::write(lab.image("1.0.0"), &whole).unwrap();
    machine.expect_failure("tiny-42 # ", BOOT);
    drop(machine);
    fs::write(lab.image("1.0.0"), &whole[..7 << 20]).unwrap();
    let disk = lab.disk(64);
    let mut machine = lab.boot("", &with_disk(&disk));
    machine.expect_failure("is truncated: it has 7340032 bytes", BOOT);
    machine.expect_failure("*** The machine reboots in 60 seconds.", BOOT);
    drop(machine);
    let written = fs::read(&disk).unwrap();
    assert!(written[11 << 20..12 << 20].iter().all(|byte| *byte == 0), "the partition holds no file system");
}

#[test]
fn a_server_that_refuses_or_is_absent_ends_in_a_clear_screen() {
    let mut lab = Lab::new("refusal");
    // This server sends only what everybody may read.
    lab.stop_tftp();
    let strict = lab.network.tftp_with(&lab.tree, &["-c"]);
    lab.add(strict);
    lab.configure("IMAGE=/dev/ram1;a;1\n");
    let config = lab.tree.join(format!("KIWI/config.{MAC_IN_NAMES}"));
    fs::set_permissions(&config, fs::Permissions::from_mode(0o600)).unwrap();
    let mut machine = lab.boot("", &[]);
    machine.expect_failure("The server does not let this machine read the file", BOOT);
    drop(machine);
    let mut machine = lab.boot("ip=10.77.0.50:10.77.0.9::255.255.255.0:::none", &[]);
    machine.expect_failure("The configuration cannot be loaded from tftp://10.77.0.9", BOOT);
    drop(machine);
    let silent = lab.without_servers();
    let mut machine = silent.boot("", &[]);
    machine.expect_failure("This machine has no address", BOOT);
    machine.expect_failure("*** The machine reboots in 60 seconds.", 60);
}

#[test]
fn loss_and_a_server_that_restarts_do_no_harm() {
    let mut lab = Lab::new("loss");
    // A lost packet costs a fifth of a second and more.
    lab.publish_sized("1.0.0", Content::Plain, 4);
    lab.configure(&format!("{}{PART}", image()));
    let disk = lab.disk(64);
    lab.network.lose(5);
    let mut machine = lab.boot("", &with_disk(&disk));
    machine.expect(&[&format!("Loading {NAME}-1.0.0")], BOOT);
    lab.stop_tftp();
    std::thread::sleep(Duration::from_secs(3));
    assert!(!machine.said("PHASE loaded"), "the download ended before the server did");
    lab.start_tftp();
    enter(&mut machine);
    assert_eq!(machine.ask("cat /etc/version"), "this is 1.0.0");
    end(machine);
}

/// Power cuts at random moments of an installation; each is followed by a boot that completes.
#[test]
#[ignore = "exhaustive: twenty installations"]
fn a_power_cut_at_any_moment_leads_to_a_whole_system() {
    let lab = Lab::new("cut");
    lab.publish("1.0.0", Content::Plain);
    lab.configure(&format!("{}{PART}", image()));
    let seed = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64 | 1;
    eprintln!("seed {seed}");
    let mut state = seed;
    let mut random = move |limit: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % limit
    };
    for _ in 0..20 {
        let disk = lab.disk(64);
        let mut machine = lab.boot("", &with_disk(&disk));
        machine.expect(&["PHASE configuration"], BOOT);
        std::thread::sleep(Duration::from_millis(random(6000)));
        drop(machine);
        let mut machine = lab.boot("", &with_disk(&disk));
        enter(&mut machine);
        assert_eq!(machine.ask("cat /etc/version"), "this is 1.0.0");
        end(machine);
    }
}
