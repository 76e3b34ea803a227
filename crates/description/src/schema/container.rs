//! Containers and boxes, inside `<type>`.

use super::values::{DIGITS, SOME_TEXT};
use super::{AttributeSchema, ElementSchema, Value, attribute, element, keyword, many, once, values};
use crate::SchemaVersion::{V7_4, V7_5};

const NAME: AttributeSchema = attribute("name", SOME_TEXT).doc("Its name.").required();

pub(super) static CONTAINER_CONFIG: ElementSchema = element("containerconfig")
    .doc("What a container is, and what it starts.")
    .attributes(&[
        attribute("name", SOME_TEXT).doc("The name of the container.").required(),
        attribute("tag", SOME_TEXT).doc("Its tag."),
        attribute("additionalnames", SOME_TEXT)
            .doc("NextLayer names, `NAME:TAG` or `:TAG`, separated by commas.")
            .since(V7_5)
            .instead("additionaltags"),
        attribute("additionaltags", SOME_TEXT)
            .doc("NextLayer tags, separated by commas.")
            .until(V7_4)
            .instead("additionalnames"),
        attribute("maintainer", SOME_TEXT).doc("Who maintains it."),
        attribute("user", SOME_TEXT).doc("The user who runs its program."),
        attribute("workingdir", SOME_TEXT).doc("The directory its program starts in."),
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
    .unsupported();
const COMMAND: &[AttributeSchema] = &[
    attribute("execute", SOME_TEXT).doc("The program."),
    attribute("clear", Value::Boolean).doc("Whether that of the base counts no more."),
];
static ENTRYPOINT: ElementSchema =
    element("entrypoint").doc("The program it starts.").attributes(COMMAND).children(&[many(&ARGUMENT)]);
static SUBCOMMAND: ElementSchema = element("subcommand")
    .doc("What the program gets as its arguments.")
    .attributes(COMMAND)
    .children(&[many(&ARGUMENT)]);
static ARGUMENT: ElementSchema = element("argument").doc("One argument.").attributes(&[NAME]);
static EXPOSE: ElementSchema =
    element("expose").doc("Ports that others reach.").children(&[many(&PORT).required()]);
static PORT: ElementSchema =
    element("port").doc("One port.").attributes(&[attribute("number", values::PORT)
        .doc("Its number, `/udp` or `/tcp` after it.")
        .required()]);
static VOLUMES: ElementSchema = element("volumes")
    .doc("Directories that outlive the container.")
    .children(&[many(&CONTAINER_VOLUME).required()]);
static CONTAINER_VOLUME: ElementSchema = element("volume").doc("One volume.").attributes(&[NAME]);
static STOP_SIGNAL: ElementSchema = element("stopsignal").doc("The signal that ends it.").text(SOME_TEXT);
pub(super) static ENVIRONMENT: ElementSchema =
    element("environment").doc("Variables of the environment.").children(&[many(&ENV).required()]);
static ENV: ElementSchema = element("env")
    .doc("One variable.")
    .attributes(&[NAME, attribute("value", Value::Text).doc("Its value.").required()]);
static LABELS: ElementSchema = element("labels").doc("Labels.").children(&[many(&LABEL).required()]);
static LABEL: ElementSchema = element("label")
    .doc("One label.")
    .attributes(&[NAME, attribute("value", Value::Text).doc("Its value.").required()]);
static HISTORY: ElementSchema = element("history")
    .doc("Where it came from; its text is a comment.")
    .attributes(&[
        attribute("created_by", SOME_TEXT).doc("The program that made it."),
        attribute("author", SOME_TEXT).doc("Who made it."),
        attribute("application_id", SOME_TEXT).doc("The identifier of an appx."),
        attribute("package_version", values::PACKAGE_VERSION).doc("The version of an appx."),
        attribute("launcher", SOME_TEXT).doc("The program of an appx."),
    ])
    .optional_text(Value::Text);

pub(super) static VAGRANT_CONFIG: ElementSchema = element("vagrantconfig")
    .doc("The box of a disk for Vagrant.")
    .attributes(&[
        attribute("provider", Value::OneOf(&[keyword("libvirt"), keyword("virtualbox")]))
            .doc("For which machines.")
            .required(),
        attribute("virtualsize", DIGITS).doc("The size of the disk in gibibytes.").required(),
        attribute("boxname", SOME_TEXT).doc("The name of the box."),
        attribute("virtualbox_guest_additions_present", Value::Boolean)
            .doc("Whether the image has the additions of VirtualBox."),
        attribute("embedded_vagrantfile", SOME_TEXT).doc("A file that goes into the box."),
    ])
    .unsupported();
