#![allow(clippy::disallowed_methods, reason = "a test is its own host")]

use std::path::Path;

use description::{Choice, Description, DiskFormat, ImageType, SourceFile};
use test_programs::{have, run};

use super::*;
use crate::artifact::Role;
use crate::host::Output;

/// Builds the disk of a tiny tree with this `<type>` in `directory`; returns the disk file and its layout.
fn made(directory: &Path, image_type: &str) -> Result<(PathBuf, Plan)> {
    let (artifacts, plan) = published(directory, image_type)?;
    let image = artifacts.into_iter().find(|artifact| artifact.role == Role::Image).unwrap();
    Ok((image.path, plan))
}

/// Builds the disk of a tiny tree with this `<type>`; returns its files, which are in `directory/published`, and the plan.
pub(super) fn published(directory: &Path, image_type: &str) -> Result<(Vec<Artifact>, Plan)> {
    published_as(directory, image_type, &[])
}

/// Like [`published`], in the formats that the command line asks for.
pub(super) fn published_as(
    directory: &Path,
    image_type: &str,
    formats: &[DiskFormat],
) -> Result<(Vec<Artifact>, Plan)> {
    let text = format!(
        r#"<image schemaversion="8.5" name="tiny"><description type="system"><author>A</author>
      <contact>C</contact><specification>S</specification></description><preferences><version>1.0.0</version>
      <packagemanager>apt</packagemanager>{image_type}</preferences>
      <repository><source path="debian://bookworm"/></repository>
      <packages type="image"><package name="p"/></packages></image>"#
    );
    let parsed = Description::parse(SourceFile { name: "f".into(), text });
    let selection = parsed.description.unwrap_or_else(|| panic!("{:?}", parsed.diagnostics));
    let mut selection = selection.select(&Choice::default()).unwrap();
    let ImageType::Disk(disk) = &mut selection.image_type else { panic!("a disk") };
    disk.requested_formats = formats.to_vec();
    let ImageType::Disk(disk) = &selection.image_type else { panic!("a disk") };
    let host = Host::new(Output::Quiet);
    let (root, out) = (directory.join("root"), directory.join("out"));
    for path in ["boot", "home/tux", "srv", "usr/bin", "etc", "image"] {
        std::fs::create_dir_all(root.join(path)).unwrap();
    }
    for path in ["boot/vmlinuz-6", "home/tux/letter", "usr/bin/program", "image/Vagrantfile"] {
        std::fs::write(root.join(path), path).unwrap();
    }
    std::fs::create_dir(&out).unwrap();
    let initrd = directory.join("initrd");
    std::fs::write(&initrd, "initrd").unwrap();
    let tree = RootTree::merged(&root)?;
    let boot = BootImageFiles { initrd, kernel_version: "6".to_owned(), cdboot: Vec::new() };
    let facts = TreeFacts::of(&tree, Some(boot), &mount_points(disk)?)?;
    let name = ImageName::new("tiny", "x86_64", "1.0.0");
    let plan = plan(disk, &selection, name, &facts, &Identity::new(1_000_000, ["tiny"]))?;
    let workspace = Workspace::open(&out, crate::workspace::Scratch::Disk, &host)?;
    let context = ImageContext { tree: &tree, workspace: &workspace, host: &host, helper: None };
    let mut artifacts = create(&plan, context)?;
    let published = directory.join("published");
    std::fs::create_dir(&published).unwrap();
    for artifact in &mut artifacts {
        let path = published.join(&artifact.name);
        std::fs::copy(&artifact.path, &path).unwrap();
        artifact.path = path;
    }
    workspace.close()?;
    Ok((artifacts, plan))
}

/// Returns what debugfs prints about a file system at byte `offset` of the disk.
fn debugfs(disk: &Path, offset: u64, request: &str) -> String {
    run("debugfs", &["-R", request, &format!("{}?offset={offset}", disk.display())])
}

/// The programs of the host that write a disk with ext4.
const WRITERS: [&str; 5] = ["mke2fs", "mkfs.vfat", "mcopy", "mmd", "grub-mkimage"];

const DIVIDED: &str = r#"<type image="oem" filesystem="ext4" bootpartition="true" bootfilesystem="ext2" bootpartsize="32">
    <oemconfig><oem-swap>true</oem-swap><oem-swapsize>16</oem-swapsize></oemconfig>
    <partitions><partition name="home" size="340" mountpoint="/home" filesystem="xfs"/>
    <partition name="srv" size="1" partition_name="data"/></partitions></type>"#;

#[test]
fn writes_each_part_of_the_tree_to_its_partition() {
    if !have(&WRITERS) || !have(&["mkfs.xfs", "sfdisk", "blkid", "debugfs"]) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let (disk, plan) = made(directory.path(), DIVIDED).unwrap();
    run("sfdisk", &["--verify", disk.to_str().unwrap()]);
    let offset = |number: usize| plan.layout.partitions().nth(number - 1).unwrap().1.offset().0;
    let kind = |number: usize| {
        let offset = format!("--offset={}", offset(number));
        run("blkid", &["-p", "-o", "value", "-s", "TYPE", "-s", "LABEL", &offset, disk.to_str().unwrap()])
    };
    assert_eq!(kind(3), "BOOT\next2\n");
    assert_eq!(kind(4), "SWAP\nswap\n");
    assert_eq!(kind(5), "HOME\nxfs\n");
    assert_eq!(kind(7), "ROOT\next4\n");
    let boot = debugfs(&disk, offset(3), "ls -p /");
    assert!(["/vmlinuz-6/", "/initrd.img-6/", "/grub/"].iter().all(|name| boot.contains(name)), "{boot}");
    let root = |request| debugfs(&disk, offset(7), request);
    assert!(!root("ls -p /boot").contains("vmlinuz") && !root("ls -p /home").contains("tux"));
    let menu = debugfs(&disk, offset(3), "cat /grub/grub.cfg");
    let uuid = |number: usize| {
        let offset = format!("--offset={}", offset(number));
        run("blkid", &["-p", "-o", "value", "-s", "UUID", &offset, disk.to_str().unwrap()]).trim().to_owned()
    };
    assert!(
        menu.contains(&format!("--set=root {}\n\tlinux /vmlinuz-6 root=UUID={} rw", uuid(3), uuid(7))),
        "{menu}"
    );
    let fstab = root("cat /etc/fstab");
    let expected = format!(
        "UUID={} / ext4 defaults 0 1\nUUID={} /boot ext2 defaults 0 2\nUUID={} /boot/efi vfat umask=0077,nofail 0 2\n\
         UUID={} /home xfs defaults 0 0\nUUID={} none swap sw 0 0\n",
        uuid(7),
        uuid(3),
        uuid(2),
        uuid(5),
        uuid(4)
    );
    assert!(fstab.contains(&expected), "{fstab}\n{expected}");
}

#[test]
fn writes_swap_space_when_nothing_grows() {
    if !have(&WRITERS) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let image_type = |resize| {
        format!(
            r#"<type image="oem" filesystem="ext4"><oemconfig><oem-resize>{resize}</oem-resize><oem-swap>true</oem-swap>
            <oem-swapsize>16</oem-swapsize></oemconfig></type>"#
        )
    };
    let names = |name: &str, resize| {
        let directory = directory.path().join(name);
        std::fs::create_dir(&directory).unwrap();
        let (_, plan) = made(&directory, &image_type(resize)).unwrap();
        plan.layout.table.partitions.into_iter().map(|partition| partition.name).collect::<Vec<_>>()
    };
    assert_eq!(names("fixed", false), ["p.legacy", "p.UEFI", "p.swap", "p.lxroot"]);
    assert_eq!(names("grows", true), ["p.legacy", "p.UEFI", "p.lxroot"]);
}

#[test]
fn rejects_a_partition_that_is_too_small() {
    let directory = tempfile::tempdir().unwrap();
    let error = made(directory.path(), &DIVIDED.replace("340", "100")).unwrap_err().to_string();
    assert!(
        error.starts_with("the partition p.lxhome for /home has 100 MB and its xfs needs 320 MB"),
        "{error}"
    );
}
