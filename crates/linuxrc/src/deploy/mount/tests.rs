use super::*;

#[test]
fn the_configuration_decides_about_the_parts() {
    let parts = |text: &str, storages: &[(&str, &str)], nbd| {
        let storages = storages.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect();
        Parts::of(&ClientConfig::parse(text).unwrap(), &storages, nbd).unwrap()
    };
    let expected = |system: &str, layer, second: Option<&str>| Parts {
        system: system.to_owned(),
        layer,
        second: second.map(str::to_owned),
    };
    assert_eq!(parts("IMAGE=/dev/sda2;a;1\n", &[], None), expected("sda2", Layer::Own, None));
    assert_eq!(
        parts("IMAGE=/dev/ram1;a;1\n", &[("ram1", "loop0")], None),
        expected("loop0", Layer::Own, None)
    );
    let union = "IMAGE=/dev/sda3;a;1\nUNIONFS_CONFIG=/dev/sda2,/dev/sda3,aufs\n";
    assert_eq!(parts(union, &[], None), expected("sda3", Layer::Device("sda2".to_owned()), None));
    let memory = "IMAGE=/dev/ram2;a;1\nUNIONFS_CONFIG=/dev/ram1,/dev/ram2,overlay\n";
    assert_eq!(parts(memory, &[("ram2", "loop0")], None), expected("loop0", Layer::Memory, None));
    let combined = "IMAGE=/dev/sda2;a;1,/dev/sda3;b;1\nCOMBINED_IMAGE=yes\n";
    assert_eq!(parts(combined, &[], None), expected("sda2", Layer::Own, Some("sda3")));
    assert_eq!(parts("NBDROOT=10.0.0.1;2000\n", &[], Some("nbd0")), expected("nbd0", Layer::Own, None));
    let layered = "NBDROOT=10.0.0.1;2000\nUNIONFS_CONFIG=/dev/sda1,/dev/nbd0,aufs\n";
    assert_eq!(parts(layered, &[], Some("nbd5")), expected("nbd5", Layer::Device("sda1".to_owned()), None));
}

#[test]
fn directories_of_the_read_only_part_are_linked_once() {
    let dir = tempfile::tempdir().unwrap();
    for path in [
        "system/usr/bin",
        "system/opt",
        "system/lib64",
        "usr",
        "opt/own",
        "boot",
        "system/boot",
        "etc",
        "lost+found",
        "system/lost+found",
        "system/.kiwi/temporary",
    ] {
        fs::create_dir_all(dir.path().join(path)).unwrap();
    }
    symlink("usr/bin", dir.path().join("system/bin")).unwrap();
    for _ in 0..2 {
        link_directories(dir.path(), &["lost+found", "boot"]).unwrap();
        for name in ["usr", "lib64", "bin"] {
            assert_eq!(fs::read_link(dir.path().join(name)).unwrap(), Path::new("system").join(name));
        }
        assert!(dir.path().join(".kiwi").symlink_metadata().is_err(), "both parts have their own");
        assert!(dir.path().join("bin").canonicalize().unwrap().ends_with("system/usr/bin"));
        assert!(["opt", "boot", "lost+found"].iter().all(|name| !dir.path().join(name).is_symlink()));
    }
}
