//! Containers and boxes, inside `<type>`.

use super::values::{DIGITS, SOME_TEXT};
use super::{AttributeWord, ElementWord, Value, attribute, element, many, once, values, word};
use crate::SchemaVersion::{V7_4, V7_5};

const NAME: AttributeWord = attribute("name", SOME_TEXT).doc("Its name.").required();

pub(super) static CONTAINER_CONFIG: ElementWord = element("containerconfig")
    .doc("What a container is, and what it starts.")
    .attributes(&[
        attribute("name", SOME_TEXT).doc("The name of the container.").required(),
        attribute("tag", SOME_TEXT).doc("Its tag."),
        attribute("additionalnames", SOME_TEXT)
            .doc("Further names, `NAME:TAG` or `:TAG`, separated by commas.")
            .since(V7_5)
            .instead("additionaltags"),
        attribute("additionaltags", SOME_TEXT)
            .doc("Further tags, separated by commas.")
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
    .not_built();
const COMMAND: &[AttributeWord] = &[
    attribute("execute", SOME_TEXT).doc("The program."),
    attribute("clear", Value::Boolean).doc("Whether that of the base counts no more."),
];
static ENTRYPOINT: ElementWord =
    element("entrypoint").doc("The program it starts.").attributes(COMMAND).children(&[many(&ARGUMENT)]);
static SUBCOMMAND: ElementWord = element("subcommand")
    .doc("What the program gets as its arguments.")
    .attributes(COMMAND)
    .children(&[many(&ARGUMENT)]);
static ARGUMENT: ElementWord = element("argument").doc("One argument.").attributes(&[NAME]);
static EXPOSE: ElementWord =
    element("expose").doc("Ports that others reach.").children(&[many(&PORT).required()]);
static PORT: ElementWord = element("port").doc("One port.").attributes(&[attribute("number", values::PORT)
    .doc("Its number, `/udp` or `/tcp` after it.")
    .required()]);
static VOLUMES: ElementWord = element("volumes")
    .doc("Directories that outlive the container.")
    .children(&[many(&CONTAINER_VOLUME).required()]);
static CONTAINER_VOLUME: ElementWord = element("volume").doc("One volume.").attributes(&[NAME]);
static STOP_SIGNAL: ElementWord = element("stopsignal").doc("The signal that ends it.").text(SOME_TEXT);
pub(super) static ENVIRONMENT: ElementWord =
    element("environment").doc("Variables of the environment.").children(&[many(&ENV).required()]);
static ENV: ElementWord = element("env")
    .doc("One variable.")
    .attributes(&[NAME, attribute("value", Value::Text).doc("Its value.").required()]);
static LABELS: ElementWord = element("labels").doc("Labels.").children(&[many(&LABEL).required()]);
static LABEL: ElementWord = element("label")
    .doc("One label.")
    .attributes(&[NAME, attribute("value", Value::Text).doc("Its value.").required()]);
static HISTORY: ElementWord = element("history")
    .doc("Where it came from; its text is a comment.")
    .attributes(&[
        attribute("created_by", SOME_TEXT).doc("The program that made it."),
        attribute("author", SOME_TEXT).doc("Who made it."),
        attribute("application_id", SOME_TEXT).doc("The identifier of an appx."),
        attribute("package_version", values::PACKAGE_VERSION).doc("The version of an appx."),
        attribute("launcher", SOME_TEXT).doc("The program of an appx."),
    ])
    .optional_text(Value::Text);

pub(super) static VAGRANT_CONFIG: ElementWord = element("vagrantconfig")
    .doc("The box of a disk for Vagrant.")
    .attributes(&[
        attribute("provider", Value::OneOf(&[word("libvirt"), word("virtualbox")]))
            .doc("For which machines.")
            .required(),
        attribute("virtualsize", DIGITS).doc("The size of the disk in gibibytes.").required(),
        attribute("boxname", SOME_TEXT).doc("The name of the box."),
        attribute("virtualbox_guest_additions_present", Value::Boolean)
            .doc("Whether the image has the additions of VirtualBox."),
        attribute("embedded_vagrantfile", SOME_TEXT).doc("A file that goes into the box."),
    ])
    .not_built();
