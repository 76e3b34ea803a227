//! `<deploy>`: how the disk of a machine is divided, and how a network client is set up. Schema 8.5 dropped it; we keep it.

use super::values::SOME_TEXT;
use super::{
    AttributeSchema, ChildSchema, ElementSchema, Value, attribute, element, keyword, many, once, values,
};
use crate::SchemaVersion::V2_0;

/// The section.
pub(super) static DEPLOY: ElementSchema = element("deploy")
    .doc("How the disk of a machine is divided, and how one that boots from the network is set up.")
    .attributes(ATTRIBUTES)
    .children(CHILDREN)
    .instead("pxedeploy");

pub(super) const ATTRIBUTES: &[AttributeSchema] = &[
    attribute("server", SOME_TEXT).doc("The server it fetches from.").default("192.168.1.1"),
    attribute("blocksize", Value::Number(8, 65464))
        .doc("The size of a block of the transfer.")
        .default("4096"),
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
    .attributes(&[attribute("device", SOME_TEXT).doc("The disk; without, the first one.")])
    .children(&[many(&PARTITION)]);

static PARTITION: ElementSchema = element("partition").doc("One partition.").attributes(&[
    attribute("type", SOME_TEXT).doc("Its type, as sfdisk takes it.").default("L"),
    attribute("number", Value::Number(1, 128)).doc("Its number.").required(),
    attribute("size", PARTITION_SIZE).doc("Its size.").default("x"),
    attribute("mountpoint", SOME_TEXT).doc("Where it is mounted."),
    attribute("target", Value::Boolean).doc("Whether the system goes there.").default("false"),
]);

const PARTITION_SIZE: Value = Value::Form(
    "a number of megabytes, `image` (what the image needs) or `x` (the rest of the disk)",
    |text| text == "x" || text == "image" || values::number(text).is_some_and(|size| size > 0),
);

static UNION: ElementSchema = element("union").doc("What lies over a read-only system.").attributes(&[
    attribute("rw", SOME_TEXT).doc("The device that is written to.").required(),
    attribute("ro", SOME_TEXT).doc("The device that is not.").required(),
    attribute(
        "type",
        Value::OneOf(&[
            keyword("aufs"),
            keyword("unionfs"),
            keyword("overlay").since(V2_0),
            keyword("clicfs").since(V2_0),
        ]),
    )
    .doc("What puts both together.")
    .default("aufs"),
]);

static CONFIGURATION: ElementSchema =
    element("configuration").doc("A file that the machine fetches.").attributes(&[
        attribute("source", SOME_TEXT).doc("Where it is on the server.").required(),
        attribute("dest", SOME_TEXT).doc("Where it goes.").required(),
        attribute("arch", values::ARCHITECTURES)
            .doc("The architectures it belongs to; without, it belongs to all.")
            .since(V2_0),
    ]);

static TIMEOUT: ElementSchema =
    element("timeout").doc("The seconds that a transfer may take.").text(Value::Number(0, u32::MAX as u64));
static COMMAND_LINE: ElementSchema = element("commandline").doc("Parameters of the kernel.").text(SOME_TEXT);
static KERNEL: ElementSchema =
    element("kernel").doc("The kernel, when it is not that of the boot image.").text(SOME_TEXT);
static INITRD: ElementSchema = element("initrd").doc("What the initrd is made of.").text(SOME_TEXT);
