//! Images that another machine starts: kernel, initrd and system as files, and an installation over the network.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use kiwi_tests::machine::{Firmware, direct, judge};
use kiwi_tests::network::Network;
use kiwi_tests::program::{clear, scratch};
use kiwi_tests::small::{SYSTEM, attached, create, log_in, mounted, text};

/// Unpacks the archive `name` of the directory; returns the directory with its members.
fn unpack(directory: &Path, name: &str) -> PathBuf {
    let members = directory.join("members");
    fs::create_dir_all(&members).unwrap();
    judge("tar", &["--extract", "--file", text(&directory.join(name)), "--directory", text(&members)]);
    members
}

/// Returns the names in a directory.
fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn kernel_initrd_and_system_start_a_machine_without_a_boot_loader() {
    let directory = tempfile::tempdir().unwrap();
    let ext4 = r#"<type image="kis" filesystem="ext4" rootfs_label="KIS" kernelcmdline="some.parameter=1"/>"#;
    create(ext4, directory.path());
    let archive = directory.path().join(format!("{SYSTEM}.tar.xz"));
    let members = unpack(directory.path(), &format!("{SYSTEM}.tar.xz"));
    let kernel = names(&members).into_iter().find(|name| name.ends_with(".kernel")).expect("a kernel");
    let of = |ending: &str| format!("{SYSTEM}{ending}");
    assert_eq!(names(&members), [of(""), kernel.clone(), of(".append"), of(".initrd"), of(".md5")]);
    let parameters = fs::read_to_string(members.join(of(".append"))).unwrap();
    assert!(
        parameters.starts_with("root=UUID=") && parameters.ends_with(" rw some.parameter=1\n"),
        "{parameters}"
    );
    judge("e2fsck", &["-fn", text(&members.join(SYSTEM))]);
    let line = parameters.trim_end();
    let started = direct(&members.join(&kernel), &members.join(of(".initrd")), line, directory.path());
    let keywords = [started, attached(&members.join(SYSTEM))].concat();
    let mut machine = log_in(&keywords, Firmware::Bios, directory.path());
    assert_eq!(mounted(&mut machine, "/"), "/dev/vda ext4 rw");
    assert!(machine.ask("cat /proc/cmdline").contains("some.parameter=1"));
    drop(machine);

    create(&ext4.replace("/>", r#" archive="false" compressed="true"/>"#), directory.path());
    judge("xz", &["--test", text(&directory.path().join(of(".xz")))]);
    for ending in [".md5", ".append", ".initrd", "-kernel"] {
        let name = if ending == "-kernel" { kernel.clone() } else { of(ending) };
        let same = |path: &Path| fs::read(path.join(&name)).unwrap();
        assert!(ending == ".md5" || same(directory.path()) == same(&members), "{name}");
    }
    create(r#"<type image="kis"/>"#, directory.path());
    let members = unpack(&scratch_of(directory.path(), &archive), "kis.tar.xz");
    assert_eq!(names(&members), [kernel, of(".initrd")]);
}

/// Moves an archive to a directory of its own.
fn scratch_of(directory: &Path, archive: &Path) -> PathBuf {
    let own = directory.join("own");
    fs::create_dir_all(&own).unwrap();
    fs::rename(archive, own.join("kis.tar.xz")).unwrap();
    own
}

#[test]
fn a_machine_is_installed_over_the_network_once() {
    let directory = scratch("install-archive");
    clear(&directory);
    let image = r#"<type image="oem" filesystem="ext4" installpxe="true"><bootloader name="grub2" timeout="1"/>
      <oemconfig><oem-unattended>true</oem-unattended><oem-unattended-id>vda</oem-unattended-id></oemconfig></type>"#;
    create(image, &directory);
    let tree = unpack(&directory, &format!("{SYSTEM}.install.tar"));
    let of = |ending: &str| tree.join(format!("{SYSTEM}{ending}"));
    let pxelinux = fs::read_to_string(of(".pxelinux")).unwrap();
    assert!(pxelinux.contains(&format!("KERNEL /pxeboot.{SYSTEM}.kernel\n")), "{pxelinux}");
    judge("grub-script-check", &[text(&of(".grub"))]);
    judge(
        "sh",
        &[
            "-c",
            &format!(
                "cd '{}' && xz -dc {SYSTEM}.xz > image && sed 's/{SYSTEM}/image/' {SYSTEM}.sha256 | sha256sum -c && cmp image ../{SYSTEM}.raw && rm image",
                tree.display()
            ),
        ],
    );

    let network = Network::new(&directory.join("servers"));
    let _dhcp = network.dhcp(&[]);
    let _http = network.http(&tree);
    let disk = directory.join("disk");
    File::create(&disk).unwrap().set_len(1 << 30).unwrap();
    let append = fs::read_to_string(of(".append")).unwrap();
    let line = format!("{} kiwiservertype=http", append.trim_end());
    let [kernel, initrd] = ["kernel", "initrd"].map(|part| tree.join(format!("pxeboot.{SYSTEM}.{part}")));
    let keywords = [direct(&kernel, &initrd, &line, &directory), attached(&disk)].concat();
    let mut machine = network.machine(&keywords, Firmware::Bios, "52:54:00:77:00:20", &directory);
    machine.expect(&[&format!("Loading {SYSTEM}")], 400);
    machine.expect(&["Comparing /dev/vda"], 400);
    machine.expect(&[&format!("{SYSTEM} is installed on vda.")], 400);
    machine.expect_end(60);
    judge("sfdisk", &["--verify", text(&disk)]);

    let installed = fs::read(&disk).unwrap();
    let mut machine = network.machine(&keywords, Firmware::Bios, "52:54:00:77:00:20", &directory);
    machine.expect(&[&format!("{SYSTEM} is installed on vda already.")], 400);
    machine.type_line("no");
    machine.expect_end(60);
    assert!(fs::read(&disk).unwrap() == installed, "the installed system was touched");

    let mut machine = log_in(&attached(&disk), Firmware::Bios, &directory);
    assert_eq!(mounted(&mut machine, "/"), "/dev/vda3 ext4 rw");
}
