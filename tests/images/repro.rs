//! What differs between two builds is named: by the path in the tree, and by the path in each kind of image.

use std::path::Path;
use std::process::Command;

use kiwi_tests::program::kiwi;

const DESCRIPTION: &str = r#"<image schemaversion="8.5" name="broken">
  <description type="system"><author>A</author><contact>a@example.org</contact><specification>S</specification></description>
  <preferences><version>1.0.0</version><packagemanager>apt</packagemanager><type image="squashfs"/></preferences>
  <repository><source path="debian://bookworm"/></repository>
  <packages type="image"><package name="netbase"/></packages>
</image>"#;

/// Each line breaks something else: the clock, chance; the last one nothing.
const CONFIG_SH: &str = "date +%s%N > /etc/when
od -An -N8 -tx8 /dev/urandom > /etc/chance
hostname > /etc/where; umask > /etc/mask; echo $TZ $LANG > /etc/language
";

/// Runs a program; whether it ended well, and what it printed.
fn run(program: &Path, keywords: &[&str]) -> (bool, String) {
    let output = Command::new(program)
        .args(keywords)
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

#[test]
fn repro_names_the_files_that_differ_in_tree_and_image() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    std::fs::create_dir(path("description")).unwrap();
    std::fs::write(path("description/config.xml"), DESCRIPTION).unwrap();
    std::fs::write(path("description/config.sh"), CONFIG_SH).unwrap();
    let (same, said) = run(&kiwi(), &["repro", &path("description"), "--destdir", &path("out")]);
    assert!(!same && said.contains("the builds differ, first in the root trees of both builds"), "{said}");
    for line in [
        "\n/etc/when: first difference at byte",
        "\n/etc/chance: first difference at byte",
        "\n/broken.x86_64-1.0.0: in it /etc/when: first difference at byte",
        "\n/broken.x86_64-1.0.0: in it /etc/chance: first difference at byte",
    ] {
        assert!(said.contains(line), "no \"{}\" in:\n{said}", line.trim());
    }
    for name in ["/etc/where", "/etc/mask", "/etc/language"] {
        assert!(!said.contains(name), "{name} differs:\n{said}");
    }
    let cache =
        said.split("Comparing").find(|part| part.contains("the root tree and the one from the cache"));
    assert!(cache.unwrap().contains("are identical"), "{said}");
}

/// Two images of every kind, with one file that differs.
const IMAGES: &str = r#"set -e
for name in one two; do
    mkdir -p $name/tree/etc images/$name
    echo same > $name/tree/etc/same
    echo $name > $name/tree/etc/different
    find $name/tree -exec touch --date @1000000000 {} +
    mksquashfs $name/tree images/$name/squashfs -quiet -no-progress
    mke2fs -q -t ext4 -d $name/tree images/$name/ext4 8M
    mkfs.erofs --quiet images/$name/erofs $name/tree
    (cd $name/tree && find . | cpio --quiet --create --format newc | gzip > ../../images/$name/cpio.gz)
    tar --create --xz --directory $name/tree --file images/$name/files.tar.xz .
    xorriso -as mkisofs -quiet -rock -output images/$name/iso $name/tree
    truncate --size 12M raw
    echo 'start=2048, type=83' | sfdisk --quiet raw
    dd if=images/$name/ext4 of=raw bs=1M seek=1 conv=notrunc status=none
    for format in qcow2 vmdk vdi vpc; do qemu-img convert -O $format raw images/$name/disk.$format; done
    mv raw images/$name/disk.raw
done
"#;

#[test]
fn diff_names_the_file_inside_every_kind_of_image() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let script = format!("cd {}\n{IMAGES}", directory.path().display());
    let (made, said) = run(Path::new("/bin/sh"), &["-c", &script]);
    assert!(made, "{said}");
    let (same, said) = run(&kiwi(), &["diff", "--no-times", &path("images/one"), &path("images/two")]);
    assert!(!same, "{said}");
    for (image, inside) in [
        ("squashfs", ""),
        ("ext4", ""),
        ("files.tar.xz", ""),
        ("iso", ""),
        ("erofs", ""),
        ("cpio.gz", ""),
        ("disk.raw", "/partition-1"),
        ("disk.qcow2", "/files/partition-1"),
        ("disk.vmdk", "/files/partition-1"),
        ("disk.vdi", "/files/partition-1"),
        ("disk.vpc", "/files/partition-1"),
    ] {
        let line = format!("/{image}: in it {inside}/etc/different:");
        assert!(said.contains(&line), "no \"{line}\" in:\n{said}");
    }
    assert!(!said.contains("/etc/same"), "{said}");
    // The directories they are opened in are no difference.
    for image in ["ext4", "iso", "disk.raw", "disk.vdi"] {
        let [one, two] = ["one", "two"].map(|name| path(&format!("images/{name}/{image}")));
        let (_, said) = run(&kiwi(), &["diff", &one, &two]);
        assert!(said.contains("/etc/different: first difference"), "{said}");
        for location in ["/", "/partition-1", "/files", "/files/partition-1"] {
            assert!(!said.contains(&format!("in it {location}: ")), "{said}");
        }
    }
}
