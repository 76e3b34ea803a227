//! The sections beside `<preferences>` and `<deploy>`: profiles, users, drivers, repositories, packages and others.

use super::values::DIGITS;
use super::values::{
    ABSOLUTE_PATH, ALIAS, ARCHITECTURES, DEBIAN_ARCHITECTURES, GROUPS, KEY_URI, PACKAGE, PATTERN, PROFILE,
    PROFILES, RELATIVE_PATH, SOME_TEXT, USER,
};
use super::{AttributeWord, ElementWord, Value, attribute, element, legacy, many, once, word};
use crate::SchemaVersion::{V1_4, V2_0, V4_4, V5_5, V5_6, V5_7, V6_0, V6_1, V6_3, V6_4, V6_6, V8_1};

const PROFILES_ATTRIBUTE: AttributeWord = attribute("profiles", PROFILES);
const ARCH: AttributeWord = attribute("arch", ARCHITECTURES);
const NAME: AttributeWord = attribute("name", SOME_TEXT).required();

// --- profiles

pub(super) static PROFILES_SECTION: ElementWord = element("profiles").children(&[many(&PROFILE_ELEMENT)]);

static PROFILE_ELEMENT: ElementWord = element("profile")
    .attributes(&[
        attribute("name", PROFILE).required(),
        attribute("description", Value::Text).required(),
        attribute("import", Value::Boolean).default("false").since(V2_0),
        ARCH.since(V2_0),
    ])
    .children(&[many(&REQUIRES).since(V2_0)]);

static REQUIRES: ElementWord =
    element("requires").attributes(&[attribute("profile", PROFILE).required(), ARCH]);

// --- users

pub(super) static USERS: ElementWord = element("users")
    .attributes(&[
        attribute("group", USER).until(V6_3).instead("groups"),
        attribute("id", DIGITS).since(V2_0).until(V6_3),
        PROFILES_ATTRIBUTE.since(V2_0),
        ARCH.since(V2_0),
    ])
    .children(&[many(&USER_ELEMENT).required()]);

static USER_ELEMENT: ElementWord = element("user").attributes(&[
    attribute("name", USER).required(),
    attribute("pwd", SOME_TEXT).until(V5_5).instead("password"),
    // Demanded of users that were not converted: see `decode/users.rs`.
    attribute("password", SOME_TEXT).since(V5_6).instead("pwd"),
    attribute("pwdformat", Value::OneOf(&[word("encrypted"), word("plain")]))
        .default("encrypted")
        .since(V2_0),
    attribute("id", Value::Number(0, u32::MAX as u64 - 1)).since(V2_0),
    attribute("groups", GROUPS).since(V6_4).instead("group"),
    // The groups do not start with the login group, as in all schemas that had `group`. Only conversions write this.
    attribute("supplementary-groups", Value::Boolean).since(V6_4),
    attribute("home", ABSOLUTE_PATH),
    attribute("realname", Value::Form("a text without `:`", |text| !text.contains([':', '\n']))),
    attribute("shell", ABSOLUTE_PATH),
]);

// --- drivers

pub(super) static DRIVERS: ElementWord = element("drivers")
    .attributes(&[
        attribute(
            "type",
            Value::OneOf(&[word("drivers"), word("netdrivers"), word("usbdrivers"), word("scsidrivers")]),
        )
        .default("drivers"),
        PROFILES_ATTRIBUTE,
    ])
    .children(&[many(&DRIVER_FILE).required()]);

static DRIVER_FILE: ElementWord = element("file").attributes(&[
    attribute("name", RELATIVE_PATH).required(),
    ARCH,
    attribute("target", Value::Text).since(V2_0).not_built(),
    attribute("owner", Value::Text).since(V2_0).not_built(),
    attribute("permissions", Value::Text).since(V2_0).not_built(),
]);

// --- repository

pub(super) static REPOSITORY: ElementWord = element("repository")
    .attributes(&[
        attribute(
            "type",
            Value::OneOf(&[
                word("rpm-md"),
                word("rpm-dir"),
                word("yast2"),
                word("apt-deb"),
                word("deb"),
                word("deb-dir"),
                word("apt-rpm"),
                word("mirrors"),
                word("red-carpet"),
                word("slack-site"),
                word("up2date-mirrors"),
                word("urpmi"),
                word("apk").since(V2_0).not_built(),
            ]),
        ),
        attribute("status", Value::OneOf(&[word("replaceable"), word("fixed")])).default("fixed"),
        attribute("distribution", SOME_TEXT),
        attribute("components", SOME_TEXT).default("main"),
        attribute("architectures", DEBIAN_ARCHITECTURES),
        attribute("repository_gpgcheck", Value::Boolean),
        attribute("package_gpgcheck", Value::Boolean),
        attribute("alias", ALIAS),
        attribute("priority", Value::Integer),
        PROFILES_ATTRIBUTE.since(V2_0),
        ARCH.since(V2_0),
        attribute("imageinclude", Value::Boolean).default("false").since(V2_0),
        attribute("imageonly", Value::Boolean).default("false").since(V2_0),
        attribute("username", SOME_TEXT).since(V2_0),
        attribute("pwd", Value::Text).since(V2_0).until(V5_5).instead("password"),
        attribute("password", Value::Text).since(V5_6).instead("pwd"),
        attribute("prefer-license", Value::Boolean).since(V2_0).not_used(),
        attribute("use_for_bootstrap", Value::Boolean).since(V2_0).until(V8_1).not_used(),
        attribute("sourcetype", Value::OneOf(&[word("baseurl"), word("metalink"), word("mirrorlist")]))
            .default("baseurl")
            .since(V2_0)
            .not_built(),
        attribute("customize", SOME_TEXT).since(V2_0).not_built(),
    ])
    .children(&[once(&SOURCE).required()]);

static SOURCE: ElementWord =
    element("source").attributes(&[attribute("path", SOME_TEXT).required()]).children(&[many(&SIGNING)]);

static SIGNING: ElementWord = element("signing").attributes(&[attribute("key", KEY_URI).required()]);

// --- packages

const PATTERN_REACH: Value =
    Value::OneOf(&[word("onlyRequired"), word("plusRecommended"), word("plusSuggested")]);

pub(super) static PACKAGES: ElementWord = element("packages")
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
        .required(),
        PROFILES_ATTRIBUTE,
        attribute("patternType", PATTERN_REACH).default("onlyRequired"),
        attribute("patternPackageType", PATTERN_REACH).until(V4_4).not_used(),
        attribute("memory", Value::Number(1, 1 << 24)),
        attribute("disk", SOME_TEXT),
        attribute("HWversion", DIGITS).since(V2_0).not_used(),
        attribute("guestOS_32Bit", SOME_TEXT).since(V2_0).not_used(),
        attribute("guestOS_64Bit", SOME_TEXT).since(V2_0).not_used(),
        attribute("bootstrap_package", PACKAGE).since(V2_0).not_built(),
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

static PACKAGE_ELEMENT: ElementWord = element("package").attributes(&[
    attribute("name", PACKAGE).required(),
    ARCH,
    attribute("bootinclude", Value::Boolean).default("false").since(V2_0).not_used(),
    attribute("bootdelete", Value::Boolean).default("false").since(V2_0).not_used(),
    attribute("replaces", PACKAGE).since(V2_0).until(V6_6).not_used(),
]);
static IGNORE: ElementWord = element("ignore").attributes(&[attribute("name", PACKAGE).required(), ARCH]);
static OPENSUSE_PATTERN: ElementWord = element("opensusePattern")
    .attributes(&[attribute("name", PATTERN).required(), ARCH.since(V2_0)])
    .instead("namedCollection");
static NAMED_COLLECTION: ElementWord = element("namedCollection")
    .attributes(&[attribute("name", PATTERN).required(), ARCH])
    .instead("opensusePattern");
static ARCHIVE: ElementWord = element("archive").attributes(&[
    attribute("name", RELATIVE_PATH).required(),
    attribute("target_dir", ABSOLUTE_PATH).default("/").since(V2_0).not_built(),
    attribute("bootinclude", Value::Boolean).default("false").since(V2_0).not_used(),
]);
static FILE: ElementWord = element("file")
    .attributes(&[
        NAME,
        attribute("target", Value::Text),
        attribute("owner", Value::Text),
        attribute("permissions", Value::Text),
        ARCH,
    ])
    .not_built();
static COLLECTION_MODULE: ElementWord = element("collectionModule")
    .attributes(&[NAME, attribute("enable", Value::Boolean).required(), attribute("stream", SOME_TEXT), ARCH])
    .not_built();
static PRODUCT: ElementWord = element("product").attributes(&[NAME, ARCH]).not_built();

// --- kept or known, but without effect on what is built today

pub(super) static INSTSOURCE: ElementWord = element("instsource").anything().not_used();

pub(super) static SPLIT: ElementWord = element("split").children(&[once(&TEMPORARY), once(&PERSISTENT)]);
static TEMPORARY: ElementWord =
    element("temporary").children(&[many(&SPLIT_FILE), many(&EXCEPT).since(V2_0)]);
static PERSISTENT: ElementWord =
    element("persistent").children(&[many(&SPLIT_FILE), many(&EXCEPT).since(V2_0)]);
static EXCEPT: ElementWord =
    element("except").attributes(&[attribute("name", ABSOLUTE_PATH).required()]).not_built();
static SPLIT_FILE: ElementWord = element("file").attributes(&[attribute("name", ABSOLUTE_PATH).required()]);

pub(super) static INCLUDE: ElementWord =
    element("include").attributes(&[attribute("from", SOME_TEXT).required()]);

pub(super) static CERTIFICATES: ElementWord = element("certificates")
    .attributes(&[
        attribute(
            "target_distribution",
            Value::OneOf(&[word("suse"), word("redhat"), word("debian"), word("archlinux")]),
        )
        .required(),
        PROFILES_ATTRIBUTE,
    ])
    .children(&[many(&CERTIFICATE).required()])
    .not_built();
static CERTIFICATE: ElementWord = element("certificate").attributes(&[NAME]);

pub(super) static STRIP: ElementWord = element("strip")
    .attributes(&[
        attribute("type", Value::OneOf(&[word("delete"), word("tools"), word("libs")])).required(),
        PROFILES_ATTRIBUTE,
    ])
    .children(&[many(&DRIVER_FILE).required()])
    .not_built();

pub(super) static CONTAINERS: ElementWord = element("containers")
    .attributes(&[
        attribute("source", SOME_TEXT).required(),
        attribute("backend", Value::OneOf(&[word("podman"), word("docker"), word("container-snap")]))
            .required(),
        PROFILES_ATTRIBUTE,
        ARCH,
    ])
    .children(&[many(&CONTAINER).required()])
    .not_built();
static CONTAINER: ElementWord = element("container").attributes(&[
    NAME,
    attribute("path", Value::Text),
    attribute("tag", Value::Text),
    attribute("fetch_only", Value::Boolean),
    ARCH,
]);

pub(super) static EXTENSION: ElementWord = element("extension").anything().not_used();
