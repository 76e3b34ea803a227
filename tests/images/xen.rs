//! Guests of Xen, hosts that start them, and network clients that run under Xen. Emulation has no PVH, so guests are PV here.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use kiwi_tests::machine::{Firmware, Machine, judge, run_kiwi};
use kiwi_tests::network::{Network, SERVER};
use kiwi_tests::program::{clear, once, scratch};
use kiwi_tests::small::{SYSTEM, attached, create, kernel_in, mounted, text};

/// A processor that Xen and its guests can use under emulation.
const PROCESSOR: [&str; 2] = ["-cpu", "Nehalem"];
const MAC: &str = "52:54:00:77:00:30";

const GUEST: &str = r#"<type image="xen" filesystem="ext4" boot="xenboot/debian-12" kernelcmdline="quiet">
    <machine memory="256"><vmdisk device="/dev/xvda"/></machine></type>"#;

/// The guest, built once per run.
fn guest() -> PathBuf {
    once("xen-guest", |directory| {
        clear(directory);
        create(GUEST, directory);
    })
}

#[test]
fn a_guest_consists_of_its_settings_system_and_boot_image() {
    let directory = guest();
    let settings = fs::read_to_string(directory.join(format!("{SYSTEM}.xenconfig"))).unwrap();
    let value = |key: &str| {
        let line = settings.lines().find_map(|line| line.strip_prefix(&format!("{key} = "))).expect(key);
        line.trim_matches('"').to_owned()
    };
    assert_eq!((value("type"), value("memory")), ("pv".to_owned(), "256".to_owned()));
    for key in ["kernel", "ramdisk"] {
        assert!(directory.join(value(key)).is_file(), "{settings}");
    }
    assert!(kernel_in(&directory).ends_with(value("kernel")));
    assert!(
        settings.contains(&format!("disk = [ \"format=raw, vdev=xvda1, access=rw, target={SYSTEM}\" ]\n"))
    );
    let system = directory.join(SYSTEM);
    judge("e2fsck", &["-fn", text(&system)]);
    let uuid = judge("blkid", &["-p", "-o", "value", "-s", "UUID", text(&system)]);
    assert_eq!(value("root"), format!("UUID={} rw", uuid.trim()));
}

/// The init of a host: it starts what `xl` needs, and the guest on the second disk, whose console is on its own.
const HOST_INIT: &str = r#"#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mkdir -p /dev/pts /run/xen /run/lock /var/run/xenstored /var/lib/xenstored /var/log/xen
mount -t devpts devpts /dev/pts; mount -a
ln -sf /proc/self/fd /dev/fd; ln -sf fd/0 /dev/stdin; ln -sf fd/1 /dev/stdout; ln -sf fd/2 /dev/stderr
/lib/systemd/systemd-udevd --daemon; udevadm trigger; udevadm settle
mount -t xenfs xenfs /proc/xen
modprobe -a xen-gntalloc xen-gntdev xen-evtchn xen-blkback loop
programs=/usr/lib/xen-4.17/bin
$programs/oxenstored --pid-file /run/xenstored.pid
$programs/xen-init-dom0
$programs/xenconsoled --pid-file=/run/xenconsoled.pid
mkdir -p /guest; mount /dev/vdb /guest; cd /guest
echo "The host is ready: $(xl list | wc -l)"
xl create -c *.xenconfig
echo "The guest has ended."
exec sleep infinity
"#;

const HOST: &str = r#"<image schemaversion="8.5" name="host">
  <description type="system"><author>A</author><contact>a@example.org</contact><specification>S</specification></description>
  <preferences><version>1.0.0</version><packagemanager>apt</packagemanager><type image="kis" filesystem="ext4" archive="false"/></preferences>
  <repository><source path="debian://bookworm"/></repository>
  <packages type="image">
    <package name="e2fsprogs"/><package name="kmod"/><package name="linux-image-amd64"/><package name="mount"/><package name="udev"/>
    <package name="xen-hypervisor-4.17-amd64"/><package name="xen-utils-4.17"/>
  </packages>
</image>"#;

/// Unpacks a hypervisor: QEMU loads an ELF file.
fn unpacked(hypervisor: &Path, directory: &Path) -> PathBuf {
    let program = directory.join("xen");
    let status = Command::new("gzip")
        .args(["--decompress", "--stdout"])
        .arg(hypervisor)
        .stdout(File::create(&program).unwrap())
        .status()
        .unwrap();
    assert!(status.success());
    program
}

#[test]
#[ignore = "the host is a second system, and takes minutes under emulation"]
fn a_host_that_kiwi_built_starts_the_guest() {
    let guest = guest();
    let directory = scratch("xen-host");
    clear(&directory);
    let [description, root, host] = ["description", "root", "host"].map(|name| directory.join(name));
    fs::create_dir_all(description.join("root/usr/sbin")).unwrap();
    fs::create_dir_all(&host).unwrap();
    fs::write(description.join("config.xml"), HOST).unwrap();
    let init = description.join("root/usr/sbin/init");
    fs::write(&init, HOST_INIT).unwrap();
    judge("chmod", &["755", text(&init)]);
    run_kiwi(&["prepare", text(&description), "--root", text(&root)]);
    run_kiwi(&["create", text(&root), "--destdir", text(&host)]);
    let xen = unpacked(&root.join("boot/xen-4.17-amd64.gz"), &directory);

    let of = |ending: &str| host.join(format!("host.x86_64-1.0.0{ending}"));
    let kernels = fs::read_dir(&host).unwrap().map(|entry| entry.unwrap().path());
    let kernel = kernels.into_iter().find(|path| text(path).ends_with(".kernel")).expect("a kernel");
    let disk = directory.join("guest.ext4");
    judge("mke2fs", &["-q", "-t", "ext4", "-d", text(&guest), text(&disk), "2G"]);
    let line = fs::read_to_string(of(".append")).unwrap();
    let modules = format!("{} {} console=hvc0,{}", text(&kernel), line.trim_end(), text(&of(".initrd")));
    let hypervisor = "dom0_mem=512M com1=115200,8n1 console=com1 loglvl=warning guest_loglvl=none";
    let started = ["-kernel", text(&xen), "-append", hypervisor, "-initrd", &modules].map(str::to_owned);
    let processor = PROCESSOR.map(str::to_owned);
    let keywords = [&processor[..], &started, &attached(&of("")), &attached(&disk)].concat();
    let mut machine = Machine::start(&keywords, Firmware::Bios, &directory);
    machine.expect(&["The host is ready: 2"], 600);
    machine.log_in("tux", "kiwi");
    assert_eq!(mounted(&mut machine, "/"), "/dev/xvda1 ext4 rw");
    assert_eq!(machine.ask("cat /sys/hypervisor/uuid").len(), 36);
    assert_ne!(machine.ask("cat /sys/hypervisor/uuid"), "00000000-0000-0000-0000-000000000000");
}

#[test]
#[ignore = "the hypervisor and a client's system take minutes under emulation"]
fn a_network_client_runs_under_xen() {
    let directory = scratch("xen-client");
    clear(&directory);
    let [tree, images] = ["tree", "images"].map(|name| directory.join(name));
    fs::create_dir_all(&images).unwrap();
    create(r#"<type image="pxe" filesystem="ext4" boot="xennetboot/debian-12"/>"#, &images);
    let server = format!("{SERVER}/24");
    let parameters = ["--parameters", "console=ttyS0 quiet", "--no-uefi"];
    run_kiwi(&[&["pxe", "init", text(&tree), "--server", &server][..], &parameters].concat());
    run_kiwi(&["pxe", "publish", text(&images), "--tree", text(&tree)]);
    let configuration = directory.join("configuration");
    fs::write(&configuration, "IMAGE=/dev/vda2;small.x86_64;1.0.0\nPART=64;S;x,x;L;/\nDISK=/dev/vda\n")
        .unwrap();
    run_kiwi(&["pxe", "client", MAC, "--tree", text(&tree), "--from", text(&configuration)]);

    let network = Network::new(&directory.join("servers"));
    let _tftp = network.tftp(&tree);
    let _dhcp = network.dhcp(&["--dhcp-boot=pxelinux.0"]);
    let disk = directory.join("disk");
    File::create(&disk).unwrap().set_len(1 << 30).unwrap();
    let keywords = [PROCESSOR.map(str::to_owned).to_vec(), attached(&disk)].concat();
    let mut machine = network.machine(&keywords, Firmware::Bios, MAC, &directory);
    machine.expect(&["(XEN) Xen version 4.17"], 400);
    machine.log_in("tux", "kiwi");
    assert_eq!(mounted(&mut machine, "/"), "/dev/vda2 ext4 rw");
    assert_eq!(machine.ask("cat /sys/hypervisor/type"), "xen");
}
