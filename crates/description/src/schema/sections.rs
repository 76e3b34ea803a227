//! The sections other than `<preferences>` and `<deploy>`: profiles, users, drivers, repositories, packages and others.

use super::values::DIGITS;
use super::values::{
    ABSOLUTE_PATH, ALIAS, ARCHITECTURES, DEBIAN_ARCHITECTURES, GROUPS, KEY_URI, PATH_IN_SYSTEM, PROFILE,
    PROFILES, RELATIVE_PATH, SOME_TEXT, USER,
};
use super::{AttributeSchema, ElementSchema, Value, attribute, element, keyword, many, once};
use crate::SchemaVersion::{V2_0, V5_5, V5_6, V6_3, V6_4, V7_4, V8_1};

const PROFILES_ATTRIBUTE: AttributeSchema =
    attribute("profiles", PROFILES).doc("Its profiles; the default is every build.");
const ARCH: AttributeSchema =
    attribute("arch", ARCHITECTURES).doc("Its architectures; the default is all of them.");
const NAME: AttributeSchema = attribute("name", SOME_TEXT).doc("Its name.").required();

// --- profiles

pub(super) static PROFILES_SECTION: ElementSchema = element("profiles")
    .doc("The profiles of the description: parts that `--profile` selects.")
    .children(&[many(&PROFILE_ELEMENT).required_since(V7_4)]);

static PROFILE_ELEMENT: ElementSchema = element("profile")
    .doc("One profile.")
    .attributes(&[
        attribute("name", PROFILE).doc("Its name.").required(),
        attribute("description", Value::Text).doc("Its purpose.").required(),
        attribute("import", Value::Boolean)
            .doc("Whether it is active without `--profile`.")
            .default("false")
            .since(V2_0),
        ARCH.since(V2_0),
    ])
    .children(&[many(&REQUIRES).since(V2_0)]);

static REQUIRES: ElementSchema = element("requires")
    .doc("Another profile that it activates.")
    .attributes(&[attribute("profile", PROFILE).doc("The name of the other profile.").required(), ARCH]);

// --- users

pub(super) static USERS: ElementSchema = element("users")
    .doc("The users of the system.")
    .attributes(&[
        attribute("group", USER).doc("The group of all users in this section.").until(V6_3).instead("groups"),
        attribute("id", DIGITS).doc("The number of that group.").since(V2_0).until(V6_3),
        PROFILES_ATTRIBUTE.since(V2_0),
        ARCH.since(V2_0),
    ])
    .children(&[many(&USER_ELEMENT).required()]);

static USER_ELEMENT: ElementSchema = element("user").doc("One user.").attributes(&[
    attribute("name", USER).doc("The login name.").required(),
    attribute("pwd", SOME_TEXT)
        .doc("The password, as a hash unless `pwdformat` is `plain`.")
        .until(V5_5)
        .instead("password"),
    // Required of users that were not converted: see `decode/users.rs`.
    attribute("password", SOME_TEXT)
        .doc("The password: a hash, unless `pwdformat` is `plain`.")
        .since(V5_6)
        .instead("pwd"),
    attribute("pwdformat", Value::OneOf(&[keyword("encrypted"), keyword("plain")]))
        .doc("Whether the password is a hash or plain text.")
        .default("encrypted")
        .since(V2_0),
    attribute("id", Value::Number(0, u32::MAX as u64 - 1)).doc("The number of the user.").since(V2_0),
    attribute("groups", GROUPS)
        .doc("The groups, such as `users,sudo:27`; the first is the login group.")
        .since(V6_4)
        .instead("group"),
    // The groups do not start with the login group, as in all schemas with `group`. Only conversions write this.
    attribute("supplementary-groups", Value::Boolean)
        .doc("Whether none of the groups is the login group.")
        .since(V6_4)
        .own(),
    attribute("home", PATH_IN_SYSTEM).doc("The home directory."),
    attribute("realname", Value::Form("a text without `:`", |text| !text.contains([':', '\n'])))
        .doc("The full name."),
    attribute("shell", ABSOLUTE_PATH).doc("The login shell."),
]);

// --- drivers

pub(super) static DRIVERS: ElementSchema = element("drivers")
    .doc("Kernel drivers that a boot image needs.")
    .attributes(&[
        attribute(
            "type",
            Value::OneOf(&[
                keyword("drivers"),
                keyword("netdrivers"),
                keyword("usbdrivers"),
                keyword("scsidrivers"),
            ]),
        )
        .doc("The directory of the files below the kernel's modules.")
        .default("drivers")
        .own(),
        PROFILES_ATTRIBUTE,
    ])
    .children(&[many(&DRIVER_FILE).required()]);

static DRIVER_FILE: ElementSchema = element("file").doc("One file.").attributes(&[
    attribute("name", RELATIVE_PATH).doc("The file, relative to that directory.").required(),
    ARCH,
    attribute("target", Value::Text).doc("Where it goes.").since(V2_0).unsupported(),
    attribute("owner", Value::Text).doc("Its owner, in the notation of chown.").since(V2_0).unsupported(),
    attribute("permissions", Value::Text)
        .doc("Its permissions, in the notation of chmod.")
        .since(V2_0)
        .unsupported(),
]);

// --- repository

pub(super) static REPOSITORY: ElementSchema = element("repository")
    .doc("A source of packages.")
    .attributes(&[
        attribute(
            "type",
            Value::OneOf(&[
                keyword("rpm-md"),
                keyword("rpm-dir").own(),
                keyword("yast2").own(),
                keyword("apt-deb"),
                keyword("deb").own(),
                keyword("deb-dir"),
                keyword("apt-rpm"),
                keyword("mirrors"),
                keyword("red-carpet").own(),
                keyword("slack-site").own(),
                keyword("up2date-mirrors").own(),
                keyword("urpmi").own(),
                keyword("apk").since(V2_0).unsupported(),
            ]),
        )
        .doc("The kind of repository."),
        attribute("status", Value::OneOf(&[keyword("replaceable"), keyword("fixed")]))
            .doc("Whether `--set-repo` replaces it.")
            .default("fixed")
            .own(),
        attribute("distribution", SOME_TEXT).doc("The suite of an apt repository, such as `bookworm`."),
        attribute("components", Value::Text)
            .doc("The components of an apt repository, separated by blanks.")
            .default("main"),
        attribute("architectures", DEBIAN_ARCHITECTURES).doc("The architectures of an apt repository."),
        attribute("repository_gpgcheck", Value::Boolean)
            .doc("Whether the signature of the repository must be valid."),
        attribute("package_gpgcheck", Value::Boolean)
            .doc("Whether the signatures of its packages must be valid."),
        attribute("alias", ALIAS).doc("Its name for the package manager."),
        attribute("priority", Value::Integer)
            .doc("Its priority, in the numbers of the package manager; for apt a pin priority."),
        PROFILES_ATTRIBUTE.since(V2_0),
        ARCH.since(V2_0),
        attribute("imageinclude", Value::Boolean)
            .doc("Whether the repository is also configured in the image.")
            .default("false")
            .since(V2_0),
        attribute("imageonly", Value::Boolean)
            .doc("Whether the repository is only configured in the image, and not used for the build.")
            .default("false")
            .since(V2_0),
        attribute("username", SOME_TEXT).doc("The user name for the server.").since(V2_0),
        attribute("pwd", Value::Text)
            .doc("The password for the server.")
            .since(V2_0)
            .until(V5_5)
            .instead("password"),
        attribute("password", Value::Text).doc("The password for the server.").since(V5_6).instead("pwd"),
        attribute("prefer-license", Value::Boolean)
            .doc("Whether its licences take precedence over others.")
            .since(V2_0)
            .own()
            .not_used(),
        attribute("use_for_bootstrap", Value::Boolean)
            .doc("Whether the first packages come from it.")
            .since(V2_0)
            .until(V8_1)
            .not_used(),
        attribute(
            "sourcetype",
            Value::OneOf(&[keyword("baseurl"), keyword("metalink"), keyword("mirrorlist")]),
        )
        .doc("Whether the path is the repository, or a list of its mirrors.")
        .default("baseurl")
        .since(V2_0),
        attribute("customize", SOME_TEXT)
            .doc("A script of the description that edits the file which zypper or dnf reads for the repository.")
            .since(V2_0),
    ])
    .children(&[once(&SOURCE).required()]);

static SOURCE: ElementSchema = element("source")
    .doc("The location of a repository.")
    .attributes(&[attribute("path", SOME_TEXT)
        .doc("The location: a URI, an absolute path, or `this://` for a path in the description.")
        .required()])
    .children(&[many(&SIGNING)]);

static SIGNING: ElementSchema = element("signing")
    .doc("A key that signs the repository.")
    .attributes(&[attribute("key", KEY_URI).doc("The location of the key.").required()]);

// --- known, without effect

pub(super) static INSTSOURCE: ElementSchema =
    element("instsource").doc("Settings for making installation media.").anything().own().not_used();

pub(super) static SPLIT: ElementSchema = element("split")
    .doc("The writable files of a split image.")
    .children(&[once(&TEMPORARY), once(&PERSISTENT)])
    .own();
static TEMPORARY: ElementSchema = element("temporary")
    .doc("Files whose changes are lost at the next boot.")
    .children(&[many(&SPLIT_FILE), many(&EXCEPT).since(V2_0)]);
static PERSISTENT: ElementSchema = element("persistent")
    .doc("Files whose changes are kept.")
    .children(&[many(&SPLIT_FILE), many(&EXCEPT).since(V2_0)]);
static EXCEPT: ElementSchema = element("except")
    .doc("A file or directory that is not in the list, in spite of the directory above it.")
    .attributes(&[attribute("name", ABSOLUTE_PATH).doc("Its path.").required()]);
static SPLIT_FILE: ElementSchema = element("file")
    .doc("One file, or a directory with all that is below it.")
    .attributes(&[attribute("name", ABSOLUTE_PATH)
        .doc("The path; `DIR/*` is all of a directory.")
        .required()]);

pub(super) static INCLUDE: ElementSchema = element("include")
    .doc("Another file whose elements replace this one.")
    .attributes(&[attribute("from", SOME_TEXT)
        .doc("Its path: relative to this file, or with `this://` to the description.")
        .required()]);

pub(super) static CERTIFICATES: ElementSchema = element("certificates")
    .doc("Certificates of authorities that the system trusts.")
    .attributes(&[
        attribute(
            "target_distribution",
            Value::OneOf(&[keyword("suse"), keyword("redhat"), keyword("debian"), keyword("archlinux")]),
        )
        .doc("The family of distributions, which decides the directory.")
        .required(),
        PROFILES_ATTRIBUTE,
    ])
    .children(&[many(&CERTIFICATE).required()])
    .unsupported();
static CERTIFICATE: ElementSchema = element("certificate").doc("One certificate.").attributes(&[NAME]);

pub(super) static STRIP: ElementSchema = element("strip")
    .doc("Files to remove from a boot image, or to keep in it.")
    .attributes(&[
        attribute("type", Value::OneOf(&[keyword("delete"), keyword("tools"), keyword("libs")]))
            .doc("What to do with them; of tools and libs only these are kept.")
            .required(),
        PROFILES_ATTRIBUTE,
    ])
    .children(&[many(&STRIP_FILE).required()])
    .unsupported();
static STRIP_FILE: ElementSchema = element("file").doc("One file.").attributes(&[
    attribute("name", SOME_TEXT).doc("The file, absolute or a name without its directory.").required(),
    ARCH,
    attribute("target", Value::Text).doc("Where it goes.").not_used(),
    attribute("owner", Value::Text).doc("Its owner, in the notation of chown.").not_used(),
    attribute("permissions", Value::Text).doc("Its permissions, in the notation of chmod.").not_used(),
]);

pub(super) static CONTAINERS: ElementSchema = element("containers")
    .doc("Containers to include in the image.")
    .attributes(&[
        attribute("source", SOME_TEXT).doc("Their registry.").required(),
        attribute(
            "backend",
            Value::OneOf(&[keyword("podman"), keyword("docker"), keyword("container-snap")]),
        )
        .doc("The program that runs them.")
        .required(),
        PROFILES_ATTRIBUTE,
        ARCH,
    ])
    .children(&[many(&CONTAINER).required()])
    .unsupported();
static CONTAINER: ElementSchema = element("container").doc("One container.").attributes(&[
    NAME,
    attribute("path", Value::Text).doc("Its path in the registry.").default("/"),
    attribute("tag", Value::Text).doc("Its tag.").default("latest"),
    attribute("fetch_only", Value::Boolean)
        .doc("Whether it is only fetched, and not loaded at the first boot.")
        .default("false"),
    ARCH,
]);

pub(super) static EXTENSION: ElementSchema = element("extension")
    .doc("Elements of other vocabularies, one for each namespace, which are preserved.")
    .anything()
    .not_used();
