use std::fs::File;
use std::path::Path;

use test_programs::{have, run};

use super::*;

const UUID: &str = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";
const MIB: u64 = 1 << 20;

/// Lets the file system's own program make an image of 300 MiB, the least that mkfs.xfs takes.
fn made_by(command: &[&str], image: &Path) -> Superblock {
    File::create(image).unwrap().set_len(300 * MIB).unwrap();
    run(command[0], &command[1..]);
    probe(&mut File::open(image).unwrap()).unwrap().expect("a file system")
}

#[test]
fn ext_variants_are_distinguished() {
    if !have(&["mke2fs"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let image = dir.path().join("image");
    for (keyword, filesystem) in
        [("ext2", Filesystem::Ext2), ("ext3", Filesystem::Ext3), ("ext4", Filesystem::Ext4)]
    {
        let path = image.to_str().unwrap();
        let made = made_by(
            &["mke2fs", "-q", "-F", "-t", keyword, "-b", "4096", "-U", UUID, "-L", "my root", path],
            &image,
        );
        assert_eq!(
            made,
            Superblock {
                filesystem,
                uuid: Some(UUID.into()),
                label: Some("my root".into()),
                bytes: Bytes(300 * MIB),
                growth: Growth::Ext { block_size: 4096 },
            }
        );
    }
}

#[test]
fn xfs_is_recognised() {
    if !have(&["mkfs.xfs"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let image = dir.path().join("image");
    let uuid = format!("uuid={UUID}");
    let made = made_by(&["mkfs.xfs", "-q", "-m", &uuid, "-L", "root", image.to_str().unwrap()], &image);
    assert_eq!(
        made,
        Superblock {
            filesystem: Filesystem::Xfs,
            uuid: Some(UUID.into()),
            label: Some("root".into()),
            bytes: Bytes(300 * MIB),
            growth: Growth::Xfs { block_size: 4096, inode_percentage: 25 },
        }
    );
}

#[test]
fn btrfs_is_recognised() {
    if !have(&["mkfs.btrfs"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let image = dir.path().join("image");
    let made = made_by(&["mkfs.btrfs", "-q", "-U", UUID, "-L", "root", image.to_str().unwrap()], &image);
    assert_eq!(
        made,
        Superblock {
            filesystem: Filesystem::Btrfs,
            uuid: Some(UUID.into()),
            label: Some("root".into()),
            bytes: Bytes(300 * MIB),
            growth: Growth::Btrfs { device: 1 },
        }
    );
}

#[test]
fn reiserfs_is_recognised() {
    if !have(&["mkreiserfs"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let image = dir.path().join("image");
    for format in ["3.5", "3.6"] {
        let (path, has_uuid) = (image.to_str().unwrap(), format == "3.6");
        let names = if has_uuid { &["--uuid", UUID, "--label", "my root"][..] } else { &[] };
        let options =
            [&["mkreiserfs", "-q", "-f", "-f", "--block-size", "4096", "--format", format], names].concat();
        let made = made_by(&[&options[..], &[path]].concat(), &image);
        assert_eq!(
            made,
            Superblock {
                filesystem: Filesystem::Reiserfs,
                uuid: has_uuid.then(|| UUID.into()),
                label: has_uuid.then(|| "my root".into()),
                bytes: Bytes(300 * MIB),
                growth: Growth::Reiserfs { block_size: 4096 },
            }
        );
    }
}

#[test]
fn squashfs_is_recognised() {
    if !have(&["mksquashfs"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (tree, image) = (dir.path().join("tree"), dir.path().join("image"));
    std::fs::create_dir(&tree).unwrap();
    let (from, to) = (tree.to_str().unwrap(), image.to_str().unwrap());
    let made = made_by(&["mksquashfs", from, to, "-noappend", "-quiet"], &image);
    assert_eq!((made.filesystem, made.uuid, made.growth), (Filesystem::Squashfs, None, Growth::Fixed));
}

#[test]
fn erofs_is_recognised() {
    if !have(&["mkfs.erofs"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (tree, image) = (dir.path().join("tree"), dir.path().join("image"));
    std::fs::create_dir(&tree).unwrap();
    std::fs::write(tree.join("file"), "content").unwrap();
    let (from, to) = (tree.to_str().unwrap(), image.to_str().unwrap());
    run("mkfs.erofs", &["--quiet", "-U", UUID, to, from]);
    let made = probe(&mut File::open(&image).unwrap()).unwrap().expect("a file system");
    assert_eq!((made.filesystem, made.uuid.as_deref()), (Filesystem::Erofs, Some(UUID)));
    assert_eq!((made.bytes, made.growth), (Bytes(image.metadata().unwrap().len()), Growth::Fixed));
    assert_eq!(Filesystem::recognised(), "ext2, ext3, ext4, reiserfs, xfs, btrfs, squashfs, erofs");
}

#[test]
fn recognises_swap_space_unless_a_system_hibernates_in_it() {
    if !have(&["mkswap"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let image = dir.path().join("image");
    File::create(&image).unwrap().set_len(MIB).unwrap();
    run("mkswap", &["-q", "-U", UUID, image.to_str().unwrap()]);
    let mut bytes = std::fs::read(&image).unwrap();
    assert_eq!(probe_swap(&bytes), Some(UUID.to_owned()));
    assert_eq!(probe_swap(&bytes[..4095]), None);
    bytes[4086..4096].copy_from_slice(b"S1SUSPEND\0");
    assert_eq!(probe_swap(&bytes), None);
}

/// Whatever a superblock claims, later code divides by its block size and adds to its size.
#[test]
fn rejects_impossible_block_sizes() {
    let with = |fields: &[(usize, &[u8])]| {
        let mut bytes = vec![0; 0x1_1000];
        fields.iter().for_each(|(at, field)| bytes[*at..at + field.len()].copy_from_slice(field));
        Superblock::find(&bytes)
    };
    let ext = |exponent: u32| with(&[(1080, &[0x53, 0xef]), (1048, &exponent.to_le_bytes())]);
    assert!(ext(0).is_some() && ext(6).is_some());
    for exponent in [7, 54, 63, 64, u32::MAX - 9, u32::MAX] {
        assert_eq!(ext(exponent), None, "{exponent}");
    }
    let xfs = |size: u32| with(&[(0, b"XFSB"), (4, &size.to_be_bytes())]);
    assert!(xfs(512).is_some() && xfs(65536).is_some());
    for size in [0, 1, 256, 4095, 131_072, u32::MAX] {
        assert_eq!(xfs(size), None, "{size}");
    }
    let reiserfs = |size: u16| with(&[(0x1_0034, b"ReIsEr2Fs"), (0x1_002c, &size.to_le_bytes())]);
    assert!(reiserfs(512).is_some() && reiserfs(8192).is_some());
    for size in [0, 1, 256, 4095, 16384, u16::MAX] {
        assert_eq!(reiserfs(size), None, "{size}");
    }
    let erofs = |exponent: u8| with(&[(1024, &0xe0f5_e1e2_u32.to_le_bytes()), (1036, &[exponent])]);
    assert!(erofs(12).is_some());
    assert_eq!([erofs(0), erofs(17), erofs(64), erofs(255)], [None, None, None, None]);
}

#[test]
fn does_not_recognise_other_bytes() {
    for bytes in [vec![], vec![0; 512], vec![0; 0x2_0000], vec![0xff; 0x2_0000], b"XFSB".to_vec()] {
        assert_eq!(probe(&mut io::Cursor::new(bytes)).unwrap(), None);
    }
}
