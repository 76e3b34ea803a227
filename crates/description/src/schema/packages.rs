//! `<packages>`.

use super::values::{ARCHITECTURES, DIGITS, PACKAGE, PATH_IN_SYSTEM, PATTERN, POSIX, PROFILES, SOME_TEXT};
use super::{AttributeSchema, ElementSchema, Value, attribute, element, keyword, legacy, many};
use crate::SchemaVersion::{V1_4, V2_0, V4_4, V5_6, V5_7, V6_0, V6_1, V6_6};

const PROFILES_ATTRIBUTE: AttributeSchema =
    attribute("profiles", PROFILES).doc("Its profiles; the default is every build.");
const ARCH: AttributeSchema =
    attribute("arch", ARCHITECTURES).doc("Its architectures; the default is all of them.");
const NAME: AttributeSchema = attribute("name", SOME_TEXT).doc("Its name.").required();

const PATTERN_REACH: Value =
    Value::OneOf(&[keyword("onlyRequired"), keyword("plusRecommended"), keyword("plusSuggested").own()]);

pub(super) static PACKAGES: ElementSchema = element("packages")
    .doc("Packages to install, or to remove.")
    .attributes(&[
        attribute(
            "type",
            Value::OneOf(&[
                keyword("image"),
                keyword("boot").until(V1_4).instead("bootstrap"),
                keyword("bootstrap").since(V2_0).instead("boot"),
                keyword("xen").own(),
                keyword("vmware").own(),
                keyword("split").own(),
                keyword("testsuite").since(V2_0).own().not_used(),
                keyword("delete"),
                keyword("uninstall").since(V2_0).instead("delete"),
                keyword("systemfiles").since(V2_0).not_used(),
                keyword("docker").since(V2_0),
                keyword("oci").since(V2_0),
                keyword("iso").since(V2_0),
                keyword("oem").since(V2_0),
                keyword("vmx").since(V2_0).own(),
                keyword("pxe").since(V2_0),
                keyword("kis").since(V2_0),
            ]),
        )
        .doc("The purpose: installed first, installed later, for one image type only, or removed.")
        .required(),
        PROFILES_ATTRIBUTE,
        attribute("patternType", PATTERN_REACH)
            .doc("Whether packages that patterns recommend are installed too.")
            .default("onlyRequired"),
        attribute("patternPackageType", PATTERN_REACH)
            .doc("Whether packages that patterns recommend are installed too.")
            .until(V4_4)
            .not_used(),
        attribute("memory", Value::Count(1 << 24))
            .doc("The memory of the virtual machine, in mebibytes.")
            .own(),
        attribute("disk", SOME_TEXT).doc("The disk of the virtual machine.").own(),
        attribute("HWversion", DIGITS)
            .doc("The version of the virtual hardware.")
            .since(V2_0)
            .own()
            .not_used(),
        attribute("guestOS_32Bit", SOME_TEXT)
            .doc("The system's name in VMware.")
            .since(V2_0)
            .own()
            .not_used(),
        attribute("guestOS_64Bit", SOME_TEXT)
            .doc("The system's name in VMware.")
            .since(V2_0)
            .own()
            .not_used(),
        attribute("bootstrap_package", PACKAGE)
            .doc("A package that contains the first root tree.")
            .since(V2_0)
            .unsupported(),
    ])
    .children(&[
        many(&PACKAGE_ELEMENT),
        many(&IGNORE),
        many(&OPENSUSE_PATTERN).until(V5_6),
        many(&legacy::RHEL_GROUP).since(V2_0).until(V5_6),
        many(&legacy::OPENSUSE_PRODUCT).since(V2_0).until(V6_0),
        many(&NAMED_COLLECTION).since(V5_7),
        many(&ARCHIVE).since(V2_0),
        many(&FILE).since(V2_0),
        many(&COLLECTION_MODULE).since(V2_0),
        many(&PRODUCT).since(V6_1),
    ]);

static PACKAGE_ELEMENT: ElementSchema = element("package").doc("One package.").attributes(&[
    attribute("name", PACKAGE).doc("Its name.").required(),
    ARCH,
    attribute("bootinclude", Value::Boolean)
        .doc("Whether it is also installed in the boot image.")
        .default("false")
        .since(V2_0)
        .not_used(),
    attribute("bootdelete", Value::Boolean)
        .doc("Whether it is removed from the boot image.")
        .default("false")
        .since(V2_0)
        .not_used(),
    attribute("replaces", PACKAGE).doc("The package that it replaces.").since(V2_0).until(V6_6).not_used(),
]);
static IGNORE: ElementSchema = element("ignore")
    .doc("A package to exclude even if a pattern contains it.")
    .attributes(&[attribute("name", PACKAGE).doc("Its name.").required(), ARCH]);
static OPENSUSE_PATTERN: ElementSchema = element("opensusePattern")
    .doc("A pattern: packages for one purpose.")
    .attributes(&[attribute("name", PATTERN).doc("Its name.").required(), ARCH.since(V2_0)])
    .instead("namedCollection");
static NAMED_COLLECTION: ElementSchema = element("namedCollection")
    .doc("A pattern, group or task: packages for one purpose.")
    .attributes(&[attribute("name", PATTERN).doc("Its name.").required(), ARCH])
    .instead("opensusePattern");
static ARCHIVE: ElementSchema =
    element("archive").doc("An archive of the description to unpack in the root tree.").attributes(&[
        attribute("name", SOME_TEXT).doc("Its path in the description.").required(),
        attribute("target_dir", PATH_IN_SYSTEM)
            .doc("The directory to unpack it in, with or without a slash before it.")
            .default("/")
            .since(V2_0),
        attribute("bootinclude", Value::Boolean)
            .doc("Whether it is also unpacked in the boot image.")
            .default("false")
            .since(V2_0)
            .not_used(),
    ]);
static FILE: ElementSchema = element("file").doc("One file.").attributes(&[
    NAME,
    attribute("target", Value::Text).doc("Where it goes."),
    attribute("owner", Value::Text).doc("Its owner, in the notation of chown."),
    attribute("permissions", Value::Text).doc("Its permissions, in the notation of chmod."),
    ARCH,
]);
static COLLECTION_MODULE: ElementSchema = element("collectionModule")
    .doc("A module of a distribution with dnf.")
    .attributes(&[
        attribute("name", POSIX).doc("Its name.").required(),
        attribute("enable", Value::Boolean).doc("Whether the module is enabled or disabled.").required(),
        attribute("stream", POSIX).doc("The stream of the module."),
        ARCH,
    ])
    .unsupported();
static PRODUCT: ElementSchema = element("product")
    .doc("A product: the package that describes it, with what that requires.")
    .attributes(&[attribute("name", PACKAGE).doc("Its name.").required(), ARCH]);
