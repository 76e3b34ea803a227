//! A boot image with a key loads signed images only.

use std::fs::{self, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use kiwi_tests::machine::run_kiwi;
use kiwi_tests::network::SERVER;

use super::lab::{BOOT, Content, Lab, NAME, end, enter};
use crate::linuxrc::shell;

/// Returns the boot image of `lab` with the public key in `key`.
fn with_key(lab: &Lab, key: &Path) -> PathBuf {
    let directory = lab.directory.join("with-key");
    fs::create_dir_all(&directory).unwrap();
    let text = fs::read_to_string(key).unwrap();
    let key = text.lines().nth(1).unwrap();
    fs::write(directory.join("kiwi.boot"), format!("kind=netboot\nverify-key={key}\n")).unwrap();
    let own = Lab::boot_image();
    // The kernel unpacks one archive after the other.
    let command = "(cat '{}'; echo kiwi.boot | cpio --quiet -o -H newc -R 0:0 | gzip) > initrd.gz";
    shell(&directory, &command.replace("{}", own.to_str().unwrap()));
    directory.join("initrd.gz")
}

/// Publishes a tiny system as a user does; signed, if a key is named.
fn publish(lab: &Lab, version: &str, key: Option<&Path>) {
    lab.publish(version, Content::Plain);
    let built = lab.directory.join(format!("built-{version}"));
    fs::create_dir_all(&built).unwrap();
    for name in [format!("{NAME}-{version}"), format!("{NAME}-{version}.md5")] {
        fs::rename(lab.tree.join("image").join(&name), built.join(&name)).unwrap();
    }
    let (tree, image) = (lab.tree.to_str().unwrap(), built.join(format!("{NAME}-{version}")));
    let mut keywords = vec!["pxe", "publish", image.to_str().unwrap(), "--tree", tree];
    if let Some(key) = key {
        keywords.extend(["--sign", key.to_str().unwrap()]);
    }
    run_kiwi(&keywords);
}

/// Changes one byte of a published image.
fn flip(path: &Path, offset: u64) {
    let mut file = OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.seek(SeekFrom::Start(offset)).unwrap();
    file.read_exact(&mut byte).unwrap();
    file.seek(SeekFrom::Start(offset)).unwrap();
    file.write_all(&[byte[0] ^ 1]).unwrap();
}

#[test]
fn a_boot_image_with_a_key_accepts_signed_images_only() {
    let lab = Lab::new("verified");
    let tree = lab.tree.to_str().unwrap();
    run_kiwi(&["pxe", "init", tree, "--server", &format!("{SERVER}/24"), "--no-bios", "--no-uefi"]);
    shell(&lab.directory, "minisign -G -W -f -p own.pub -s own.key >/dev/null");
    let initrd = with_key(&lab, &lab.directory.join("own.pub"));
    publish(&lab, "1.0.0", Some(&lab.directory.join("own.key")));
    publish(&lab, "2.0.0", None);
    let boots = |version: &str, more: &str| {
        lab.configure(&format!("IMAGE=/dev/ram1;{NAME};{version}\n{more}"));
        lab.boot_by(&initrd, "", &[])
    };

    let mut machine = boots("1.0.0", "");
    enter(&mut machine);
    assert_eq!(machine.ask("cat /etc/version"), "this is 1.0.0");
    end(machine);

    let mut machine = boots("2.0.0", "");
    machine.expect_failure(&format!("The image image/{NAME}-2.0.0 on tftp://{SERVER} is not trusted"), BOOT);
    drop(machine);

    // The index of another version of the same owner.
    for suffix in [".caibx", ".caibx.minisig"] {
        let path = |version: &str| lab.tree.join(format!("image/{NAME}-{version}{suffix}"));
        fs::copy(path("1.0.0"), path("2.0.0")).unwrap();
    }
    let mut machine = boots("2.0.0", "");
    machine.expect_failure("the signature is for another file", BOOT);
    drop(machine);

    let mut machine = boots("1.0.0", "CONF=KIWI/motd;/etc/motd\n");
    machine.expect_failure("The configuration has CONF, which no signature covers", BOOT);
    drop(machine);

    // A chunk that one server changed comes from the other one.
    let changed = lab.directory.join("changed");
    shell(&lab.directory, &format!("cp -a '{tree}' '{}'", changed.display()));
    flip(&changed.join(format!("image/{NAME}-1.0.0")), 2 << 20);
    let second = lab.network.tftp_at("10.77.0.3", &changed);
    lab.configure(&format!("IMAGE=/dev/ram1;{NAME};1.0.0;10.77.0.3\n"));
    let mut machine = lab.boot_by(&initrd, "", &[]);
    enter(&mut machine);
    assert_eq!(machine.ask("cat /etc/version"), "this is 1.0.0");
    end(machine);
    drop(second);

    flip(&lab.image("1.0.0"), 2 << 20);
    let mut machine = boots("1.0.0", "");
    machine.expect_failure("differs from the signed index", BOOT);
    drop(machine);
}
