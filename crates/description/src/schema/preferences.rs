//! `<preferences>`: the settings of the image and its types.

use super::values::{KEYTABLE, LOCALE, PROFILES, SOME_TEXT, TIMEZONE, VERSION};
use super::{ElementSchema, Value, attribute, element, image_type, keyword, legacy, many, oem, once, values};
use crate::SchemaVersion::{V1_4, V2_0, V3_8, V3_9, V5_0, V5_4, V5_5, V6_6, V6_7, V7_3, V7_5};

/// The section.
pub(super) static PREFERENCES: ElementSchema = element("preferences")
    .doc("Settings of the image, and the image types to build.")
    .attributes(&[
        attribute("profiles", PROFILES).doc("Its profiles; the default is every build.").since(V2_0),
        attribute("arch", values::ARCHITECTURES)
            .doc("Its architectures; the default is all of them.")
            .since(V2_0),
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
        once(&oem::OEM_BOOT_TITLE).since(V2_0).until(V3_8),
        once(&oem::OEM_REBOOT).since(V2_0).until(V3_8),
        once(&oem::OEM_SWAP).since(V2_0).until(V3_8),
        once(&oem::OEM_SWAP_SIZE).since(V2_0).until(V3_8),
        once(&oem::OEM_SYSTEM_SIZE).since(V2_0).until(V3_8),
        once(&oem::OEM_UNATTENDED).since(V2_0).until(V3_8),
        once(&oem::OEM_RECOVERY).since(V2_0).until(V3_8),
        once(&oem::OEM_KIWI_INITRD).since(V2_0).until(V3_8),
        once(&legacy::OEM_HOME).since(V2_0).until(V3_8),
        once(&legacy::OEM_DUMPHALT).since(V2_0).until(V3_8),
    ]);

static VERSION_ELEMENT: ElementSchema =
    element("version").doc("The version of the image: numbers separated by points.").text(VERSION);
static IMAGE_SIZE: ElementSchema = element("size")
    .doc("The size of the image; the default is what its content needs.")
    .attributes(&[values::UNIT])
    .text(Value::Number(0, 1 << 40));
static COMPRESSED: ElementSchema =
    element("compressed").doc("Whether the image of a file system is compressed.").text(Value::Boolean).own();
static PACKAGE_MANAGER: ElementSchema =
    element("packagemanager").doc("The program that installs the packages.").text(Value::OneOf(&[
        keyword("smart").own(),
        keyword("zypper"),
        keyword("apt"),
        keyword("apt-get").until(V7_3).instead("apt"),
        keyword("dnf").until(V7_5).instead("dnf4"),
        keyword("dnf4"),
        keyword("dnf5"),
        keyword("yum").until(V7_3).instead("dnf4"),
        keyword("apk").since(V2_0).unsupported(),
        keyword("microdnf").since(V2_0),
        keyword("pacman").since(V2_0).unsupported(),
    ]));
static RPM_CHECK_SIGNATURES: ElementSchema = element("rpm-check-signatures")
    .doc("Whether packages without a valid signature are refused.")
    .text(Value::Boolean);
static RPM_FORCE: ElementSchema = element("rpm-force")
    .doc("Whether packages are installed in spite of conflicts.")
    .text(Value::Boolean)
    .default("false")
    .own();
static RPM_EXCLUDEDOCS: ElementSchema =
    element("rpm-excludedocs").doc("Whether to install packages without documentation.").text(Value::Boolean);
static RPM_LOCALE_FILTERING: ElementSchema = element("rpm-locale-filtering")
    .doc("Whether to install only the files of the chosen languages.")
    .text(Value::Boolean)
    .default("false");
static KEYTABLE_ELEMENT: ElementSchema =
    element("keytable").doc("The keyboard layout of the console.").text(KEYTABLE);
static TIMEZONE_ELEMENT: ElementSchema =
    element("timezone").doc("The time zone of the system.").text(TIMEZONE);
static LOCALE_ELEMENT: ElementSchema =
    element("locale").doc("The languages; the first is the system's.").text(LOCALE);
static DEFAULT_DESTINATION: ElementSchema =
    element("defaultdestination").doc("The directory for results without `--destdir`.").text(SOME_TEXT).own();
static DEFAULT_ROOT: ElementSchema =
    element("defaultroot").doc("The directory of the root tree without `--root`.").text(SOME_TEXT).own();
static DEFAULT_BASE_ROOT: ElementSchema =
    element("defaultbaseroot").doc("A root tree to start from.").text(SOME_TEXT).not_used();
static RELEASE_VERSION: ElementSchema = element("release-version")
    .doc("The release of the distribution: `$releasever` in the sources of RPM repositories.")
    .text(SOME_TEXT);
static BOOTSPLASH_THEME: ElementSchema =
    element("bootsplash-theme").doc("The theme of the boot splash.").text(SOME_TEXT).not_used();
static BOOTLOADER_THEME: ElementSchema =
    element("bootloader-theme").doc("The theme of the boot menu.").text(SOME_TEXT).not_used();
static SHOW_LICENSE: ElementSchema = element("showlicense")
    .doc("A licence that the user has to accept during the installation.")
    .text(SOME_TEXT)
    .not_used();
static BOOT_THEME: ElementSchema = element("boot-theme")
    .doc("The theme of boot splash and boot menu.")
    .text(SOME_TEXT)
    .instead("bootsplash-theme")
    .not_used();
static HARDWARE_CLOCK: ElementSchema = element("hwclock")
    .doc("The time zone of the hardware clock.")
    .text(Value::OneOf(&[keyword("utc"), keyword("localtime")]))
    .not_used();
static PARTITIONER: ElementSchema =
    element("partitioner").doc("The partitioning program.").text(SOME_TEXT).not_used();
static DEFAULT_PREBUILT: ElementSchema =
    element("defaultprebuilt").doc("The directory of finished boot images.").text(SOME_TEXT).not_used();
