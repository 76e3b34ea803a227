//! `<deploy>`: the partitions of a machine's disk, and the setup of a network client. Schema 8.5 dropped it; kiwi keeps it.

use super::values::SOME_TEXT;
use super::{
    AttributeSchema, ChildSchema, ElementSchema, Value, attribute, element, keyword, many, once, values,
};
use crate::SchemaVersion::V2_0;

/// The section.
pub(super) static DEPLOY: ElementSchema = element("deploy")
    .doc("The partitions of a machine's disk, and the setup of a machine that boots from the network.")
    .attributes(ATTRIBUTES)
    .children(CHILDREN)
    .own()
    .instead("pxedeploy");

pub(super) const ATTRIBUTES: &[AttributeSchema] = &[
    attribute("server", SOME_TEXT).doc("Its server; without, the one that its configuration comes from."),
    attribute("blocksize", Value::Number(8, 65464)).doc("The block size of TFTP in bytes."),
];

pub(super) const CHILDREN: &[ChildSchema] = &[
    once(&PARTITIONS),
    once(&UNION),
    many(&CONFIGURATION),
    once(&TIMEOUT),
    once(&COMMAND_LINE),
    once(&KERNEL),
    once(&INITRD),
];

static PARTITIONS: ElementSchema = element("partitions")
    .doc("Partitions of the disk.")
    .attributes(&[attribute("device", SOME_TEXT).doc("The disk; a network client needs it.")])
    .children(&[many(&PARTITION)]);

static PARTITION: ElementSchema = element("partition").doc("One partition.").attributes(&[
    attribute("type", SOME_TEXT).doc("Its type, in the notation of sfdisk.").default("L"),
    attribute("number", Value::Number(1, 128)).doc("Its number.").required(),
    attribute("size", PARTITION_SIZE).doc("Its size.").default("x"),
    attribute("mountpoint", SOME_TEXT).doc("Its mount point."),
    attribute("target", Value::Boolean).doc("Whether it receives the system.").default("false"),
]);

const PARTITION_SIZE: Value = Value::Form(
    "a number of megabytes, `image` (the size of the image) or `x` (the rest of the disk)",
    |text| text == "x" || text == "image" || values::number(text).is_some_and(|size| size > 0),
);

static UNION: ElementSchema =
    element("union").doc("The writable layer over a read-only system.").attributes(&[
        attribute("rw", SOME_TEXT).doc("The writable device.").required(),
        attribute("ro", SOME_TEXT).doc("The device that is not.").required(),
        attribute(
            "type",
            Value::OneOf(&[
                keyword("aufs"),
                keyword("unionfs"),
                keyword("overlay").since(V2_0),
                keyword("clicfs").since(V2_0).unsupported(),
            ]),
        )
        .doc("What puts both together.")
        .default("aufs"),
    ]);

static CONFIGURATION: ElementSchema =
    element("configuration").doc("A file that the machine fetches.").attributes(&[
        attribute("source", SOME_TEXT).doc("Its path on the server.").required(),
        attribute("dest", SOME_TEXT).doc("Where it goes.").required(),
        attribute("arch", values::ARCHITECTURES)
            .doc("Its architectures; the default is all of them.")
            .since(V2_0),
    ]);

static TIMEOUT: ElementSchema = element("timeout")
    .doc("The seconds that the boot menu of the disk is shown.")
    .text(Value::Number(0, u32::MAX as u64));
static COMMAND_LINE: ElementSchema =
    element("commandline").doc("Kernel parameters of boots from the disk.").text(SOME_TEXT);
static KERNEL: ElementSchema =
    element("kernel").doc("The path on the server of the kernel for boots from the disk.").text(SOME_TEXT);
static INITRD: ElementSchema = element("initrd")
    .doc("The path on the server of the boot image for boots from the disk.")
    .text(SOME_TEXT);
