//! `<image>`: the root of a description.

use super::oem::OEM_CONFIG;
use super::packages::PACKAGES;
use super::sections::{
    CERTIFICATES, CONTAINERS, DRIVERS, EXTENSION, INCLUDE, INSTSOURCE, PROFILES_SECTION, REPOSITORY, SPLIT,
    STRIP, USERS,
};
use super::values::{IMAGE_ID, IMAGE_NAME, SOME_TEXT};
use super::{
    AttributeSchema, ElementSchema, Value, attribute, deploy, element, keyword, legacy, many, once,
    preferences,
};
use crate::SchemaVersion::{V2_0, V2_4, V3_5, V3_8, V3_9, V7_0};

/// The root element.
pub(crate) static IMAGE: ElementSchema = element("image")
    .doc("A description: the root of every file.")
    .attributes(&[
        attribute("name", IMAGE_NAME)
            .doc("The name of the image, with which the names of all results start.")
            .required(),
        attribute("schemeversion", SOME_TEXT)
            .doc("The schema version of the file.")
            .until(V2_4)
            .required()
            .instead("schemaversion"),
        attribute("schemaversion", SOME_TEXT)
            .doc("The schema version of the file.")
            .since(V3_5)
            .required()
            .instead("schemeversion"),
        attribute("inherit", SOME_TEXT)
            .doc("Another description, whose packages come before those of this one.")
            .own(),
        attribute("displayname", Value::Text).doc("The name in boot menus.").since(V2_0),
        attribute("id", IMAGE_ID).doc("A text to write to `/etc/ImageID` of the image.").since(V2_0),
        attribute("kiwirevision", Value::Text)
            .doc("The revision of KIWI that the file was written for.")
            .since(V2_0)
            .until(V7_0)
            .not_used(),
    ])
    .children(&[
        once(&DESCRIPTION).required(),
        once(&preferences::PREFERENCES).required().many_since(V2_0),
        once(&PROFILES_SECTION).many_since(V2_0),
        once(&INSTSOURCE),
        many(&USERS),
        many(&DRIVERS),
        many(&REPOSITORY),
        once(&deploy::DEPLOY),
        once(&SPLIT),
        // Before 4.1 these applied to all types at once.
        once(&legacy::PXE_DEPLOY).since(V3_8).until(V3_9),
        once(&OEM_CONFIG).since(V3_9).until(V3_9),
        once(&legacy::LVM_VOLUMES).since(V2_0).until(V3_9),
        once(&legacy::VMWARE_CONFIG).since(V2_4).until(V3_9),
        once(&legacy::XEN_CONFIG).since(V2_4).until(V3_9),
        many(&PACKAGES),
        many(&INCLUDE).since(V2_0),
        once(&CERTIFICATES).since(V2_0),
        many(&STRIP).since(V2_0),
        many(&CONTAINERS).since(V2_0),
        once(&EXTENSION).since(V2_0),
    ]);

static DESCRIPTION: ElementSchema =
    element("description").doc("Author and purpose of the image.").attributes(&[KIND]).children(&[
        once(&AUTHOR).required(),
        many(&CONTACT).required(),
        once(&SPECIFICATION).required(),
        once(&LICENSE).since(V2_0),
    ]);

const KIND: AttributeSchema = attribute("type", Value::OneOf(&[keyword("system"), keyword("boot")]))
    .doc("`system`: an image to be used; `boot`: one that boots another.")
    .required();

static AUTHOR: ElementSchema =
    element("author").doc("The author of the description.").optional_text(Value::Text);
static CONTACT: ElementSchema =
    element("contact").doc("The author's contact address.").optional_text(Value::Text);
static SPECIFICATION: ElementSchema =
    element("specification").doc("A description of the image in a sentence.").optional_text(Value::Text);
static LICENSE: ElementSchema =
    element("license").doc("The licence of the description.").optional_text(Value::Text);
