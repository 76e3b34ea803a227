#![allow(clippy::disallowed_methods, reason = "a test is its own host")]

use std::path::Path;

use description::{Choice, Description, ImageType, SourceFile};
use test_programs::{have, run};

use super::*;
use crate::host::{Host, Output};
use crate::workspace::{Scratch, Workspace};

/// Builds a tiny tree as `filesystems`, such as `fsreadwrite="ext4" fsreadonly="squashfs"`.
fn made(directory: &Path, filesystems: &str, compressed: bool) -> Vec<String> {
    made_with(directory, filesystems, "", compressed)
}

/// Like [`made`], with a `<split>`.
fn made_with(directory: &Path, filesystems: &str, lists: &str, compressed: bool) -> Vec<String> {
    let text = format!(
        r#"<image schemaversion="8.5" name="tiny"><description type="system"><author>A</author>
      <contact>C</contact><specification>S</specification></description><preferences><version>1.0.0</version>
      <packagemanager>apt</packagemanager><type image="split" {filesystems}>{lists}<deploy><partitions device="/dev/sda">
      <partition number="1" type="S" size="9"/><partition number="2" mountpoint="/" target="true"/>
      <partition number="3" size="image"/></partitions></deploy></type></preferences>
      <repository><source path="debian://bookworm"/></repository>
      <packages type="image"><package name="p"/></packages></image>"#
    );
    let parsed = Description::parse(SourceFile { name: "f".into(), text });
    let selection = parsed.description.unwrap_or_else(|| panic!("{:?}", parsed.diagnostics));
    let mut selection = selection.select(&Choice::default()).unwrap();
    selection.settings.compressed = compressed;
    let ImageType::Split(split) = &selection.image_type else { panic!("split") };
    let host = Host::new(Output::Quiet);
    let (root, out) = (directory.join("root"), directory.join("out"));
    for path in ["boot", "home/tux", "usr/bin", "etc", "image", "var/lib"] {
        std::fs::create_dir_all(root.join(path)).unwrap();
    }
    let closed = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(root.join("home/tux"), closed).unwrap();
    for path in ["boot/vmlinuz-6", "home/tux/letter", "usr/bin/program", "etc/fstab"] {
        std::fs::write(root.join(path), path).unwrap();
    }
    for (link, target) in [
        ("bin", "usr/bin"),
        ("var/program", "../usr/bin/program"),
        ("var/own", "lib"),
        ("usr/etc", "../etc/fstab"),
    ] {
        std::os::unix::fs::symlink(target, root.join(link)).unwrap();
    }
    std::fs::create_dir(&out).unwrap();
    let tree = RootTree::merged(&root).unwrap();
    let facts = TreeFacts::of(&tree, None, &[]).unwrap();
    let name = ImageName::new("tiny", "x86_64", "1.0.0");
    let plan = plan(split, &selection, name, &facts, &Identity::new(1_000_000, ["tiny"])).unwrap();
    let workspace = Workspace::open(&out, Scratch::Disk, &host).unwrap();
    let context = ImageContext { tree: &tree, workspace: &workspace, host: &host, helper: None };
    let artifacts = create(&plan, context).unwrap();
    for artifact in &artifacts {
        std::fs::copy(&artifact.path, directory.join(&artifact.name)).unwrap();
    }
    workspace.close().unwrap();
    let mut names: Vec<String> = artifacts.into_iter().map(|artifact| artifact.name).collect();
    names.sort();
    names
}

const READ_WRITE: &str = "tiny.x86_64-1.0.0";
const READ_ONLY: &str = "tiny-read-only.x86_64-1.0.0";

#[test]
fn programs_and_kernel_are_in_the_read_only_part() {
    if !have(&["mke2fs", "debugfs", "e2fsck", "mksquashfs", "unsquashfs", "cp", "md5sum"]) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).display().to_string();
    let names = made(directory.path(), r#"fsreadwrite="ext4" fsreadonly="squashfs""#, false);
    let sums = [READ_ONLY, READ_WRITE].map(|name| format!("{name}.md5"));
    assert_eq!(names, [READ_ONLY, &sums[0], READ_WRITE, &format!("{READ_WRITE}.config"), &sums[1]]);
    let listed = run("unsquashfs", &["-l", "-d", "", &path(READ_ONLY)]);
    let mut files: Vec<&str> = listed.lines().filter(|line| line.starts_with('/')).collect();
    files.sort_unstable();
    assert_eq!(files, ["/boot", "/boot/vmlinuz-6", "/usr", "/usr/bin", "/usr/bin/program", "/usr/etc"]);
    let _ = run("e2fsck", &["-f", "-n", &path(READ_WRITE)]);
    let show = |request: &str| run("debugfs", &["-R", request, &path(READ_WRITE)]);
    assert!(
        show("cat /home/tux/letter").contains("home/tux/letter")
            && show("cat /etc/fstab").contains("etc/fstab")
    );
    assert!(show("stat /bin").contains("Fast link dest: \"usr/bin\""), "a link stays with the rest");
    assert!(show("ls -p /usr").lines().filter(|line| line.starts_with('/')).count() == 2, "usr is empty");
    assert!(show("stat /image").contains("File not found"), "the description is removed");
    for name in [READ_ONLY, READ_WRITE] {
        let sum = std::fs::read_to_string(path(&format!("{name}.md5"))).unwrap();
        assert_eq!(sum[..32], run("md5sum", &[&path(name)])[..32], "{name}");
    }
    let config = std::fs::read_to_string(path(&format!("{READ_WRITE}.config"))).unwrap();
    assert!(
        config.contains(
            "\nIMAGE=/dev/sda2;tiny.x86_64;1.0.0,/dev/sda3;tiny-read-only.x86_64;1.0.0\nCOMBINED_IMAGE=yes\n"
        ),
        "{config}"
    );
}

#[test]
fn persistent_paths_are_in_the_writable_part() {
    if !have(&["mke2fs", "debugfs", "e2fsck", "mksquashfs", "unsquashfs", "cp"]) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).display().to_string();
    let lists = r#"<split><persistent><file name="/bin/program"/><file name="/usr/new/file"/><file name="/boot/*"/>
        <file name="/home/tux"/></persistent></split>"#;
    made_with(directory.path(), r#"fsreadwrite="ext4" fsreadonly="squashfs""#, lists, false);
    let listed = run("unsquashfs", &["-lls", "-d", "", &path(READ_ONLY)]);
    let kept = "/.kiwi/persistent";
    for link in ["/usr/bin/program", "/usr/new/file"] {
        assert!(listed.contains(&format!(" {link} -> ../../..{kept}{link}\n")), "{link}: {listed}");
    }
    assert!(listed.contains(" /usr/etc -> /etc/fstab\n"), "a link out of the part is absolute: {listed}");
    assert!(!listed.contains("boot"), "{listed}");
    let _ = run("e2fsck", &["-f", "-n", &path(READ_WRITE)]);
    let show = |request: &str| run("debugfs", &["-R", request, &path(READ_WRITE)]);
    assert!(show(&format!("cat {kept}/usr/bin/program")).contains("usr/bin/program"));
    assert!(show("cat /boot/vmlinuz-6").contains("boot/vmlinuz-6"), "a whole directory has its own name");
    assert!(show(&format!("stat {kept}/usr/new")).contains("Type: directory"));
    assert!(show("cat /home/tux/letter").contains("home/tux/letter"), "what is writable anyway stays");
}

#[test]
fn temporary_paths_are_in_the_read_only_part_for_each_boot() {
    if !have(&["mke2fs", "debugfs", "e2fsck", "mksquashfs", "unsquashfs", "cp"]) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).display().to_string();
    let lists = r#"<split><temporary><file name="/var/*"/><except name="/var/lib"/><file name="/home/tux/letter"/>
        <file name="/usr/bin/program"/></temporary></split>"#;
    made_with(directory.path(), r#"fsreadwrite="ext4" fsreadonly="squashfs""#, lists, false);
    let listed = run("unsquashfs", &["-lls", "-d", "", &path(READ_ONLY)]);
    for line in [
        " /.kiwi/temporary/home/tux/letter\n",
        " /.kiwi/temporary/usr/bin/program\n",
        " /.kiwi/temporary/var/lib -> ../../../.kiwi/persistent/var/lib\n",
        " /.kiwi/temporary/var/own -> lib\n",
        " /.kiwi/temporary/var/program -> /usr/bin/program\n",
        " /usr/bin/program -> ../../../.kiwi/temporary/usr/bin/program\n",
    ] {
        assert!(listed.contains(line), "{line}: {listed}");
    }
    let home = listed.lines().find(|line| line.ends_with("/.kiwi/temporary/home/tux")).unwrap();
    assert!(home.starts_with("drwx------ "), "the directory stays closed: {home}");
    let _ = run("e2fsck", &["-f", "-n", &path(READ_WRITE)]);
    let show = |request: &str| run("debugfs", &["-R", request, &path(READ_WRITE)]);
    assert!(show("stat /var").contains("Fast link dest: \".kiwi/temporary/var\""));
    assert!(
        show("stat /home/tux/letter").contains("Fast link dest: \"../../.kiwi/temporary/home/tux/letter\"")
    );
    for kept in ["/.kiwi/persistent/var/lib", "/.kiwi/temporary", "/home/tux"] {
        assert!(show(&format!("stat {kept}")).contains("Type: directory"), "{kept}");
    }
}

#[test]
fn both_parts_are_compressed() {
    if !have(&["mke2fs", "mkfs.erofs", "fsck.erofs", "gzip", "cp"]) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let names = made(directory.path(), r#"fsreadwrite="ext3" fsreadonly="erofs""#, true);
    let packed = format!("{READ_ONLY}.gz");
    assert!(names.contains(&packed) && names.contains(&format!("{READ_WRITE}.gz")), "{names:?}");
    let path = directory.path().join(packed).display().to_string();
    let _ = run("gzip", &["-d", &path]);
    let _ = run("fsck.erofs", &[path.trim_end_matches(".gz")]);
    let config = std::fs::read_to_string(directory.path().join(format!("{READ_WRITE}.config"))).unwrap();
    assert_eq!(config.matches(";;;compressed").count(), 2, "{config}");
}

#[test]
fn a_cramfs_is_right_and_refuses_what_it_cannot_store() {
    if !have(&["mke2fs", "mkfs.cramfs", "fsck.cramfs", "cp"]) {
        return;
    }
    let built = ["one", "other"].map(|name| {
        let directory = tempfile::tempdir().unwrap();
        made(directory.path(), r#"fsreadwrite="ext3" fsreadonly="cramfs""#, false);
        let part = directory.path().join(READ_ONLY);
        let unpacked = directory.path().join(name);
        run("fsck.cramfs", &[&format!("--extract={}", unpacked.display()), part.to_str().unwrap()]);
        assert_eq!(std::fs::read_to_string(unpacked.join("usr/bin/program")).unwrap(), "usr/bin/program");
        std::fs::read(part).unwrap()
    });
    assert!(built[0] == built[1], "two files of the same tree differ");

    let directory = tempfile::tempdir().unwrap();
    let (root, out) = (directory.path().join("root"), directory.path().join("out"));
    std::fs::create_dir_all(root.join("usr")).unwrap();
    std::fs::create_dir(&out).unwrap();
    std::fs::File::create(root.join("usr/large")).unwrap().set_len(1 << 24).unwrap();
    let host = Host::new(Output::Quiet);
    let workspace = Workspace::open(&out, Scratch::Disk, &host).unwrap();
    let tree = RootTree::merged(&root).unwrap();
    let plan = FilesystemPlan {
        filesystem: ondisk::Filesystem::Cramfs,
        size: Bytes(0),
        uuid: String::new(),
        label: None,
        options: Vec::new(),
        compression: None,
        entries: 2,
        epoch: 0,
    };
    let stage = host.stage(StageTask::WriteFilesystem, "Writing");
    let job = FilesystemJob {
        plan: &plan,
        tree: &tree,
        workspace: &workspace,
        host: &host,
        helper: None,
        stage: &stage,
    };
    let error = job.create(&out.join("image")).unwrap_err();
    let failure = error.downcast_ref::<crate::failure::Failure>().expect("a failure of a known kind");
    assert!(failure.message.contains("/usr/large"), "{failure:?}");
    workspace.close().unwrap();
}
