//! The network kit of these tests: machines that boot from their card's ROM, and every server.

use std::path::Path;

use kiwi_tests::machine::{Firmware, Sequences, judge};
use kiwi_tests::network::{Network, SERVER, publish};
use kiwi_tests::program::{clear, scratch};

const MAC: &str = "52:54:00:77:00:10";

/// Puts programs into `tree` that say so when a machine with this firmware has booted them.
fn publish_boot_program(tree: &Path, firmware: Firmware) {
    match firmware {
        Firmware::Bios => {
            for file in ["/usr/lib/PXELINUX/pxelinux.0", "/usr/lib/syslinux/modules/bios/ldlinux.c32"] {
                let name = Path::new(file).file_name().unwrap().to_str().unwrap();
                publish(tree, name, &std::fs::read(file).unwrap_or_else(|error| panic!("{file}: {error}")));
            }
            publish(
                tree,
                "pxelinux.cfg/default",
                b"SERIAL 0 115200\nSAY The BIOS has booted.\nPROMPT 1\nTIMEOUT 0\n",
            );
        }
        Firmware::Uefi | Firmware::SecureBoot => {
            let configuration = tree.join("early.cfg");
            let text = "serial --unit=0\nterminal_output serial\necho The UEFI has booted.\nsleep 60\n";
            std::fs::write(&configuration, text).unwrap();
            let (configuration, target) = (configuration.to_str().unwrap(), tree.join("grub.efi"));
            let arguments =
                ["-O", "x86_64-efi", "-p", "/", "-c", configuration, "-o", target.to_str().unwrap()];
            judge("grub-mkimage", &[&arguments[..], &["serial", "terminal", "echo", "sleep"]].concat());
        }
    }
}

#[test]
fn machines_boot_from_the_rom_of_their_card() {
    let directory = scratch("network");
    clear(&directory);
    let tree = directory.join("tree");
    std::fs::create_dir_all(&tree).unwrap();
    let network = Network::new(&directory.join("servers"));
    let tftp = network.tftp(&tree);
    let dhcp = network.dhcp(&[
        "--dhcp-match=set:uefi,option:client-arch,7",
        "--dhcp-boot=tag:uefi,grub.efi",
        "--dhcp-boot=tag:!uefi,pxelinux.0",
    ]);
    for (firmware, text) in
        [(Firmware::Bios, "The BIOS has booted."), (Firmware::Uefi, "The UEFI has booted.")]
    {
        publish_boot_program(&tree, firmware);
        let mut machine = network.machine(&[], firmware, MAC, &directory);
        assert!(machine.shows(&[text], 300), "{}{}{}", machine.tail(), dhcp.log(), tftp.log());
    }
}

#[test]
fn devices_and_trees_are_served() {
    let directory = scratch("network-servers");
    clear(&directory);
    let tree = directory.join("tree");
    publish(&tree, "file", b"by NFS\n");
    let disk = directory.join("disk");
    std::fs::write(&disk, [7; 4096]).unwrap();
    let network = Network::new(&directory.join("servers"));
    let _nbd = network.nbd(10809, &[("disk", &disk)], true);
    let size = network.run(&format!("nbdinfo --size nbd://{SERVER}/disk"));
    assert_eq!(size.trim(), "4096");
    let _nfs = network.nfs(&tree, "3, 4");
    for version in [3, 4] {
        let url = format!("nfs://{SERVER}/tree/file?version={version}");
        assert_eq!(network.run(&format!("nfs-cat {url}")), "by NFS\n");
    }
}

#[test]
fn a_line_of_the_console_is_whole_although_the_cursor_moves_in_it() {
    let mut sequences = Sequences::default();
    let shown = ["The BIOS has\x1b[25;12H\x1b[25;", "13H booted.\r\n\x1b", "[0;1mlo\x1bgin: "];
    let plain: String = shown.iter().map(|text| sequences.without(text)).collect();
    assert_eq!(plain, "The BIOS has booted.\r\nlogin: ");
}
