//! `<type>`: one kind of image, with the attributes every schema gave it.
//!
//! Over 400 lines because schema 8.5 gives this one element a hundred attributes; what stands inside the element is in
//! `appliance.rs`, `oem.rs` and `container.rs`.

use super::appliance::{
    BOOTLOADER, BOOTLOADER_SETTINGS, INITRD, INSTALL_MEDIA, LUKS_FORMAT, MACHINE, PARTITIONS, SYSTEM_DISK,
    TYPE_SIZE,
};
use super::container::{CONTAINER_CONFIG, VAGRANT_CONFIG};
use super::oem::OEM_CONFIG;
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
    word("erofs").since(V2_0),
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
const WITH_KERNEL: &[&str] = &["oem", "vmx", "iso", "pxe", "kis", "usb", "xen", "enclave"];
const CONTAINER: &[&str] = &["docker", "oci"];

/// A list because of the split type, which has a pair; how many there must be is checked with the type.
const FILESYSTEM: Value = Value::ListOf(FILESYSTEMS);

const fn today(name: &'static str, value: Value) -> AttributeWord {
    attribute(name, value).since(V2_0)
}

/// The element.
pub(crate) static TYPE: ElementWord = element("type")
    .doc("One kind of image that can be made.")
    .attributes(&[
        attribute("image", Value::OneOf(TYPES)).doc("The kind.").since(V4_1).required(),
        attribute("primary", Value::Boolean).doc("Whether it is made when no `--type` is given."),
        attribute("boot", SOME_TEXT)
            .doc("The description of its boot image.")
            .fits(&["iso", "split", "usb", "vmx", "xen", "pxe", "oem"]),
        attribute("filesystem", FILESYSTEM)
            .doc("The file system of the system.")
            .until(V1_4)
            .fits(&["split", "usb", "vmx", "xen", "pxe", "oem", "kis", "iso"]),
        attribute("filesystem", Value::OneOf(FILESYSTEMS))
            .doc("The file system of the system.")
            .since(V2_0)
            .fits(&["split", "usb", "vmx", "xen", "pxe", "oem", "kis", "iso"]),
        attribute("fsreadwrite", Value::OneOf(FILESYSTEMS))
            .doc("The file system of the part that is written to.")
            .since(V2_0)
            .fits(&["split"]),
        attribute("fsreadonly", Value::OneOf(FILESYSTEMS))
            .doc("The file system of the part that is not.")
            .since(V2_0)
            .fits(&["split"]),
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
        .doc("The layout of the system on the medium.")
        .fits(&["iso"]),
        attribute("format", Value::OneOf(FORMATS)).doc("The format of the disk.").fits(DISK),
        attribute("bootprofile", SOME_TEXT)
            .doc("The profile of the boot description.")
            .fits(&["oem", "vmx", "iso", "pxe", "usb", "xen", "cpio"]),
        attribute("bootkernel", SOME_TEXT)
            .doc("The profile of the boot description that chooses its kernel.")
            .fits(&["oem", "vmx", "iso", "pxe", "usb", "xen"])
            .since(V2_0)
            .not_built(),
        attribute("baseroot", SOME_TEXT).doc("A root tree to start from.").until(V5_0).not_used(),
        attribute("checkprebuilt", Value::Boolean)
            .doc("Whether a ready boot image is looked for.")
            .until(V6_6)
            .not_used(),
        // Today's words for what a disk or file system already is here.
        today("formatoptions", SOME_TEXT)
            .doc("Options of the format, as `qemu-img -o` takes them.")
            .fits(DISK),
        today("fscreateoptions", SOME_TEXT).doc("Options of the program that makes the file system."),
        today("fsmountoptions", SOME_TEXT).doc("Options with which the system is mounted."),
        today("rootfs_label", SOME_TEXT)
            .doc("The label of the system's file system.")
            .default("ROOT")
            .fits(&["oem", "vmx", "pxe", "kis", "docker"]),
        today("kernelcmdline", SOME_TEXT).doc("Parameters of the kernel.").fits(WITH_KERNEL),
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
        .doc("What starts the boot loader.")
        .fits(&["oem", "vmx", "pxe", "iso"]),
        today("efipartsize", Value::Number(1, 1 << 20))
            .doc("The size of the EFI partition in mebibytes.")
            .fits(DISK),
        today("eficsm", Value::Boolean)
            .doc("Whether a machine with EFI can boot it as a BIOS does.")
            .fits(DISK_ISO),
        today("compressed", Value::Boolean).doc("Whether the image of a file system is compressed.").fits(&[
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
        .doc("How squashfs is compressed.")
        .fits(&["oem", "vmx", "pxe", "kis", "iso", "squashfs"]),
        // Without effect on the result.
        today("initrd_system", Value::OneOf(&[word("kiwi"), word("dracut"), word("none")]))
            .doc("What makes the initrd.")
            .fits(WITH_INITRD)
            .default("kiwi")
            .not_used(),
        today("bundle_format", SOME_TEXT)
            .doc("How the files of a bundle are named: %N name, %P profiles, %A machine, %I id, %T type, %v version, %M %m %p its parts."),
        // Not built yet. A value that says what holds anyway is accepted.
        today("erofscompression", SOME_TEXT)
            .doc("How erofs is compressed, as `mkfs.erofs -z` takes it.")
            .fits(&["oem", "vmx", "pxe", "kis", "iso", "erofs"]),
        today("efiparttable", Value::OneOf(&[word("msdos"), word("gpt")]))
            .doc("The kind of partition table.")
            .default("gpt")
            .fits(DISK_ISO)
            .not_built(),
        today("efimountoptions", SOME_TEXT)
            .doc("Options with which the EFI partition is mounted.")
            .fits(DISK)
            .not_built(),
        today("efifatimagesize", Value::Number(1, 31))
            .doc("The size of the EFI image on an ISO in mebibytes.")
            .fits(DISK_ISO)
            .not_built(),
        today("force_mbr", Value::Boolean)
            .doc("Whether the disk gets an MBR in spite of EFI.")
            .default("false")
            .fits(DISK)
            .not_built(),
        today("gpt_hybrid_mbr", Value::Boolean)
            .doc("Whether the GPT is repeated in an MBR.")
            .default("false")
            .fits(DISK_ISO)
            .not_built(),
        today("dosparttable_extended_layout", Value::Boolean)
            .doc("Whether more than four partitions stand in an extended one.")
            .default("false")
            .fits(DISK)
            .not_built(),
        today("apply_dps_codes", Value::Boolean)
            .doc("Whether partitions get the codes by which they are discovered.")
            .default("false")
            .fits(DISK)
            .not_built(),
        today("disk_start_sector", Value::Number(2048, 1 << 32))
            .doc("The sector at which the first partition starts.")
            .default("2048")
            .fits(DISK)
            .not_built(),
        today("bootpartition", Value::Boolean)
            .doc("Whether there is a partition for `/boot`.")
            .default("false")
            .fits(DISK)
            .not_built(),
        today("bootpartsize", DIGITS).doc("Its size in mebibytes.").fits(DISK).not_built(),
        today("bootfilesystem", Value::OneOf(DATA_FILESYSTEMS))
            .doc("Its file system.")
            .fits(DISK)
            .not_built(),
        today("eficsmpart_id", DIGITS).doc("The number of the BIOS boot partition.").fits(DISK).not_built(),
        today("efipart_id", DIGITS).doc("The number of the EFI partition.").fits(DISK).not_built(),
        today("rootpart_id", DIGITS).doc("The number of the system's partition.").fits(DISK).not_built(),
        today("bootpart_id", DIGITS).doc("The number of the boot partition.").fits(DISK).not_built(),
        today("root_clone", DIGITS)
            .doc("How many copies of the system's partition there are.")
            .default("0")
            .fits(DISK)
            .not_built(),
        today("boot_clone", DIGITS)
            .doc("How many copies of the boot partition there are.")
            .default("0")
            .fits(DISK)
            .not_built(),
        today("target_blocksize", DIGITS)
            .doc("The size of a block of the disk in bytes.")
            .default("512")
            .fits(DISK_KIS)
            .not_built(),
        today("target_removable", Value::Boolean)
            .doc("Whether the disk can be taken out.")
            .default("false")
            .fits(DISK)
            .not_built(),
        today("wwid_wait_timeout", DIGITS)
            .doc("How many seconds to wait for the names of multipath disks.")
            .default("3")
            .fits(DISK)
            .not_built(),
        today("spare_part", SIZE).doc("The size of a spare partition.").fits(DISK).not_built(),
        today("spare_part_mountpoint", SOME_TEXT)
            .doc("Where the spare partition is mounted.")
            .fits(DISK)
            .not_built(),
        today("spare_part_fs", Value::OneOf(SPARE_FILESYSTEMS))
            .doc("Its file system.")
            .fits(DISK)
            .not_built(),
        today("spare_part_fs_attributes", values::FILE_ATTRIBUTES)
            .doc("Attributes of its file system.")
            .fits(DISK)
            .not_built(),
        today("spare_part_is_last", Value::Boolean)
            .doc("Whether it is the last partition.")
            .default("false")
            .fits(DISK)
            .not_built(),
        today("btrfs_quota_groups", Value::Boolean)
            .doc("Whether btrfs counts quotas.")
            .default("false")
            .fits(DISK)
            .not_built(),
        today("btrfs_set_default_volume", Value::Boolean)
            .doc("Whether the system is the default subvolume.")
            .fits(DISK)
            .not_built(),
        today("btrfs_root_is_subvolume", Value::Boolean)
            .doc("Whether the system lies in a subvolume.")
            .default("false")
            .fits(DISK)
            .not_built(),
        today("btrfs_root_is_snapper_snapshot", Value::Boolean)
            .doc("Whether the system is the first snapshot of snapper.")
            .since(V8_3)
            .instead("btrfs_root_is_snapshot")
            .default("false")
            .fits(DISK)
            .not_built(),
        today("btrfs_root_is_snapshot", Value::Boolean)
            .doc("Whether the system is the first snapshot of snapper.")
            .until(V8_2)
            .instead("btrfs_root_is_snapper_snapshot")
            .default("false")
            .fits(DISK)
            .not_built(),
        today("btrfs_root_is_readonly_snapshot", Value::Boolean)
            .doc("Whether that snapshot is read-only.")
            .default("false")
            .fits(DISK)
            .not_built(),
        today("overlayroot", Value::Boolean)
            .doc("Whether the system is read-only below what is written.")
            .default("false")
            .fits(DISK)
            .not_built(),
        today("overlayroot_readonly_filesystem", Value::OneOf(&[word("squashfs"), word("erofs")]))
            .doc("The file system of the read-only part.")
            .default("squashfs")
            .fits(DISK)
            .not_built(),
        today("overlayroot_readonly_partsize", DIGITS)
            .doc("The size of the read-only part in mebibytes.")
            .fits(DISK)
            .not_built(),
        today("overlayroot_write_partition", Value::Boolean)
            .doc("Whether there is a partition for what is written.")
            .default("true")
            .fits(DISK)
            .not_built(),
        today("overlayroot_readonly_createoptions", SOME_TEXT)
            .doc("Options of the program that makes the read-only part.")
            .not_built(),
        today("ramonly", Value::Boolean)
            .doc("Whether what is written stays in memory.")
            .default("false")
            .fits(DISK)
            .not_built(),
        today(
            "verity_blocks",
            Value::Form("a number of blocks or `all`", |text| {
                text == "all" || values::number(text).is_some()
            }),
        )
        .doc("How many blocks dm-verity protects.")
        .fits(DISK_ISO)
        .not_built(),
        today("embed_verity_metadata", Value::Boolean)
            .doc("Whether the metadata of dm-verity stand at the end of the partition.")
            .default("false")
            .fits(DISK)
            .not_built(),
        today("standalone_integrity", Value::Boolean)
            .doc("Whether dm-integrity protects the system.")
            .default("false")
            .fits(DISK)
            .not_built(),
        today("embed_integrity_metadata", Value::Boolean)
            .doc("Whether the metadata of dm-integrity stand at the end of the partition.")
            .default("false")
            .fits(DISK)
            .not_built(),
        today("integrity_legacy_hmac", Value::Boolean)
            .doc("Whether dm-integrity computes its digests in the old way.")
            .default("false")
            .fits(DISK)
            .not_built(),
        today("integrity_keyfile", SOME_TEXT).doc("The key of dm-integrity.").fits(DISK).not_built(),
        today("integrity_metadata_key_description", SOME_TEXT)
            .doc("What the kernel calls the key of the metadata.")
            .fits(DISK)
            .not_built(),
        today("luks", Value::Text)
            .doc("The passphrase of the encrypted system: a text, `random`, or a file.")
            .fits(ENCRYPTED)
            .not_built(),
        today("luks_version", Value::OneOf(&[word("luks"), word("luks1"), word("luks2")]))
            .doc("The version of LUKS.")
            .fits(ENCRYPTED)
            .not_built(),
        today("luksOS", Value::OneOf(&[word("sle12")]))
            .doc("The system whose LUKS settings are taken.")
            .fits(ENCRYPTED)
            .not_built(),
        today("luks_randomize", Value::Boolean)
            .doc("Whether the encrypted space is filled with random bytes.")
            .fits(ENCRYPTED)
            .not_built(),
        today("luks_pbkdf", Value::OneOf(&[word("pbkdf2"), word("argon2i"), word("argon2id")]))
            .doc("How the key is derived from the passphrase.")
            .fits(ENCRYPTED)
            .not_built(),
        today("mdraid", Value::OneOf(&[word("mirroring"), word("striping")]))
            .doc("Whether the system lies in a software RAID, and in which.")
            .fits(DISK)
            .not_built(),
        today("selinux_policy", Value::OneOf(&[word("targeted"), word("mls"), word("minimum")]))
            .doc("The policy of SELinux.")
            .default("targeted")
            .not_built(),
        today("devicepersistency", Value::OneOf(&[word("by-uuid"), word("by-label"), word("by-partuuid")]))
            .doc("How devices are named in the system's files.")
            .default("by-uuid")
            .not_built(),
        today("gcelicense", SOME_TEXT).doc("The licence that Google's cloud is told.").fits(DISK).not_built(),
        today("vhdfixedtag", values::GUID).doc("The GUID that stands in a fixed VHD.").fits(DISK).not_built(),
        today("enclave_format", Value::OneOf(&[word("aws-nitro")]))
            .doc("The format of an enclave.")
            .fits(&["enclave"])
            .not_built(),
        today("hybridpersistent", Value::Boolean)
            .doc("Whether what a live system writes stays on its stick.")
            .fits(&["iso", "pxe"]),
        today("hybridpersistent_filesystem", Value::OneOf(&[word("ext4"), word("xfs")]))
            .doc("The file system for what stays.")
            .default("ext4")
            .fits(&["iso", "pxe"]),
        today("mediacheck", Value::Boolean)
            .doc("Whether the menu of a live medium offers to check it; it does unless this says false.")
            .fits(&["iso"]),
        today("volid", values::VOLUME_ID).doc("The volume identifier of an ISO.").fits(DISK_ISO),
        today("application_id", values::ISO_TEXT).doc("The application identifier of an ISO.").fits(DISK_ISO),
        today("publisher", values::ISO_TEXT).doc("The publisher in an ISO.").fits(&["iso"]),
        today("installiso", Value::Boolean)
            .doc("Whether an ISO that installs the disk is made, for CD and stick.")
            .default("false")
            .fits(DISK),
        today("installstick", Value::Boolean)
            .doc("The same ISO, which is written to a stick as it is.")
            .default("false")
            .fits(DISK),
        today("installpxe", Value::Boolean)
            .doc("Whether an archive that installs the disk from the network is made.")
            .default("false")
            .fits(DISK)
            .not_built(),
        today("installboot", Value::OneOf(&[word("failsafe-install"), word("harddisk"), word("install")]))
            .doc("What an installation medium boots when nobody chooses.")
            .default("harddisk")
            .fits(DISK)
            .not_built(),
        today("install_continue_on_timeout", Value::Boolean)
            .doc("Whether it boots when nobody chooses.")
            .fits(DISK)
            .not_built(),
        today("installprovidefailsafe", Value::Boolean)
            .doc("Whether its menu has an entry for difficult machines.")
            .fits(DISK)
            .not_built(),
        today("editbootconfig", SOME_TEXT)
            .doc("A script that runs before the boot loader is installed.")
            .fits(DISK_ISO)
            .not_built(),
        today("editbootinstall", SOME_TEXT)
            .doc("A script that runs after the boot loader was installed.")
            .fits(DISK)
            .not_built(),
        today("xen_server", Value::Boolean)
            .doc("Whether the system hosts virtual machines of Xen.")
            .since(V6_6)
            .default("false")
            .fits(DISK)
            .not_built(),
        today("derived_from", SOME_TEXT)
            .doc("The container image it is built on.")
            .fits(&["docker", "oci", "oem"])
            .not_built(),
        today("delta_root", Value::Boolean)
            .doc("Whether the result has only what the base lacks.")
            .default("false")
            .fits(CONTAINER)
            .not_built(),
        today("provide_system_files", Value::Boolean)
            .doc("Whether the files named by `systemfiles` packages are provided.")
            .default("false")
            .fits(CONTAINER)
            .not_built(),
        today("require_system_files", Value::Boolean)
            .doc("Whether those files must come from the base.")
            .default("false")
            .fits(CONTAINER)
            .not_built(),
        today("ensure_empty_tmpdirs", Value::Boolean)
            .doc("Whether `/run` and `/tmp` are empty.")
            .fits(CONTAINER)
            .not_built(),
        today("metadata_path", SOME_TEXT)
            .doc("The directory of the metadata of an appx.")
            .fits(&["appx"])
            .not_built(),
        today("archive", Value::Boolean)
            .doc("Whether the results are put into one archive.")
            .fits(&["kis"])
            .not_built(),
        // Words of the schemas between.
        today("bootloader", Value::OneOf(legacy::BOOTLOADERS))
            .doc("The boot loader.")
            .until(V7_1)
            .fits(DISK_ISO)
            .instead("<bootloader name=...>"),
        today("boottimeout", DIGITS)
            .doc("How many seconds the boot menu waits.")
            .until(V7_1)
            .fits(DISK_ISO)
            .instead("<bootloader timeout=...>"),
        today("bootloader_console", SOME_TEXT)
            .doc("Where the boot menu is shown.")
            .until(V7_1)
            .fits(DISK_ISO)
            .instead("<bootloader output_console=...>"),
        today("zipl_targettype", SOME_TEXT)
            .doc("The kind of disk that zipl writes to.")
            .until(V7_1)
            .fits(DISK)
            .not_built(),
        today("container", SOME_TEXT).doc("The name of the container.").until(V6_4),
        today("lvm", Value::Boolean)
            .doc("Whether the system lies in logical volumes.")
            .until(V4_7)
            .fits(DISK),
        today("lvmgroup", SOME_TEXT).doc("The name of the volume group.").until(V4_2).fits(DISK),
        today("ec2accountnr", SOME_TEXT).doc("The account at Amazon.").until(V4_1).not_used(),
        today("ec2certfile", SOME_TEXT).doc("The certificate for Amazon.").until(V4_1).not_used(),
        today("ec2privatekeyfile", SOME_TEXT).doc("The key for Amazon.").until(V4_1).not_used(),
        today("ec2region", SOME_TEXT).doc("The region at Amazon.").until(V4_1).not_used(),
        today("zfsoptions", SOME_TEXT).doc("Options of ZFS.").until(V6_2).not_used(),
        today("fsnocheck", Value::Boolean)
            .doc("Whether the file system is never checked.")
            .until(V6_6)
            .not_used(),
        today("hybrid", Value::Boolean)
            .doc("Whether an ISO can be written to a stick.")
            .until(V6_8)
            .not_used(),
        today("syncMBR", Value::Boolean).doc("Whether the GPT is repeated in an MBR.").until(V5_7).not_used(),
        today("vga", SOME_TEXT).doc("The mode of the screen.").until(V8_4).not_used(),
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

/// File systems of a spare partition.
const SPARE_FILESYSTEMS: &[Word] = &[word("btrfs"), word("ext2"), word("ext3"), word("ext4"), word("xfs")];

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
