use proptest::option;
use proptest::prelude::*;

use ondisk::Filesystem;

use super::*;

fn volume(kind: Filesystem, path: &str) -> Content {
    let mount = Some(Mount::new(path, "defaults"));
    Content::Filesystem(FilesystemContent { kind, uuid: None, label: None, mount })
}

fn table(contents: Vec<Content>) -> Table {
    let partitions = contents.into_iter().zip(1..);
    let partition = |(content, number)| Partition {
        number,
        name: format!("p.{number}"),
        size: None,
        first_boot: FirstBoot::Unchanged,
        content,
    };
    Table { scheme: Scheme::Gpt, partitions: partitions.map(partition).collect() }
}

#[test]
fn writes_one_line_and_reads_it_back() {
    let mut table = table(vec![
        Content::BootCode,
        Content::Swap { uuid: None, label: Some("my swap".to_owned()) },
        volume(Filesystem::Xfs, "/home"),
        volume(Filesystem::Ext4, "/"),
    ]);
    table.partitions[0].size = Some(Mebibytes(1));
    table.grow_system(PlannedSize::Fixed(Mebibytes(900)));
    table.create(created_filesystem("/srv"), PlannedSize::Rest);
    let storage = Storage::of(table);
    let text = "table;scheme=gpt partition;number=1;name=p.1;size=1;content=boot-code \
                partition;number=2;name=p.2;content=swap;label=my%20swap \
                partition;number=3;name=p.3;content=filesystem;kind=xfs;mount=/home;options=defaults \
                partition;number=4;name=p.4;grows=900;content=filesystem;kind=ext4;mount=/;options=defaults \
                partition;number=5;name=;creates=rest;content=filesystem;kind=ext4;mount=/srv;options=defaults,nofail";
    assert_eq!(storage.to_string(), text);
    assert_eq!(Storage::parse(text), Ok(storage));
}

#[test]
fn finds_the_file_system_that_contains_a_path() {
    let table = table(vec![
        volume(Filesystem::Ext4, "/boot"),
        Content::Fat { id: None, mount: Some(Mount::new("/boot/efi", "nofail")) },
        volume(Filesystem::Xfs, "/"),
    ]);
    let found = |path| table.containing(path).map(|(partition, inside)| (partition.number, inside));
    assert_eq!(found("/boot/grub/grub.cfg"), Some((1, "/grub/grub.cfg")));
    assert_eq!(found("/boot/efi/EFI"), Some((2, "/EFI")));
    assert_eq!(found("/bootstrap"), Some((3, "/bootstrap")));
    assert_eq!(table.mounted_at("/").map(|partition| partition.number), Some(3));
}

#[test]
fn derives_the_first_boot() {
    let mut table = table(vec![Content::BootCode, volume(Filesystem::Xfs, "/")]);
    assert_eq!((table.growing(), table.planned().as_str()), (None, ""));
    table.grow_system(PlannedSize::Rest);
    table.create(Content::Swap { uuid: None, label: None }, PlannedSize::TwiceMemory);
    assert_eq!(
        table.growing().map(|(partition, size)| (partition.number, size)),
        Some((2, PlannedSize::Rest))
    );
    assert_eq!(table.planned(), "system:rest,swap:memory");
    assert_eq!(table.check_first_boot(), Ok(()));
    let created = table.partitions.last().unwrap();
    assert!(!created.is_in_image() && table.partitions[1].is_in_image());
    let line = created.fstab_line("ab-03").unwrap();
    assert_eq!(
        (line.mount.as_str(), line.text.as_str()),
        (NO_MOUNT, "PARTUUID=ab-03 none swap sw,nofail 0 0\n")
    );
    table.create(created_filesystem("/home"), PlannedSize::Rest);
    assert!(table.check_first_boot().is_err());
}

#[test]
fn mounts_usr_before_the_init_starts() {
    let contents = ["/usr/local", "/usr", "/home", "/"].map(|path| volume(Filesystem::Ext4, path));
    let storage = Storage::of(table(contents.to_vec()));
    let early: Vec<_> = storage.early_mounts().iter().map(|(_, mount)| mount.path.as_str()).collect();
    assert_eq!(early, ["/usr", "/usr/local"]);
}

#[test]
fn names_the_damaged_part() {
    for (text, expected) in [
        ("", "unknown item \"\""),
        ("table", "\"scheme\" is missing in \"table\""),
        ("table;scheme=x", "invalid value scheme=\"x\" in \"table;scheme=x\""),
        ("partition;number=1;name=a;content=empty", "has no table before it"),
        ("table;scheme=mbr;scheme=mbr", "duplicate key \"scheme\""),
        ("table;scheme=mbr;size=1", "unknown key \"size\""),
        ("table;scheme=mbr partition;number=0;name=a;content=empty", "invalid value number=\"0\""),
        ("table;scheme=mbr partition;number=1;size=x;name=a;content=empty", "size=\"x\""),
        ("table;scheme=mbr partition;number=1;name=%4;content=empty", "is not key=value"),
        (
            "table;scheme=mbr partition;number=1;name=a;content=fat;mount=/a/../b;options=defaults",
            "mount=\"/a/../b\"",
        ),
        ("table;scheme=mbr partition;number=1;name=a;grows=x;content=empty", "grows=\"x\""),
        ("table;scheme=mbr partition;number=1;name=a;grows=1;creates=1;content=empty", "creates=\"1\""),
        ("table;scheme=mbr partition;number=1;name=a;creates=1;content=swap", "behind the last partition"),
        (
            "table;scheme=mbr partition;number=1;name=a;grows=rest;content=empty partition;number=3;name=b;creates=1;content=swap",
            "behind the last partition",
        ),
        (
            "table;scheme=mbr partition;number=1;name=a;grows=1;content=empty partition;number=2;name=b;content=swap",
            "behind the last partition",
        ),
        ("table;scheme=mbr partition;number=1;name=a;grows=memory;content=empty", "or the rest of the disk"),
        (
            "table;scheme=mbr partition;number=1;name=a;grows=rest;content=empty partition;number=2;name=b;creates=1;content=empty",
            "creates only swap space and ext4",
        ),
        (
            "table;scheme=mbr partition;number=1;name=a;content=empty partition;number=1;name=b;content=empty",
            "duplicate partition 1",
        ),
    ] {
        let error = Storage::parse(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

fn any_size() -> impl Strategy<Value = PlannedSize> {
    prop_oneof![(1..9000u64).prop_map(|size| PlannedSize::Fixed(Mebibytes(size))), Just(PlannedSize::Rest)]
}

fn any_mount() -> impl Strategy<Value = Option<Mount>> {
    option::of(("/([a-z]{1,8}(/[a-z]{1,8})?)?", "\\PC{0,12}").prop_map(|(path, text)| Mount::new(path, text)))
}

fn any_content() -> impl Strategy<Value = Content> {
    let text = || option::of("\\PC{0,12}");
    let kind = prop::sample::select(Filesystem::ALL);
    prop_oneof![
        (kind, text(), text(), any_mount()).prop_map(|(kind, uuid, label, mount)| {
            Content::Filesystem(FilesystemContent { kind, uuid, label, mount })
        }),
        (any::<Option<u32>>(), any_mount()).prop_map(|(id, mount)| Content::Fat { id, mount }),
        (text(), text()).prop_map(|(uuid, label)| Content::Swap { uuid, label }),
        Just(Content::BootCode),
        Just(Content::Empty),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        contents in prop::collection::vec(any_content(), 0..6),
        sizes in option::of((any_size(), any::<bool>())),
    ) {
        let mut table = table(contents);
        if let (Some((size, swap)), Some(last)) = (sizes, table.partitions.last_mut()) {
            last.first_boot = FirstBoot::Grows(size);
            if swap {
                table.create(Content::Swap { uuid: None, label: None }, PlannedSize::TwiceMemory);
            }
        }
        let storage = Storage::of(table);
        prop_assert_eq!(Storage::parse(&storage.to_string()), Ok(storage));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC*") {
        let _ = Storage::parse(&text);
    }
}

#[test]
fn derives_how_the_kernel_mounts_the_system() {
    let derived = |options: &str, uuid: Option<&str>| {
        let content = FilesystemContent {
            kind: Filesystem::Ext4,
            uuid: uuid.map(str::to_owned),
            label: None,
            mount: Some(Mount::new("/", options)),
        };
        let storage = Storage::of(table(vec![Content::BootCode, Content::Filesystem(content)]));
        let parameters = storage.tables[0].kernel_parameters();
        (parameters.map(|parameters| parameters.join(" ")), storage.root_flags())
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(derived("defaults", Some("ab-12")), (text("root=UUID=ab-12 rw"), None));
    assert_eq!(
        derived("ro,noatime,data=journal", Some("ab-12")),
        (text("root=UUID=ab-12 ro"), text("noatime,data=journal"))
    );
    assert_eq!(derived("rw,nofail,x-systemd.growfs,discard", None), (None, text("discard")));
    assert_eq!(Storage::default().root_flags(), None);
}
