//! File systems that only a kernel can fill.

use std::path::{Path, PathBuf};
use std::process::Command;

use kiwi_tests::machine::{Firmware, Machine, judge, run_kiwi};
use kiwi_tests::program::{kiwi, once};
use kiwi_tests::small::{DESCRIPTION, SYSTEM, create, hold, mounted, text, tree};

/// Returns what reiserfsck says about an image without errors.
fn judged(image: &Path) -> String {
    let said = judge("reiserfsck", &["--check", "--yes", text(image)]);
    assert!(said.contains("No corruptions found"), "{said}");
    said
}

/// Lets GRUB, which reads the file system itself, compare a file of the image with that of the tree.
fn compare(image: &Path, tree: &Path, path: &str) {
    judge("grub-fstest", &[text(image), "cmp", &format!("(loop0)/{path}"), text(&tree.join(path))]);
}

#[test]
fn a_reiserfs_is_filled_by_the_kernel_of_the_tree() {
    let directory = tempfile::tempdir().unwrap();
    create(r#"<type image="reiserfs"/>"#, directory.path());
    let image = directory.path().join(SYSTEM);
    let said = judged(&image);
    for path in ["usr/sbin/init", "usr/bin/bash", "etc/passwd"] {
        compare(&image, tree(), path);
    }
    let count = |what: &str| {
        let line = said.lines().find(|line| line.trim_start().starts_with(what));
        let line = line.unwrap_or_else(|| panic!("{what}: {said}"));
        line.split_whitespace().last().unwrap().parse::<usize>().unwrap()
    };
    // The image does not contain the description in /image and the files made for its scripts.
    let found = |what: &str| -> usize {
        let script =
            format!("cd '{}' && find . -path ./image -prune -o {what} -print | wc -l", tree().display());
        judge("sh", &["-c", &script]).trim().parse().unwrap()
    };
    // The kernel creates .reiserfs_priv for extended attributes.
    assert_eq!(count("Directories"), found("-type d") + 1, "{said}");
    assert_eq!(count("Other files"), found("! -type d ! -path ./.profile ! -path ./.kconfig"), "{said}");
}

/// A tree without a kernel and without programs, and a root with the kernel.
fn without_kernel() -> PathBuf {
    once("without-kernel", |directory| {
        let script = r#"set -e
            rm -rf tree root
            mkdir -p tree/opt root/boot root/lib
            cp -a "$0"/image "$0"/etc tree
            cp -a "$0"/boot/vmlinuz-* root/boot
            cp -a "$0"/lib/modules root/lib"#;
        let _held = hold(tree());
        let output =
            Command::new("sh").args(["-c", script, text(tree())]).current_dir(directory).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let description = DESCRIPTION.replace("TYPE", r#"<type image="reiserfs"/>"#);
        std::fs::write(directory.join("tree/image/config.xml"), description).unwrap();
    })
}

#[test]
fn a_kernel_outside_the_tree_fills_a_reiserfs() {
    let made = without_kernel();
    let tree = made.join("tree");
    let directory = tempfile::tempdir().unwrap();
    let create = ["create", text(&tree), "--destdir", text(directory.path())];
    let output = Command::new(kiwi()).args(create).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("the root tree has no kernel; name one with --helper-kernel"), "{said}");
    let image = made.join("root/boot").read_dir().unwrap().next().unwrap().unwrap().path();
    run_kiwi(&[&create[..], &["--helper-kernel", text(&image)]].concat());
    let image = directory.path().join(SYSTEM);
    let _ = judged(&image);
    compare(&image, &tree, "etc/passwd");
}

/// Owners, modes, targets of links and sizes of files that nothing changes when the system boots.
const LISTING: &str = "export LC_ALL=C; find usr opt/kept -printf '%P %y %m %U:%G %l\\n' | sort; \
                       find usr opt/kept -type f -links +1 -printf '%P %n\\n' | sort; \
                       find usr/bin opt/kept -type f | sort | xargs md5sum";

#[test]
#[ignore = "boots a file system that today's kernels no longer have"]
fn a_disk_with_reiserfs_boots_grows_and_keeps_everything() {
    let directory = tempfile::tempdir().unwrap();
    let tree = directory.path().join("tree");
    let script = r#"set -e
        cp -a "$0" "$1"; cd "$1"; mkdir opt/kept; cd opt/kept
        echo one >file; chown 1234:4321 file; chmod 6755 file; ln file hard; ln -s hard link; mknod node b 7 70000
        setfattr -n user.colour -v blue file; cp ../../usr/bin/cat capable
        # user::rwx, user:1234:rw-, group::r-x, mask::rwx, other::r-x
        setfattr -n system.posix_acl_access -v 0x0200000001000700ffffffff02000600d204000004000500ffffffff10000700ffffffff20000500ffffffff file
        setcap cap_net_raw=ep capable"#;
    {
        let _held = hold(kiwi_tests::small::tree());
        judge("sh", &["-c", script, text(kiwi_tests::small::tree()), text(&tree)]);
    }
    let description = DESCRIPTION.replace(
        "TYPE",
        r#"<type image="oem" filesystem="reiserfs" fsmountoptions="user_xattr,acl"><bootloader name="grub2" timeout="0"/></type>"#,
    );
    std::fs::write(tree.join("image/config.xml"), description).unwrap();
    let out = directory.path().join("out");
    std::fs::create_dir(&out).unwrap();
    run_kiwi(&["create", text(&tree), "--destdir", text(&out)]);
    let disk = out.join(format!("{SYSTEM}.raw"));
    std::fs::OpenOptions::new().write(true).open(&disk).unwrap().set_len(1500 << 20).unwrap();
    let mut machine = Machine::boot(&disk, "raw", Firmware::Bios, directory.path());
    machine.log_in("tux", "kiwi");
    assert!(mounted(&mut machine, "/").ends_with(" reiserfs rw"));
    let size: u64 = machine.ask("df -m --output=size / | tail -n 1").trim().parse().unwrap();
    assert!(size > 1300, "the file system has {size} MiB");
    let expected = judge("sh", &["-c", &format!("cd '{}'; {LISTING}", text(&tree))]);
    let sum = format!("cd /; ({LISTING}) > /tmp/listing; md5sum < /tmp/listing");
    let expected_sum = judge("sh", &["-c", &format!("cd '{}'; ({LISTING}) | md5sum", text(&tree))]);
    if machine.ask(&sum).trim() != expected_sum.trim() {
        let found = machine.ask("gzip -9 < /tmp/listing | base64");
        let files = [("found.gz64", found), ("expected", expected)];
        files.iter().for_each(|(name, text)| std::fs::write(directory.path().join(name), text).unwrap());
        let script = "cd \"$0\"; base64 -d found.gz64 | gunzip | diff expected - | head -n 40";
        panic!("{}", judge("sh", &["-c", script, text(directory.path())]));
    }
    let attributes = "tar --xattrs --xattrs-include='*' -cf - -C / opt/kept | tr -c '[:print:]' '\\n'";
    for name in ["user.colour=blue", "security.capability=", "system.posix_acl_access="] {
        let line = format!("{attributes} | grep -c 'SCHILY.xattr.{name}'");
        assert_ne!(machine.ask(&line).trim(), "0", "{name}");
    }
}
