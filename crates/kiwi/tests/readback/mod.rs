//! What foreign programs read from an image: owners, modes, times, links and extended attributes of odd files.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part of the kit")]
#![allow(clippy::disallowed_methods, reason = "a test is its own host")]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::machine::judge;

/// The folder with files of every kind, and a program with a file capability.
const ODD: &str = "opt/odd";
const CAPABLE: &str = "usr/bin/ping";

/// What a format and the program that reads it keep.
struct Kept {
    links: bool,
    attributes: bool,
    /// Access control lists.
    lists: bool,
}

/// Reads the odd files of an image of this type, and compares them with those of the tree.
pub fn check(image_type: &str, image: &Path, tree: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let (image, out) = (image.to_str().unwrap(), folder.path().to_str().unwrap());
    let here = |script: &str| judge("sh", &["-e", "-c", &format!("cd \"$1\"; {script}"), image, out]);
    let all = Kept { links: true, attributes: true, lists: true };
    let kept = match image_type {
        "squashfs" => {
            here(&format!("unsquashfs -quiet -no-progress -force -dest . \"$0\" {ODD} {CAPABLE}"));
            Kept { lists: false, ..all }
        }
        "tbz" => {
            let words = "--extract --xattrs --xattrs-include='*' --numeric-owner";
            here(&format!("tar {words} --file \"$0.tar.xz\" ./{ODD} ./{CAPABLE}"));
            all
        }
        "cpio" => {
            here(&format!("zcat \"$0.gz\" | cpio --quiet -idm '*{ODD}*' '*{CAPABLE}'"));
            Kept { attributes: false, lists: false, ..all }
        }
        "btrfs" => {
            here(
                "btrfs restore --metadata --xattr --symlinks --path-regex \
                 '^/(|opt(|/odd(|/.*))|usr(|/bin(|/ping)))$' \"$0\" . && mkfifo opt/odd/pipe && chmod 644 opt/odd/pipe",
            );
            // The program knows neither links nor pipes.
            Kept { links: false, ..all }
        }
        "ext2" | "ext3" | "ext4" => {
            for (words, file, expected) in [
                ("stat", "set", "Mode:  06755"),
                ("stat", "set", "User:    12   Group:    34 "),
                ("stat", "group", "Mode:  03775"),
                ("stat", "pipe", "Type: FIFO "),
                ("stat", "first", "Links: 2 "),
                ("ea_list", "attributed", "user.colour (4) = \"blue\""),
                (
                    "ea_list",
                    "listed",
                    "system.posix_acl_access (28) = 01 00 00 00 01 00 06 00 02 00 06 00 d2 04 ",
                ),
                ("ea_list", "../../usr/bin/ping", "security.capability (20) = 01 00 00 02 00 20 "),
            ] {
                let said = here(&format!("debugfs -R '{words} {ODD}/{file}' \"$0\""));
                assert!(said.contains(expected), "{image_type} {file}: {said} lacks {expected}");
            }
            return;
        }
        "xfs" => {
            let script = format!(
                "for file in set group; do xfs_db -r -c \"path /{ODD}/$file\" \
                 -c 'print core.mode core.uid core.gid' \"$0\"; done"
            );
            let said = here(&script);
            for expected in ["core.mode = 0106755\ncore.uid = 12\ncore.gid = 34\n", "core.mode = 043775\n"] {
                assert!(said.contains(expected), "{said} lacks {expected}");
            }
            return;
        }
        _ => return,
    };
    assert_eq!(facts(folder.path(), &kept), facts(tree, &kept), "{image_type}");
}

/// Each file with what is known of it.
fn facts(root: &Path, kept: &Kept) -> BTreeMap<String, String> {
    let names = std::fs::read_dir(root.join(ODD)).unwrap().map(|entry| entry.unwrap().file_name());
    let mut paths: Vec<_> = names.map(|name| Path::new(ODD).join(name)).collect();
    paths.push(CAPABLE.into());
    let mut facts = BTreeMap::new();
    for path in paths {
        let file = root.join(&path);
        let metadata = file.symlink_metadata().unwrap();
        let mut line = format!("{:o} {}:{}", metadata.mode(), metadata.uid(), metadata.gid());
        if metadata.is_file() {
            let sum: u64 = std::fs::read(&file).unwrap().iter().map(|byte| u64::from(*byte)).sum();
            write!(line, " {} bytes, sum {sum}, time {}", metadata.size(), metadata.mtime()).unwrap();
        }
        if kept.links && metadata.is_file() {
            write!(line, " {} links", metadata.nlink()).unwrap();
        }
        for (name, kept) in [
            ("security.capability", kept.attributes),
            ("user.colour", kept.attributes),
            ("system.posix_acl_access", kept.lists),
        ] {
            if let Some(value) = attribute(&file, name).filter(|_| kept) {
                write!(line, " {name}={value:02x?}").unwrap();
            }
        }
        facts.insert(path.to_string_lossy().into_owned(), line);
    }
    facts
}

fn attribute(file: &Path, name: &str) -> Option<Vec<u8>> {
    let mut value = [0; 256];
    let length = rustix::fs::lgetxattr(file, name, &mut value).ok()?;
    Some(value[..length].to_vec())
}
