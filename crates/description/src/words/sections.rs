//! The sections beside `<preferences>` and `<deploy>`: profiles, users, drivers, repositories, packages and others.

use super::values::{
    ABSOLUTE_PATH, ALIAS, ARCHITECTURES, DEBIAN_ARCHITECTURES, GROUPS, KEY_URI, PACKAGE, PATTERN, PROFILE,
    PROFILES, RELATIVE_PATH, SOME_TEXT, USER,
};
use super::{AttributeWord, ElementWord, Value, attribute, element, many, once, word};
use crate::SchemaVersion::{V1_4, V8_5};

const PROFILES_ATTRIBUTE: AttributeWord = attribute("profiles", PROFILES);
const ARCH: AttributeWord = attribute("arch", ARCHITECTURES);
const NAME: AttributeWord = attribute("name", SOME_TEXT).required();

// --- profiles

pub(super) static PROFILES_SECTION: ElementWord = element("profiles").children(&[many(&PROFILE_ELEMENT)]);

static PROFILE_ELEMENT: ElementWord = element("profile")
    .attributes(&[
        attribute("name", PROFILE).required(),
        attribute("description", Value::Text).required(),
        attribute("import", Value::Boolean).default("false").only(V8_5),
        ARCH.only(V8_5),
    ])
    .children(&[many(&REQUIRES).only(V8_5)]);

static REQUIRES: ElementWord =
    element("requires").attributes(&[attribute("profile", PROFILE).required(), ARCH]);

// --- users

pub(super) static USERS: ElementWord = element("users")
    .attributes(&[
        attribute("group", USER).only(V1_4).instead("groups"),
        PROFILES_ATTRIBUTE.only(V8_5),
        ARCH.only(V8_5),
    ])
    .children(&[many(&USER_ELEMENT).required()]);

static USER_ELEMENT: ElementWord = element("user").attributes(&[
    attribute("name", USER).required(),
    attribute("pwd", SOME_TEXT).only(V1_4).instead("password"),
    attribute("password", SOME_TEXT).only(V8_5).required().instead("pwd"),
    attribute("pwdformat", Value::OneOf(&[word("encrypted"), word("plain")])).default("encrypted").only(V8_5),
    attribute("id", Value::Number(0, u32::MAX as u64 - 1)).only(V8_5),
    attribute("groups", GROUPS).only(V8_5),
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
    attribute("target", Value::Text).only(V8_5).not_built(),
    attribute("owner", Value::Text).only(V8_5).not_built(),
    attribute("permissions", Value::Text).only(V8_5).not_built(),
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
                word("apk").only(V8_5).not_built(),
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
        PROFILES_ATTRIBUTE.only(V8_5),
        ARCH.only(V8_5),
        attribute("imageinclude", Value::Boolean).default("false").only(V8_5),
        attribute("imageonly", Value::Boolean).default("false").only(V8_5),
        attribute("username", SOME_TEXT).only(V8_5),
        attribute("password", Value::Text).only(V8_5),
        attribute("sourcetype", Value::OneOf(&[word("baseurl"), word("metalink"), word("mirrorlist")]))
            .default("baseurl")
            .only(V8_5)
            .not_built(),
        attribute("customize", SOME_TEXT).only(V8_5).not_built(),
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
                word("boot").only(V1_4).instead("bootstrap"),
                word("bootstrap").only(V8_5).instead("boot"),
                word("xen"),
                word("vmware"),
                word("delete"),
                word("uninstall").only(V8_5).instead("delete"),
                word("systemfiles").only(V8_5).not_used(),
                word("docker").only(V8_5),
                word("oci").only(V8_5),
                word("iso").only(V8_5),
                word("oem").only(V8_5),
                word("vmx").only(V8_5),
                word("pxe").only(V8_5),
                word("kis").only(V8_5),
            ]),
        )
        .required(),
        PROFILES_ATTRIBUTE,
        attribute("patternType", PATTERN_REACH).default("onlyRequired"),
        attribute("patternPackageType", PATTERN_REACH).only(V1_4).not_used(),
        attribute("memory", Value::Number(1, 1 << 24)),
        attribute("disk", SOME_TEXT),
        attribute("bootstrap_package", PACKAGE).only(V8_5).not_built(),
    ])
    .children(&[
        many(&PACKAGE_ELEMENT),
        many(&IGNORE),
        many(&OPENSUSE_PATTERN).only(V1_4),
        many(&NAMED_COLLECTION).only(V8_5),
        many(&ARCHIVE).only(V8_5),
        many(&FILE).only(V8_5),
        many(&COLLECTION_MODULE).only(V8_5),
        many(&PRODUCT).only(V8_5),
    ]);

static PACKAGE_ELEMENT: ElementWord = element("package").attributes(&[
    attribute("name", PACKAGE).required(),
    ARCH,
    attribute("bootinclude", Value::Boolean).default("false").only(V8_5).not_used(),
    attribute("bootdelete", Value::Boolean).default("false").only(V8_5).not_used(),
]);
static IGNORE: ElementWord = element("ignore").attributes(&[attribute("name", PACKAGE).required(), ARCH]);
static OPENSUSE_PATTERN: ElementWord = element("opensusePattern")
    .attributes(&[attribute("name", PATTERN).required()])
    .instead("namedCollection");
static NAMED_COLLECTION: ElementWord = element("namedCollection")
    .attributes(&[attribute("name", PATTERN).required(), ARCH])
    .instead("opensusePattern");
static ARCHIVE: ElementWord = element("archive").attributes(&[
    attribute("name", RELATIVE_PATH).required(),
    attribute("target_dir", ABSOLUTE_PATH).default("/").only(V8_5).not_built(),
    attribute("bootinclude", Value::Boolean).default("false").only(V8_5).not_used(),
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
static TEMPORARY: ElementWord = element("temporary").children(&[many(&SPLIT_FILE)]);
static PERSISTENT: ElementWord = element("persistent").children(&[many(&SPLIT_FILE)]);
static SPLIT_FILE: ElementWord = element("file").attributes(&[attribute("name", ABSOLUTE_PATH).required()]);

pub(super) static INCLUDE: ElementWord =
    element("include").attributes(&[attribute("from", SOME_TEXT).required()]).not_built();

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
