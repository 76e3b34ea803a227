use super::*;

const DEPENDENCIES: &str = "kernel/fs/ext4/ext4.ko: kernel/fs/jbd2/jbd2.ko kernel/fs/mbcache.ko kernel/lib/crc16.ko\n\
    kernel/fs/jbd2/jbd2.ko:\nkernel/fs/mbcache.ko:\nkernel/lib/crc16.ko:\n\
    kernel/crypto/crc32c_generic.ko:\nkernel/arch/x86/crypto/crc32c-intel.ko:\n\
    kernel/drivers/virtio/virtio_pci.ko.xz: kernel/drivers/virtio/virtio.ko.xz\n\
    kernel/drivers/virtio/virtio.ko.xz:\nkernel/drivers/block/virtio_blk.ko: kernel/drivers/virtio/virtio.ko.xz\n\
    kernel/a.ko: kernel/b.ko\nkernel/b.ko: kernel/a.ko\n\
    kernel/drivers/cxl.ko:\nkernel/drivers/late.ko:\n";
const ALIASES: &str = "# Aliases extracted from modules themselves.\n\
    alias pci:v00001AF4d*sv*sd*bc*sc*i* virtio_pci\nalias virtio:d00000002v* virtio_blk\n\
    alias crc32c crc32c_generic\nalias crc32c crc32c_intel\nalias fs-ext4 ext4\n\
    alias pci:v* not_in_this_initrd\n";
const SOFT: &str = "softdep ext4 pre: crc32c\nsoftdep cxl pre: nothing post: late\n\
    softdep virtio_blk pre: crc32c-intel\n";

fn files() -> ModuleFiles<'static> {
    ModuleFiles {
        dependencies: DEPENDENCIES,
        soft_dependencies: SOFT,
        aliases: ALIASES,
        builtin: "kernel/drivers/nvme/host/nvme-core.ko\n",
    }
}

fn loaded(name: &str) -> Vec<String> {
    let index = ModuleIndex::parse(files(), |_| true);
    index.closure([name], Lookup::NamesAndAliases).into_iter().map(str::to_owned).collect()
}

#[test]
fn dependencies_are_loaded_first() {
    assert_eq!(loaded("ext4"), ["crc32c_generic", "crc32c_intel", "jbd2", "mbcache", "crc16", "ext4"]);
    assert_eq!(loaded("cxl"), ["cxl", "late"]);
    assert_eq!(loaded("fs-ext4").last().unwrap(), "ext4");
}

#[test]
fn lookup_by_names_ignores_aliases() {
    let index = ModuleIndex::parse(files(), |_| true);
    let of = |names: &[&'static str]| index.closure(names.iter().copied(), Lookup::Names);
    assert_eq!(of(&["ext4"]), ["jbd2", "mbcache", "crc16", "ext4"]);
    assert!(of(&["fs-ext4", "crc32c"]).is_empty());
    assert_eq!(of(&["crc32c-intel", "cxl", "late"]), ["crc32c_intel", "cxl", "late"]);
    assert_eq!(
        of(&["virtio-blk"]),
        ["crc32c_intel", "virtio", "virtio_blk"],
        "a soft dependency by its name"
    );
}

#[test]
fn a_circle_of_dependencies_ends() {
    assert_eq!(loaded("a"), ["b", "a"]);
}

#[test]
fn a_long_chain_of_dependencies_does_not_exhaust_the_stack() {
    let line = |number: u32| format!("m{number}.ko: m{}.ko\n", number + 1);
    let dependencies: String = (0..50_000).map(line).collect();
    let index =
        ModuleIndex::parse(ModuleFiles { dependencies: &dependencies, ..Default::default() }, |_| true);
    assert_eq!(index.closure(["m0"], Lookup::Names).len(), 50_000);
}

#[test]
fn devices_find_their_module() {
    assert_eq!(loaded("pci:v00001AF4d00001042sv00001AF4sd00001100bc01sc00i00"), ["virtio", "virtio_pci"]);
    assert_eq!(loaded("virtio:d00000002v00001AF4"), ["crc32c_intel", "virtio", "virtio_blk"]);
    assert!(loaded("usb:v1").is_empty());
}

#[test]
fn builtin_modules_are_provided() {
    let index = ModuleIndex::parse(files(), |_| true);
    let provides = |name| index.provides(name, Lookup::Names);
    assert!(provides("nvme-core") && provides("nvme_core") && provides("ext4") && !provides("xfs"));
    assert!(!provides("crc32c") && index.provides("crc32c", Lookup::NamesAndAliases));
    assert!(!index.has_no_builtin_list());
}

#[test]
fn only_modules_that_are_present_count() {
    let index = ModuleIndex::parse(files(), |path| path != "kernel/drivers/virtio/virtio.ko");
    assert_eq!(index.closure(["virtio_pci"], Lookup::Names), ["virtio_pci"]);
    assert_eq!(index.module("virtio-pci").unwrap().path, "kernel/drivers/virtio/virtio_pci.ko.xz");
    assert_eq!(uncompressed("a/b.ko.zst"), "a/b.ko");
}

#[test]
fn of_two_modules_with_one_name_the_last_path_counts() {
    for dependencies in ["kernel/x.ko:\nupdates/x.ko: a.ko\n", "updates/x.ko: a.ko\nkernel/x.ko:\n"] {
        let index = ModuleIndex::parse(ModuleFiles { dependencies, ..Default::default() }, |_| true);
        assert_eq!(index.module("x").unwrap().path, "updates/x.ko");
    }
}
