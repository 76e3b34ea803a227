//! `<preferences>`: the settings of the image and its types.

use super::values::{KEYTABLE, LOCALE, PROFILES, SOME_TEXT, TIMEZONE, VERSION};
use super::{AttributeWord, ElementWord, Value, attribute, element, image_type, many, once, values, word};
use crate::SchemaVersion::{V1_4, V8_5};

/// The section.
pub(super) static PREFERENCES: ElementWord = element("preferences")
    .attributes(&[
        attribute("profiles", PROFILES).only(V8_5),
        attribute("arch", values::ARCHITECTURES).only(V8_5),
    ])
    .children(&[
        many(&image_type::TYPE).required_in(V1_4),
        once(&VERSION_ELEMENT).required_in(V1_4),
        once(&IMAGE_SIZE).only(V1_4),
        once(&COMPRESSED),
        once(&PACKAGE_MANAGER),
        once(&RPM_CHECK_SIGNATURES),
        once(&RPM_FORCE),
        once(&RPM_EXCLUDEDOCS).only(V8_5),
        once(&RPM_LOCALE_FILTERING).only(V8_5),
        once(&KEYTABLE_ELEMENT),
        once(&TIMEZONE_ELEMENT),
        once(&LOCALE_ELEMENT),
        once(&DEFAULT_DESTINATION),
        once(&DEFAULT_ROOT),
        once(&DEFAULT_BASE_ROOT).only(V1_4),
        once(&RELEASE_VERSION).only(V8_5),
        once(&BOOTSPLASH_THEME).only(V8_5),
        once(&BOOTLOADER_THEME).only(V8_5),
        many(&SHOW_LICENSE).only(V8_5),
    ]);

/// `unit=` of a size.
pub(super) const UNIT: AttributeWord = attribute("unit", Value::OneOf(&[word("M"), word("G")])).default("M");

static VERSION_ELEMENT: ElementWord = element("version").text(VERSION);
static IMAGE_SIZE: ElementWord = element("size").attributes(&[UNIT]).text(Value::Number(1, 1 << 40));
static COMPRESSED: ElementWord = element("compressed").text(Value::Boolean);
static PACKAGE_MANAGER: ElementWord = element("packagemanager").text(Value::OneOf(&[
    word("smart"),
    word("zypper"),
    word("apt"),
    word("apt-get"),
    word("dnf"),
    word("dnf4"),
    word("dnf5"),
    word("yum"),
    word("apk").only(V8_5).not_built(),
    word("microdnf").only(V8_5).not_built(),
    word("pacman").only(V8_5).not_built(),
]));
static RPM_CHECK_SIGNATURES: ElementWord = element("rpm-check-signatures").text(Value::Boolean);
static RPM_FORCE: ElementWord = element("rpm-force").text(Value::Boolean);
static RPM_EXCLUDEDOCS: ElementWord = element("rpm-excludedocs").text(Value::Boolean);
static RPM_LOCALE_FILTERING: ElementWord =
    element("rpm-locale-filtering").text(Value::Boolean).default("false").not_built();
static KEYTABLE_ELEMENT: ElementWord = element("keytable").text(KEYTABLE);
static TIMEZONE_ELEMENT: ElementWord = element("timezone").text(TIMEZONE);
static LOCALE_ELEMENT: ElementWord = element("locale").text(LOCALE);
static DEFAULT_DESTINATION: ElementWord = element("defaultdestination").text(SOME_TEXT);
static DEFAULT_ROOT: ElementWord = element("defaultroot").text(SOME_TEXT);
static DEFAULT_BASE_ROOT: ElementWord = element("defaultbaseroot").text(SOME_TEXT).not_used();
static RELEASE_VERSION: ElementWord = element("release-version").text(SOME_TEXT).not_built();
static BOOTSPLASH_THEME: ElementWord = element("bootsplash-theme").text(SOME_TEXT).not_used();
static BOOTLOADER_THEME: ElementWord = element("bootloader-theme").text(SOME_TEXT).not_used();
static SHOW_LICENSE: ElementWord = element("showlicense").text(SOME_TEXT).not_used();
