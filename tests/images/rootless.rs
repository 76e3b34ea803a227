//! The same bytes, whoever builds, where and when; and files of every kind come through, as foreign programs read them.
//!
//! ```text
//! root, memory, no perturbation ----> tree -> an image of each type --+-- compared byte by byte
//! a user with subordinate ids -----> tree -> an image of each type --+
//!   + another clock, umask, time zone, language, host name, number of processors, scratch space, order of files
//! ```
//!
//! Runs as root, which makes the ordinary user; without root there is nothing to compare and the test says so by
//! failing.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use kiwi_tests::machine::{judge, run_kiwi};
use kiwi_tests::readback;
use kiwi_tests::user::{USER, copy_programs, make_user};

/// Elsewhere and at another time: the clock of kiwi itself is more than a year ahead.
const ELSEWHERE: &str = "hostname elsewhere; umask 077; cd /; \
    exec taskset --cpu-list 0 setpriv --reuid kiwi-test --regid kiwi-test --init-groups --reset-env env \
    TZ=Pacific/Kiritimati LANG=tr_TR.UTF-8 LC_ALL=C KIWI_SCRATCH=disk KIWI_CACHE=/home/kiwi-test/cache \
    LD_PRELOAD=/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1 FAKETIME=+400d FAKETIME_DONT_FAKE_MONOTONIC=1 \"$@\"";

/// The boot image of installation media.
const INSTALLER: &str = "isoinstboot/debian-12";

/// Types, each with what makes it differ from others of its name.
const TYPES: [(&str, &str); 20] = [
    ("ext2", ""),
    ("ext3", ""),
    ("ext4", ""),
    ("xfs", ""),
    ("btrfs", ""),
    ("squashfs", ""),
    ("cpio", ""),
    ("tbz", ""),
    ("oci", ""),
    ("docker", ""),
    ("usb", "filesystem=\"ext3\""),
    ("iso", "flags=\"overlay\" filesystem=\"erofs\""),
    ("iso", "flags=\"plain\""),
    ("iso", "flags=\"compressed\""),
    ("oem", "filesystem=\"ext4\""),
    ("oem", "filesystem=\"ext4\" format=\"qcow2\""),
    ("oem", "filesystem=\"ext4\" format=\"vhd\""),
    ("oem", "filesystem=\"ext4\" format=\"vhdx\""),
    ("oem", "filesystem=\"btrfs\" format=\"vmdk\""),
    ("oem", "filesystem=\"xfs\" format=\"vdi\""),
];

const DESCRIPTION: &str = r#"<image schemaversion="8.5" name="twin">
  <description type="system"><author>A</author><contact>a@example.org</contact><specification>S</specification></description>
  <preferences><version>1.0.0</version><packagemanager>apt</packagemanager><locale>de_DE</locale><timezone>Europe/Berlin</timezone>
    TYPE</preferences>
  <users><user name="tux" groups="tux,sudo" password="x" pwdformat="plain"/></users>
  <repository><source path="debian://bookworm"/></repository>
  <packages type="bootstrap"><package name="passwd"/></packages>
  <packages type="image">
    <package name="acl"/><package name="attr"/><package name="iputils-ping"/><package name="kmod"/><package name="linux-image-cloud-amd64"/>
    <package name="locales"/><package name="openssh-server"/><package name="sudo"/><package name="systemd-sysv"/>
    <package name="tzdata"/><package name="udev"/><archive name="nodes.tar"/>
  </packages>
</image>"#;

/// Files of every kind; most of the system is taken away, as this test writes it often.
const CONFIG_SH: &str = r#"set -e
cd /usr/lib/modules/*/kernel
rm -rf arch sound net drivers/net drivers/gpu drivers/media drivers/infiniband drivers/staging drivers/md drivers/target
rm -rf fs/ceph fs/nfs fs/nfsd fs/smb
depmod "$(ls /usr/lib/modules)"
rm -rf /usr/share/doc /usr/share/man /usr/share/locale /usr/share/i18n /usr/share/zoneinfo/right /var/lib/apt/lists/*
cd /usr/lib/x86_64-linux-gnu
rm -rf /usr/share/perl perl gconv /usr/lib/udev/hwdb.bin /usr/lib/udev/hwdb.d
mkdir -p /opt/odd
cd /opt/odd
echo first > first
ln first second
mkfifo pipe
perl -MSocket -e 'socket(S, PF_UNIX, SOCK_STREAM, 0) && bind(S, sockaddr_un("socket")) or die'
truncate --size 3M sparse
echo end >> sparse
touch -- -dash 'quote"' 'star*' 'back\slash' 'ümlaut' "$(printf 'x%.0s' $(seq 230))"
touch set && chown 12:34 set && chmod 6755 set
echo old > old && touch --date @1000000000 old
mkdir group && chmod 3775 group
touch listed && setfacl --modify user:1234:rw listed
touch attributed && setfattr --name user.colour --value blue attributed
mknod tty c 5 1 && chmod 620 tty && chown 12:34 tty
mknod /opt/odd/disk b 259 70000 && ln disk disk-again
"#;

fn run_elsewhere(program: &Path, keywords: &[&str]) {
    judge(
        "unshare",
        &[&["--uts", "sh", "-c", ELSEWHERE, "sh", program.to_str().unwrap()], keywords].concat(),
    );
}

/// The keywords of kiwi that make media of image `number` of this type, which lies in `directory`.
fn media(keyword: &str, attributes: &str, directory: &str, number: usize) -> Vec<Vec<String>> {
    let image = format!("{directory}/{number}/twin.x86_64-1.0.0");
    let installer = format!("{directory}/boot/initrd-isoinstboot-debian-12.x86_64-1.0.0.gz");
    let (initrd, disk) = (format!("{directory}/{number}/initrd-twin.x86_64-1.0.0"), format!("{image}.raw"));
    let calls = match (keyword, attributes.contains("format=")) {
        ("usb", _) => {
            vec![
                vec!["boot-stick", &initrd, "--system", &image],
                vec!["boot-stick", &initrd],
                vec!["boot-cd", &initrd],
            ]
        }
        ("oem", false) => vec![
            vec!["install-cd", &installer, "--system", &disk],
            vec!["install-stick", &installer, "--system", &disk],
        ],
        _ => Vec::new(),
    };
    let complete = |(medium, keywords): (usize, Vec<&str>)| {
        let output = format!("{directory}/{number}/medium-{medium}");
        [&keywords[..], &["--output", &output]].concat().into_iter().map(str::to_owned).collect()
    };
    calls.into_iter().enumerate().map(complete).collect()
}

/// The files of a directory, with what tells them apart.
fn contents(directory: &Path) -> BTreeMap<String, String> {
    let sums = judge(
        "sh",
        &[
            "-c",
            "cd \"$0\" && find . -type f ! -name \"*.log\" -exec sha256sum {} +",
            directory.to_str().unwrap(),
        ],
    );
    let keywords = |line: &str| line.split_once("  ").map(|(sum, name)| (name.to_owned(), sum.to_owned()));
    sums.lines().filter_map(keywords).collect()
}

#[test]
fn root_and_user_build_the_same_bytes() {
    make_user();
    let directory = tempfile::tempdir().unwrap();
    std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let program = copy_programs(directory.path());
    let archive = directory.path().join("nodes.tar");
    let script = "mkdir -p nodes/opt/odd; cd nodes; mknod -m 640 opt/odd/archived c 1 3; \
                  tar --create --owner=56:56 --group=78:78 --mtime=@1000000000 --file ../nodes.tar opt/odd/archived";
    judge("sh", &["-e", "-c", &format!("cd {}; {script}", directory.path().display())]);
    // Two copies of the description, the files of the second made in reverse order.
    let files = ["environment", "hostname", "issue", "motd", "networks"];
    for (name, reverse) in [("root", false), ("user", true)] {
        let description = directory.path().join(name).join("description");
        std::fs::create_dir_all(description.join("root/etc")).unwrap();
        let mut files = files;
        if reverse {
            files.reverse();
        }
        for file in files {
            std::fs::write(description.join("root/etc").join(file), "twin\n").unwrap();
        }
        std::fs::write(description.join("config.sh"), CONFIG_SH).unwrap();
        std::fs::copy(&archive, description.join("nodes.tar")).unwrap();
        std::fs::write(description.join("config.xml"), DESCRIPTION.replace("TYPE", "<type image=\"tbz\"/>"))
            .unwrap();
    }
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    judge("chown", &["--recursive", USER, &path("user")]);
    run_kiwi(&["prepare", &path("root/description"), "--root", &path("root/tree")]);
    run_elsewhere(&program, &["prepare", &path("user/description"), "--root", &path("user/tree")]);
    // Once more, with finished stages from the cache.
    run_elsewhere(&program, &["prepare", &path("user/description"), "--root", &path("user/again")]);
    run_elsewhere(&program, &["diff", &path("user/tree"), &path("user/again")]);
    for who in ["root", "user"] {
        std::fs::create_dir(path(&format!("{who}/boot"))).unwrap();
    }
    judge("chown", &[USER, &path("user/boot")]);
    run_kiwi(&["build", INSTALLER, "--destdir", &path("root/boot")]);
    run_elsewhere(&program, &["build", INSTALLER, "--destdir", &path("user/boot")]);
    let [root, user] = ["root/boot", "user/boot"].map(|name| contents(Path::new(&path(name))));
    assert_eq!(root, user, "the boot image of installation media");
    let mut different = Vec::new();
    for (number, (keyword, attributes)) in TYPES.into_iter().enumerate() {
        let image_type = format!("<type image=\"{keyword}\" {attributes}/>");
        for who in ["root", "user"] {
            std::fs::create_dir(path(&format!("{who}/{number}"))).unwrap();
            let description = path(&format!("{who}/tree/image/config.xml"));
            std::fs::write(description, DESCRIPTION.replace("TYPE", &image_type)).unwrap();
        }
        judge("chown", &[USER, &path(&format!("user/{number}"))]);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                run_kiwi(&["create", &path("root/tree"), "--destdir", &path(&format!("root/{number}"))]);
            });
            run_elsewhere(
                &program,
                &["create", &path("user/tree"), "--destdir", &path(&format!("user/{number}"))],
            );
        });
        for keywords in media(keyword, attributes, &path("WHO"), number) {
            let keywords =
                |who| keywords.iter().map(|keyword| keyword.replace("WHO", who)).collect::<Vec<_>>();
            run_kiwi(&keywords("root").iter().map(String::as_str).collect::<Vec<_>>());
            run_elsewhere(&program, &keywords("user").iter().map(String::as_str).collect::<Vec<_>>());
        }
        let [root, user] = ["root", "user"].map(|who| contents(Path::new(&path(&format!("{who}/{number}")))));
        assert!(!root.is_empty(), "{image_type} has no files");
        readback::check(
            keyword,
            attributes,
            Path::new(&path(&format!("root/{number}/twin.x86_64-1.0.0"))),
            Path::new(&path("root/tree")),
        );
        eprintln!(
            "{image_type}: {} files, {}",
            root.len(),
            if root == user { "the same" } else { "different" }
        );
        if root != user {
            different.push(format!("{image_type}:\n{root:#?}\n{user:#?}"));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}
