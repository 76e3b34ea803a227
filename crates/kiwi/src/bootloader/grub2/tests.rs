use description::Console;

use super::*;

#[test]
fn code_for_a_client_is_put_beside_no_other() {
    if !test_programs::have(&["grub-mkimage", "mkfs.vfat", "mcopy", "mmd"]) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let host = Host::new(crate::host::Output::Quiet);
    let tree = RootTree::create(&host, &directory.path().join("tree")).unwrap();
    let workspace = Workspace::open(directory.path(), crate::workspace::Scratch::Disk, &host).unwrap();
    let core = || tree.read("boot/grub/i386-pc/core.img").unwrap();
    let esp = EspFile { id: 1, epoch: 1_000_000_000 };
    let carry = |uuid| carry(Filesystem::Ext4, uuid, esp, &tree, &workspace, &host).unwrap();
    carry("0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0");
    let first = core();
    let partition = || tree.read("boot/grub/x86_64-efi/esp.img").unwrap();
    let esp_of_first = partition();
    assert_eq!(esp_of_first[510..512], [0x55, 0xaa], "a FAT file system");
    assert!(first.len() > 512 && tree.read("boot/grub/i386-pc/boot.img").unwrap().len() == 512);
    carry("another");
    assert!(core() == first && partition() == esp_of_first, "the system's own files are kept");
    for path in ["i386-pc/core.img", "x86_64-efi/esp.img"] {
        tree.remove(format!("boot/grub/{path}")).unwrap();
    }
    carry("another");
    assert!(core() != first && partition() != esp_of_first, "the code searches for the file system");
}

fn menu() -> Menu {
    Menu {
        title: "It's a system".to_owned(),
        kernel: "/boot/vmlinuz-1".to_owned(),
        initrd: "/boot/initrd.img-1".to_owned(),
        directory: DIRECTORY.to_owned(),
        command_line: "root=UUID=u console=ttyS0,115200".to_owned(),
        bootloader: Bootloader { timeout: 3, output: vec![Console::Serial], ..Bootloader::default() },
        uuid: "u".to_owned(),
        filesystem: Filesystem::Ext4,
    }
}

#[test]
fn grub_accepts_every_command_line() {
    if !test_programs::have(&["grub-script-check"]) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("grub.cfg");
    let command_line = "s=a;b pipe=|x { } && $x # \"a b\"".to_owned();
    std::fs::write(&path, configuration(&Menu { command_line, ..menu() })).unwrap();
    test_programs::run("grub-script-check", &[path.to_str().unwrap()]);
}

#[test]
fn menu_names_system_and_consoles() {
    let text = configuration(&menu());
    assert!(text.starts_with("serial --unit=0 --speed=115200\nterminal_input serial\n"), "{text}");
    assert!(text.contains("set timeout=3\n"));
    assert!(text.contains("menuentry 'Its a system' {\n\tsearch --no-floppy --fs-uuid --set=root u\n"));
    assert!(text.contains("\tlinux /boot/vmlinuz-1 root=UUID=u console=ttyS0,115200\n"));
}
