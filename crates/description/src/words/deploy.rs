//! `<deploy>`: how a network client is set up. Schema 8.5 dropped it; we keep it.

use super::values::SOME_TEXT;
use super::{AttributeWord, ChildWord, ElementWord, Value, attribute, element, many, once, values, word};
use crate::SchemaVersion::V2_0;

/// The section.
pub(super) static DEPLOY: ElementWord =
    element("deploy").attributes(ATTRIBUTES).children(CHILDREN).instead("pxedeploy");

pub(super) const ATTRIBUTES: &[AttributeWord] = &[
    attribute("server", SOME_TEXT).default("192.168.1.1"),
    attribute("blocksize", Value::Number(8, 65464)).default("4096"),
];

pub(super) const CHILDREN: &[ChildWord] = &[
    once(&PARTITIONS),
    once(&UNION),
    many(&CONFIGURATION),
    once(&TIMEOUT),
    once(&COMMAND_LINE),
    once(&KERNEL),
    once(&INITRD),
];

static PARTITIONS: ElementWord =
    element("partitions").attributes(&[attribute("device", SOME_TEXT)]).children(&[many(&PARTITION)]);

static PARTITION: ElementWord = element("partition").attributes(&[
    attribute("type", SOME_TEXT).default("L"),
    attribute("number", Value::Number(1, 128)).required(),
    attribute("size", PARTITION_SIZE).default("x"),
    attribute("mountpoint", SOME_TEXT),
    attribute("target", Value::Boolean).default("false"),
]);

const PARTITION_SIZE: Value = Value::Form(
    "a number of megabytes, `image` (what the image needs) or `x` (the rest of the disk)",
    |text| text == "x" || text == "image" || values::number(text).is_some_and(|size| size > 0),
);

static UNION: ElementWord = element("union").attributes(&[
    attribute("rw", SOME_TEXT).required(),
    attribute("ro", SOME_TEXT).required(),
    attribute(
        "type",
        Value::OneOf(&[
            word("aufs"),
            word("unionfs"),
            word("overlay").since(V2_0),
            word("clicfs").since(V2_0),
        ]),
    )
    .default("aufs"),
]);

static CONFIGURATION: ElementWord = element("configuration").attributes(&[
    attribute("source", SOME_TEXT).required(),
    attribute("dest", SOME_TEXT).required(),
    attribute("arch", values::ARCHITECTURES).since(V2_0),
]);

static TIMEOUT: ElementWord = element("timeout").text(Value::Number(0, u32::MAX as u64));
static COMMAND_LINE: ElementWord = element("commandline").text(SOME_TEXT);
static KERNEL: ElementWord = element("kernel").text(SOME_TEXT);
static INITRD: ElementWord = element("initrd").text(SOME_TEXT);
