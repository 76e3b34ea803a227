//! What a description can bring besides packages, in a tree of RPM packages: scripts with every function of `.kconfig`, scripts of
//! packages by their names, `config-yast.xml`, profiles, and settings in the files that SUSE systems have.

use std::fs;
use std::path::Path;
use std::process::Command;

use kiwi_tests::machine::judge;
use kiwi_tests::program::kiwi;
use kiwi_tests::rpm;
use kiwi_tests::run::Run;
use kiwi_tests::small::text;

const DESCRIPTION: &str = r#"<image schemaversion="8.5" name="all">
  <description type="system"><author>A</author><contact>a@example.org</contact><specification>S</specification></description>
  <profiles><profile name="blue" description="Blue"/><profile name="green" description="Green"/></profiles>
  <preferences><version>1.0.0</version><packagemanager>zypper</packagemanager>
    <locale>de_DE</locale><keytable>de</keytable><timezone>Asia/Tokyo</timezone>
    <rpm-check-signatures>true</rpm-check-signatures><type image="squashfs"/></preferences>
  <users><user name="tux" home="/home/tux" password="*"/></users>
  <drivers type="drivers"><file name="drivers/virtio/*"/><file name="drivers/block/virtio_blk.ko"/></drivers>
  <repository type="rpm-md"><source path="REPOSITORY"><signing key="KEY"/></source></repository>
  <repository type="rpm-md"><source path="REPOSITORY/variants/good"><signing key="KEY"/></source></repository>
  <packages type="bootstrap"><package name="filesystem"/></packages>
  <packages type="image">
    <namedCollection name="bootable"/><package name="busybox-static"/><package name="cron"/><package name="sigtest"/>
  </packages>
  <packages type="delete"><package name="sigtest"/></packages>
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
Rpm -qa >> /etc/proof
touch /gone && Rm /gone
baseRemoveService cron
[ ! -e /etc/systemd/system/multi-user.target.wants/cron.service ]
baseInsertService cron
[ -e /etc/systemd/system/multi-user.target.wants/cron.service ]
baseService systemd-networkd on
suseService cron off
[ ! -e /etc/systemd/system/multi-user.target.wants/cron.service ]
suseInsertService /etc/init.d/cron
[ -e /etc/systemd/system/multi-user.target.wants/cron.service ]
suseRemoveService /etc/init.d/cron
[ ! -e /etc/systemd/system/multi-user.target.wants/cron.service ]
suseServiceDefaultOn
[ -e /etc/systemd/system/multi-user.target.wants/cron.service ]
baseRemoveService cron
suseActivateServices
baseSetRunlevel 3
printf 'KEY="old"\n' > /etc/sysconfig/proof
baseUpdateSysConfig /etc/sysconfig/proof KEY 'a|b&c'
suseConfig
touch /home/tux/file && chown 0:0 /home/tux/file
baseSetupUserPermissions
baseCleanMount
baseSetupBusyBox
baseStripLocales "de en"
mkdir /opt/tools && touch /opt/tools/a /opt/tools/b
baseStripTools /opt/tools "a"
touch /usr/share/info/page
baseStripMans "ls"
baseStripInfos
baseStripDocs
baseSetupInPlaceGITRepository /srv
baseSetupInPlaceSVNRepository /srv
suseSetupProductInformation
suseSetupProduct
suseGFXBoot none grub
suseGFXBoot none isolinux
[ -f /image/loader/gfxboot.cfg ] && rm -r /image/loader
suseStripKernel
touch /linuxrc; (baseSetupBoot); [ -e /init ]; rm /linuxrc /init
mkdir -p /srv/initrd/bin /srv/initrd/usr/bin /srv/initrd/usr/share/doc /srv/initrd/var/lib/rpm
busybox=$(command -v busybox); cp "$busybox" /.kconfig /srv/initrd/; mv /srv/initrd/busybox /srv/initrd/bin
ln -s busybox /srv/initrd/bin/rm; ln -s busybox /srv/initrd/bin/sh; touch /srv/initrd/usr/bin/mount /srv/initrd/usr/bin/perl
chroot /srv/initrd /bin/sh -c '. /.kconfig; suseStripInitrd'
[ -e /srv/initrd/usr/bin/mount ]; [ ! -e /srv/initrd/usr/bin/perl ]
[ ! -e /srv/initrd/usr/share/doc ]; [ ! -e /srv/initrd/var/lib/rpm ]
rm -r /srv/initrd
mkdir -p /usr/share/doc/packages/x /usr/share/man/man1 /usr/share/info
touch /usr/share/doc/packages/x/README /usr/share/man/man1/ls.1.gz /usr/share/man/man1/cp.1.gz /usr/share/info/page
baseStripDocuments
[ ! -e /usr/share/doc/packages ]; [ ! -e /usr/share/man/man1/cp.1.gz ]; [ ! -e /usr/share/info/page ]
"#;

/// The functions that are called by others only.
const INDIRECT: [&str; 1] = ["_kiwi_has"];

fn write_description(directory: &Path) {
    let (description, repository) = (directory.join("description"), rpm::bootable());
    let overlay = description.join("root");
    for path in ["etc/sysconfig", "etc/init.d", "usr/sbin", "usr/bin"] {
        fs::create_dir_all(overlay.join(path)).unwrap();
    }
    fs::create_dir_all(description.join("config")).unwrap();
    let config = DESCRIPTION.replace("REPOSITORY", text(repository.path()));
    let config = config.replace("KEY", &format!("file://{}", text(&repository.key())));
    for (file, content) in [
        ("config.xml", config.as_str()),
        ("config.sh", CONFIG_SH),
        ("config-yast.xml", "<profile/>\n"),
        // The name of the package of RPM; Debian has none of this name.
        ("config/debrpm-release", "echo ran > /etc/package-script\n"),
        ("config/absent", "echo ran > /etc/never\n"),
        ("root/etc/sysconfig/language", "RC_LANG=\"\"\n"),
        ("root/etc/sysconfig/keyboard", "KEYTABLE=\"\"\n"),
        ("root/etc/sysconfig/clock", "TIMEZONE=\"\"\n"),
        ("root/usr/sbin/SuSEconfig", "#!/bin/sh\necho ran > /etc/suseconfig\n"),
        ("root/usr/bin/rpm", "#!/bin/sh\necho \"rpm $*\"\n"),
    ] {
        fs::write(description.join(file), content).unwrap();
    }
    let programs = ["usr/sbin/SuSEconfig", "usr/bin/rpm"].map(|path| overlay.join(path));
    judge("chmod", &["755", text(&programs[0]), text(&programs[1])]);
}

#[test]
fn a_description_with_everything_is_prepared_of_rpm_packages() {
    // Every function is called.
    let functions =
        fs::read_to_string(kiwi_tests::program::checkout().join("crates/kiwi/src/prepare/kconfig.sh"));
    let functions = functions.unwrap();
    let defined = functions.lines().filter_map(|line| line.strip_suffix("() {"));
    for name in defined.filter(|name| !INDIRECT.contains(name)) {
        assert!(CONFIG_SH.contains(name), "config.sh does not call {name}");
    }

    let directory = tempfile::tempdir().unwrap();
    write_description(directory.path());
    let mut command = Command::new(kiwi());
    command.args(["prepare", "description", "--root", "tree", "--add-profile", "green"]);
    command.current_dir(directory.path()).env("KIWI_CACHE", directory.path().join("cache"));
    let prepared = Run::of(&mut command).done();
    let warnings = prepared.warnings("script");
    assert!(warnings.iter().any(|message| message.contains("config/absent")), "{warnings:?}");

    let tree = directory.path().join("tree");
    let has = |path: &str| tree.join(path).symlink_metadata().is_ok();
    let read =
        |path: &str| fs::read_to_string(tree.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let packages = read("image/packages");
    assert!(packages.contains("cron|") && !packages.contains("sigtest|"), "{packages}");
    assert_eq!(read("var/lib/autoinstall/autoconf/autoconf.xml"), "<profile/>\n");
    assert_eq!(read("etc/install.inf"), "AutoYaST: http://192.168.100.99/part2.xml\n");
    assert!(has("var/lib/YaST2/runme_at_boot"));
    assert_eq!(read("etc/package-script"), "ran\n");
    assert!(!has("etc/never"), "the script of a package that is not installed was run");

    assert_eq!(read("etc/proof"), "interfaces: 1\nsigtest\ngreen\ndebug: said\nrpm -qa\n");
    let wanted = "etc/systemd/system/multi-user.target.wants";
    for name in ["systemd-networkd", "cron"] {
        assert!(has(&format!("{wanted}/{name}.service")), "{name}");
    }
    let target = fs::read_link(tree.join("etc/systemd/system/default.target")).unwrap();
    assert_eq!(target, Path::new("/usr/lib/systemd/system/multi-user.target"));
    // The settings of SUSE systems, and those of today's.
    assert_eq!(read("etc/sysconfig/proof"), "KEY=\"a|b&c\"\n");
    assert_eq!(read("etc/sysconfig/language"), "RC_LANG=\"de_DE.UTF-8\"\n");
    assert_eq!(read("etc/sysconfig/keyboard"), "KEYTABLE=\"de.map.gz\"\n");
    assert_eq!(read("etc/sysconfig/clock"), "TIMEZONE=\"Asia/Tokyo\"\n");
    assert_eq!(read("etc/suseconfig"), "ran\n");
    assert_eq!(read("etc/vconsole.conf"), "KEYMAP=de\n");
    assert_eq!(read("etc/locale.conf"), "LANG=de_DE.UTF-8\n");
    assert_eq!(
        fs::read_link(tree.join("etc/localtime")).unwrap(),
        Path::new("/usr/share/zoneinfo/Asia/Tokyo")
    );
    use std::os::unix::fs::MetadataExt;
    let owner = |path: &str| tree.join(path).metadata().unwrap().uid();
    assert_eq!(owner("home/tux/file"), owner("home/tux"));
    assert!(owner("home/tux") >= 1000);
    assert!(
        fs::read_link(tree.join("usr/bin/wget")).unwrap().ends_with("busybox"),
        "it stands in for what is missing"
    );
    assert!(has("opt/tools/a") && !has("opt/tools/b") && !has("gone"));
    assert!(!has("usr/share/locale/fr") && !has("usr/share/info/page") && !has("usr/share/man/man1/cp.1.gz"));
    assert!(has("usr/share/doc/cron/copyright") && !has("usr/share/doc/cron/changelog.Debian.gz"));
    let modules = judge("find", &[text(&tree.join("usr/lib/modules")), "-name", "*.ko"]);
    assert!(modules.contains("virtio_blk.ko") && modules.contains("virtio_ring.ko"), "{modules}");
    assert!(!modules.contains("isofs.ko"), "a module that nobody named stayed: {modules}");
}
