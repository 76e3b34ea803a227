//! Attributes of disks: partitions, file systems, encryption and integrity, clouds.

use super::today;
use crate::SchemaVersion::{V8_2, V8_3};
use crate::image_type::Feature;
use crate::schema::filesystems::{BOOT_FILESYSTEMS, SPARE_FILESYSTEMS};
use crate::schema::values::{DIGITS, SIZE, SOME_TEXT};
use crate::schema::{AttributeSchema, Value, keyword, values};

/// The attributes. What is not supported accepts a value that matches the only possible result.
pub(super) const DISK: &[AttributeSchema] = &[
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
    today("efifatimagesize", Value::Count(31))
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
    today("bootpartsize", Value::Number(0, u32::MAX as u64))
        .doc("The size of the partition for `/boot` in mebibytes; without it or with 0, 300 or what its content needs.")
        .fits(Feature::Disk),
    today("bootfilesystem", Value::OneOf(BOOT_FILESYSTEMS))
        .doc("The file system of the partition for `/boot`; without, that of the system.")
        .fits(Feature::Disk),
    today("eficsmpart_id", DIGITS)
        .doc("The number of the BIOS boot partition.")
        .fits(Feature::Disk)
        .unsupported(),
    today("efipart_id", DIGITS).doc("The number of the EFI partition.").fits(Feature::Disk).unsupported(),
    today("rootpart_id", DIGITS)
        .doc("The number of the system's partition.")
        .fits(Feature::Disk)
        .unsupported(),
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
        Value::Form("a number of blocks or `all`", |text| text == "all" || values::number(text).is_some()),
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
    today(
        "devicepersistency",
        Value::OneOf(&[keyword("by-uuid"), keyword("by-label"), keyword("by-partuuid")]),
    )
    .doc("How the system's files refer to devices.")
    .default("by-uuid")
    .not_used(),
    today("gcelicense", SOME_TEXT).doc("The licence for Google Compute Engine.").fits(Feature::Disk),
    today("vhdfixedtag", values::GUID)
        .doc("The identifier at byte 65536 of a fixed VHD, for Azure.")
        .fits(Feature::Disk),
];
