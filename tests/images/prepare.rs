//! What a description can bring besides packages, in one tree: what it inherits, directories of profiles, an archive,
//! `config-yast.xml`, scripts with every function of `.kconfig`, a repository whose key is fetched; then what is made
//! of it: a compressed file system, a disk in every format, and disks with the file systems no example uses.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use kiwi_tests::machine::{Firmware, Machine, run_kiwi};
use kiwi_tests::program::kiwi;
use kiwi_tests::run::{Run, json};

const BASE: &str = r#"<image schemaversion="8.5" name="base">
  <description type="system"><author>A</author><contact>a@example.org</contact><specification>S</specification></description>
  <preferences><version>1.0.0</version><packagemanager>apt</packagemanager><type image="ext3"/></preferences>
  <repository><source path="debian://bookworm"/></repository>
  <packages type="image"><package name="locales"/><package name="man-db"/></packages>
</image>"#;

const DESCRIPTION: &str = r#"<image schemaversion="8.5" name="all" inherit="../base">
  <description type="system"><author>A</author><contact>a@example.org</contact><specification>S</specification></description>
  <profiles><profile name="blue" description="Blue"/><profile name="green" description="Green"/></profiles>
  <preferences><version>1.0.0</version><packagemanager>apt</packagemanager>
    <locale>de_DE</locale><keytable>de</keytable><timezone>Asia/Tokyo</timezone><compressed>true</compressed>
    <type image="ext3" primary="true"/>
    <type image="oem" filesystem="ext4" format="qcow" kernelcmdline="init=/sbin/tiny"/></preferences>
  <users><user name="tux" groups="tux" home="/home/tux" password="*"/></users>
  <drivers type="drivers"><file name="drivers/virtio/*"/><file name="drivers/block/virtio_blk.ko"/>
    <file name="fs/xfs/xfs.ko"/><file name="fs/btrfs/btrfs.ko"/></drivers>
  <repository><source path="debian://bookworm"/></repository>
  <repository type="apt-deb" distribution="./" priority="700">
    <source path="http://127.0.0.1:PORT/"><signing key="http://127.0.0.1:PORT/key.asc"/></source></repository>
  <repository type="apt-deb" distribution="./" priority="300" repository_gpgcheck="false">
    <source path="http://127.0.0.1:PORT/newer"/></repository>
  <repository type="deb-dir" priority="600"><source path="this://older"/></repository>
  <repository type="deb-dir" priority="400"><source path="this://newer"/></repository>
  <packages type="image">
    <package name="busybox-static"/><package name="console-setup"/><package name="cron"/><package name="git"/>
    <package name="kmod"/><package name="linux-image-cloud-amd64"/><package name="small"/><package name="systemd-sysv"/>
    <package name="tiny"/>
    <package name="tzdata"/><package name="udev"/><archive name="extra.tar.gz"/>
  </packages>
  <packages type="delete"><package name="git-man"/></packages>
</image>"#;

/// Every function, each with a trace that the test looks for.
const CONFIG_SH: &str = r#"#!/bin/bash
set -eu
. /.kconfig
. /.profile
Echo "interfaces: $(grep -c : /proc/net/dev)" > /etc/proof
baseGetPackagesForDeletion >> /etc/proof
baseGetProfilesUsed >> /etc/proof
Debug "not said" >> /etc/proof
debug=1 Debug "said" >> /etc/proof
touch /gone && Rm /gone
baseRemoveService cron
baseService systemd-networkd on
suseService cron off
suseInsertService /etc/init.d/cron
suseRemoveService cron
suseActivateServices
suseServiceDefaultOn
baseSetRunlevel 3
printf 'KEY="old"\n' > /etc/sysconfig-proof
baseUpdateSysConfig /etc/sysconfig-proof KEY 'a|b&c'
suseConfig
touch /home/tux/file && chown 0:0 /home/tux/file
baseSetupUserPermissions
baseCleanMount
baseSetupBusyBox
baseStripLocales "de en"
mkdir /opt/tools && touch /opt/tools/a /opt/tools/b
baseStripTools /opt/tools "a"
baseStripMans "man"
baseStripInfos
baseStripDocs
mkdir /srv/followed && touch /srv/followed/file
baseSetupInPlaceGITRepository /srv/followed
baseSetupInPlaceSVNRepository /srv/followed
suseSetupProductInformation
suseSetupProduct
suseGFXBoot none grub
suseStripKernel
touch /linuxrc; (baseSetupBoot); [ -e /init ]; rm /linuxrc /init
mkdir -p /srv/initrd/bin /srv/initrd/usr/bin /srv/initrd/usr/share/doc
cp /bin/busybox /.kconfig /srv/initrd/; mv /srv/initrd/busybox /srv/initrd/bin
ln -s busybox /srv/initrd/bin/rm; ln -s busybox /srv/initrd/bin/sh; touch /srv/initrd/usr/bin/mount /srv/initrd/usr/bin/perl
chroot /srv/initrd /bin/sh -c '. /.kconfig; suseStripInitrd'
[ -e /srv/initrd/usr/bin/mount ]; [ ! -e /srv/initrd/usr/bin/perl ]; [ ! -e /srv/initrd/usr/share/doc ]
rm -r /srv/initrd
cat > /sbin/tiny <<'INIT'
#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
exec /bin/busybox setsid /bin/busybox cttyhack /bin/busybox sh
INIT
chmod 755 /sbin/tiny
"#;

/// Serves a directory by HTTP on a port of this machine until it is dropped.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn of(directory: &Path) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new("python3")
            .args(["-m", "http.server", "--bind", "127.0.0.1", &port.to_string()])
            .current_dir(directory)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("package python3 is needed");
        let server = Self { child, port };
        for _ in 0..100 {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return server;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("the web server does not answer");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(directory: &Path, script: &str) -> String {
    let output = Command::new("bash").args(["-e", "-c", script]).current_dir(directory).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{script}: {said}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// The descriptions and the repository, in a directory of their own.
fn write_description(directory: &Path) -> Server {
    run(
        directory,
        "mkdir -p base desc/{config,root/etc,green/etc,blue/etc,extra,older,newer} served/newer images package/DEBIAN
         package() {
            printf 'Package: %s\\nVersion: %s\\nArchitecture: all\\nMaintainer: A <a@example.org>\\nDescription: x\\n' \
                $1 $2 > package/DEBIAN/control
            dpkg-deb --build package $3
         }
         package tiny 2 served/newer; package small 1 desc/older; package small 2 desc/newer
         cd served/newer; apt-ftparchive packages . > Packages
         apt-ftparchive -o APT::FTPArchive::Release::Label=Newer release . > Release
         cd ../..; package tiny 1 served
         cd served; apt-ftparchive packages ./tiny_1_all.deb > Packages
         apt-ftparchive -o APT::FTPArchive::Release::Label=Served release . > Release
         export GNUPGHOME=$PWD/../keys; mkdir -m 700 $GNUPGHOME
         gpg -q --batch --pinentry-mode loopback --passphrase '' --quick-generate-key a rsa2048 sign never
         gpg -q --armor --export a > key.asc
         gpg -q --batch --clearsign --output InRelease Release; gpgconf --kill all
         cd ../desc
         echo everywhere > root/etc/location; echo green > green/etc/colour; echo blue > blue/etc/colour
         mkdir -p extra/etc; echo packed > extra/etc/packed; tar -czf extra.tar.gz -C extra etc; rm -r extra
         echo '<profile/>' > config-yast.xml
         echo 'echo ran > /etc/package-script' > config/tiny
         echo 'echo ran > /etc/never' > config/absent
         mkdir -p root/etc; echo '# appended' > root/etc/fstab.append
         printf -- '--- fstab\\n+++ fstab\\n@@ -1 +1,2 @@\\n # appended\\n+# patched\\n' > root/etc/fstab.patch
         printf '#!/bin/sh\\necho \"# of a script\" >> /etc/fstab\\n' > root/etc/fstab.script
         echo 'echo first > /etc/disk-script' > pre_disk_sync.sh
         echo 'echo $kiwi_iname; ls /boot/grub/grub.cfg; ls /boot/grub/grub.cfg >> /etc/disk-script' > disk.sh
         printf '#!/bin/sh\\ntest -f /etc/colour && echo made > /etc/images-script\\n' > images.sh; chmod 755 images.sh",
    );
    let server = Server::of(&directory.join("served"));
    std::fs::write(directory.join("base/config.xml"), BASE).unwrap();
    let description = DESCRIPTION.replace("PORT", &server.port.to_string());
    std::fs::write(directory.join("desc/config.xml"), description).unwrap();
    std::fs::write(directory.join("desc/config.sh"), CONFIG_SH).unwrap();
    server
}

struct Tree(PathBuf);

impl Tree {
    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.0.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    fn has(&self, path: &str) -> bool {
        self.0.join(path).symlink_metadata().is_ok()
    }

    fn link(&self, path: &str) -> String {
        let target = std::fs::read_link(self.0.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        target.display().to_string()
    }
}

fn look_at_the_tree(tree: &Tree) {
    let packages = tree.read("image/packages");
    // Of two versions that of the repository that goes first, not the newer one.
    for name in ["man-db", "small|1", "tiny|1", "git"] {
        assert!(packages.contains(&format!("\n{name}|")), "{name} is missing: {packages}");
    }
    assert!(!packages.contains("\ngit-man|"), "{packages}");
    assert_eq!(tree.read("etc/location"), "everywhere\n");
    assert_eq!(tree.read("etc/colour"), "green\n", "the directory of the active profile");
    assert_eq!(tree.read("etc/packed"), "packed\n");
    assert_eq!(tree.read("var/lib/autoinstall/autoconf/autoconf.xml"), "<profile/>\n");
    assert_eq!(tree.read("etc/install.inf"), "AutoYaST: http://192.168.100.99/part2.xml\n");
    assert!(tree.has("var/lib/YaST2/runme_at_boot"));
    assert_eq!(tree.read("etc/package-script"), "ran\n");
    assert!(!tree.has("etc/never"), "the script of a package that is not installed was run");

    assert_eq!(tree.read("etc/proof"), "interfaces: 1\ngit-man\ngreen\ndebug: said\n");
    let wanted = "etc/systemd/system/multi-user.target.wants";
    assert!(tree.has(&format!("{wanted}/systemd-networkd.service")));
    // Taken out by three names of one function, put back by those that switch on what is there.
    assert!(tree.has(&format!("{wanted}/cron.service")));
    assert_eq!(tree.link("etc/systemd/system/default.target"), "/usr/lib/systemd/system/multi-user.target");
    assert_eq!(tree.read("etc/sysconfig-proof"), "KEY=\"a|b&c\"\n");
    assert_eq!(tree.read("etc/vconsole.conf"), "KEYMAP=de\n");
    assert!(tree.read("etc/default/keyboard").contains("XKBLAYOUT=\"de\""));
    assert_eq!(tree.read("etc/default/locale"), "LANG=de_DE.UTF-8\n");
    assert_eq!(tree.link("etc/localtime"), "/usr/share/zoneinfo/Asia/Tokyo");
    use std::os::unix::fs::MetadataExt;
    let owner = |path: &str| tree.0.join(path).metadata().unwrap().uid();
    assert_eq!(owner("home/tux/file"), owner("home/tux"));
    assert!(owner("home/tux") >= 1000);
    assert!(tree.link("usr/bin/wget").ends_with("busybox"), "busybox stands in for what is missing");
    assert!(!tree.link("bin").ends_with("busybox"));
    assert!(tree.has("usr/share/locale/de") && !tree.has("usr/share/locale/fr"));
    assert!(tree.has("opt/tools/a") && !tree.has("opt/tools/b"));
    assert!(tree.has("usr/share/man/man1/man.1.gz") && !tree.has("usr/share/man/man8/cron.8.gz"));
    assert!(tree.has("usr/share/doc/cron/copyright") && !tree.has("usr/share/doc/cron/changelog.Debian.gz"));
    assert!(tree.has("srv/followed/.git") && !tree.has("gone"));
    let modules = run(&tree.0, "find usr/lib/modules/*/kernel -name '*.ko' | sed 's|.*/||' | sort");
    assert!(modules.contains("virtio_blk.ko") && modules.contains("virtio_ring.ko"), "{modules}");
    assert!(!modules.contains("isofs.ko"), "a module nobody named stayed: {modules}");
}

/// A disk whose only program is a shell on the serial console.
fn boots(image: &Path, filesystem: &str, directory: &Path) {
    let disk = directory.join("disk.raw");
    std::fs::copy(image, &disk).unwrap();
    run(directory, "truncate -s 2G disk.raw");
    let mut machine = Machine::boot(&disk, "raw", Firmware::Bios, directory);
    machine.expect(&["# "], 300);
    std::thread::sleep(Duration::from_secs(2));
    let root = machine.ask("busybox grep ' / ' /proc/mounts | busybox grep -v rootfs");
    assert!(root.contains(&format!(" {filesystem} rw")), "{root}");
    let script = machine
        .ask("busybox cat /etc/disk-script; busybox ls /etc/fstab.* /image; busybox tail -n 3 /etc/fstab");
    for text in ["first", "/boot/grub/grub.cfg", "# patched", "# of a script"] {
        assert!(script.contains(text), "{text}: {script}");
    }
    assert!(!script.contains("fstab.patch\r\n") && !script.contains("config.xml"), "{script}");
    let kilobytes: u64 = machine.ask("df -k / | busybox awk 'END { print $(NF-4) }'").parse().unwrap();
    assert!(kilobytes > 1_500_000, "the {filesystem} has {kilobytes} kB on a disk of 2 GB");
}

/// `create` on a full disk: the kind of the error, and nothing but the log remains.
fn full_disk(directory: &Path) {
    std::fs::create_dir(directory.join("full")).unwrap();
    let script = format!(
        "mount -t tmpfs -o size=20m full full; {} create tree --destdir full --json; code=$?; ls -A full >&2; exit $code",
        kiwi().display()
    );
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", &script])
        .current_dir(directory)
        .output()
        .unwrap();
    let run = Run::from_output(&output);
    assert_eq!(run.error(), (1, "no-space"), "{run:?}");
    assert!(run.last()["remedy"].is_string(), "{run:?}");
    assert_eq!(run.stderr.trim(), "all.x86_64-1.0.0.log", "only the log may remain");
}

#[test]
fn a_description_with_everything_and_what_is_made_of_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let server = write_description(directory.path());
    let prepared =
        json(&["prepare", &path("desc"), "--root", &path("tree"), "--add-profile", "green"]).done();
    drop(server);
    let warnings = prepared.warnings("script");
    assert!(warnings.iter().any(|message| message.contains("config/absent")), "{warnings:?}");
    look_at_the_tree(&Tree(path("tree").into()));

    let create = |image_type: &str| {
        run_kiwi(&["create", &path("tree"), "--destdir", &path("images"), "--type", image_type]);
    };
    let image = path("images/all.x86_64-1.0.0");
    create("ext3");
    assert!(!Path::new(&image).exists(), "only the compressed file stays");
    let sum = std::fs::read_to_string(format!("{image}.md5")).unwrap();
    let unpacked =
        run(directory.path(), &format!("zcat {image}.gz > ext3; e2fsck -fn ext3 >&2; md5sum < ext3"));
    assert_eq!(sum.split_whitespace().next(), unpacked.split_whitespace().next(), "of the uncompressed file");
    let made = run(directory.path(), "debugfs -R 'cat /etc/images-script' ext3 2> /dev/null; rm ext3");
    assert_eq!(made, "made");

    full_disk(directory.path());

    let configuration = path("tree/image/config.xml");
    let mut now = "filesystem=\"ext4\" format=\"qcow\"".to_owned();
    let mut disk = |filesystem: &str, format: &str| {
        let text = std::fs::read_to_string(&configuration).unwrap();
        let next = format!("filesystem=\"{filesystem}\" format=\"{format}\"");
        std::fs::write(&configuration, text.replace(&now, &next)).unwrap();
        now = next;
        create("oem");
    };
    disk("ext4", "raw");
    for (format, ending, name) in [
        ("qcow", "qcow", "qcow"),
        ("vdi", "vdi", "vdi"),
        ("vhd", "vhd", "vpc"),
        ("vhd-fixed", "vhdfixed", "vpc"),
        ("vhdx", "vhdx", "vhdx"),
        ("parallels", "parallels", "parallels"),
    ] {
        disk("ext4", format);
        let compare = format!("qemu-img compare -q -f raw -F {name} {image}.raw {image}.{ending}");
        run(directory.path(), &compare);
        std::fs::remove_file(format!("{image}.{ending}")).unwrap();
    }
    for filesystem in ["xfs", "btrfs"] {
        disk(filesystem, "raw");
        boots(Path::new(&format!("{image}.raw")), filesystem, directory.path());
    }
}
