//! What stands inside `<type>` in today's schema: size, boot loader, machine, and much that is not built yet.

use super::values::{ARCHITECTURES, DIGITS, MAC, SIZE, SIZE_OR_ALL, SOME_TEXT};
use super::{AttributeWord, ElementWord, Value, attribute, element, legacy, many, once, preferences, word};
use crate::SchemaVersion::{V4_7, V4_8, V4_9, V5_8, V5_9, V6_5, V6_8, V6_9, V7_4, V7_5, V8_3, V8_4};

const NAME: AttributeWord = attribute("name", SOME_TEXT).required();
const OPTION_VALUE: AttributeWord = attribute("value", Value::Text);

pub(super) static TYPE_SIZE: ElementWord = element("size")
    .attributes(&[
        preferences::UNIT,
        attribute("additive", Value::Boolean).default("false"),
        attribute("unpartitioned", DIGITS),
    ])
    .text(Value::Number(1, 1 << 40));

// --- boot loader

pub(super) static BOOTLOADER: ElementWord = element("bootloader")
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
        .required(),
        attribute("timeout", Value::Number(0, 86_400)).default("10"),
        attribute("output_console", Value::ListOf(CONSOLES)).since(V8_4).instead("console"),
        attribute("input_console", Value::ListOf(CONSOLES)).since(V8_4).instead("console"),
        attribute("console", Value::ListOf(CONSOLES)).until(V8_3).instead("output_console"),
        attribute("bls", Value::Boolean).default("false").not_used(),
        attribute("video_mode", SOME_TEXT).not_used(),
        attribute("serial_line", SOME_TEXT).not_built(),
        attribute("timeout_style", Value::OneOf(&[word("menu"), word("countdown"), word("hidden")]))
            .default("menu")
            .not_built(),
        attribute("targettype", Value::OneOf(&[word("FBA"), word("SCSI"), word("CDL"), word("GPT")]))
            .not_built(),
        attribute("use_disk_password", Value::Boolean).default("false").not_built(),
        attribute("grub_template", SOME_TEXT).not_built(),
    ])
    .children(&[once(&BOOTLOADER_SETTINGS), once(&SECURE_LINUX)]);

/// Terminals of GRUB; we set up screen and serial line, and take the others for the screen.
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

pub(super) static BOOTLOADER_SETTINGS: ElementWord = element("bootloadersettings")
    .children(&[many(&SHIM_OPTION), many(&INSTALL_OPTION), many(&CONFIG_OPTION), once(&ENVIRONMENT)])
    .not_built();
static SHIM_OPTION: ElementWord = element("shimoption").attributes(&[NAME, OPTION_VALUE]);
static INSTALL_OPTION: ElementWord = element("installoption").attributes(&[NAME, OPTION_VALUE]);
static CONFIG_OPTION: ElementWord = element("configoption").attributes(&[NAME, OPTION_VALUE]);
static SECURE_LINUX: ElementWord = element("securelinux")
    .attributes(&[
        attribute("hkd_ca_cert", SOME_TEXT).required(),
        attribute("hkd_sign_cert", SOME_TEXT).required(),
    ])
    .children(&[many(&HKD_CERT).required(), many(&HKD_REVOCATION_LIST)])
    .not_built();
static HKD_CERT: ElementWord = element("hkd_cert").attributes(&[NAME]);
static HKD_REVOCATION_LIST: ElementWord = element("hkd_revocation_list").attributes(&[NAME]);

// --- machine

pub(super) static MACHINE: ElementWord = element("machine")
    .attributes(&[
        attribute("memory", Value::Number(1, 1 << 24)),
        attribute("ncpus", Value::Number(1, 4096)).not_used(),
        attribute("guestOS", SOME_TEXT).not_used(),
        attribute("HWversion", Value::Integer).not_used(),
        attribute("arch", Value::OneOf(&[word("ix86"), word("x86_64"), word("%arch").until(V6_9)]))
            .not_used(),
        attribute("min_memory", DIGITS).not_used(),
        attribute("max_memory", DIGITS).not_used(),
        attribute("min_cpu", DIGITS).not_used(),
        attribute("max_cpu", DIGITS).not_used(),
        attribute("des_memory", DIGITS).until(V6_9).not_used(),
        attribute("des_cpu", DIGITS).until(V6_9).not_used(),
        // `xen_server` of the type took its place.
        attribute("domain", Value::OneOf(&[word("dom0"), word("domU")])).until(V6_5).not_used(),
        attribute(
            "ovftype",
            Value::OneOf(&[
                word("vmware"),
                word("zvm").until(V6_9),
                word("povervm").until(V6_9),
                word("xen").until(V6_9),
            ]),
        )
        .not_built(),
        attribute("xen_loader", Value::OneOf(&[word("hvmloader"), word("pygrub"), word("pvgrub")]))
            .not_built(),
    ])
    .children(&[once(&VM_DISK), once(&VM_DVD), many(&VM_NIC), many(&VM_CONFIG_ENTRY)]);

static VM_DISK: ElementWord = element("vmdisk").attributes(&[
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
    ),
    attribute("id", Value::Number(0, 255)),
    attribute("device", SOME_TEXT),
    attribute("disktype", SOME_TEXT).not_used(),
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
    .default("monolithicSparse")
    .not_built(),
]);
static VM_DVD: ElementWord = element("vmdvd")
    .attributes(&[
        attribute("controller", Value::OneOf(&[word("ide"), word("scsi")])).required(),
        attribute("id", DIGITS).required(),
    ])
    .not_used();
static VM_NIC: ElementWord = element("vmnic")
    .attributes(&[
        attribute("interface", SOME_TEXT).required(),
        attribute("driver", SOME_TEXT),
        attribute("mode", SOME_TEXT),
        attribute("mac", MAC),
    ])
    .not_used();
static VM_CONFIG_ENTRY: ElementWord = element("vmconfig-entry").text(SOME_TEXT).not_used();

// --- oemconfig

/// A switch of `<oemconfig>` that is off here.
const fn off(name: &'static str) -> ElementWord {
    element(name).text(Value::Boolean).default("false").not_built()
}

/// A setting of `<oemconfig>` for something that is not built.
const fn later(name: &'static str) -> ElementWord {
    element(name).text(SOME_TEXT).not_built()
}

pub(super) static OEM_BOOT_TITLE: ElementWord = element("oem-boot-title").text(SOME_TEXT).not_used();
pub(super) static OEM_REBOOT: ElementWord = off("oem-reboot");
pub(super) static OEM_SWAP: ElementWord = off("oem-swap");
pub(super) static OEM_SWAP_SIZE: ElementWord = later("oem-swapsize");
pub(super) static OEM_SYSTEM_SIZE: ElementWord = later("oem-systemsize");
pub(super) static OEM_UNATTENDED: ElementWord = off("oem-unattended");
pub(super) static OEM_RECOVERY: ElementWord = off("oem-recovery");
pub(super) static OEM_KIWI_INITRD: ElementWord = off("oem-kiwi-initrd");

pub(super) static OEM_CONFIG: ElementWord = element("oemconfig").children(&[
    once(&{ element("oem-resize").text(Value::Boolean) }),
    once(&OEM_BOOT_TITLE),
    once(&{ element("oem-multipath-scan").text(Value::Boolean).default("false").not_used() }),
    once(&off("oem-resize-once")),
    once(&off("oem-bootwait")).since(V4_9),
    once(&off("oem-inplace-recovery")),
    once(&OEM_KIWI_INITRD),
    once(&off("oem-partition-install")),
    once(&OEM_REBOOT),
    once(&off("oem-reboot-interactive")),
    once(&OEM_RECOVERY),
    once(&off("oem-shutdown")),
    once(&off("oem-shutdown-interactive")),
    once(&off("oem-silent-boot")),
    once(&off("oem-silent-install")),
    once(&off("oem-silent-verify")),
    once(&off("oem-skip-verify")),
    once(&OEM_SWAP),
    once(&OEM_UNATTENDED),
    once(&later("oem-ramdisk-size")),
    once(&later("oem-device-filter")),
    once(&later("oem-nic-filter")),
    once(&later("oem-vmcp-parmfile")),
    once(&later("oem-recoveryID")),
    once(&later("oem-recovery-part-size")),
    once(&OEM_SWAP_SIZE),
    once(&later("oem-swapname")),
    once(&OEM_SYSTEM_SIZE),
    once(&later("oem-unattended-id")),
    once(&legacy::OEM_HOME).until(V4_7),
    once(&legacy::OEM_DUMPHALT).until(V4_8),
    once(&{ element("oem-align-partition").text(Value::Boolean).not_used() }).until(V5_9),
    once(&{ element("oem-ataraid-scan").text(Value::Boolean).not_used() }).until(V6_8),
]);

// --- disk layout

pub(super) static SYSTEM_DISK: ElementWord = element("systemdisk")
    .attributes(&[attribute("name", SOME_TEXT), attribute("preferlvm", Value::Boolean)])
    .children(&[many(&VOLUME)])
    .not_built();
pub(super) static VOLUME: ElementWord = element("volume").attributes(&[
    NAME,
    attribute("mountpoint", SOME_TEXT),
    attribute("size", SIZE_OR_ALL),
    attribute("freespace", SIZE_OR_ALL),
    attribute("parent", SOME_TEXT),
    attribute("copy_on_write", Value::Boolean),
    attribute("quota", SIZE),
    attribute("filesystem_check", Value::Boolean),
    attribute("label", SOME_TEXT),
    attribute("arch", ARCHITECTURES),
]);

pub(super) static PARTITIONS: ElementWord =
    element("partitions").children(&[many(&PARTITION).required()]).not_built();
static PARTITION: ElementWord = element("partition").attributes(&[
    NAME,
    attribute("size", SIZE).required(),
    attribute("part_id", DIGITS),
    attribute("partition_name", SOME_TEXT),
    attribute("partition_type", Value::OneOf(&[word("t.linux"), word("t.raid")])),
    attribute("mountpoint", SOME_TEXT),
    attribute("filesystem", SOME_TEXT),
    attribute("label", SOME_TEXT),
    attribute("clone", DIGITS),
]);

pub(super) static LUKS_FORMAT: ElementWord =
    element("luksformat").children(&[many(&LUKS_OPTION).required()]).not_built();
static LUKS_OPTION: ElementWord = element("option").attributes(&[NAME, OPTION_VALUE]);

// --- initrd and installation media

pub(super) static INSTALL_MEDIA: ElementWord = element("installmedia").children(&[many(&INITRD)]).not_built();

pub(super) static INITRD: ElementWord = element("initrd")
    .attributes(&[attribute(
        "action",
        Value::OneOf(&[word("omit"), word("add"), word("set"), word("setup")]),
    )
    .required()])
    .children(&[many(&DRACUT)])
    .not_used();
static DRACUT: ElementWord = element("dracut").attributes(&[
    attribute("module", SOME_TEXT),
    attribute("driver", SOME_TEXT),
    attribute("uefi", Value::Boolean),
]);

// --- containers and boxes

pub(super) static CONTAINER_CONFIG: ElementWord = element("containerconfig")
    .attributes(&[
        attribute("name", SOME_TEXT),
        attribute("tag", SOME_TEXT),
        attribute("additionalnames", SOME_TEXT).since(V7_5).instead("additionaltags"),
        attribute("additionaltags", SOME_TEXT).until(V7_4).instead("additionalnames"),
        attribute("maintainer", SOME_TEXT),
        attribute("user", SOME_TEXT),
        attribute("workingdir", SOME_TEXT),
    ])
    .children(&[
        once(&ENTRYPOINT),
        once(&SUBCOMMAND),
        once(&EXPOSE),
        once(&VOLUMES),
        once(&STOP_SIGNAL),
        once(&ENVIRONMENT),
        once(&LABELS),
        once(&HISTORY),
    ])
    .not_built();
const COMMAND: &[AttributeWord] = &[attribute("execute", SOME_TEXT), attribute("clear", Value::Boolean)];
static ENTRYPOINT: ElementWord = element("entrypoint").attributes(COMMAND).children(&[many(&ARGUMENT)]);
static SUBCOMMAND: ElementWord = element("subcommand").attributes(COMMAND).children(&[many(&ARGUMENT)]);
static ARGUMENT: ElementWord = element("argument").attributes(&[NAME]);
static EXPOSE: ElementWord = element("expose").children(&[many(&PORT).required()]);
static PORT: ElementWord = element("port").attributes(&[attribute("number", SOME_TEXT).required()]);
static VOLUMES: ElementWord = element("volumes").children(&[many(&CONTAINER_VOLUME).required()]);
static CONTAINER_VOLUME: ElementWord = element("volume").attributes(&[NAME]);
static STOP_SIGNAL: ElementWord = element("stopsignal").text(SOME_TEXT);
static ENVIRONMENT: ElementWord = element("environment").children(&[many(&ENV).required()]);
static ENV: ElementWord = element("env").attributes(&[NAME, attribute("value", Value::Text).required()]);
static LABELS: ElementWord = element("labels").children(&[many(&LABEL).required()]);
static LABEL: ElementWord = element("label").attributes(&[NAME, attribute("value", Value::Text).required()]);
static HISTORY: ElementWord = element("history")
    .attributes(&[
        attribute("created_by", SOME_TEXT),
        attribute("author", SOME_TEXT),
        attribute("application_id", SOME_TEXT),
        attribute("package_version", SOME_TEXT),
        attribute("launcher", SOME_TEXT),
    ])
    .optional_text(Value::Text);

pub(super) static VAGRANT_CONFIG: ElementWord = element("vagrantconfig")
    .attributes(&[
        attribute("provider", Value::OneOf(&[word("libvirt"), word("virtualbox")])).required(),
        attribute("virtualsize", DIGITS).required(),
        attribute("boxname", SOME_TEXT),
        attribute("virtualbox_guest_additions_present", Value::Boolean),
        attribute("embedded_vagrantfile", SOME_TEXT),
    ])
    .not_built();
