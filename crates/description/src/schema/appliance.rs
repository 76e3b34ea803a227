//! The elements inside `<type>` in today's schema: size, boot loader, machine, and many that are not built yet.

use super::values::{ARCHITECTURES, DIGITS, MAC, SIZE, SIZE_OR_ALL, SOME_TEXT};
use super::{
    AttributeSchema, ElementSchema, Value, attribute, container, element, keyword, many, once, values,
};
use crate::SchemaVersion::{V5_8, V6_5, V6_9, V8_3, V8_4};

const NAME: AttributeSchema = attribute("name", SOME_TEXT).doc("Its name.").required();
const OPTION_VALUE: AttributeSchema = attribute("value", Value::Text).doc("Its value.");

pub(super) static TYPE_SIZE: ElementSchema = element("size")
    .doc("The size of the image; the default is what its content needs.")
    .attributes(&[
        values::UNIT,
        attribute("additive", Value::Boolean)
            .doc("Whether the size is added to what the content needs.")
            .default("false"),
        attribute("unpartitioned", DIGITS).doc("How much of the size is left unpartitioned."),
    ])
    .text(Value::Number(0, 1 << 40));

// --- boot loader

pub(super) static BOOTLOADER: ElementSchema = element("bootloader")
    .doc("The boot loader.")
    .attributes(&[
        attribute(
            "name",
            Value::OneOf(&[
                keyword("grub2"),
                keyword("systemd_boot").unsupported(),
                keyword("grub2_s390x_emu").unsupported(),
                keyword("zipl").unsupported(),
                keyword("custom").unsupported(),
            ]),
        )
        .doc("Which one.")
        .required(),
        attribute("timeout", Value::Number(0, 86_400))
            .doc("Time limit of the menu in seconds.")
            .default("10"),
        attribute("output_console", Value::ListOf(OUTPUT_CONSOLES))
            .doc("The output console of the menu.")
            .since(V8_4)
            .instead("console"),
        attribute("input_console", Value::ListOf(INPUT_CONSOLES))
            .doc("The input console of the menu.")
            .since(V8_4)
            .instead("console"),
        attribute("console", Value::ListOf(CONSOLES))
            .doc("The output and input console of the menu.")
            .until(V8_3)
            .instead("output_console"),
        attribute("bls", Value::Boolean)
            .doc("Whether entries are files of the Boot Loader Specification.")
            .default("false")
            .not_used(),
        attribute("video_mode", SOME_TEXT).doc("The mode of the screen.").not_used(),
        attribute("serial_line", SOME_TEXT)
            .doc("The setup of the serial line, in GRUB's syntax.")
            .unsupported(),
        attribute("timeout_style", Value::OneOf(&[keyword("menu"), keyword("countdown"), keyword("hidden")]))
            .doc("The style of the menu while it waits.")
            .default("menu")
            .unsupported(),
        attribute(
            "targettype",
            Value::OneOf(&[keyword("FBA"), keyword("SCSI"), keyword("CDL"), keyword("GPT")]),
        )
        .doc("The kind of disk that zipl writes to.")
        .unsupported(),
        attribute("use_disk_password", Value::Boolean)
            .doc("Whether the boot loader unlocks the disk by itself.")
            .default("false")
            .unsupported(),
        attribute("grub_template", SOME_TEXT).doc("A file that replaces GRUB's configuration.").unsupported(),
    ])
    .children(&[once(&BOOTLOADER_SETTINGS), many(&SECURE_LINUX)]);

/// Terminals of GRUB; `console` named both output and input. kiwi treats `vga_text` as the screen, which it is.
const CONSOLES: &[super::Keyword] = &[
    keyword("console"),
    keyword("gfxterm"),
    keyword("serial"),
    keyword("vga_text"),
    keyword("none").unsupported(),
    keyword("mda_text").unsupported(),
    keyword("morse").unsupported(),
    keyword("spkmodem").unsupported(),
    keyword("at_keyboard"),
    keyword("usb_keyboard"),
];

const OUTPUT_CONSOLES: &[super::Keyword] = &[
    keyword("console"),
    keyword("gfxterm"),
    keyword("serial"),
    keyword("vga_text"),
    keyword("none").unsupported(),
    keyword("mda_text").unsupported(),
    keyword("morse").unsupported(),
    keyword("spkmodem").unsupported(),
];

const INPUT_CONSOLES: &[super::Keyword] = &[
    keyword("console"),
    keyword("serial"),
    keyword("none").unsupported(),
    keyword("at_keyboard"),
    keyword("usb_keyboard"),
];

pub(super) static BOOTLOADER_SETTINGS: ElementSchema = element("bootloadersettings")
    .doc("Options of the programs that install the boot loader.")
    .children(&[
        many(&SHIM_OPTION),
        many(&INSTALL_OPTION),
        many(&CONFIG_OPTION),
        once(&container::ENVIRONMENT),
    ])
    .unsupported();
static SHIM_OPTION: ElementSchema =
    element("shimoption").doc("An option of shim-install.").attributes(&[NAME, OPTION_VALUE]);
static INSTALL_OPTION: ElementSchema =
    element("installoption").doc("An option of the installing program.").attributes(&[NAME, OPTION_VALUE]);
static CONFIG_OPTION: ElementSchema =
    element("configoption").doc("An option of the configuring program.").attributes(&[NAME, OPTION_VALUE]);
static SECURE_LINUX: ElementSchema = element("securelinux")
    .doc("Secure execution on IBM Z.")
    .attributes(&[
        attribute("hkd_ca_cert", SOME_TEXT).doc("The certificate of the authority.").required(),
        attribute("hkd_sign_cert", SOME_TEXT).doc("The certificate that signs the host key.").required(),
    ])
    .children(&[many(&HKD_CERT).required(), many(&HKD_REVOCATION_LIST)])
    .unsupported();
static HKD_CERT: ElementSchema =
    element("hkd_cert").doc("The certificate of a host key.").attributes(&[NAME]);
static HKD_REVOCATION_LIST: ElementSchema =
    element("hkd_revocation_list").doc("A list of revoked certificates.").attributes(&[NAME]);

// --- machine

pub(super) static MACHINE: ElementSchema = element("machine")
    .doc("The virtual machine that the disk is for.")
    .attributes(&[
        attribute("memory", Value::Count(1 << 24)).doc("Its memory in mebibytes."),
        attribute("ncpus", Value::Count(4096)).doc("Its number of processors."),
        attribute("guestOS", SOME_TEXT).doc("The system's name in VMware."),
        attribute("HWversion", Value::Integer).doc("The version of its hardware."),
        attribute("arch", Value::OneOf(&[keyword("ix86"), keyword("x86_64"), keyword("%arch").until(V6_9)]))
            .doc("Its architecture.")
            .not_used(),
        attribute("min_memory", Value::Count(1 << 24)).doc("The minimum memory in mebibytes, in an OVA."),
        attribute("max_memory", Value::Count(1 << 24)).doc("The maximum memory in mebibytes, in an OVA."),
        attribute("min_cpu", Value::Count(1 << 24)).doc("The minimum number of processors, in an OVA."),
        attribute("max_cpu", Value::Count(1 << 24)).doc("The maximum number of processors, in an OVA."),
        attribute("des_memory", DIGITS).doc("The desired memory in mebibytes.").until(V6_9).not_used(),
        attribute("des_cpu", DIGITS).doc("The desired number of processors.").until(V6_9).not_used(),
        // `xen_server` of the type replaced it.
        attribute("domain", Value::OneOf(&[keyword("dom0"), keyword("domU")]))
            .doc("Whether it is the host or a guest of Xen.")
            .until(V6_5)
            .not_used(),
        attribute(
            "ovftype",
            Value::OneOf(&[
                keyword("vmware"),
                keyword("zvm").until(V6_9),
                keyword("povervm").until(V6_9),
                keyword("xen").until(V6_9),
            ]),
        )
        .doc("The consumer of the OVF.")
        .default("vmware")
        .unsupported(),
        attribute("xen_loader", Value::OneOf(&[keyword("hvmloader"), keyword("pygrub"), keyword("pvgrub")]))
            .doc("What loads the kernel of a guest of Xen.")
            .unsupported(),
    ])
    .children(&[once(&VM_DISK), once(&VM_DVD), many(&VM_NIC), many(&VM_CONFIG_ENTRY)]);

static VM_DISK: ElementSchema = element("vmdisk").doc("Its disk.").attributes(&[
    attribute(
        "controller",
        Value::OneOf(&[
            keyword("ide"),
            keyword("buslogic"),
            keyword("lsilogic"),
            keyword("lsisas1068"),
            keyword("legacyESX"),
            keyword("pvscsi"),
            keyword("scsi").until(V5_8).instead("lsilogic"),
        ]),
    )
    .doc("Its controller."),
    attribute("id", Value::Number(0, 255)).doc("Its number there."),
    attribute("device", SOME_TEXT).doc("Its name in the machine."),
    attribute("disktype", SOME_TEXT).doc("Its type in VMware.").not_used(),
    attribute(
        "diskmode",
        Value::OneOf(&[
            keyword("monolithicSparse"),
            keyword("monolithicFlat"),
            keyword("twoGbMaxExtentSparse"),
            keyword("twoGbMaxExtentFlat"),
            keyword("streamOptimized"),
        ]),
    )
    .doc("The storage mode in VMware.")
    .default("monolithicSparse"),
]);
static VM_DVD: ElementSchema = element("vmdvd").doc("Its drive for DVDs.").attributes(&[
    attribute("controller", Value::OneOf(&[keyword("ide"), keyword("scsi")]))
        .doc("Its controller.")
        .required(),
    attribute("id", DIGITS).doc("Its number there.").required(),
]);
static VM_NIC: ElementSchema = element("vmnic").doc("A network card.").attributes(&[
    attribute("interface", Value::Text)
        .doc("Its number, or the name of its bridge. An empty text means its position.")
        .required(),
    attribute("driver", SOME_TEXT).doc("The emulated card."),
    attribute("mode", SOME_TEXT).doc("The connection mode."),
    attribute("mac", MAC).doc("Its hardware address."),
]);
static VM_CONFIG_ENTRY: ElementSchema =
    element("vmconfig-entry").doc("A line for the configuration of the machine.").text(SOME_TEXT);

// --- disk layout

pub(super) static SYSTEM_DISK: ElementSchema = element("systemdisk")
    .doc("The volumes of the system.")
    .attributes(&[
        attribute("name", SOME_TEXT).doc("The name of the volume group."),
        attribute("preferlvm", Value::Boolean)
            .doc("Whether logical volumes are used even if the file system has volumes of its own."),
    ])
    .children(&[many(&VOLUME)])
    .unsupported();
pub(super) static VOLUME: ElementSchema = element("volume").doc("One volume.").attributes(&[
    NAME,
    attribute("mountpoint", SOME_TEXT).doc("Its mount point; the default is its name."),
    attribute("size", SIZE_OR_ALL).doc("Its size; `all`: the remaining space."),
    attribute("freespace", SIZE_OR_ALL)
        .doc("Free space in addition to its content; `all`: the remaining space."),
    attribute("parent", SOME_TEXT).doc("The subvolume that contains it."),
    attribute("copy_on_write", Value::Boolean).doc("Whether its files are copied on write."),
    attribute("quota", SIZE).doc("Its maximum size."),
    attribute("filesystem_check", Value::Boolean).doc("Whether it is checked at boot."),
    attribute("label", SOME_TEXT).doc("The label of its file system."),
    attribute("arch", ARCHITECTURES).doc("Its architectures; the default is all of them."),
]);

pub(super) static PARTITIONS: ElementSchema = element("partitions")
    .doc("Partitions of the disk, in front of the system.")
    .children(&[many(&PARTITION).required()]);
static PARTITION: ElementSchema = element("partition").doc("One partition.").attributes(&[
    NAME,
    attribute("size", SIZE).doc("Its size.").required(),
    attribute("part_id", DIGITS).doc("Its number.").unsupported(),
    attribute("partition_name", values::VOLUME_ID)
        .doc("Its name in the table; without, `p.lx` and its name."),
    attribute("partition_type", Value::OneOf(&[keyword("t.linux"), keyword("t.raid").unsupported()]))
        .doc("What it holds."),
    attribute("mountpoint", SOME_TEXT).doc("Where the system mounts it."),
    attribute("filesystem", Value::OneOf(super::filesystems::PARTITION_FILESYSTEMS))
        .doc("Its file system; without, it stays empty."),
    attribute("label", SOME_TEXT).doc("The label of its file system; without, its name in capital letters."),
    attribute("clone", DIGITS).doc("How many copies of it there are.").default("0").unsupported(),
]);

pub(super) static LUKS_FORMAT: ElementSchema = element("luksformat")
    .doc("Options of the encrypted volume.")
    .children(&[many(&LUKS_OPTION).required()])
    .unsupported();
static LUKS_OPTION: ElementSchema =
    element("option").doc("One option of `cryptsetup luksFormat`.").attributes(&[NAME, OPTION_VALUE]);

// --- initrd and installation media

pub(super) static INSTALL_MEDIA: ElementSchema = element("installmedia")
    .doc("The boot image of installation media.")
    .children(&[many(&INITRD)])
    .unsupported();

pub(super) static INITRD: ElementSchema = element("initrd")
    .doc("The modules of the initrd.")
    .attributes(&[attribute(
        "action",
        Value::OneOf(&[keyword("omit"), keyword("add"), keyword("set"), keyword("setup")]),
    )
    .doc("Whether the modules are added, omitted or the only ones.")
    .required()])
    .children(&[many(&DRACUT)])
    .not_used();
static DRACUT: ElementSchema = element("dracut").doc("Something for dracut.").attributes(&[
    attribute("module", SOME_TEXT).doc("A module."),
    attribute("driver", SOME_TEXT).doc("A driver."),
    attribute("uefi", Value::Boolean).doc("Whether kernel and initrd become one EFI program."),
]);
