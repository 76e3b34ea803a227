//! `<type>`: one kind of image, with the attributes of every schema.
//!
//! Over 400 lines because schema 8.5 gives this one element a hundred attributes; its child elements are in
//! `appliance.rs`, `oem.rs` and `container.rs`.

use super::appliance::{
    BOOTLOADER, BOOTLOADER_SETTINGS, INITRD, INSTALL_MEDIA, LUKS_FORMAT, MACHINE, PARTITIONS, SYSTEM_DISK,
    TYPE_SIZE,
};
use super::container::{CONTAINER_CONFIG, VAGRANT_CONFIG};
use super::filesystems::{BOOT_FILESYSTEMS, FILESYSTEMS, PERSISTENT_FILESYSTEMS, SPARE_FILESYSTEMS};
use super::oem::OEM_CONFIG;
use super::sections::SPLIT;
use super::values::{DIGITS, SIZE, SOME_TEXT};
use super::{
    AttributeSchema, ElementSchema, Keyword, Value, attribute, deploy, element, keyword, legacy, many, once,
    values,
};
use crate::SchemaVersion::{
    V1_4, V2_0, V3_9, V4_1, V4_2, V4_6, V4_7, V4_8, V5_0, V5_7, V6_2, V6_4, V6_5, V6_6, V6_8, V6_9, V7_0,
    V7_1, V7_2, V8_2, V8_3, V8_4,
};
use crate::image_type::{Feature, TYPES};

/// The keywords of [`TYPES`].
const KEYWORDS: &[Keyword] = &{
    let mut keywords = [keyword(""); TYPES.len()];
    let mut index = 0;
    while index < TYPES.len() {
        let row = &TYPES[index];
        let mut this = keyword(row.keyword).since(row.schemas.0).until(row.schemas.1);
        if row.model.is_none() {
            this = this.unsupported();
        }
        if let Some(instead) = row.instead {
            this = this.instead(instead);
        }
        keywords[index] = this;
        index += 1;
    }
    keywords
};

/// A list because of the split type, which has a pair; the number of entries is checked with the type.
const FILESYSTEM: Value = Value::ListOf(FILESYSTEMS);

const fn today(name: &'static str, value: Value) -> AttributeSchema {
    attribute(name, value).since(V2_0)
}

/// The element.
pub(crate) static TYPE: ElementSchema = element("type")
    .doc("One kind of image to build.")
    .attributes(&[
        attribute("image", Value::OneOf(KEYWORDS)).doc("The kind.").since(V4_1).required(),
        attribute("primary", Value::Boolean).doc("Whether it is made when no `--type` is given."),
        attribute("boot", SOME_TEXT)
            .doc("The description of its boot image.")
            .fits(Feature::BootImage),
        attribute("filesystem", FILESYSTEM)
            .doc("The file system of the system.")
            .until(V1_4)
            .fits(Feature::Filesystem),
        attribute("filesystem", Value::OneOf(FILESYSTEMS))
            .doc("The file system of the system.")
            .since(V2_0)
            .fits(Feature::Filesystem),
        attribute("fsreadwrite", Value::OneOf(FILESYSTEMS))
            .doc("The file system of the writable part.")
            .since(V2_0)
            .fits(Feature::TwoFilesystems),
        attribute("fsreadonly", Value::OneOf(FILESYSTEMS))
            .doc("The file system of the read-only part.")
            .since(V2_0)
            .fits(Feature::TwoFilesystems),
        attribute(
            "flags",
            Value::OneOf(&[
                // The KIWI 1.x layout without flags; conversions write it.
                keyword("plain").since(V2_0),
                keyword("unified"),
                keyword("compressed"),
                keyword("overlay").since(V2_0),
                keyword("dmsquash").since(V2_0),
                keyword("clic").since(V2_0).until(V7_2).unsupported(),
                keyword("clic_udf").since(V2_0).until(V7_2).unsupported(),
            ]),
        )
        .doc("The layout of the system on the medium.")
        .fits(Feature::Live),
        attribute("format", Value::OneOf(FORMATS)).doc("The format of the disk.").fits(Feature::Disk),
        attribute("bootprofile", SOME_TEXT)
            .doc("The profile of the boot description.")
            .fits(Feature::BootProfile),
        attribute("bootkernel", SOME_TEXT)
            .doc("The profile of the boot description that chooses its kernel.")
            .fits(Feature::BootKernel)
            .since(V2_0)
            .unsupported(),
        attribute("baseroot", SOME_TEXT).doc("A root tree to start from.").until(V5_0).not_used(),
        attribute("checkprebuilt", Value::Boolean)
            .doc("Whether to look for a finished boot image.")
            .until(V6_6)
            .not_used(),
        // Today's attributes of disks and file systems.
        today("formatoptions", SOME_TEXT)
            .doc("Options of the format, as `qemu-img -o` takes them.")
            .fits(Feature::Disk),
        today("fscreateoptions", SOME_TEXT).doc("Options of the program that creates the file system."),
        today("fsmountoptions", SOME_TEXT).doc("Mount options of the system."),
        today("rootfs_label", SOME_TEXT)
            .doc("The label of the system's file system.")
            .default("ROOT")
            .fits(Feature::Label),
        today("kernelcmdline", SOME_TEXT).doc("Parameters of the kernel.").fits(Feature::KernelParameters),
        today(
            "firmware",
            Value::OneOf(&[
                keyword("bios"),
                keyword("ec2"),
                keyword("efi"),
                keyword("uefi"),
                keyword("ofw").unsupported(),
                keyword("opal").unsupported(),
                keyword("custom").unsupported(),
            ]),
        )
        .doc("What starts the boot loader.")
        .fits(Feature::Firmware),
        today("efipartsize", Value::Number(1, 1 << 20))
            .doc("The size of the EFI partition in mebibytes.")
            .fits(Feature::Disk),
        today("eficsm", Value::Boolean)
            .doc("Whether a machine with EFI can boot it as a BIOS does.")
            .fits(Feature::Bootloader),
        today("compressed", Value::Boolean).doc("Whether the image of a file system is compressed.").fits(Feature::Compressed),
        today(
            "squashfscompression",
            Value::OneOf(&[
                keyword("uncompressed"),
                keyword("gzip"),
                keyword("lzo"),
                keyword("lz4"),
                keyword("xz"),
                keyword("zstd"),
            ]),
        )
        .doc("How squashfs is compressed.")
        .fits(Feature::Squashfs),
        // Without effect on the result.
        today("initrd_system", Value::OneOf(&[keyword("kiwi"), keyword("dracut"), keyword("none")]))
            .doc("What makes the initrd.")
            .fits(Feature::Initrd)
            .default("kiwi")
            .not_used(),
        today("bundle_format", SOME_TEXT)
            .doc("The file names of a bundle: %N name, %P profiles, %A machine, %I id, %T type, %v version, %M %m %p its parts."),
        // Not supported yet. A value that matches the only possible result is accepted.
        today("erofscompression", SOME_TEXT)
            .doc("How erofs is compressed, as `mkfs.erofs -z` takes it.")
            .fits(Feature::Erofs),
        today("efiparttable", Value::OneOf(&[keyword("msdos"), keyword("gpt")]))
            .doc("The kind of partition table.")
            .default("gpt")
            .fits(Feature::Bootloader)
            .unsupported(),
        today("efimountoptions", SOME_TEXT)
            .doc("Options with which the EFI partition is mounted.")
            .fits(Feature::Disk)
            .unsupported(),
        today("efifatimagesize", Value::Number(1, 31))
            .doc("The size of the EFI image on an ISO in mebibytes.")
            .fits(Feature::Bootloader)
            .unsupported(),
        today("force_mbr", Value::Boolean)
            .doc("Whether the disk gets an MBR in spite of EFI.")
            .default("false")
            .fits(Feature::Disk)
            .unsupported(),
        today("gpt_hybrid_mbr", Value::Boolean)
            .doc("Whether the GPT is repeated in an MBR.")
            .default("false")
            .fits(Feature::Bootloader)
            .unsupported(),
        today("dosparttable_extended_layout", Value::Boolean)
            .doc("Whether a disk with more than four partitions has an extended one.")
            .default("false")
            .fits(Feature::Disk)
            .unsupported(),
        today("apply_dps_codes", Value::Boolean)
            .doc("Whether partitions get the type codes for automatic discovery.")
            .default("false")
            .fits(Feature::Disk)
            .unsupported(),
        today("disk_start_sector", Value::Number(2048, 1 << 32))
            .doc("The sector at which the first partition starts.")
            .default("2048")
            .fits(Feature::Disk)
            .unsupported(),
        today("bootpartition", Value::Boolean)
            .doc("Whether there is a partition for `/boot`.")
            .default("false")
            .fits(Feature::Disk),
        today("bootpartsize", Value::Number(1, u32::MAX as u64))
            .doc("The size of the partition for `/boot` in mebibytes; without, 300 or what its content needs.")
            .fits(Feature::Disk),
        today("bootfilesystem", Value::OneOf(BOOT_FILESYSTEMS))
            .doc("The file system of the partition for `/boot`; without, that of the system.")
            .fits(Feature::Disk),
        today("eficsmpart_id", DIGITS).doc("The number of the BIOS boot partition.").fits(Feature::Disk).unsupported(),
        today("efipart_id", DIGITS).doc("The number of the EFI partition.").fits(Feature::Disk).unsupported(),
        today("rootpart_id", DIGITS).doc("The number of the system's partition.").fits(Feature::Disk).unsupported(),
        today("bootpart_id", DIGITS).doc("The number of the boot partition.").fits(Feature::Disk).unsupported(),
        today("root_clone", DIGITS)
            .doc("The number of copies of the system's partition.")
            .default("0")
            .fits(Feature::Disk)
            .unsupported(),
        today("boot_clone", DIGITS)
            .doc("The number of copies of the boot partition.")
            .default("0")
            .fits(Feature::Disk)
            .unsupported(),
        today("target_blocksize", DIGITS)
            .doc("The size of a block of the disk in bytes.")
            .default("512")
            .fits(Feature::TargetDisk)
            .unsupported(),
        today("target_removable", Value::Boolean)
            .doc("Whether the disk is removable.")
            .default("false")
            .fits(Feature::Disk)
            .unsupported(),
        today("wwid_wait_timeout", DIGITS)
            .doc("How many seconds to wait for the names of multipath disks.")
            .default("3")
            .fits(Feature::Disk)
            .unsupported(),
        today("spare_part", SIZE).doc("The size of a spare partition.").fits(Feature::Disk).unsupported(),
        today("spare_part_mountpoint", SOME_TEXT)
            .doc("Where the spare partition is mounted.")
            .fits(Feature::Disk)
            .unsupported(),
        today("spare_part_fs", Value::OneOf(SPARE_FILESYSTEMS))
            .doc("Its file system.")
            .fits(Feature::Disk)
            .unsupported(),
        today("spare_part_fs_attributes", values::FILE_ATTRIBUTES)
            .doc("Attributes of its file system.")
            .fits(Feature::Disk)
            .unsupported(),
        today("spare_part_is_last", Value::Boolean)
            .doc("Whether it is the last partition.")
            .default("false")
            .fits(Feature::Disk)
            .unsupported(),
        today("btrfs_quota_groups", Value::Boolean)
            .doc("Whether btrfs uses quotas.")
            .default("false")
            .fits(Feature::Disk)
            .unsupported(),
        today("btrfs_set_default_volume", Value::Boolean)
            .doc("Whether the system is the default subvolume.")
            .fits(Feature::Disk)
            .unsupported(),
        today("btrfs_root_is_subvolume", Value::Boolean)
            .doc("Whether the system is in a subvolume.")
            .default("false")
            .fits(Feature::Disk)
            .unsupported(),
        today("btrfs_root_is_snapper_snapshot", Value::Boolean)
            .doc("Whether the system is the first snapshot of snapper.")
            .since(V8_3)
            .instead("btrfs_root_is_snapshot")
            .default("false")
            .fits(Feature::Disk)
            .unsupported(),
        today("btrfs_root_is_snapshot", Value::Boolean)
            .doc("Whether the system is the first snapshot of snapper.")
            .until(V8_2)
            .instead("btrfs_root_is_snapper_snapshot")
            .default("false")
            .fits(Feature::Disk)
            .unsupported(),
        today("btrfs_root_is_readonly_snapshot", Value::Boolean)
            .doc("Whether that snapshot is read-only.")
            .default("false")
            .fits(Feature::Disk)
            .unsupported(),
        today("overlayroot", Value::Boolean)
            .doc("Whether the system is read-only below an overlay.")
            .default("false")
            .fits(Feature::Disk)
            .unsupported(),
        today("overlayroot_readonly_filesystem", Value::OneOf(&[keyword("squashfs"), keyword("erofs")]))
            .doc("The file system of the read-only part.")
            .default("squashfs")
            .fits(Feature::Disk)
            .unsupported(),
        today("overlayroot_readonly_partsize", DIGITS)
            .doc("The size of the read-only part in mebibytes.")
            .fits(Feature::Disk)
            .unsupported(),
        today("overlayroot_write_partition", Value::Boolean)
            .doc("Whether there is a partition for the overlay.")
            .default("true")
            .fits(Feature::Disk)
            .unsupported(),
        today("overlayroot_readonly_createoptions", SOME_TEXT)
            .doc("Options of the program that makes the read-only part.")
            .unsupported(),
        today("ramonly", Value::Boolean)
            .doc("Whether the overlay stays in memory.")
            .default("false")
            .fits(Feature::Disk)
            .unsupported(),
        today(
            "verity_blocks",
            Value::Form("a number of blocks or `all`", |text| {
                text == "all" || values::number(text).is_some()
            }),
        )
        .doc("How many blocks dm-verity protects.")
        .fits(Feature::Bootloader)
        .unsupported(),
        today("embed_verity_metadata", Value::Boolean)
            .doc("Whether the metadata of dm-verity is at the end of the partition.")
            .default("false")
            .fits(Feature::Disk)
            .unsupported(),
        today("standalone_integrity", Value::Boolean)
            .doc("Whether dm-integrity protects the system.")
            .default("false")
            .fits(Feature::Disk)
            .unsupported(),
        today("embed_integrity_metadata", Value::Boolean)
            .doc("Whether the metadata of dm-integrity is at the end of the partition.")
            .default("false")
            .fits(Feature::Disk)
            .unsupported(),
        today("integrity_legacy_hmac", Value::Boolean)
            .doc("Whether dm-integrity computes its digests in the old way.")
            .default("false")
            .fits(Feature::Disk)
            .unsupported(),
        today("integrity_keyfile", SOME_TEXT).doc("The key of dm-integrity.").fits(Feature::Disk).unsupported(),
        today("integrity_metadata_key_description", SOME_TEXT)
            .doc("What the kernel calls the key of the metadata.")
            .fits(Feature::Disk)
            .unsupported(),
        today("luks", Value::Text)
            .doc("The passphrase of the encrypted system: a text, `random`, or a file.")
            .fits(Feature::Encryption)
            .unsupported(),
        today("luks_version", Value::OneOf(&[keyword("luks"), keyword("luks1"), keyword("luks2")]))
            .doc("The version of LUKS.")
            .fits(Feature::Encryption)
            .unsupported(),
        today("luksOS", Value::OneOf(&[keyword("sle12")]))
            .doc("The system whose LUKS settings are taken.")
            .fits(Feature::Encryption)
            .unsupported(),
        today("luks_randomize", Value::Boolean)
            .doc("Whether the encrypted space is filled with random bytes.")
            .fits(Feature::Encryption)
            .unsupported(),
        today("luks_pbkdf", Value::OneOf(&[keyword("pbkdf2"), keyword("argon2i"), keyword("argon2id")]))
            .doc("How the key is derived from the passphrase.")
            .fits(Feature::Encryption)
            .unsupported(),
        today("mdraid", Value::OneOf(&[keyword("mirroring"), keyword("striping")]))
            .doc("Whether the system lies in a software RAID, and in which.")
            .fits(Feature::Disk)
            .unsupported(),
        today("selinux_policy", Value::OneOf(&[keyword("targeted"), keyword("mls"), keyword("minimum")]))
            .doc("The policy of SELinux.")
            .default("targeted")
            .unsupported(),
        today("devicepersistency", Value::OneOf(&[keyword("by-uuid"), keyword("by-label"), keyword("by-partuuid")]))
            .doc("How the system's files refer to devices.")
            .default("by-uuid")
            .unsupported(),
        today("gcelicense", SOME_TEXT).doc("The licence for Google Compute Engine.").fits(Feature::Disk).unsupported(),
        today("vhdfixedtag", values::GUID).doc("The GUID in the footer of a fixed VHD.").fits(Feature::Disk).unsupported(),
        today("enclave_format", Value::OneOf(&[keyword("aws-nitro")]))
            .doc("The format of an enclave.")
            .fits(Feature::Enclave)
            .unsupported(),
        today("hybridpersistent", Value::Boolean)
            .doc("Whether what a live system writes stays on its stick.")
            .fits(Feature::Persistence),
        today("hybridpersistent_filesystem", Value::OneOf(PERSISTENT_FILESYSTEMS))
            .doc("The file system for persistent data.")
            .default("ext4")
            .fits(Feature::Persistence),
        today("mediacheck", Value::Boolean)
            .doc("Whether the menu of a live medium offers to check it; the default is true.")
            .fits(Feature::Live),
        today("volid", values::VOLUME_ID).doc("The volume identifier of an ISO.").fits(Feature::Bootloader),
        today("application_id", values::ISO_TEXT).doc("The application identifier of an ISO.").fits(Feature::Bootloader),
        today("publisher", values::ISO_TEXT).doc("The publisher in an ISO.").fits(Feature::Live),
        today("installiso", Value::Boolean)
            .doc("Whether to make an ISO that installs the disk, for CD and stick.")
            .default("false")
            .fits(Feature::Disk),
        today("installstick", Value::Boolean)
            .doc("The same ISO, which is written to a stick unchanged.")
            .default("false")
            .fits(Feature::Disk),
        today("installpxe", Value::Boolean)
            .doc("Whether to make an archive that installs the disk over the network.")
            .default("false")
            .fits(Feature::Disk)
            .unsupported(),
        today("installboot", Value::OneOf(&[keyword("failsafe-install"), keyword("harddisk"), keyword("install")]))
            .doc("The default entry of an installation medium.")
            .default("harddisk")
            .fits(Feature::Disk)
            .unsupported(),
        today("install_continue_on_timeout", Value::Boolean)
            .doc("Whether the boot menu continues after its timeout.")
            .fits(Feature::Disk)
            .unsupported(),
        today("installprovidefailsafe", Value::Boolean)
            .doc("Whether its menu has an entry for difficult machines.")
            .fits(Feature::Disk)
            .unsupported(),
        today("editbootconfig", SOME_TEXT)
            .doc("A script that runs before the boot loader is installed.")
            .fits(Feature::Bootloader)
            .unsupported(),
        today("editbootinstall", SOME_TEXT)
            .doc("A script that runs after the boot loader was installed.")
            .fits(Feature::Disk)
            .unsupported(),
        today("xen_server", Value::Boolean)
            .doc("Whether the system is a Xen host.")
            .since(V6_6)
            .default("false")
            .fits(Feature::Disk)
            .unsupported(),
        today("derived_from", SOME_TEXT)
            .doc("The container image it is built on.")
            .fits(Feature::Base)
            .unsupported(),
        today("delta_root", Value::Boolean)
            .doc("Whether the result contains only the difference to the base.")
            .default("false")
            .fits(Feature::ContainerRoot)
            .unsupported(),
        today("provide_system_files", Value::Boolean)
            .doc("Whether the files named by `systemfiles` packages are provided.")
            .default("false")
            .fits(Feature::ContainerRoot)
            .unsupported(),
        today("require_system_files", Value::Boolean)
            .doc("Whether those files must come from the base.")
            .default("false")
            .fits(Feature::ContainerRoot)
            .unsupported(),
        today("ensure_empty_tmpdirs", Value::Boolean)
            .doc("Whether `/run` and `/tmp` are empty in the image.")
            .default("true")
            .fits(Feature::ContainerRoot),
        today("layer_compression", Value::OneOf(&[keyword("zstd"), keyword("gzip")]))
            .doc("How the layer of an OCI image is compressed; kiwi's own, KIWI NG has no such attribute.")
            .default("zstd")
            .fits(Feature::Layers),
        today("metadata_path", SOME_TEXT)
            .doc("The directory of the metadata of an appx.")
            .fits(Feature::Metadata)
            .unsupported(),
        today("archive", Value::Boolean)
            .doc("Whether the results are put into one archive.")
            .fits(Feature::Archive)
            .unsupported(),
        // Keywords of the schemas in between.
        today("bootloader", Value::OneOf(legacy::BOOTLOADERS))
            .doc("The boot loader.")
            .until(V7_1)
            .fits(Feature::Bootloader)
            .instead("<bootloader name=...>"),
        today("boottimeout", DIGITS)
            .doc("Time limit of the boot menu in seconds.")
            .until(V7_1)
            .fits(Feature::Bootloader)
            .instead("<bootloader timeout=...>"),
        today("bootloader_console", SOME_TEXT)
            .doc("The console of the boot menu.")
            .until(V7_1)
            .fits(Feature::Bootloader)
            .instead("<bootloader output_console=...>"),
        today("zipl_targettype", SOME_TEXT)
            .doc("The kind of disk that zipl writes to.")
            .until(V7_1)
            .fits(Feature::Disk)
            .unsupported(),
        today("container", SOME_TEXT).doc("The name of the container.").until(V6_4),
        today("lvm", Value::Boolean)
            .doc("Whether the system uses logical volumes.")
            .until(V4_7)
            .fits(Feature::Disk),
        today("lvmgroup", SOME_TEXT).doc("The name of the volume group.").until(V4_2).fits(Feature::Disk),
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
        today("vga", SOME_TEXT).doc("The video mode.").until(V8_4).not_used(),
    ])
    .text_until(V3_9, Value::OneOf(KEYWORDS))
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

/// The keywords of `format=`: those of qemu-img, which both schemas may use here, and those that mean more than a format.
const FORMATS: &[Keyword] = &[
    keyword("raw"),
    keyword("qcow2"),
    keyword("qcow"),
    keyword("vmdk"),
    keyword("vdi"),
    keyword("vpc"),
    keyword("vhd"),
    keyword("vhd-fixed"),
    keyword("vhdx"),
    keyword("parallels"),
    keyword("qemu"),
    keyword("iso").until(V1_4).unsupported(),
    keyword("usb").until(V1_4).unsupported(),
    keyword("vvfat").until(V1_4).unsupported(),
    keyword("bochs").until(V1_4).unsupported(),
    keyword("dmg").until(V1_4).unsupported(),
    keyword("cloop").until(V1_4).unsupported(),
    keyword("cow").until(V1_4).unsupported(),
    keyword("ec2").since(V2_0).until(V6_9).unsupported(),
    keyword("ovf").since(V2_0).until(V6_9).unsupported(),
    keyword("gce").since(V2_0).unsupported(),
    keyword("ova").since(V2_0).unsupported(),
    keyword("vagrant").since(V2_0).unsupported(),
    keyword("oci:gce").since(V2_0).unsupported(),
    keyword("oci:ova").since(V2_0).unsupported(),
    keyword("oci:qcow2").since(V2_0).unsupported(),
    keyword("oci:raw").since(V2_0).unsupported(),
    keyword("oci:vdi").since(V2_0).unsupported(),
    keyword("oci:vhd").since(V2_0).unsupported(),
    keyword("oci:vhd-fixed").since(V2_0).unsupported(),
    keyword("oci:vhdx").since(V2_0).unsupported(),
    keyword("oci:vmdk").since(V2_0).unsupported(),
    keyword("docker:gce").since(V2_0).unsupported(),
    keyword("docker:ova").since(V2_0).unsupported(),
    keyword("docker:qcow2").since(V2_0).unsupported(),
    keyword("docker:raw").since(V2_0).unsupported(),
    keyword("docker:vdi").since(V2_0).unsupported(),
    keyword("docker:vhd").since(V2_0).unsupported(),
    keyword("docker:vhd-fixed").since(V2_0).unsupported(),
    keyword("docker:vhdx").since(V2_0).unsupported(),
    keyword("docker:vmdk").since(V2_0).unsupported(),
];
