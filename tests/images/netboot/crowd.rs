//! More than one machine, server or network at a time.

use std::fs;

use kiwi_tests::machine::{Machine, run_kiwi};
use kiwi_tests::network::{Network, SERVER};
use kiwi_tests::small::text;
use kiwi_tests::vlan;

use super::lab::{BOOT, Content, Lab, MAC, NAME, PROMPT, end, enter, with_disk};

/// Two DHCP servers answer at once; the one that names the boot server counts, whichever is the first.
#[test]
fn of_two_dhcp_servers_the_one_with_a_boot_server_counts() {
    let lab = Lab::with("two", &["--dhcp-boot=pxelinux.0,,10.77.0.1", "--dhcp-reply-delay=1"]);
    let other = Network::new(&lab.directory.join("other"));
    lab.network.run(&format!("ip link add to-other type veth peer name uplink netns {}", other.process()));
    lab.network.run("ip link set to-other master lan up");
    other.run("ip link set uplink master lan up");
    other.run("ip address change 10.77.0.2/24 dev lan");
    other.run("ip address delete 10.77.0.1/24 dev lan");
    let _without = other.dhcp(&["--dhcp-option=6"]);
    lab.publish("1.0.0", Content::Plain);
    lab.configure(&format!("IMAGE=/dev/ram1;{NAME};1.0.0\n"));
    let mut machine = lab.boot("", &[]);
    enter(&mut machine);
    assert_eq!(machine.ask("cat /etc/version"), "this is 1.0.0");
    end(machine);
}

#[test]
fn a_client_boots_in_a_vlan() {
    let lab = Lab::new("vlan");
    lab.publish("1.0.0", Content::Plain);
    lab.configure(&format!("IMAGE=/dev/vda1;{NAME};1.0.0\nPART=x;L;/\nDISK=/dev/vda\n"));
    let (_tagger, card) = vlan::card(&lab.network, 5, MAC, &lab.directory);
    let disk = lab.disk(64);
    let keywords = [card, with_disk(&disk)].concat();
    let mut machine = lab.boot_with_card("vlan=5", &keywords);
    enter(&mut machine);
    assert_eq!(machine.ask("cat /etc/version"), "this is 1.0.0");
    end(machine);
}

/// Each client installs the system of one generation, whichever it is, while two others are published.
#[test]
#[ignore = "exhaustive: eight machines at once"]
fn eight_clients_install_while_images_are_published() {
    const CLIENTS: usize = 8;
    let lab = Lab::new("crowd");
    let tree = text(&lab.tree);
    let server = format!("{SERVER}/24");
    run_kiwi(&["pxe", "init", tree, "--server", &server, "--no-bios", "--no-uefi"]);
    let publish = |version: &str| {
        // The kit writes images into the tree; these come into it by kiwi.
        lab.publish(version, Content::Plain);
        let aside = lab.directory.join("aside");
        fs::create_dir_all(&aside).unwrap();
        for ending in ["", ".md5"] {
            let name = format!("{NAME}-{version}{ending}");
            fs::rename(lab.tree.join("image").join(&name), aside.join(&name)).unwrap();
        }
        let image = aside.join(format!("{NAME}-{version}"));
        run_kiwi(&["pxe", "publish", text(&image), "--tree", tree]);
        let file = aside.join("configuration");
        let configuration = format!("IMAGE=/dev/vda2;{NAME};{version}\nPART=10;S;x,x;L;/\nDISK=/dev/vda\n");
        fs::write(&file, configuration).unwrap();
        run_kiwi(&["pxe", "client", "default", "--tree", tree, "--from", text(&file)]);
    };
    publish("1.0.0");
    let mut machines: Vec<Machine> = (0..CLIENTS)
        .map(|number| {
            let mac = format!("52:54:00:12:35:{number:02x}");
            let disk = lab.directory.join(format!("disk-{number}"));
            fs::File::create(&disk).unwrap().set_len(64 << 20).unwrap();
            let memory = ["-m", "192"].map(str::to_owned);
            lab.boot_as(&mac, "", &[&memory[..], &with_disk(&disk)].concat())
        })
        .collect();
    for version in ["2.0.0", "3.0.0"] {
        machines[0].expect(&["PHASE "], 4 * BOOT);
        publish(version);
    }
    let mut versions = Vec::new();
    for machine in &mut machines {
        machine.expect(&[PROMPT], 8 * BOOT);
        let version = machine.ask("cat /etc/version");
        let loaded = machine.line_with(&format!("Loading {NAME}-")).expect("an image was loaded");
        assert!(machine.ask("cat /proc/mounts").contains("/dev/vda2 / ext4 rw"));
        let number = version.strip_prefix("this is ").expect("a version");
        assert!(loaded.contains(&format!("{NAME}-{number} ")), "{loaded}, but inside: {version}");
        versions.push(version);
    }
    assert_eq!(versions.len(), CLIENTS);
    eprintln!("{versions:?}");
    machines.into_iter().for_each(end);
}
