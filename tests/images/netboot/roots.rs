//! Root file systems of every kind: memory, unions, combined images, NFS and network block devices; compressed images.

use std::fs;

use super::lab::{BOOT, Content, Lab, NAME, end, enter, server, with_disk};
use crate::linuxrc::shell;

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
fn compressed_images_come_by_tftp_and_http() {
    let mut lab = Lab::new("compressed");
    let http = lab.network.http(&lab.tree);
    lab.add(http);
    lab.publish("1.0.0", Content::Plain);
    let image = lab.image("1.0.0");
    shell(
        &lab.directory,
        &format!(
            "cd '{}'; gzip -k {NAME}-1.0.0; xz -k -T1 {NAME}-1.0.0; zstd -q -k {NAME}-1.0.0; sha256sum {NAME}-1.0.0 > {NAME}-1.0.0.sha256; rm {NAME}-1.0.0",
            image.parent().unwrap().display()
        ),
    );
    let disk = lab.disk(120);
    for (compression, line) in
        [("compressed", ""), ("xz", "kiwiservertype=http"), ("zstd", "kiwiservertype=http")]
    {
        lab.configure(&format!(
            "IMAGE=/dev/vda2;{NAME};1.0.0;;;{compression}\nPART=10;S;x,x;L;/\nDISK=/dev/vda\nRELOAD_IMAGE=yes\n"
        ));
        let mut machine = lab.boot(line, &with_disk(&disk));
        enter(&mut machine);
        assert_eq!(machine.ask("cat /etc/version"), "this is 1.0.0", "{compression}");
        end(machine);
    }
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
fn a_split_image_is_combined() {
    combine("squashfs", "mksquashfs ro PART -quiet -noappend -comp gzip");
}

#[test]
#[ignore = "exhaustive: two further file systems"]
fn the_read_only_part_is_an_erofs_or_an_ext4() {
    combine("erofs", "mkfs.erofs --quiet PART ro");
    combine("ext4", "truncate -s 8M PART; mke2fs -q -F -t ext4 -d ro PART");
}

/// Installs and boots a split image whose read-only part this command writes to the file `PART` from the directory `ro`.
fn combine(filesystem: &str, command: &str) {
    let lab = Lab::new(&format!("split-{filesystem}"));
    lab.publish("1.0.0", Content::Plain);
    // The read-only part has the programs, the writable one has the rest.
    let tree = lab.directory.join("system-1.0.0");
    let image = lab.tree.join("image");
    shell(
        &lab.directory,
        &format!(
            "mkdir ro; mv '{0}/bin' '{0}/sbin' '{0}/usr' ro/; mkdir '{0}/usr'
             mkdir -p ro/.kiwi/temporary/srv '{0}/.kiwi/temporary'; echo 'of the image' > ro/.kiwi/temporary/srv/state
             rmdir '{0}/srv'; ln -s .kiwi/temporary/srv '{0}/srv'
             rm '{1}/{NAME}-1.0.0'; truncate -s 12M '{1}/{NAME}-1.0.0'; mke2fs -q -F -t ext4 -d '{0}' '{1}/{NAME}-1.0.0'
             {2}
             cd '{1}'; size=$(stat -c %s tiny-read-only.x86_64-1.0.0)
             printf '%s   %s 4096\\n' $(md5sum < tiny-read-only.x86_64-1.0.0 | cut -c 1-32) $((size / 4096)) > tiny-read-only.x86_64-1.0.0.md5",
            tree.display(),
            image.display(),
            command.replace("PART", &format!("'{}/tiny-read-only.x86_64-1.0.0'", image.display()))
        ),
    );
    lab.sum("1.0.0");
    let disk = lab.disk(120);
    lab.configure(&format!(
        "IMAGE=/dev/vda2;{NAME};1.0.0;{0};4096,\\\n      /dev/vda3;tiny-read-only.x86_64;1.0.0;{0};4096\n\
         PART=10;S;x,50;L;/,x;L;\nDISK=/dev/vda\nCOMBINED_IMAGE=yes\n",
        server()
    ));
    for second in [false, true] {
        let mut machine = lab.boot("", &with_disk(&disk));
        if second {
            machine.expect(&["tiny-read-only.x86_64-1.0.0: is up to date"], BOOT);
        }
        enter(&mut machine);
        assert_eq!(machine.ask("readlink /bin; cat /etc/version"), "system/bin\nthis is 1.0.0");
        let mounts = machine.ask("cat /proc/mounts");
        assert!(mounts.contains(&format!("/dev/vda3 /system {filesystem} ro")), "{mounts}");
        assert!(mounts.contains(" /.kiwi/temporary overlay rw"), "{mounts}");
        // What is temporary is as in the image again, and what is not is kept.
        assert_eq!(
            machine.ask("cat /srv/state; ls /etc/kept 2>/dev/null | wc -l"),
            format!("of the image\n{}", u8::from(second))
        );
        assert_eq!(
            machine.ask("echo mine > /srv/state; touch /srv/new /etc/kept; cat /srv/state; echo /srv/*"),
            "mine\n/srv/new /srv/state"
        );
        end(machine);
    }
}

#[test]
fn the_root_is_a_directory_of_an_nfs_server() {
    let mut lab = Lab::new("nfs");
    lab.publish("1.0.0", Content::Plain);
    lab.configure(&format!("NFSROOT={}:/tree\n", server()));
    // A server without the newer version; `mount` tells the version in the options.
    let older = lab.network.nfs(&lab.directory.join("system-1.0.0"), "3");
    let mut machine = lab.boot("", &[]);
    enter(&mut machine);
    assert!(machine.ask("cat /proc/mounts").contains(",vers=3,"));
    end(machine);
    older.stop();
    let service = lab.network.nfs(&lab.directory.join("system-1.0.0"), "3, 4");
    lab.add(service);
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
    let root = lab.image("1.0.0");
    let swap = lab.directory.join("swap");
    fs::write(&swap, vec![0; 16 << 20]).unwrap();
    let services = [(10809, "root", &root), (10810, "swap", &swap)]
        .map(|(port, name, file)| lab.network.nbd(port, &[(name, file)], true));
    services.into_iter().for_each(|service| lab.add(service));
    lab.configure(&format!("NBDROOT={};10809/root;/dev/nbd0;10810/swap;/dev/nbd1\n", server()));
    let mut machine = lab.boot("", &[]);
    enter(&mut machine);
    assert_eq!(machine.ask("cat /etc/version"), "this is 1.0.0");
    assert!(machine.ask("cat /proc/mounts").contains("/dev/nbd0 / ext4 rw"));
    assert!(machine.ask("cat /proc/swaps").contains("/dev/nbd1"));
    machine.ask("echo written > /srv/file; sync");
    end(machine);
}

#[test]
#[ignore = "exhaustive: another kind of file system on the same device"]
fn a_read_only_network_block_device_gets_a_layer_in_memory() {
    let mut lab = Lab::new("nbd-layer");
    lab.publish_squashfs("1.0.0");
    let service = lab.network.nbd(10809, &[("root", &lab.image("1.0.0"))], true);
    lab.add(service);
    lab.configure(&format!("NBDROOT={};10809/root\n", server()));
    let mut machine = lab.boot("", &[]);
    enter(&mut machine);
    assert_eq!(machine.ask("cat /etc/version"), "this is 1.0.0");
    assert!(machine.ask("cat /proc/mounts").contains("overlay / overlay rw"));
    assert_eq!(machine.ask("echo mine > /srv/file; cat /srv/file"), "mine");
    end(machine);
}
