//! `<type>`: one kind of image, with the attributes of every schema.
//!
//! Schema 8.5 gives this one element a hundred attributes: those that are not here are in files beside this one. Its child elements
//! are in `appliance.rs`, `oem.rs` and `container.rs`.

mod disk;
mod formats;
mod former;
mod media;

use disk::DISK;
use formats::FORMATS;
use former::FORMER;
use media::MEDIA;

use super::appliance::{
    BOOTLOADER, BOOTLOADER_SETTINGS, INITRD, INSTALL_MEDIA, LUKS_FORMAT, MACHINE, PARTITIONS, SYSTEM_DISK,
    TYPE_SIZE,
};
use super::container::{CONTAINER_CONFIG, VAGRANT_CONFIG};
use super::filesystems::FILESYSTEMS;
use super::oem::OEM_CONFIG;
use super::sections::SPLIT;
use super::values::SOME_TEXT;
use super::{
    AttributeSchema, ElementSchema, Keyword, Value, attribute, deploy, element, keyword, legacy, many, once,
};
use crate::SchemaVersion::{
    V1_4, V2_0, V3_9, V4_1, V4_2, V4_6, V4_7, V4_8, V5_0, V6_5, V6_6, V6_9, V7_0, V7_1, V7_2,
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
        if row.own {
            this = this.own();
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

const COMMON: &[AttributeSchema] = &[
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
        .own()
        .fits(Feature::TwoFilesystems),
    attribute("fsreadonly", Value::OneOf(FILESYSTEMS))
        .doc("The file system of the read-only part.")
        .since(V2_0)
        .own()
        .fits(Feature::TwoFilesystems),
    attribute(
        "flags",
        Value::OneOf(&[
            // The KIWI 1.x layout without flags; conversions write it.
            keyword("plain").since(V2_0).own(),
            keyword("unified").own(),
            keyword("compressed").own(),
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
        .since(V2_0)
        .not_used(),
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
    today("efipartsize", Value::Count(1 << 20))
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
];

const ATTRIBUTES: [AttributeSchema; COMMON.len() + DISK.len() + MEDIA.len() + FORMER.len()] =
    joined([COMMON, DISK, MEDIA, FORMER]);

/// Returns the attributes of all lists in one.
const fn joined<const N: usize>(lists: [&[AttributeSchema]; 4]) -> [AttributeSchema; N] {
    let mut all = [COMMON[0]; N];
    let (mut list, mut filled) = (0, 0);
    while list < lists.len() {
        let mut index = 0;
        while index < lists[list].len() {
            all[filled] = lists[list][index];
            filled += 1;
            index += 1;
        }
        list += 1;
    }
    all
}

/// The element.
pub(crate) static TYPE: ElementSchema = element("type")
    .doc("One kind of image to build.")
    .attributes(&ATTRIBUTES)
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
