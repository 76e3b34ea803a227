//! `kiwi diff` inside file systems, which are read without a mount.

use std::path::Path;
use std::process::Command;

use kiwi_tests::program::kiwi;
use kiwi_tests::run::Run;
use test_programs::have;

/// Makes a disk with the partitions XFS, Btrfs and erofs; all contain `etc/hello` with this text and mode, a link and a directory.
const DISK: &str = r#"
mkdir -p "$1/tree/etc" "$1/tree/empty"
printf '%s' "$2" > "$1/tree/etc/hello"
chmod "$3" "$1/tree/etc/hello"
ln -s "etc/$4" "$1/tree/link"
touch -h -d @900000000 "$1/tree/etc/hello" "$1/tree/link" "$1/tree/etc" "$1/tree/empty" "$1/tree"
cat > "$1/prototype" <<END
/
0 0
d--755 0 0
empty d--755 0 0
$
etc d--755 0 0
hello ---$3 0 0 $1/tree/etc/hello
$
link l--777 0 0 etc/$4
$
END
truncate -s 320M "$1/xfs"
mkfs.xfs -q -p "$1/prototype" "$1/xfs"
truncate -s 128M "$1/btrfs"
mkfs.btrfs -q --rootdir "$1/tree" "$1/btrfs"
mkfs.erofs --quiet "$1/erofs" "$1/tree"
truncate -s 450M "$1/disk"
printf 'label: dos\nstart=2048,size=655360,type=83\nstart=657408,size=262144,type=83\nstart=919552,size=2048,type=83\n' | sfdisk -q "$1/disk"
dd if="$1/xfs" of="$1/disk" bs=1M seek=1 conv=notrunc,sparse status=none
dd if="$1/btrfs" of="$1/disk" bs=1M seek=321 conv=notrunc,sparse status=none
dd if="$1/erofs" of="$1/disk" bs=1M seek=449 conv=notrunc,sparse status=none
"#;

fn disk(directory: &Path, text: &str, mode: &str, target: &str) {
    std::fs::create_dir(directory).unwrap();
    let mut command = Command::new("sh");
    command.args(["-e", "-c", DISK, "sh"]).arg(directory).args([text, mode, target]);
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap());
    let output = command.env("PATH", path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn names_the_files_that_differ_in_xfs_btrfs_and_erofs() {
    if !have(&["sh", "mkfs.xfs", "mkfs.btrfs", "btrfs", "mkfs.erofs", "fsck.erofs", "sfdisk", "dd"]) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    disk(&path("one"), "hello", "644", "hello");
    disk(&path("other"), "hallo", "600", "other");
    disk(&path("again"), "hello", "644", "hello");
    let compare = |one: &str, other: &str| {
        let mut command = Command::new(kiwi());
        let run = Run::of(command.args(["diff", "--no-times"]).arg(path(one)).arg(path(other)));
        let differences = run.outcome()["differences"].as_array().unwrap().clone();
        let shown = |one: &serde_json::Value| {
            let inside = one["inside"][0].as_str().unwrap_or_default();
            format!("{inside} {}", one["what"].as_str().unwrap())
        };
        let mut shown: Vec<String> = differences.iter().map(shown).collect();
        shown.retain(|one| one.starts_with("/partition-"));
        shown
    };
    let found = compare("one/disk", "other/disk");
    let of_partition = |number: u8| {
        [
            "etc/hello first difference at byte 1",
            "etc/hello mode 100644 here, 100600 there",
            "link links to etc/hello here, etc/other there",
        ]
        .map(|one| format!("/partition-{number}/{one}"))
    };
    let mut expected = [of_partition(1), of_partition(2), of_partition(3)].concat();
    expected.sort();
    let mut sorted = found.clone();
    sorted.sort();
    assert_eq!(sorted, expected);
    assert_eq!(compare("one/disk", "again/disk"), Vec::<String>::new());
    let mut command = Command::new(kiwi());
    let run = Run::of(command.arg("cat").arg(path("one/disk")).arg("/etc/hello"));
    assert_eq!(run.done().outcome()["content"], "hello");
}
