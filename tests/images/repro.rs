//! `kiwi repro` and `kiwi diff` name each difference: by its path in the tree, and by its path in each kind of image.

use kiwi_tests::machine::judge;
use kiwi_tests::run::{Run, json};
use serde_json::Value;

const DESCRIPTION: &str = r#"<image schemaversion="8.5" name="broken">
  <description type="system"><author>A</author><contact>a@example.org</contact><specification>S</specification></description>
  <preferences><version>1.0.0</version><packagemanager>apt</packagemanager><type image="squashfs"/></preferences>
  <repository><source path="debian://bookworm"/></repository>
  <packages type="image"><package name="netbase"/></packages>
</image>"#;

/// The first line depends on the clock, the second one on chance, the last one on nothing.
const CONFIG_SH: &str = "date +%s%N > /etc/when
od -An -N8 -tx8 /dev/urandom > /etc/chance
hostname > /etc/where; umask > /etc/mask; echo $TZ $LANG > /etc/language
";

/// Asserts that a comparison contains exactly these differences: a path, and a path inside of an image or nothing.
#[track_caller]
fn assert_contains(comparison: &Value, path: &str, inside: &str) {
    assert!(contains(comparison, path, inside), "no {path} {inside}: {comparison}");
}

fn contains(comparison: &Value, path: &str, inside: &str) -> bool {
    let differences = comparison["differences"].as_array().unwrap();
    differences.iter().any(|one| {
        let parts: String = one["inside"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        one["path"] == path && parts == inside
    })
}

/// Returns all paths of a comparison.
fn paths(comparison: &Value) -> String {
    comparison["differences"].to_string()
}

#[test]
fn repro_names_the_files_that_differ_in_tree_and_image() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    std::fs::create_dir(path("description")).unwrap();
    std::fs::write(path("description/config.xml"), DESCRIPTION).unwrap();
    std::fs::write(path("description/config.sh"), CONFIG_SH).unwrap();
    let run = json(&["repro", &path("description"), "--destdir", &path("out")]);
    assert_eq!((run.code, &run.outcome()["same"]), (1, &Value::Bool(false)), "{run:?}");
    let parts = run.outcome()["parts"].as_array().unwrap();
    let (trees, images) = (&parts[0], parts.last().unwrap());
    for name in ["/etc/when", "/etc/chance"] {
        assert_contains(trees, name, "");
        assert_contains(images, "/broken.x86_64-1.0.0", name);
    }
    for name in ["/etc/where", "/etc/mask", "/etc/language"] {
        assert!(parts.iter().all(|part| !paths(part).contains(name)), "{name} differs: {parts:?}");
    }
    // A tree and the one restored from the cache are between both.
    assert!(parts.iter().any(|part| part["same"] == true), "{parts:?}");
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
    judge("sh", &["-c", &format!("cd {}\n{IMAGES}", directory.path().display())]);
    let run = json(&["diff", "--no-times", &path("images/one"), &path("images/two")]);
    assert_eq!(run.code, 1, "{run:?}");
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
        assert_contains(run.outcome(), &format!("/{image}"), &format!("{inside}/etc/different"));
    }
    assert!(!paths(run.outcome()).contains("/etc/same"), "{run:?}");
    // The directories in which images are opened are no difference.
    for image in ["ext4", "iso", "disk.raw", "disk.vdi"] {
        let [one, two] = ["one", "two"].map(|name| path(&format!("images/{name}/{image}")));
        let run: Run = json(&["diff", &one, &two]);
        assert!(paths(run.outcome()).contains("/etc/different"), "{run:?}");
        for location in ["/", "/partition-1", "/files", "/files/partition-1"] {
            assert!(!contains(run.outcome(), "/", location), "{run:?}");
        }
    }
}
