#![allow(clippy::disallowed_methods, reason = "a test is its own host")]

use super::*;

#[test]
fn another_disk_gets_the_partitions_of_the_old_one() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config");
    let written = "DISK=/dev/nvme0n1\nPART=9;S;x,9;L;/,x;L;x,\nIMAGE=/dev/nvme0n1p3;n;1,/dev/ram1;r;1\n\
                   UNIONFS_CONFIG=/dev/nvme0n1p2,/dev/nvme0n1p3,overlay\n";
    std::fs::write(&file, written).unwrap();
    let tree = Tree::at(directory.path());
    let base = Base::File(file.clone());
    let moved = |disk: &str| edit::text(&tree, Client::Default, &base, Some(disk), &[]);
    let text = moved("/dev/vda").unwrap();
    assert_eq!(
        text,
        "DISK=/dev/vda\nPART=9;S;x,9;L;/,x;L;x,\nIMAGE=/dev/vda3;n;1,/dev/ram1;r;1\nUNIONFS_CONFIG=/dev/vda2,/dev/vda3,overlay\n"
    );
    assert!(moved("/dev/../x").is_err());
    std::fs::write(&file, "NFSROOT=a;/b\n").unwrap();
    assert!(moved("/dev/vda").unwrap_err().to_string().contains("has no disk"));
}

#[test]
fn a_value_replaces_that_of_the_configuration() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config");
    std::fs::write(&file, "# x\nIMAGE=/dev/ram1;n;1\nKIWI_KERNEL_OPTIONS=quiet\n").unwrap();
    let tree = Tree::at(directory.path());
    let set = |set: &[(ClientKey, &str)]| {
        let set: Vec<_> = set.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
        edit::text(&tree, Client::Default, &Base::File(file.clone()), None, &set)
    };
    assert_eq!(set(&[]).unwrap(), "# x\nIMAGE=/dev/ram1;n;1\nKIWI_KERNEL_OPTIONS=quiet\n", "comments stay");
    let text = set(&[(ClientKey::KernelOptions, ""), (ClientKey::RebootImage, "yes")]).unwrap();
    assert_eq!(text, "IMAGE=/dev/ram1;n;1\nREBOOT_IMAGE=yes\n");
    let error = set(&[(ClientKey::Image, "/dev/sda3:x")]).unwrap_err().to_string();
    assert!(error.contains("IMAGE=/dev/sda3:x"), "{error}");
}
