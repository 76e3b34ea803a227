//! `<image>`: the root of a description.

use super::sections::{
    CERTIFICATES, CONTAINERS, DRIVERS, EXTENSION, INCLUDE, INSTSOURCE, PACKAGES, PROFILES_SECTION,
    REPOSITORY, SPLIT, STRIP, USERS,
};
use super::values::{IMAGE_NAME, SOME_TEXT};
use super::{AttributeWord, ElementWord, Value, attribute, deploy, element, many, once, preferences, word};
use crate::SchemaVersion::{V1_4, V8_5};

/// The root element.
pub(crate) static IMAGE: ElementWord = element("image")
    .attributes(&[
        attribute("name", IMAGE_NAME).required(),
        attribute("schemeversion", SOME_TEXT).only(V1_4).required().instead("schemaversion"),
        attribute("schemaversion", SOME_TEXT).only(V8_5).required().instead("schemeversion"),
        attribute("inherit", SOME_TEXT),
        attribute("displayname", Value::Text).only(V8_5),
        attribute("id", Value::Text).only(V8_5).not_used(),
    ])
    .children(&[
        once(&DESCRIPTION).required(),
        once(&preferences::PREFERENCES).required().many_in(V8_5),
        once(&PROFILES_SECTION).many_in(V8_5),
        once(&INSTSOURCE).only(V1_4),
        many(&USERS),
        many(&DRIVERS),
        many(&REPOSITORY),
        once(&deploy::DEPLOY),
        once(&SPLIT).only(V1_4),
        many(&PACKAGES),
        many(&INCLUDE).only(V8_5),
        once(&CERTIFICATES).only(V8_5),
        many(&STRIP).only(V8_5),
        many(&CONTAINERS).only(V8_5),
        once(&EXTENSION).only(V8_5),
    ]);

static DESCRIPTION: ElementWord = element("description").attributes(&[KIND]).children(&[
    once(&AUTHOR).required(),
    many(&CONTACT).required(),
    once(&SPECIFICATION).required(),
    once(&LICENSE).only(V8_5),
]);

const KIND: AttributeWord = attribute("type", Value::OneOf(&[word("system"), word("boot")])).required();

static AUTHOR: ElementWord = element("author").optional_text(Value::Text);
static CONTACT: ElementWord = element("contact").optional_text(Value::Text);
static SPECIFICATION: ElementWord = element("specification").optional_text(Value::Text);
static LICENSE: ElementWord = element("license").optional_text(Value::Text);
