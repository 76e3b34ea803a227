//! Reads unusual files of an image with foreign programs: owners, modes, times, links and extended attributes.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use kiwi::host::device::Device;

use crate::machine::judge;

/// The directory with files of every kind, and a program with a file capability.
const ODD: &str = "opt/odd";
const CAPABLE: &str = "usr/bin/ping";

/// The metadata that a format and the program that reads it preserve.
struct Kept {
    links: bool,
    attributes: bool,
    /// Access control lists.
    lists: bool,
    devices: bool,
    /// Set-uid and set-gid bits of files.
    set_ids: bool,
    /// Hard links of device nodes.
    device_links: bool,
}

/// Reads the odd files of an image of this type with these attributes, and compares them with those of the tree.
pub fn check(image_type: &str, settings: &str, image: &Path, tree: &Path) {
    let directory = tempfile::tempdir().unwrap();
    let (image, out) = (image.to_str().unwrap(), directory.path().to_str().unwrap());
    let here = |script: &str| judge("sh", &["-e", "-c", &format!("cd \"$1\"; {script}"), image, out]);
    let all =
        Kept { links: true, attributes: true, lists: true, devices: true, device_links: true, set_ids: true };
    let kept = match image_type {
        "squashfs" => {
            here(&format!("unsquashfs -quiet -no-progress -force -dest . \"$0\" {ODD} {CAPABLE}"));
            Kept { lists: false, ..all }
        }
        "tbz" => {
            let keywords = "--extract --xattrs --xattrs-include='*' --numeric-owner";
            here(&format!("tar {keywords} --file \"$0.tar.xz\" ./{ODD} ./{CAPABLE}"));
            // tar makes one node for each name.
            Kept { device_links: false, ..all }
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
            let said = here(
                "btrfs inspect-internal dump-tree \"$0\" | grep -o 'mode [26]0... .*'; \
                 btrfs inspect-internal dump-tree \"$0\" | grep -c kiwi.device || true",
            );
            // Numbers as the kernel has them: twenty bits for the minor one.
            for (mode, links, owner, number) in [
                ("20620", 1, (12, 34), 5 << 20 | 1),
                ("60644", 2, (0, 0), 259 << 20 | 70000),
                ("20640", 1, (56, 78), 1 << 20 | 3),
            ] {
                let (user, group) = owner;
                let expected = format!("mode {mode} links {links} uid {user} gid {group} rdev {number}\n");
                assert!(said.contains(&expected), "{said} lacks {expected}");
            }
            assert!(said.ends_with("\n0\n"), "{said}");
            // The program supports neither links nor pipes nor device nodes.
            Kept { links: false, devices: false, ..all }
        }
        "ext2" | "ext3" | "ext4" => {
            for (keywords, file, expected) in [
                ("stat", "set", "Mode:  06755"),
                ("stat", "set", "User:    12   Group:    34 "),
                ("stat", "group", "Mode:  03775"),
                ("stat", "pipe", "Type: FIFO "),
                ("stat", "first", "Links: 2 "),
                ("stat", "tty", "Type: character special    Mode:  0620 "),
                ("stat", "tty", "Device major/minor number: 05:01 "),
                ("stat", "disk", "Type: block special "),
                ("stat", "disk", "Device major/minor number: 259:70000 "),
                ("stat", "disk-again", "Links: 2 "),
                ("stat", "archived", "User:    56   Group:    78 "),
                ("ea_list", "tty", ""),
                ("ea_list", "attributed", "user.colour (4) = \"blue\""),
                (
                    "ea_list",
                    "listed",
                    "system.posix_acl_access (28) = 01 00 00 00 01 00 06 00 02 00 06 00 d2 04 ",
                ),
                ("ea_list", "../../usr/bin/ping", "security.capability (20) = 01 00 00 02 00 20 "),
            ] {
                let said = here(&format!("debugfs -R '{keywords} {ODD}/{file}' \"$0\""));
                assert!(said.contains(expected), "{image_type} {file}: {said} lacks {expected}");
                assert!(!said.contains("kiwi.device"), "{image_type} {file}: {said}");
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
            let said = here(&format!(
                "TZ=UTC xfs_db -r -c 'path /{ODD}/old' -c 'print core.mtime' \
                 -c 'path /var/lib/ucf/cache/:etc:ssh:sshd_config' -c 'print core.mode' \
                 -c 'path /{CAPABLE}' -c 'print a.sfattr.list[0].secure a.sfattr.list[0].name' \
                 -c 'path /{ODD}/attributed' -c 'print a.sfattr.list[0].name a.sfattr.list[0].value' \"$0\""
            ));
            let expected = "sec = Sun Sep  9 01:46:40 2001\ncore.mtime.nsec = 0\ncore.mode = 0100644\n\
                            a.sfattr.list[0].secure = 1\na.sfattr.list[0].name = \"capability\"\n\
                            a.sfattr.list[0].name = \"colour\"\na.sfattr.list[0].value = \"blue\"\n";
            assert!(said.contains(expected), "{said} lacks {expected}");
            let said = here(&format!(
                "for file in tty disk disk-again archived; do xfs_db -r -c \"path /{ODD}/$file\" \
                 -c 'print core.mode core.uid core.gid u3.dev' \"$0\"; done"
            ));
            // Numbers as System V has them: eighteen bits for the minor one.
            let fields = |mode: u32, user: u32, group: u32, major: u32, minor: u32| {
                let number = major << 18 | minor;
                format!(
                    "core.mode = 0{mode:o}\ncore.uid = {user}\ncore.gid = {group}\nu3.dev = {number:#x}\n"
                )
            };
            let disk = fields(0o60644, 0, 0, 259, 70000);
            let nodes = [fields(0o20620, 12, 34, 5, 1), disk.clone(), disk, fields(0o20640, 56, 78, 1, 3)];
            assert_eq!(said, nodes.concat());
            return;
        }
        "iso" => {
            let system = |layout: &str| settings.contains(layout);
            let take = |location: &str| {
                here(&format!(
                    "xorriso -osirrox device_files -indev \"$0.iso\" -extract {location} ./system 2>&1"
                ))
            };
            match () {
                () if system("overlay") => {
                    take("/LiveOS/squashfs.img");
                    here("fsck.erofs --extract=unpacked system && mv unpacked/opt unpacked/usr .");
                    // The program makes one file for each name, without attributes and set-uid bits.
                    Kept { links: false, attributes: false, lists: false, set_ids: false, ..all }
                }
                () if system("compressed") => {
                    let name = image.rsplit('/').next().unwrap().replace("twin", "twin-read-only");
                    take(&format!("/{name}"));
                    here(&format!("unsquashfs -quiet -no-progress -force -dest . system {ODD} {CAPABLE}"));
                    Kept { lists: false, ..all }
                }
                () => {
                    take("/read-only-system");
                    // Without its list a file gives its group what that gave the group, not what it could give anyone.
                    here("mv system/opt system/usr . && chmod g+w opt/odd/listed");
                    Kept { links: false, attributes: false, lists: false, ..all }
                }
            }
        }
        _ => return,
    };
    assert_eq!(facts(directory.path(), &kept), facts(tree, &kept), "{image_type} {settings}");
}

/// The facts of each file, by name.
fn facts(root: &Path, kept: &Kept) -> BTreeMap<String, String> {
    let names = std::fs::read_dir(root.join(ODD)).unwrap().map(|entry| entry.unwrap().file_name());
    let mut paths: Vec<_> = names.map(|name| Path::new(ODD).join(name)).collect();
    paths.push(CAPABLE.into());
    let mut facts = BTreeMap::new();
    for path in paths {
        let file = root.join(&path);
        let metadata = file.symlink_metadata().unwrap();
        let device = Device::of(&file, &metadata).unwrap();
        if device.is_some() && !kept.devices {
            continue;
        }
        let mut mode = device.map_or(metadata.mode(), |device| device.mode(metadata.mode()));
        if metadata.is_file() && !kept.set_ids {
            mode &= !0o6000;
        }
        let mut line = format!("{mode:o} {}:{}", metadata.uid(), metadata.gid());
        if let Some(device) = device {
            write!(line, " {device} time {}", metadata.mtime()).unwrap();
        } else if metadata.is_file() {
            let sum: u64 = std::fs::read(&file).unwrap().iter().map(|byte| u64::from(*byte)).sum();
            write!(line, " {} bytes, sum {sum}, time {}", metadata.size(), metadata.mtime()).unwrap();
        }
        if kept.links && (kept.device_links || device.is_none()) && (metadata.is_file() || device.is_some()) {
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
