//! Root file systems of every kind: memory, unions, combined images, NFS and network block devices; compressed images.

use std::fs;

use super::lab::{BOOT, Content, Lab, NAME, end, enter, server, with_disk};

#[test]
fn a_machine_without_a_disk_boots_from_memory() {
    let lab = Lab::new("memory");
    lab.publish("1.0.0", Content::Plain);
    fs::write(lab.tree.join("KIWI/motd"), "in memory\n").unwrap();
    lab.configure(&format!("IMAGE=/dev/ram1;{NAME};1.0.0;{};8192\nCONF=KIWI/motd;/etc/motd\n", server()));
    let mut machine = lab.boot("", &[]);
    enter(&mut machine);
    assert_eq!(machine.ask("cat /etc/version /etc/motd"), "this is 1.0.0\nin memory");
    assert!(machine.ask("cat /proc/mounts").contains("/dev/loop0 / ext4 rw"));
    assert!(
        machine
            .ask("dd if=/dev/zero of=/tmp/large bs=1M count=30 2>&1; sync; ls -s /tmp/large")
            .contains("30720"),
        "the system has space to write"
    );
    end(machine);
}

#[test]
fn a_union_keeps_what_is_written() {
    let lab = Lab::new("union");
    lab.publish_squashfs("1.0.0");
    let disk = lab.disk(120);
    lab.configure(&format!(
        "IMAGE=/dev/vda3;{NAME};1.0.0\nPART=10;S;x,50;L;/,x;L;x\nDISK=/dev/vda\nUNIONFS_CONFIG=/dev/vda2,/dev/vda3,aufs\n"
    ));
    let mut machine = lab.boot("", &with_disk(&disk));
    enter(&mut machine);
    assert!(machine.ask("cat /proc/mounts").contains("overlay / overlay rw"));
    assert!(!machine.ask("cat /etc/fstab").contains(" / "));
    machine.ask("echo mine > /etc/kept");
    end(machine);
    let mut machine = lab.boot("", &with_disk(&disk));
    machine.expect(&["is up to date"], BOOT);
    enter(&mut machine);
    assert_eq!(machine.ask("cat /etc/version /etc/kept"), "this is 1.0.0\nmine");
    end(machine);
}

#[test]
fn the_root_is_a_directory_of_an_nfs_server() {
    let mut lab = Lab::new("nfs");
    lab.publish("1.0.0", Content::Plain);
    let service = lab.network.nfs(&lab.directory.join("system-1.0.0"));
    lab.add(service);
    lab.configure(&format!("NFSROOT={}:/tree\n", server()));
    let mut machine = lab.boot("DEBUG=1", &[]);
    enter(&mut machine);
    assert_eq!(machine.ask("cat /etc/version"), "this is 1.0.0");
    assert!(machine.ask("cat /proc/mounts").contains(&format!("{}:/tree / nfs", server())));
    machine.ask("echo written > /srv/file; sync");
    assert_eq!(fs::read_to_string(lab.directory.join("system-1.0.0/srv/file")).unwrap(), "written\n");
    end(machine);
}

#[test]
fn the_root_is_a_network_block_device() {
    let mut lab = Lab::new("nbd");
    lab.publish("1.0.0", Content::Plain);
    lab.publish_squashfs("2.0.0");
    let service = lab.network.nbd("root", &lab.image("1.0.0"), true);
    lab.add(service);
    lab.configure(&format!("NBDROOT={};10809/root\n", server()));
    let mut machine = lab.boot("", &[]);
    enter(&mut machine);
    assert_eq!(machine.ask("cat /etc/version"), "this is 1.0.0");
    assert!(machine.ask("cat /proc/mounts").contains("/dev/nbd0 / ext4 rw"));
    machine.ask("echo written > /srv/file; sync");
    end(machine);
}
