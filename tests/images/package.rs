//! The Debian package: installed in a clean system, it has everything that kiwi needs.

use std::path::Path;
use std::process::Command;

use kiwi_tests::machine::{judge, run_kiwi};
use kiwi_tests::program::checkout;

/// Runs a shell script in a system that has `/proc`, `/dev` and the network, as a container does.
const INSIDE: &str = r#"set -e
mount --bind "$0" "$0"; mount --make-rprivate /
mount -t proc proc "$0/proc"; mount --rbind /dev "$0/dev"; mount -t tmpfs tmp "$0/tmp"
cp /etc/resolv.conf "$0/etc/resolv.conf"; cp -r /etc/apt/sources.list* "$0/etc/apt/"
mkdir -p "$0/outside"; pivot_root "$0" "$0/outside"; cd /; umount -l /outside
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "$@""#;

/// The path of a new user, with the programs and files of the package alone.
const FIRST_STEPS: &str = r#"set -ex
kiwi --version
test -e /usr/share/man/man1/kiwi-build.1.gz
bash -n /usr/share/bash-completion/completions/kiwi
kiwi list | grep isoboot/debian-12
cd /root
kiwi check /usr/share/doc/kiwi-image/examples/debian-12-live
kiwi init server --distribution debian-12 --name web --user tux --password-hash '$6$rounds=5000$r6KA41yQcb1snahg$6J3KM5oR1G4q4jh0rezU87HLi3pv4eNdG4fdvzqjExbBKtsfH5/9CI/F0iI6Ul0ew936oKScwV5icZrVN.vhu.'
kiwi check web
mkdir images next
kiwi build web --destdir images
echo "Welcome to web." > web/root/etc/motd
kiwi build web --destdir next
code=0; kiwi diff images/web.x86_64-1.0.0.qcow2 next/web.x86_64-1.0.0.qcow2 >differences || code=$?
test $code = 1
grep 'in it .*/etc/motd: ' differences
if grep 'in it ' differences | grep -v /etc/motd; then exit 1; fi
kiwi init pxe-client --distribution debian-12 --name client --user tux --password-hash '$6$rounds=5000$r6KA41yQcb1snahg$6J3KM5oR1G4q4jh0rezU87HLi3pv4eNdG4fdvzqjExbBKtsfH5/9CI/F0iI6Ul0ew936oKScwV5icZrVN.vhu.'
kiwi build client --destdir images
kiwi pxe init tftpboot --server 192.168.100.2/24 --http
kiwi pxe publish images --tree tftpboot
kiwi pxe client --tree tftpboot
"#;

#[test]
#[ignore = "makes a package, a system with it, and a disk inside of that; scripts/test --all"]
fn package_is_complete_in_a_clean_system() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let script = checkout().join("scripts/package");
    let packaged = Command::new(script).arg(path("repository")).env("KIWI_BUILT", "1").output().unwrap();
    assert!(packaged.status.success(), "{}", String::from_utf8_lossy(&packaged.stderr));
    let package = String::from_utf8(packaged.stdout).unwrap();
    let package = package.lines().last().unwrap();
    let lists = judge("dpkg-deb", &["--contents", package]);
    for file in ["./usr/bin/kiwi\n", "./usr/lib/kiwi/linuxrc\n", "./usr/share/doc/kiwi-image/copyright\n"] {
        assert!(lists.contains(file), "{file:?} is not in {lists}");
    }
    std::fs::create_dir(path("description")).unwrap();
    let description = format!(
        "<image schemaversion=\"8.5\" name=\"clean\"><description type=\"system\"><author>A</author><contact>a@example.org\
         </contact><specification>S</specification></description><preferences><version>1.0.0</version><packagemanager>apt\
         </packagemanager><type image=\"ext4\"/></preferences><repository type=\"apt-deb\" distribution=\"./\" \
         package_gpgcheck=\"false\" repository_gpgcheck=\"false\"><source path=\"dir://{}\"/></repository><repository><source \
         path=\"debian://bookworm\"/></repository><packages type=\"image\"><package name=\"kiwi-image\"/><package name=\"mount\"/>\
         <package name=\"grub-pc-bin\"/><package name=\"grub-efi-amd64-bin\"/><package name=\"pxelinux\"/><package name=\"syslinux-common\"/></packages></image>",
        path("repository")
    );
    std::fs::write(path("description/config.xml"), description).unwrap();
    run_kiwi(&["prepare", &path("description"), "--root", &path("tree")]);
    inside(Path::new(&path("tree")), FIRST_STEPS);
}

fn inside(tree: &Path, script: &str) {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--pid", "--fork", "--ipc", "sh", "-c", INSIDE]).arg(tree);
    let mirrors = ["KIWI_DEBIAN_MIRROR", "KIWI_DEBIAN_SECURITY_MIRROR", "http_proxy"];
    let set = mirrors.into_iter().filter_map(|name| Some(format!("{name}={}", std::env::var(name).ok()?)));
    let output = command.args(set).args(["sh", "-c", script]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stdout));
}
