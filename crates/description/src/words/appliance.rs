//! What stands inside `<type>` in today's schema: size, boot loader, machine, and much that is not built yet.

use super::values::{ARCHITECTURES, DIGITS, MAC, SIZE, SIZE_OR_ALL, SOME_TEXT};
use super::{
    AttributeWord, ElementWord, Value, attribute, container, element, many, once, preferences, values, word,
};
use crate::SchemaVersion::{V5_8, V6_5, V6_9, V8_3, V8_4};

const NAME: AttributeWord = attribute("name", SOME_TEXT).doc("Its name.").required();
const OPTION_VALUE: AttributeWord = attribute("value", Value::Text).doc("Its value.");

pub(super) static TYPE_SIZE: ElementWord = element("size")
    .doc("The size of the image; without, it is what its content needs.")
    .attributes(&[
        preferences::UNIT,
        attribute("additive", Value::Boolean)
            .doc("Whether the size is added to what the content needs.")
            .default("false"),
        attribute("unpartitioned", DIGITS).doc("How much of the size is left without a partition."),
    ])
    .text(Value::Number(1, 1 << 40));

// --- boot loader

pub(super) static BOOTLOADER: ElementWord = element("bootloader")
    .doc("The boot loader.")
    .attributes(&[
        attribute(
            "name",
            Value::OneOf(&[
                word("grub2"),
                word("systemd_boot").not_built(),
                word("grub2_s390x_emu").not_built(),
                word("zipl").not_built(),
                word("custom").not_built(),
            ]),
        )
        .doc("Which one.")
        .required(),
        attribute("timeout", Value::Number(0, 86_400)).doc("How many seconds the menu waits.").default("10"),
        attribute("output_console", Value::ListOf(OUTPUT_CONSOLES))
            .doc("Where the menu is shown.")
            .since(V8_4)
            .instead("console"),
        attribute("input_console", Value::ListOf(INPUT_CONSOLES))
            .doc("What the menu is operated with.")
            .since(V8_4)
            .instead("console"),
        attribute("console", Value::ListOf(CONSOLES))
            .doc("Where the menu is shown, and what it is operated with.")
            .until(V8_3)
            .instead("output_console"),
        attribute("bls", Value::Boolean)
            .doc("Whether entries are files of the Boot Loader Specification.")
            .default("false")
            .not_used(),
        attribute("video_mode", SOME_TEXT).doc("The mode of the screen.").not_used(),
        attribute("serial_line", SOME_TEXT)
            .doc("How the serial line is set up, in GRUB's words.")
            .not_built(),
        attribute("timeout_style", Value::OneOf(&[word("menu"), word("countdown"), word("hidden")]))
            .doc("What is shown while the menu waits.")
            .default("menu")
            .not_built(),
        attribute("targettype", Value::OneOf(&[word("FBA"), word("SCSI"), word("CDL"), word("GPT")]))
            .doc("The kind of disk that zipl writes to.")
            .not_built(),
        attribute("use_disk_password", Value::Boolean)
            .doc("Whether the boot loader unlocks the disk by itself.")
            .default("false")
            .not_built(),
        attribute("grub_template", SOME_TEXT).doc("A file in place of GRUB's configuration.").not_built(),
    ])
    .children(&[once(&BOOTLOADER_SETTINGS), many(&SECURE_LINUX)]);

/// Terminals of GRUB, of which `console` named those of both kinds; we set up screen and serial line, and take the others for the screen.
const CONSOLES: &[super::Word] = &[
    word("console"),
    word("gfxterm"),
    word("serial"),
    word("vga_text"),
    word("none").not_built(),
    word("mda_text").not_built(),
    word("morse").not_built(),
    word("spkmodem").not_built(),
    word("at_keyboard"),
    word("usb_keyboard"),
];

const OUTPUT_CONSOLES: &[super::Word] = &[
    word("console"),
    word("gfxterm"),
    word("serial"),
    word("vga_text"),
    word("none").not_built(),
    word("mda_text").not_built(),
    word("morse").not_built(),
    word("spkmodem").not_built(),
];

const INPUT_CONSOLES: &[super::Word] =
    &[word("console"), word("serial"), word("none").not_built(), word("at_keyboard"), word("usb_keyboard")];

pub(super) static BOOTLOADER_SETTINGS: ElementWord = element("bootloadersettings")
    .doc("Options of the programs that install the boot loader.")
    .children(&[
        many(&SHIM_OPTION),
        many(&INSTALL_OPTION),
        many(&CONFIG_OPTION),
        once(&container::ENVIRONMENT),
    ])
    .not_built();
static SHIM_OPTION: ElementWord =
    element("shimoption").doc("An option of shim-install.").attributes(&[NAME, OPTION_VALUE]);
static INSTALL_OPTION: ElementWord =
    element("installoption").doc("An option of the installing program.").attributes(&[NAME, OPTION_VALUE]);
static CONFIG_OPTION: ElementWord =
    element("configoption").doc("An option of the configuring program.").attributes(&[NAME, OPTION_VALUE]);
static SECURE_LINUX: ElementWord = element("securelinux")
    .doc("Secure execution on IBM Z.")
    .attributes(&[
        attribute("hkd_ca_cert", SOME_TEXT).doc("The certificate of the authority.").required(),
        attribute("hkd_sign_cert", SOME_TEXT).doc("The certificate the host key is signed with.").required(),
    ])
    .children(&[many(&HKD_CERT).required(), many(&HKD_REVOCATION_LIST)])
    .not_built();
static HKD_CERT: ElementWord = element("hkd_cert").doc("The certificate of a host key.").attributes(&[NAME]);
static HKD_REVOCATION_LIST: ElementWord =
    element("hkd_revocation_list").doc("A list of withdrawn certificates.").attributes(&[NAME]);

// --- machine

pub(super) static MACHINE: ElementWord = element("machine")
    .doc("The virtual machine that the disk is for.")
    .attributes(&[
        attribute("memory", Value::Number(1, 1 << 24)).doc("Its memory in mebibytes."),
        attribute("ncpus", Value::Number(1, 4096)).doc("How many processors it has.").not_used(),
        attribute("guestOS", SOME_TEXT).doc("What VMware calls the system.").not_used(),
        attribute("HWversion", Value::Integer).doc("The version of its hardware.").not_used(),
        attribute("arch", Value::OneOf(&[word("ix86"), word("x86_64"), word("%arch").until(V6_9)]))
            .doc("Its architecture.")
            .not_used(),
        attribute("min_memory", DIGITS).doc("The least memory in mebibytes.").not_used(),
        attribute("max_memory", DIGITS).doc("The most memory in mebibytes.").not_used(),
        attribute("min_cpu", DIGITS).doc("The least number of processors.").not_used(),
        attribute("max_cpu", DIGITS).doc("The greatest number of processors.").not_used(),
        attribute("des_memory", DIGITS).doc("The wanted memory in mebibytes.").until(V6_9).not_used(),
        attribute("des_cpu", DIGITS).doc("The wanted number of processors.").until(V6_9).not_used(),
        // `xen_server` of the type took its place.
        attribute("domain", Value::OneOf(&[word("dom0"), word("domU")]))
            .doc("Whether it is the host or a guest of Xen.")
            .until(V6_5)
            .not_used(),
        attribute(
            "ovftype",
            Value::OneOf(&[
                word("vmware"),
                word("zvm").until(V6_9),
                word("povervm").until(V6_9),
                word("xen").until(V6_9),
            ]),
        )
        .doc("For whom the OVF is written.")
        .not_built(),
        attribute("xen_loader", Value::OneOf(&[word("hvmloader"), word("pygrub"), word("pvgrub")]))
            .doc("What loads the kernel of a guest of Xen.")
            .not_built(),
    ])
    .children(&[once(&VM_DISK), once(&VM_DVD), many(&VM_NIC), many(&VM_CONFIG_ENTRY)]);

static VM_DISK: ElementWord = element("vmdisk").doc("Its disk.").attributes(&[
    attribute(
        "controller",
        Value::OneOf(&[
            word("ide"),
            word("buslogic"),
            word("lsilogic"),
            word("lsisas1068"),
            word("legacyESX"),
            word("pvscsi"),
            word("scsi").until(V5_8).instead("lsilogic"),
        ]),
    )
    .doc("What it is connected to."),
    attribute("id", Value::Number(0, 255)).doc("Its number there."),
    attribute("device", SOME_TEXT).doc("Its name in the machine."),
    attribute("disktype", SOME_TEXT).doc("What VMware calls it.").not_used(),
    attribute(
        "diskmode",
        Value::OneOf(&[
            word("monolithicSparse"),
            word("monolithicFlat"),
            word("twoGbMaxExtentSparse"),
            word("twoGbMaxExtentFlat"),
            word("streamOptimized"),
        ]),
    )
    .doc("How VMware stores it.")
    .default("monolithicSparse")
    .not_built(),
]);
static VM_DVD: ElementWord = element("vmdvd")
    .doc("Its drive for DVDs.")
    .attributes(&[
        attribute("controller", Value::OneOf(&[word("ide"), word("scsi")]))
            .doc("What it is connected to.")
            .required(),
        attribute("id", DIGITS).doc("Its number there.").required(),
    ])
    .not_used();
static VM_NIC: ElementWord = element("vmnic")
    .doc("A network card.")
    .attributes(&[
        attribute("interface", SOME_TEXT).doc("Its number, or the name of its bridge.").required(),
        attribute("driver", SOME_TEXT).doc("The card it is."),
        attribute("mode", SOME_TEXT).doc("How it is connected."),
        attribute("mac", MAC).doc("Its hardware address."),
    ])
    .not_used();
static VM_CONFIG_ENTRY: ElementWord =
    element("vmconfig-entry").doc("A line for the configuration of the machine.").text(SOME_TEXT).not_used();

// --- disk layout

pub(super) static SYSTEM_DISK: ElementWord = element("systemdisk")
    .doc("The volumes of the system.")
    .attributes(&[
        attribute("name", SOME_TEXT).doc("The name of the volume group."),
        attribute("preferlvm", Value::Boolean)
            .doc("Whether logical volumes are used where the file system has its own."),
    ])
    .children(&[many(&VOLUME)])
    .not_built();
pub(super) static VOLUME: ElementWord = element("volume").doc("One volume.").attributes(&[
    NAME,
    attribute("mountpoint", SOME_TEXT).doc("Where it is mounted; without, its name is the path."),
    attribute("size", SIZE_OR_ALL).doc("Its size; `all`: what is left."),
    attribute("freespace", SIZE_OR_ALL).doc("How much more than its content it holds; `all`: what is left."),
    attribute("parent", SOME_TEXT).doc("The subvolume it lies in."),
    attribute("copy_on_write", Value::Boolean).doc("Whether its files are copied when written to."),
    attribute("quota", SIZE).doc("How large it may grow."),
    attribute("filesystem_check", Value::Boolean).doc("Whether it is checked at boot."),
    attribute("label", SOME_TEXT).doc("The label of its file system."),
    attribute("arch", ARCHITECTURES).doc("The architectures it belongs to; without, it belongs to all."),
]);

pub(super) static PARTITIONS: ElementWord =
    element("partitions").doc("Partitions of the disk.").children(&[many(&PARTITION).required()]).not_built();
static PARTITION: ElementWord = element("partition").doc("One partition.").attributes(&[
    NAME,
    attribute("size", SIZE).doc("Its size.").required(),
    attribute("part_id", DIGITS).doc("Its number."),
    attribute("partition_name", values::VOLUME_ID).doc("Its name in the table."),
    attribute("partition_type", Value::OneOf(&[word("t.linux"), word("t.raid")])).doc("What it holds."),
    attribute("mountpoint", SOME_TEXT).doc("Where it is mounted."),
    attribute(
        "filesystem",
        Value::OneOf(&[
            word("btrfs"),
            word("ext2"),
            word("ext3"),
            word("ext4"),
            word("squashfs"),
            word("xfs"),
            word("fat32"),
            word("fat16"),
        ]),
    )
    .doc("Its file system."),
    attribute("label", SOME_TEXT).doc("The label of its file system."),
    attribute("clone", DIGITS).doc("How many copies of it there are."),
]);

pub(super) static LUKS_FORMAT: ElementWord = element("luksformat")
    .doc("Options with which the encrypted space is made.")
    .children(&[many(&LUKS_OPTION).required()])
    .not_built();
static LUKS_OPTION: ElementWord =
    element("option").doc("One option of `cryptsetup luksFormat`.").attributes(&[NAME, OPTION_VALUE]);

// --- initrd and installation media

pub(super) static INSTALL_MEDIA: ElementWord = element("installmedia")
    .doc("The boot image of installation media.")
    .children(&[many(&INITRD)])
    .not_built();

pub(super) static INITRD: ElementWord = element("initrd")
    .doc("What the initrd is made of.")
    .attributes(&[attribute(
        "action",
        Value::OneOf(&[word("omit"), word("add"), word("set"), word("setup")]),
    )
    .doc("Whether the modules are added, left out or the only ones.")
    .required()])
    .children(&[many(&DRACUT)])
    .not_used();
static DRACUT: ElementWord = element("dracut").doc("Something for dracut.").attributes(&[
    attribute("module", SOME_TEXT).doc("A module."),
    attribute("driver", SOME_TEXT).doc("A driver."),
    attribute("uefi", Value::Boolean).doc("Whether kernel and initrd become one EFI program."),
]);
