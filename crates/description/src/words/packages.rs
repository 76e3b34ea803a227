//! `<packages>`.

use super::values::{
    ABSOLUTE_PATH, ARCHITECTURES, DIGITS, PACKAGE, PATTERN, POSIX, PROFILES, RELATIVE_PATH, SOME_TEXT,
};
use super::{AttributeWord, ElementWord, Value, attribute, element, legacy, many, word};
use crate::SchemaVersion::{V1_4, V2_0, V4_4, V5_6, V5_7, V6_0, V6_1, V6_6};

const PROFILES_ATTRIBUTE: AttributeWord =
    attribute("profiles", PROFILES).doc("The profiles it belongs to; without, it belongs to every build.");
const ARCH: AttributeWord =
    attribute("arch", ARCHITECTURES).doc("The architectures it belongs to; without, it belongs to all.");
const NAME: AttributeWord = attribute("name", SOME_TEXT).doc("Its name.").required();

const PATTERN_REACH: Value =
    Value::OneOf(&[word("onlyRequired"), word("plusRecommended"), word("plusSuggested")]);

pub(super) static PACKAGES: ElementWord = element("packages")
    .doc("Packages to install, or to remove.")
    .attributes(&[
        attribute(
            "type",
            Value::OneOf(&[
                word("image"),
                word("boot").until(V1_4).instead("bootstrap"),
                word("bootstrap").since(V2_0).instead("boot"),
                word("xen"),
                word("vmware"),
                word("split"),
                word("testsuite").since(V2_0).not_used(),
                word("delete"),
                word("uninstall").since(V2_0).instead("delete"),
                word("systemfiles").since(V2_0).not_used(),
                word("docker").since(V2_0),
                word("oci").since(V2_0),
                word("iso").since(V2_0),
                word("oem").since(V2_0),
                word("vmx").since(V2_0),
                word("pxe").since(V2_0),
                word("kis").since(V2_0),
            ]),
        )
        .doc("When: first, then, for one image type alone, or to remove them.")
        .required(),
        PROFILES_ATTRIBUTE,
        attribute("patternType", PATTERN_REACH)
            .doc("Whether what patterns recommend is installed too.")
            .default("onlyRequired"),
        attribute("patternPackageType", PATTERN_REACH)
            .doc("Whether what the packages of patterns recommend is installed too.")
            .until(V4_4)
            .not_used(),
        attribute("memory", Value::Number(1, 1 << 24))
            .doc("The memory of the virtual machine, in mebibytes."),
        attribute("disk", SOME_TEXT).doc("The disk of the virtual machine."),
        attribute("HWversion", DIGITS).doc("The version of the virtual hardware.").since(V2_0).not_used(),
        attribute("guestOS_32Bit", SOME_TEXT).doc("What VMware calls the system.").since(V2_0).not_used(),
        attribute("guestOS_64Bit", SOME_TEXT).doc("What VMware calls the system.").since(V2_0).not_used(),
        attribute("bootstrap_package", PACKAGE)
            .doc("A package that brings the first root tree.")
            .since(V2_0)
            .not_built(),
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

static PACKAGE_ELEMENT: ElementWord = element("package").doc("One package.").attributes(&[
    attribute("name", PACKAGE).doc("Its name.").required(),
    ARCH,
    attribute("bootinclude", Value::Boolean)
        .doc("Whether it goes into the boot image too.")
        .default("false")
        .since(V2_0)
        .not_used(),
    attribute("bootdelete", Value::Boolean)
        .doc("Whether it is taken out of the boot image.")
        .default("false")
        .since(V2_0)
        .not_used(),
    attribute("replaces", PACKAGE)
        .doc("The package whose place it takes.")
        .since(V2_0)
        .until(V6_6)
        .not_used(),
]);
static IGNORE: ElementWord = element("ignore")
    .doc("A package that is not installed although a pattern asks for it.")
    .attributes(&[attribute("name", PACKAGE).doc("Its name.").required(), ARCH]);
static OPENSUSE_PATTERN: ElementWord = element("opensusePattern")
    .doc("A pattern: packages for one purpose.")
    .attributes(&[attribute("name", PATTERN).doc("Its name.").required(), ARCH.since(V2_0)])
    .instead("namedCollection");
static NAMED_COLLECTION: ElementWord = element("namedCollection")
    .doc("A pattern, group or task: packages for one purpose.")
    .attributes(&[attribute("name", PATTERN).doc("Its name.").required(), ARCH])
    .instead("opensusePattern");
static ARCHIVE: ElementWord =
    element("archive").doc("An archive of the description that is unpacked in the root tree.").attributes(&[
        attribute("name", RELATIVE_PATH).doc("Its path in the description.").required(),
        attribute("target_dir", ABSOLUTE_PATH)
            .doc("The directory it is unpacked in.")
            .default("/")
            .since(V2_0)
            .not_built(),
        attribute("bootinclude", Value::Boolean)
            .doc("Whether it goes into the boot image too.")
            .default("false")
            .since(V2_0)
            .not_used(),
    ]);
static FILE: ElementWord = element("file")
    .doc("One file.")
    .attributes(&[
        NAME,
        attribute("target", Value::Text).doc("Where it goes."),
        attribute("owner", Value::Text).doc("Its owner, as chown takes it."),
        attribute("permissions", Value::Text).doc("Its permissions, as chmod takes them."),
        ARCH,
    ])
    .not_built();
static COLLECTION_MODULE: ElementWord = element("collectionModule")
    .doc("A module of a distribution with dnf.")
    .attributes(&[
        attribute("name", POSIX).doc("Its name.").required(),
        attribute("enable", Value::Boolean).doc("Whether the module is switched on or off.").required(),
        attribute("stream", POSIX).doc("The stream of the module."),
        ARCH,
    ])
    .not_built();
static PRODUCT: ElementWord = element("product")
    .doc("A product: packages that are sold together.")
    .attributes(&[NAME, ARCH])
    .not_built();
