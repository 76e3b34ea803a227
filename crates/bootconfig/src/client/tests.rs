use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::*;
use crate::live::Union;
use crate::parameter::Parameters;

fn error(text: &str) -> ClientConfigError {
    ClientConfig::parse(text).unwrap_err()
}

/// The example of a cash register in the documentation of KIWI 1.x.
const CASH_REGISTER: &str = "\
IMAGE=/dev/hda2;image/browser;1.1.1;192.168.1.1;4096
CONF=/KIWI/00:30:05:1D:75:D2/ntp.conf;/etc/ntp.conf;192.168.1.1;1024, \\
    /KIWI/00:30:05:1D:75:D2/xorg.xonf;/etc/X11/xorg.xonf;192.168.1.1;1024
PART=200;S;x,300;L;/,500;L;/opt,x;L;/home
DISK=/dev/hda
";

#[test]
fn reads_the_cash_register() {
    let config = ClientConfig::parse_client(CASH_REGISTER).unwrap();
    let image = &config.images[0];
    assert_eq!((image.device.as_str(), image.image_path().as_str()), ("hda2", "image/browser-1.1.1"));
    assert_eq!(
        (image.server.as_deref(), image.block_size, image.compressed),
        (Some("192.168.1.1"), Some(4096), None)
    );
    let files: Vec<_> =
        config.files.iter().map(|file| (file.source.as_str(), file.destination.as_str())).collect();
    assert_eq!(
        files,
        [
            ("/KIWI/00:30:05:1D:75:D2/ntp.conf", "/etc/ntp.conf"),
            ("/KIWI/00:30:05:1D:75:D2/xorg.xonf", "/etc/X11/xorg.xonf")
        ]
    );
    assert_eq!(config.files[1].block_size, Some(1024));
    let partitions = config.partitions.unwrap();
    assert_eq!(
        (partitions.partitions.len(), partitions.target, config.disk.as_deref()),
        (4, Some(2), Some("hda"))
    );
}

/// The other examples of that documentation.
#[test]
fn reads_the_other_examples_of_kiwi_1() {
    let deployed =
        "IMAGE=/dev/sda2;full-suse-10.2.i686;1.1.2;192.168.100.2;4096\nPART=1024;S;x,x;L;/\nDISK=/dev/sda\n";
    assert_eq!(
        ClientConfig::parse_client(deployed).unwrap().images[0].file_name(),
        "full-suse-10.2.i686-1.1.2"
    );
    let split = "IMAGE=/dev/sda2;minimal-10.1.i686;1.1.2;192.168.100.2;4096,\\\n      \
                 /dev/sda3;minimal-10.1-read-only.i686;1.1.2;192.168.100.2;4096\nPART=200;S;x,500;L;/,x;L;\nDISK=/dev/sda\n\
                 COMBINED_IMAGE=yes\n";
    let split = ClientConfig::parse_client(split).unwrap();
    assert_eq!(
        (split.images.len(), split.images[1].device.as_str(), split.combined_image),
        (2, "sda3", true)
    );
    let union = "IMAGE=/dev/sda3;image/browser;1.1.1;192.168.1.1;4096\nPART=200;S;x,300;L;/,x;L;x\n\
                 UNIONFS_CONFIG=/dev/sda2,/dev/sda3,aufs\nDISK=/dev/sda\n";
    let union = ClientConfig::parse_client(union).unwrap();
    assert_eq!(union.union.unwrap().kind, Union::Aufs);
    let nfs = ClientConfig::parse_client("NFSROOT=129.168.100.7:/tmp/kiwi.nfsroot\n").unwrap();
    let expected = NfsRoot { server: "129.168.100.7".into(), path: "/tmp/kiwi.nfsroot".into() };
    assert_eq!(nfs.nfs_root, Some(expected.clone()));
    assert_eq!(
        ClientConfig::parse("NFSROOT=129.168.100.7;/tmp/kiwi.nfsroot").unwrap().nfs_root,
        Some(expected)
    );
    let others = "KIWI_INITRD=/boot/initrd\nKIWI_KERNEL=/boot/linux\nKIWI_KERNEL_OPTIONS='vga=0x317 splash=silent'\n\
                  KIWI_BOOT_TIMEOUT=10\nRELOAD_IMAGE=yes\nRELOAD_CONFIG=x\nREBOOT_IMAGE=1\nJOURNAL=ext3\nSYNC=/s;10.0.0.1;512\n";
    let others = ClientConfig::parse(others).unwrap();
    assert_eq!(others.kernel_options.as_deref(), Some("vga=0x317 splash=silent"));
    assert!(others.reload_image && others.reload_config && others.reboot_image && !others.combined_image);
    assert_eq!((others.boot_timeout, others.sync.unwrap().block_size), (Some(10), Some(512)));
}

#[test]
fn mistakes_of_the_documentation_name_line_and_correction() {
    let text = "DISK=/dev/sda\nIMAGE=/dev/sda3:image/browser;1.1.1;192.168.1.1;4096\n";
    let wrong = error(text);
    assert_eq!(wrong.line, 2);
    assert!(wrong.text.contains("expected \"/dev/sda3;image/browser;1.1.1;192.168.1.1;4096\""), "{wrong}");
    let wrong = error("DISK=/dev/sda\n\nPART=200;S;x,300;L://,x;L;x\n");
    assert_eq!(wrong.line, 3);
    assert!(wrong.text.contains("expected \"300;L;/\""), "{wrong}");
    let wrong = error("PART=200;S;x,\\\n300;L;/,\\\n  x;L:/home\n");
    assert_eq!(wrong.line, 3, "the line of the entry, not of the key");
    let wrong = error("CONF=/a;/etc/a,\\\n/b;/../etc/b\n");
    assert_eq!(wrong.line, 2, "{wrong}");
}

#[test]
fn every_compression_has_its_suffix() {
    for (keyword, path) in
        [("compressed", "n-1.gz"), ("gzip", "n-1.gz"), ("xz", "n-1.xz"), ("zstd", "n-1.zst")]
    {
        let config = ClientConfig::parse(&format!("IMAGE=/dev/ram1;n;1;;;{keyword}\n")).unwrap();
        assert_eq!(config.images[0].image_path(), format!("image/{path}"));
        assert!(config.images[0].is_in_memory());
        assert_eq!(config.images[0].checksum_path(), "image/n-1.md5");
    }
    assert!(error("IMAGE=/dev/ram1;n;1;;;bzip2").text.contains("compressed, xz, zstd"));
}

#[test]
fn reads_both_forms_of_a_block_device() {
    let root =
        |text: &str| ClientConfig::parse(&format!("NBDROOT={text}\n")).map(|config| config.nbd_root.unwrap());
    let short = root("192.168.1.1;2000").unwrap();
    assert_eq!((short.port, short.export.as_str(), short.device), (2000, "", None));
    let long = root("10.0.0.1;9209/root;/dev/nbd0;9210;/dev/nbd1").unwrap();
    assert_eq!((long.export.as_str(), long.device.as_deref()), ("root", Some("nbd0")));
    let swap = long.swap.unwrap();
    assert_eq!((swap.port, swap.device.as_deref()), (9210, Some("nbd1")));
    assert_eq!(root("server;till").unwrap().port, NbdRoot::PORT);
    for text in ["server;0", "server;70000", "a b;1", "s;1;/dev/../x", "s;1;a;2;b;c", ";1"] {
        assert_eq!(root(text).unwrap_err().line, 1, "{text}");
    }
}

#[test]
fn nothing_is_evaluated() {
    let text = "KIWI_KERNEL_OPTIONS=\"$(reboot) `id` a=${b}\"\n# IMAGE=x\n";
    assert_eq!(ClientConfig::parse(text).unwrap().kernel_options.as_deref(), Some("$(reboot) `id` a=${b}"));
    let inside = "KIWI_KERNEL_OPTIONS=dyndbg=\"file a.c +p\" quiet \\\n  splash\n";
    let options = ClientConfig::parse(inside).unwrap().kernel_options;
    assert_eq!(options.as_deref(), Some("dyndbg=\"file a.c +p\" quiet splash"));
}

#[test]
fn rejects_what_has_no_meaning() {
    assert_eq!(error("IMAGE=/dev/sda2;a;1\n\nIMAGE=/dev/sda2;b;1\n").line, 3);
    assert!(error("KIWI_INTRD=/boot/initrd").text.contains("did you mean KIWI_INITRD?"));
    assert!(error("\nimage=/dev/sda2;a;1").text.contains("did you mean IMAGE?"));
    assert!(error("kiwitftp=10.0.0.1").text.contains("parameter of the kernel"));
    assert!(error("AOEROOT=x").text.contains("not supported"));
    for text in [
        "SOMETHING=else",
        "IMAGE",
        "IMAGE=/dev/sda2",
        "IMAGE=/dev/sda2;;1",
        "IMAGE=/dev/sda2;a/b;1",
        "IMAGE=/dev/sda2;a;1;10.0.0.1;0",
        "IMAGE=/dev/sda2;a;1;10.0.0.1;4096;compressed;x",
        "IMAGE=/dev/sda2;a;1;ten;forty",
        "IMAGE=/dev/sda2;a;1;10.0.0.1;$(id);",
        "DISK=/dev/../x",
        "PART=much;L;/",
        "CONF=/a",
        "COMBINED_IMAGE=no",
        "KIWI_BOOT_TIMEOUT=soon",
        "KIWI_INITRD=/boot/../x",
        "UNIONFS_CONFIG=/dev/sda2,/dev/sda3",
        "UNIONFS_CONFIG=/dev/sda2,/dev/sda3,mhddfs",
        "NFSROOT=server:path",
        "NFSROOT=server;/a/../b",
        "CONF=/a;/b,\\",
        "DISK=\u{1b}[2J",
    ] {
        assert_eq!(error(text).line, 1, "{text}");
    }
    assert_eq!(ClientConfig::parse("IMAGE=\nDISK=''\nRELOAD_IMAGE=\n"), Ok(ClientConfig::default()));
}

#[test]
fn a_client_needs_a_system_that_fits_the_disk() {
    let error = |text: &str| ClientConfig::parse_client(text).unwrap_err();
    let disk = "DISK=/dev/sda\nPART=200;S;x,x;L;/\n";
    for (text, line) in [
        ("DISK=/dev/sda\n".to_owned(), 0),
        ("NFSROOT=a;/b\nNBDROOT=a;1\n".to_owned(), 2),
        (format!("{disk}IMAGE=/dev/sda3;n;1\n"), 3),
        (format!("{disk}IMAGE=/dev/sda1;n;1\n"), 3),
        (format!("{disk}IMAGE=/dev/sda;n;1\n"), 3),
        (format!("{disk}IMAGE=;n;1\n"), 3),
        ("IMAGE=/dev/sda2;n;1\nPART=x;L;/\n".to_owned(), 2),
        (format!("{disk}IMAGE=/dev/sda2;n;1\nCOMBINED_IMAGE=yes\n"), 4),
        (format!("{disk}IMAGE=/dev/sda2;n;1\nKIWI_KERNEL=/boot/linux\n"), 4),
        (format!("{disk}IMAGE=/dev/sda2;n;1\nUNIONFS_CONFIG=/dev/sda1,/dev/sda3,overlay\n"), 4),
        (format!("{disk}IMAGE=/dev/sda2;n;1\nUNIONFS_CONFIG=/dev/sda2,/dev/sda2,overlay\n"), 4),
    ] {
        assert_eq!(error(&text).line, line, "{text}");
    }
    let memory = "IMAGE=/dev/ram1;n;1\nCONF=/a;/etc/a\n";
    assert!(ClientConfig::parse_client(memory).is_ok());
    let nvme = "DISK=/dev/nvme0n1\nPART=200;S;x,image;L;/,x;83;/home\nIMAGE=/dev/nvme0n1p2;n;1;;;zstd\n";
    assert_eq!(ClientConfig::parse_client(nvme).unwrap().partitions.unwrap().target, Some(2));
}

#[test]
fn looks_for_the_mac_address_then_the_address_then_the_default() {
    let mac = MacAddress::parse("00:30:05:1d:75:d2").unwrap();
    let names: Vec<String> = config_names(mac, Ipv4Addr::new(192, 168, 0, 1)).collect();
    assert_eq!(names[..3], ["KIWI/config.00:30:05:1D:75:D2", "KIWI/config.C0A80001", "KIWI/config.C0A8000"]);
    assert_eq!(names[8..], ["KIWI/config.C", "KIWI/config.default"]);
}

#[test]
fn a_mac_address_has_six_bytes() {
    assert_eq!(MacAddress::parse("00-30-05-1d-75-d2"), MacAddress::parse("00:30:05:1D:75:D2"));
    assert_eq!(MacAddress::parse_bootif("01-00-30-05-1d-75-d2"), MacAddress::parse("00:30:05:1D:75:D2"));
    for text in [
        "",
        "00:30:05:1d:75",
        "00:30:05:1d:75:d2:00",
        "0:30:05:1d:75:d2",
        "00:30:05:1d:75:+2",
        "00:30-05:1d:75:d2",
    ] {
        assert!(MacAddress::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_filter_ends_before_the_end_of_its_line() {
    for (text, filter) in [("FILTER=\r", None), ("FILTER=sd.\r\r\nDISK=/dev/sda\r\n", Some("sd."))] {
        let config = ClientConfig::parse(text).unwrap();
        assert_eq!(config.filter.as_deref(), filter);
        assert_eq!(ClientConfig::parse(&config.to_string()), Ok(config));
    }
}

#[test]
fn a_registration_is_read_back() {
    let text = "NCNAME=undefined\nARCHITECTURE=i686\n";
    assert_eq!(Registration::parse(text), Ok(Registration::new("i686")));
    assert_eq!(Registration::new("i686").to_string(), text);
    let later =
        Registration::parse("NCNAME=till\nCRNAME=x\nARCHITECTURE=x86_64\nIPADDR=10.0.0.7\nHWTYPE=QEMU pc\n")
            .unwrap();
    assert_eq!((later.alias.as_str(), later.model.as_deref()), ("till", Some("QEMU pc")));
    let divided = Registration::parse("NCNAME=a\rb\nARCHITECTURE=x86_64\n").unwrap();
    assert_eq!(Registration::parse(&divided.to_string()), Ok(divided), "a carriage return in a value");
    assert!(Registration::parse("NCNAME=x\n").is_err() && Registration::parse("NCNAME=\u{1b}\n").is_err());
    let hostile = Registration { alias: "a\nARCHITECTURE=b".to_owned(), ..Registration::new("x86_64") };
    assert_eq!(Registration::parse(&hostile.to_string()).unwrap().architecture, "x86_64");
    let mac = MacAddress([0, 1, 2, 0xab, 4, 5]);
    assert_eq!(Registration::path(mac), "upload/hwtype.00:01:02:AB:04:05");
}

#[test]
fn a_parameter_has_the_same_grammar() {
    let line = "IMAGE=\"/dev/sda2;n;1,/dev/sda3;r;1\" COMBINED_IMAGE=yes UNATTENDED=yes root=/dev/sda2";
    let config = ClientConfig::of_parameters(&Parameters::parse(line)).unwrap();
    assert_eq!((config.images.len(), config.choices.len()), (2, 0));
    let error = ClientConfig::of_parameters(&Parameters::parse("IMAGE=/dev/sda2")).unwrap_err();
    assert_eq!(error.line, 0);
}

fn any_image() -> impl Strategy<Value = ImageEntry> {
    (
        "(sd[a-z][0-9]|ram1|disk/by-id/[a-z0-9-]{1,9}|[0-9]?)",
        "[a-zA-Z0-9._-]{1,12}",
        "([0-9]\\.[0-9]\\.[0-9])?",
        proptest::option::of("[a-z0-9.]{1,9}"),
        proptest::option::of(8u32..=65464),
        proptest::option::of(proptest::sample::select(&Compression::ALL[..])),
    )
        .prop_map(|(device, name, version, server, block_size, compressed)| ImageEntry {
            device,
            name,
            version,
            server,
            block_size,
            compressed,
        })
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        images in proptest::collection::vec(any_image(), 0..3),
        parts in proptest::option::of("((x|image|[1-9][0-9]{0,5});(S|L|83|Linux swap);(x|/[a-z]{0,8}),){1,4}"),
        text in "[ -&(-~]{1,20}",
        path in "/[a-zA-Z0-9:./_-]{0,12}",
        switches in proptest::array::uniform4(proptest::bool::ANY),
        disk in proptest::option::of("[a-z]{1,4}"),
        union in proptest::sample::select(&Union::ALL[..]),
        filter in proptest::option::of("[a-z^$'|\\\\]{1,5}"),
        choices in proptest::collection::btree_set(proptest::sample::select(&InstallChoice::ALL[..]), 0..4),
        root in 0..3,
    ) {
        let path = path.replace("..", ".");
        let [reload_image, reload_config, combined_image, reboot_image] = switches;
        let mut config = ClientConfig {
            files: vec![FileEntry { source: path.clone(), destination: path.clone(), server: None, block_size: Some(512) }],
            sync: Some(SyncFile { file: path.clone(), server: Some("s".to_owned()), block_size: None }),
            journal: Some("ext3".to_owned()),
            initrd: Some(path.clone()),
            kernel: Some(path.clone()),
            kernel_options: Some(text),
            boot_timeout: Some(5),
            union: Some(UnionDevices { read_write: "a".into(), read_only: "b".into(), kind: union }),
            nfs_root: (root == 1).then(|| NfsRoot { server: "s".into(), path }),
            nbd_root: (root == 2).then(|| NbdRoot {
                server: "s".into(), port: 5, export: "x".into(), device: None,
                swap: Some(NbdSwap { port: 6, export: String::new(), device: Some("nbd1".into()) }),
            }),
            images, disk, reload_image, reload_config, combined_image, reboot_image, filter, choices,
            ..ClientConfig::default()
        };
        config.partitions = parts.map(|parts| Deployed::parse(&parts, config.target()).unwrap());
        let written = config.to_string();
        prop_assert_eq!(ClientConfig::parse(&written), Ok(config), "{}", written);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "((IMAGE|PART|CONF|DISK|NBDROOT|NFSROOT|UNIONFS_CONFIG|KIWI_KERNEL_OPTIONS)=[a-z0-9/;:,'\"\\\\ .]{0,30}\n){0,4}\\PC*") {
        if let Ok(config) = ClientConfig::parse(&text) {
            prop_assert_eq!(ClientConfig::parse(&config.to_string()), Ok(config), "{}", text);
        }
    }
}
