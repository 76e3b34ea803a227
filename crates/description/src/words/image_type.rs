//! `<type>`: one kind of image, with the attributes every schema gave it.
//!
//! Over 200 lines because schema 8.5 gives this one element a hundred attributes; what stands inside the element is in
//! `appliance.rs`.

use super::appliance::{
    BOOTLOADER, BOOTLOADER_SETTINGS, CONTAINER_CONFIG, INITRD, INSTALL_MEDIA, LUKS_FORMAT, MACHINE,
    OEM_CONFIG, PARTITIONS, SYSTEM_DISK, TYPE_SIZE, VAGRANT_CONFIG,
};
use super::sections::SPLIT;
use super::values::{DIGITS, FILESYSTEMS, SIZE, SOME_TEXT};
use super::{
    AttributeWord, ElementWord, Value, Word, attribute, deploy, element, legacy, many, once, values, word,
};
use crate::SchemaVersion::{
    V1_4, V2_0, V3_9, V4_1, V4_2, V4_6, V4_7, V4_8, V5_0, V5_7, V6_2, V6_4, V6_5, V6_6, V6_8, V6_9, V7_0,
    V7_1, V7_2, V8_2, V8_3, V8_4,
};

/// The words for image types.
const TYPES: &[Word] = &[
    word("ext2"),
    word("ext3"),
    word("ext4"),
    word("reiserfs"),
    word("xfs"),
    word("btrfs"),
    word("squashfs"),
    word("cpio"),
    word("tbz"),
    word("iso"),
    word("split"),
    word("usb"),
    word("vmx"),
    word("xen"),
    word("pxe"),
    word("oem").since(V2_0).instead("vmx"),
    word("product").since(V2_0).until(V6_9).not_built(),
    word("clicfs").since(V2_0).until(V6_9).not_built(),
    word("lxc").since(V2_0).until(V6_9).not_built(),
    word("kis").since(V2_0).not_built(),
    word("erofs").since(V2_0).not_built(),
    word("docker").since(V2_0).not_built(),
    word("oci").since(V2_0).not_built(),
    word("appx").since(V2_0).not_built(),
    word("wsl").since(V2_0).not_built(),
    word("enclave").since(V2_0).not_built(),
];

const DISK: &[&str] = &["oem", "vmx"];
const DISK_ISO: &[&str] = &["oem", "vmx", "iso"];
const DISK_KIS: &[&str] = &["oem", "vmx", "kis"];
const WITH_INITRD: &[&str] = &["oem", "vmx", "pxe", "kis"];
const WITH_KERNEL: &[&str] = &["oem", "vmx", "iso", "pxe", "kis", "usb", "xen"];
const CONTAINER: &[&str] = &["docker", "oci"];

/// A list because of the split type, which has a pair; how many there must be is checked with the type.
const FILESYSTEM: Value = Value::ListOf(FILESYSTEMS);

const fn today(name: &'static str, value: Value) -> AttributeWord {
    attribute(name, value).since(V2_0)
}

/// The element.
pub(crate) static TYPE: ElementWord = element("type")
    .attributes(&[
        attribute("image", Value::OneOf(TYPES)).since(V4_1).required(),
        attribute("primary", Value::Boolean),
        attribute("boot", SOME_TEXT).fits(&["iso", "split", "usb", "vmx", "xen", "pxe", "oem"]),
        attribute("filesystem", FILESYSTEM)
            .until(V1_4)
            .fits(&["split", "usb", "vmx", "xen", "pxe", "oem", "kis", "iso"]),
        attribute("filesystem", Value::OneOf(FILESYSTEMS))
            .since(V2_0)
            .fits(&["split", "usb", "vmx", "xen", "pxe", "oem", "kis", "iso"]),
        attribute("fsreadwrite", Value::OneOf(FILESYSTEMS)).since(V2_0).fits(&["split"]),
        attribute("fsreadonly", Value::OneOf(FILESYSTEMS)).since(V2_0).fits(&["split"]),
        attribute(
            "flags",
            Value::OneOf(&[
                // The chapter's layout without flags; conversions write it.
                word("plain").since(V2_0),
                word("unified"),
                word("compressed"),
                word("overlay").since(V2_0),
                word("dmsquash").since(V2_0),
                word("clic").since(V2_0).until(V7_2).not_built(),
                word("clic_udf").since(V2_0).until(V7_2).not_built(),
            ]),
        )
        .fits(&["iso"]),
        attribute("format", Value::OneOf(FORMATS)).fits(DISK),
        attribute("bootprofile", SOME_TEXT).fits(&["oem", "vmx", "iso", "pxe", "usb", "xen", "cpio"]),
        attribute("bootkernel", SOME_TEXT)
            .fits(&["oem", "vmx", "iso", "pxe", "usb", "xen"])
            .since(V2_0)
            .not_built(),
        attribute("baseroot", SOME_TEXT).until(V5_0).not_used(),
        attribute("checkprebuilt", Value::Boolean).until(V6_6).not_used(),
        // Today's words for what a disk or file system already is here.
        today("formatoptions", SOME_TEXT).fits(DISK),
        today("fscreateoptions", SOME_TEXT),
        today("fsmountoptions", SOME_TEXT).fits(DISK_KIS),
        today("rootfs_label", SOME_TEXT).fits(DISK),
        today("kernelcmdline", SOME_TEXT).fits(WITH_KERNEL),
        today(
            "firmware",
            Value::OneOf(&[
                word("bios"),
                word("ec2"),
                word("efi"),
                word("uefi"),
                word("ofw").not_built(),
                word("opal").not_built(),
                word("custom").not_built(),
            ]),
        )
        .fits(&["oem", "vmx", "pxe", "iso"]),
        today("efipartsize", Value::Number(1, 1 << 20)).fits(DISK),
        today("eficsm", Value::Boolean).fits(DISK_ISO),
        today("compressed", Value::Boolean).fits(&[
            "pxe", "kis", "ext2", "ext3", "ext4", "reiserfs", "xfs", "btrfs", "squashfs", "usb", "xen",
        ]),
        today(
            "squashfscompression",
            Value::OneOf(&[
                word("uncompressed"),
                word("gzip"),
                word("lzo"),
                word("lz4"),
                word("xz"),
                word("zstd"),
            ]),
        )
        .fits(&["oem", "vmx", "pxe", "kis", "iso", "squashfs"]),
        // Without effect on the result.
        today("initrd_system", Value::OneOf(&[word("kiwi"), word("dracut"), word("none")]))
            .fits(WITH_INITRD)
            .default("kiwi")
            .not_used(),
        today("bundle_format", SOME_TEXT).not_used(),
        // Not built yet. A value that says what holds anyway is accepted.
        today("erofscompression", SOME_TEXT).not_built(),
        today("efiparttable", Value::OneOf(&[word("msdos"), word("gpt")]))
            .default("gpt")
            .fits(DISK_ISO)
            .not_built(),
        today("efimountoptions", SOME_TEXT).fits(DISK).not_built(),
        today("efifatimagesize", Value::Number(1, 65535)).fits(DISK_ISO).not_built(),
        today("force_mbr", Value::Boolean).default("false").fits(DISK).not_built(),
        today("gpt_hybrid_mbr", Value::Boolean).default("false").fits(DISK_ISO).not_built(),
        today("dosparttable_extended_layout", Value::Boolean).default("false").fits(DISK).not_built(),
        today("apply_dps_codes", Value::Boolean).default("false").fits(DISK).not_built(),
        today("disk_start_sector", Value::Number(2048, 1 << 32)).default("2048").fits(DISK).not_built(),
        today("bootpartition", Value::Boolean).default("false").fits(DISK).not_built(),
        today("bootpartsize", DIGITS).fits(DISK).not_built(),
        today("bootfilesystem", Value::OneOf(DATA_FILESYSTEMS)).fits(DISK).not_built(),
        today("eficsmpart_id", DIGITS).fits(DISK).not_built(),
        today("efipart_id", DIGITS).fits(DISK).not_built(),
        today("rootpart_id", DIGITS).fits(DISK).not_built(),
        today("bootpart_id", DIGITS).fits(DISK).not_built(),
        today("root_clone", DIGITS).default("0").fits(DISK).not_built(),
        today("boot_clone", DIGITS).default("0").fits(DISK).not_built(),
        today("target_blocksize", DIGITS).default("512").not_built(),
        today("target_removable", Value::Boolean).default("false").fits(DISK).not_built(),
        today("wwid_wait_timeout", DIGITS).fits(DISK).not_built(),
        today("spare_part", SIZE).fits(DISK).not_built(),
        today("spare_part_mountpoint", SOME_TEXT).fits(DISK).not_built(),
        today("spare_part_fs", Value::OneOf(DATA_FILESYSTEMS)).fits(DISK).not_built(),
        today("spare_part_fs_attributes", SOME_TEXT).fits(DISK).not_built(),
        today("spare_part_is_last", Value::Boolean).default("false").fits(DISK).not_built(),
        today("btrfs_quota_groups", Value::Boolean).default("false").fits(DISK).not_built(),
        today("btrfs_set_default_volume", Value::Boolean).fits(DISK).not_built(),
        today("btrfs_root_is_subvolume", Value::Boolean).default("false").fits(DISK).not_built(),
        today("btrfs_root_is_snapper_snapshot", Value::Boolean)
            .since(V8_3)
            .instead("btrfs_root_is_snapshot")
            .default("false")
            .fits(DISK)
            .not_built(),
        today("btrfs_root_is_snapshot", Value::Boolean)
            .until(V8_2)
            .instead("btrfs_root_is_snapper_snapshot")
            .default("false")
            .fits(DISK)
            .not_built(),
        today("btrfs_root_is_readonly_snapshot", Value::Boolean).default("false").fits(DISK).not_built(),
        today("overlayroot", Value::Boolean).default("false").fits(DISK).not_built(),
        today("overlayroot_readonly_filesystem", Value::OneOf(&[word("squashfs"), word("erofs")]))
            .fits(DISK)
            .not_built(),
        today("overlayroot_readonly_partsize", DIGITS).fits(DISK).not_built(),
        today("overlayroot_write_partition", Value::Boolean).fits(DISK).not_built(),
        today("overlayroot_readonly_createoptions", SOME_TEXT).not_built(),
        today("ramonly", Value::Boolean).default("false").fits(DISK).not_built(),
        today(
            "verity_blocks",
            Value::Form("a number of blocks or `all`", |text| {
                text == "all" || values::number(text).is_some()
            }),
        )
        .fits(DISK_ISO)
        .not_built(),
        today("embed_verity_metadata", Value::Boolean).default("false").fits(DISK).not_built(),
        today("standalone_integrity", Value::Boolean).default("false").fits(DISK).not_built(),
        today("embed_integrity_metadata", Value::Boolean).default("false").fits(DISK).not_built(),
        today("integrity_legacy_hmac", Value::Boolean).default("false").fits(DISK).not_built(),
        today("integrity_keyfile", SOME_TEXT).fits(DISK).not_built(),
        today("integrity_metadata_key_description", SOME_TEXT).fits(DISK).not_built(),
        today("luks", Value::Text).fits(ENCRYPTED).not_built(),
        today("luks_version", Value::OneOf(&[word("luks"), word("luks1"), word("luks2")]))
            .fits(ENCRYPTED)
            .not_built(),
        today("luksOS", Value::OneOf(&[word("sle12")])).fits(ENCRYPTED).not_built(),
        today("luks_randomize", Value::Boolean).fits(ENCRYPTED).not_built(),
        today("luks_pbkdf", Value::OneOf(&[word("pbkdf2"), word("argon2i"), word("argon2id")]))
            .fits(ENCRYPTED)
            .not_built(),
        today("mdraid", Value::OneOf(&[word("mirroring"), word("striping")])).fits(DISK).not_built(),
        today("selinux_policy", Value::OneOf(&[word("targeted"), word("mls"), word("minimum")]))
            .default("targeted")
            .not_built(),
        today("devicepersistency", Value::OneOf(&[word("by-uuid"), word("by-label"), word("by-partuuid")]))
            .default("by-uuid")
            .not_built(),
        today("gcelicense", SOME_TEXT).fits(DISK).not_built(),
        today("vhdfixedtag", SOME_TEXT).fits(DISK).not_built(),
        today("enclave_format", Value::OneOf(&[word("aws-nitro")])).fits(&["enclave"]).not_built(),
        today("hybridpersistent", Value::Boolean).default("false").fits(&["iso", "pxe"]).not_built(),
        today("hybridpersistent_filesystem", Value::OneOf(&[word("ext4"), word("xfs")]))
            .fits(&["iso", "pxe"])
            .not_built(),
        today("mediacheck", Value::Boolean).default("false").fits(&["iso"]).not_built(),
        today("volid", SOME_TEXT).fits(DISK_ISO).not_built(),
        today("application_id", SOME_TEXT).fits(DISK_ISO).not_built(),
        today("publisher", SOME_TEXT).fits(&["iso"]).not_built(),
        today("installiso", Value::Boolean).default("false").fits(DISK).not_built(),
        today("installstick", Value::Boolean).default("false").fits(DISK).not_built(),
        today("installpxe", Value::Boolean).default("false").fits(DISK).not_built(),
        today("installboot", Value::OneOf(&[word("failsafe-install"), word("harddisk"), word("install")]))
            .fits(DISK)
            .not_built(),
        today("install_continue_on_timeout", Value::Boolean).fits(DISK).not_built(),
        today("installprovidefailsafe", Value::Boolean).fits(DISK).not_built(),
        today("editbootconfig", SOME_TEXT).fits(DISK_ISO).not_built(),
        today("editbootinstall", SOME_TEXT).fits(DISK).not_built(),
        today("xen_server", Value::Boolean).since(V6_6).default("false").fits(DISK).not_built(),
        today("derived_from", SOME_TEXT).fits(&["docker", "oci", "oem"]).not_built(),
        today("delta_root", Value::Boolean).default("false").fits(CONTAINER).not_built(),
        today("provide_system_files", Value::Boolean).default("false").fits(CONTAINER).not_built(),
        today("require_system_files", Value::Boolean).default("false").fits(CONTAINER).not_built(),
        today("ensure_empty_tmpdirs", Value::Boolean).fits(CONTAINER).not_built(),
        today("metadata_path", SOME_TEXT).fits(&["appx"]).not_built(),
        today("archive", Value::Boolean).fits(&["kis"]).not_built(),
        // Words of the schemas between.
        today("bootloader", Value::OneOf(legacy::BOOTLOADERS)).until(V7_1).fits(DISK_ISO),
        today("boottimeout", DIGITS).until(V7_1).fits(DISK_ISO),
        today("bootloader_console", SOME_TEXT).until(V7_1).fits(DISK_ISO),
        today("zipl_targettype", SOME_TEXT).until(V7_1).fits(DISK).not_built(),
        today("container", SOME_TEXT).until(V6_4),
        today("lvm", Value::Boolean).until(V4_7).fits(DISK),
        today("lvmgroup", SOME_TEXT).until(V4_2).fits(DISK),
        today("ec2accountnr", SOME_TEXT).until(V4_1).not_used(),
        today("ec2certfile", SOME_TEXT).until(V4_1).not_used(),
        today("ec2privatekeyfile", SOME_TEXT).until(V4_1).not_used(),
        today("ec2region", SOME_TEXT).until(V4_1).not_used(),
        today("zfsoptions", SOME_TEXT).until(V6_2).not_used(),
        today("fsnocheck", Value::Boolean).until(V6_6).not_used(),
        today("hybrid", Value::Boolean).until(V6_8).not_used(),
        today("syncMBR", Value::Boolean).until(V5_7).not_used(),
        today("vga", SOME_TEXT).until(V8_4).not_used(),
    ])
    .text_until(V3_9, Value::OneOf(TYPES))
    .children(&[
        once(&TYPE_SIZE).since(V4_1),
        once(&BOOTLOADER).since(V7_2),
        once(&OEM_CONFIG).since(V4_1),
        once(&MACHINE).since(V4_7),
        once(&CONTAINER_CONFIG).since(V6_5),
        once(&SYSTEM_DISK).since(V4_8),
        once(&legacy::LVM_VOLUMES).since(V4_1).until(V4_7),
        once(&legacy::VMWARE_CONFIG).since(V4_1).until(V4_6),
        once(&legacy::XEN_CONFIG).since(V4_1).until(V4_6),
        once(&legacy::PXE_DEPLOY).since(V4_1).until(V6_9),
        once(&SPLIT).since(V4_1),
        once(&deploy::DEPLOY).since(V7_0),
        once(&legacy::EC2_CONFIG).since(V4_2).until(V7_2),
        once(&BOOTLOADER_SETTINGS).since(V2_0).until(V7_1),
        once(&PARTITIONS).since(V2_0),
        many(&VAGRANT_CONFIG).since(V2_0),
        once(&INSTALL_MEDIA).since(V2_0),
        many(&INITRD).since(V2_0),
        once(&LUKS_FORMAT).since(V2_0),
    ]);

const ENCRYPTED: &[&str] = &["oem", "vmx", "iso", "pxe", "kis"];

const DATA_FILESYSTEMS: &[Word] =
    &[word("btrfs"), word("ext2"), word("ext3"), word("ext4"), word("xfs"), word("fat32"), word("fat16")];

/// The words of `format=`: qemu-img's, which both schemas may use here, and those that mean more than a format.
const FORMATS: &[Word] = &[
    word("raw"),
    word("qcow2"),
    word("qcow"),
    word("vmdk"),
    word("vdi"),
    word("vpc"),
    word("vhd"),
    word("vhd-fixed"),
    word("vhdx"),
    word("parallels"),
    word("qemu"),
    word("iso").until(V1_4).not_built(),
    word("usb").until(V1_4).not_built(),
    word("vvfat").until(V1_4).not_built(),
    word("bochs").until(V1_4).not_built(),
    word("dmg").until(V1_4).not_built(),
    word("cloop").until(V1_4).not_built(),
    word("cow").until(V1_4).not_built(),
    word("ec2").since(V2_0).until(V6_9).not_built(),
    word("ovf").since(V2_0).until(V6_9).not_built(),
    word("gce").since(V2_0).not_built(),
    word("ova").since(V2_0).not_built(),
    word("vagrant").since(V2_0).not_built(),
    word("oci:gce").since(V2_0).not_built(),
    word("oci:ova").since(V2_0).not_built(),
    word("oci:qcow2").since(V2_0).not_built(),
    word("oci:raw").since(V2_0).not_built(),
    word("oci:vdi").since(V2_0).not_built(),
    word("oci:vhd").since(V2_0).not_built(),
    word("oci:vhd-fixed").since(V2_0).not_built(),
    word("oci:vhdx").since(V2_0).not_built(),
    word("oci:vmdk").since(V2_0).not_built(),
    word("docker:gce").since(V2_0).not_built(),
    word("docker:ova").since(V2_0).not_built(),
    word("docker:qcow2").since(V2_0).not_built(),
    word("docker:raw").since(V2_0).not_built(),
    word("docker:vdi").since(V2_0).not_built(),
    word("docker:vhd").since(V2_0).not_built(),
    word("docker:vhd-fixed").since(V2_0).not_built(),
    word("docker:vhdx").since(V2_0).not_built(),
    word("docker:vmdk").since(V2_0).not_built(),
];
