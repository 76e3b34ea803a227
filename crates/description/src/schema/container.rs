//! Containers and boxes, inside `<type>`.

use super::values::{RELATIVE_PATH, SOME_TEXT};
use super::{AttributeSchema, ElementSchema, Value, attribute, element, keyword, many, once, values};
use crate::SchemaVersion::{V7_4, V7_5};

const NAME: AttributeSchema = attribute("name", SOME_TEXT).doc("Its name.").required();

pub(super) static CONTAINER_CONFIG: ElementSchema = element("containerconfig")
    .doc("The metadata of a container.")
    .attributes(&[
        attribute("name", SOME_TEXT).doc("The name of the container.").required(),
        attribute("tag", SOME_TEXT).doc("Its tag."),
        attribute("additionalnames", SOME_TEXT)
            .doc("Additional names, `NAME:TAG` or `:TAG`, separated by commas.")
            .since(V7_5)
            .instead("additionaltags"),
        attribute("additionaltags", SOME_TEXT)
            .doc("Additional tags, separated by commas.")
            .until(V7_4)
            .instead("additionalnames"),
        attribute("maintainer", SOME_TEXT).doc("Who maintains it."),
        attribute("user", SOME_TEXT).doc("The user who runs its program."),
        attribute("workingdir", SOME_TEXT).doc("The working directory of its program."),
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
    ]);
const COMMAND: &[AttributeSchema] = &[
    attribute("execute", SOME_TEXT).doc("The program."),
    attribute("clear", Value::Boolean).doc("Whether it removes that of the base image."),
];
static ENTRYPOINT: ElementSchema =
    element("entrypoint").doc("Its program.").attributes(COMMAND).children(&[many(&ARGUMENT)]);
static SUBCOMMAND: ElementSchema = element("subcommand")
    .doc("The arguments of its program.")
    .attributes(COMMAND)
    .children(&[many(&ARGUMENT)]);
static ARGUMENT: ElementSchema = element("argument").doc("One argument.").attributes(&[NAME]);
static EXPOSE: ElementSchema = element("expose").doc("Published ports.").children(&[many(&PORT).required()]);
static PORT: ElementSchema =
    element("port").doc("One port.").attributes(&[attribute("number", values::PORT)
        .doc("Its number, optionally followed by `/udp` or `/tcp`.")
        .required()]);
static VOLUMES: ElementSchema = element("volumes")
    .doc("Directories that outlive the container.")
    .children(&[many(&CONTAINER_VOLUME).required()]);
static CONTAINER_VOLUME: ElementSchema = element("volume").doc("One volume.").attributes(&[NAME]);
static STOP_SIGNAL: ElementSchema = element("stopsignal").doc("The signal that stops it.").text(SOME_TEXT);
pub(super) static ENVIRONMENT: ElementSchema =
    element("environment").doc("Environment variables.").children(&[many(&ENV).required()]);
static ENV: ElementSchema = element("env")
    .doc("One variable.")
    .attributes(&[NAME, attribute("value", Value::Text).doc("Its value.").required()]);
static LABELS: ElementSchema = element("labels").doc("Labels.").children(&[many(&LABEL).required()]);
static LABEL: ElementSchema = element("label")
    .doc("One label.")
    .attributes(&[NAME, attribute("value", Value::Text).doc("Its value.").required()]);
static HISTORY: ElementSchema = element("history")
    .doc("Its origin; the text is a comment.")
    .attributes(&[
        attribute("created_by", SOME_TEXT).doc("The program that created it."),
        attribute("author", SOME_TEXT).doc("Who made it."),
        attribute("application_id", SOME_TEXT).doc("The identifier of an appx."),
        attribute("package_version", values::PACKAGE_VERSION).doc("The version of an appx."),
        attribute("launcher", SOME_TEXT).doc("The program of an appx."),
    ])
    .optional_text(Value::Text);

pub(super) static VAGRANT_CONFIG: ElementSchema =
    element("vagrantconfig").doc("The Vagrant box of a disk.").attributes(&[
        attribute("provider", Value::OneOf(&[keyword("libvirt"), keyword("virtualbox")]))
            .doc("For which machines.")
            .required(),
        attribute("virtualsize", Value::Number(1, 1 << 16))
            .doc("The size of the disk in gibibytes.")
            .required(),
        attribute("boxname", SOME_TEXT).doc("The name of the box."),
        attribute("virtualbox_guest_additions_present", Value::Boolean)
            .doc("Whether the image has the VirtualBox guest additions."),
        attribute("embedded_vagrantfile", RELATIVE_PATH)
            .doc("A file beside the description to include in the box."),
    ]);
