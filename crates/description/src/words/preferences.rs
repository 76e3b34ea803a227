//! `<preferences>`: the settings of the image and its types.

use super::values::{KEYTABLE, LOCALE, PROFILES, SOME_TEXT, TIMEZONE, VERSION};
use super::{
    AttributeWord, ElementWord, Value, appliance, attribute, element, image_type, legacy, many, once, values,
    word,
};
use crate::SchemaVersion::{V1_4, V2_0, V3_8, V3_9, V5_0, V5_4, V5_5, V6_6, V6_7};

/// The section.
pub(super) static PREFERENCES: ElementWord = element("preferences")
    .attributes(&[
        attribute("profiles", PROFILES).since(V2_0),
        attribute("arch", values::ARCHITECTURES).since(V2_0),
    ])
    .children(&[
        many(&image_type::TYPE).required_until(V1_4),
        once(&VERSION_ELEMENT).required_until(V1_4),
        once(&IMAGE_SIZE).until(V3_9),
        once(&COMPRESSED),
        once(&PACKAGE_MANAGER),
        once(&RPM_CHECK_SIGNATURES),
        once(&RPM_FORCE),
        once(&RPM_EXCLUDEDOCS).since(V2_0),
        once(&RPM_LOCALE_FILTERING).since(V2_0),
        once(&KEYTABLE_ELEMENT),
        once(&TIMEZONE_ELEMENT),
        once(&LOCALE_ELEMENT),
        once(&DEFAULT_DESTINATION),
        once(&DEFAULT_ROOT),
        once(&DEFAULT_BASE_ROOT).until(V5_0),
        once(&RELEASE_VERSION).since(V2_0),
        once(&BOOTSPLASH_THEME).since(V5_5),
        once(&BOOTLOADER_THEME).since(V5_5),
        many(&SHOW_LICENSE).since(V2_0),
        once(&BOOT_THEME).since(V2_0).until(V5_4),
        once(&HARDWARE_CLOCK).since(V2_0).until(V6_7),
        once(&PARTITIONER).since(V2_0).until(V6_6),
        once(&DEFAULT_PREBUILT).since(V2_0).until(V6_6),
        // Since 3.9 in `<oemconfig>`.
        once(&appliance::OEM_BOOT_TITLE).since(V2_0).until(V3_8),
        once(&appliance::OEM_REBOOT).since(V2_0).until(V3_8),
        once(&appliance::OEM_SWAP).since(V2_0).until(V3_8),
        once(&appliance::OEM_SWAP_SIZE).since(V2_0).until(V3_8),
        once(&appliance::OEM_SYSTEM_SIZE).since(V2_0).until(V3_8),
        once(&appliance::OEM_UNATTENDED).since(V2_0).until(V3_8),
        once(&appliance::OEM_RECOVERY).since(V2_0).until(V3_8),
        once(&appliance::OEM_KIWI_INITRD).since(V2_0).until(V3_8),
        once(&legacy::OEM_HOME).since(V2_0).until(V3_8),
        once(&legacy::OEM_DUMPHALT).since(V2_0).until(V3_8),
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
    word("apk").since(V2_0).not_built(),
    word("microdnf").since(V2_0).not_built(),
    word("pacman").since(V2_0).not_built(),
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
static BOOT_THEME: ElementWord = element("boot-theme").text(SOME_TEXT).instead("bootsplash-theme").not_used();
static HARDWARE_CLOCK: ElementWord =
    element("hwclock").text(Value::OneOf(&[word("utc"), word("localtime")])).not_used();
static PARTITIONER: ElementWord = element("partitioner").text(SOME_TEXT).not_used();
static DEFAULT_PREBUILT: ElementWord = element("defaultprebuilt").text(SOME_TEXT).not_used();
