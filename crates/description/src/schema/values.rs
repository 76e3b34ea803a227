//! Forms of values that several tables share.

use super::{AttributeSchema, Value, attribute, keyword};
use crate::SchemaVersion::V2_0;
use crate::document::Text;
use crate::{ImageName, PackageName, PatternName, ProfileName, UserName, Version};

/// Parses a boolean in the spelling of any schema.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Some(true),
        "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

/// Parses a whole number, which consists of digits only.
pub(crate) fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// Returns the items of a list separated by commas or blanks.
pub(crate) fn list_items(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c == ',' || c.is_whitespace()).filter(|item| !item.is_empty())
}

pub(super) const IMAGE_NAME: Value =
    Value::Form(ImageName::EXPECTED, |text| ImageName::parse(text).is_some());
/// `/etc/ImageID` has one line.
pub(super) const IMAGE_ID: Value = Value::Form("a text on one line", |text| !text.contains('\n'));
pub(super) const VERSION: Value = Value::Form(Version::EXPECTED, |text| Version::parse(text).is_some());
pub(super) const PACKAGE: Value =
    Value::Form(PackageName::EXPECTED, |text| PackageName::parse(text).is_some());
pub(super) const PATTERN: Value =
    Value::Form(PatternName::EXPECTED, |text| PatternName::parse(text).is_some());
pub(super) const PROFILE: Value =
    Value::Form(ProfileName::EXPECTED, |text| ProfileName::parse(text).is_some());
pub(super) const USER: Value = Value::Form(UserName::EXPECTED, |text| UserName::parse(text).is_some());

pub(super) const PROFILES: Value =
    Value::Form(PROFILES_FORM, |text| text.split(',').all(|name| ProfileName::parse(name.trim()).is_some()));

pub(super) const GROUPS: Value =
    Value::Form("names or numbers of groups separated by commas, each name with an optional `:id`", |text| {
        let is_id = |text: &str| number(text.trim()).is_some_and(|id| id < u64::from(u32::MAX));
        text.split(',').all(|group| match group.split_once(':') {
            Some((name, id)) => UserName::parse(name.trim()).is_some() && is_id(id),
            None => UserName::parse(group.trim()).is_some() || is_id(group),
        })
    });

const SOME_TEXT_FORM: &str = "a text that is not empty";
const ABSOLUTE_PATH_FORM: &str = "an absolute path, without `..`";
const PATH_IN_SYSTEM_FORM: &str = "a path in the system, without `..`";
const TIMEZONE_FORM: &str = "a time zone below /usr/share/zoneinfo, such as `Europe/Berlin`";
const KEYTABLE_FORM: &str = "the name of a console keymap, such as `us` or `de-latin1`";

/// The forms that KIWI NG also accepts empty.
pub(super) const ABSENT_IF_EMPTY: [&str; 6] =
    [SOME_TEXT_FORM, ABSOLUTE_PATH_FORM, PATH_IN_SYSTEM_FORM, TIMEZONE_FORM, KEYTABLE_FORM, PROFILES_FORM];
const PROFILES_FORM: &str = "names of declared profiles, separated by commas";

/// Any text that is not empty: a name, a path or a line.
pub(super) const SOME_TEXT: Value = Value::Form(SOME_TEXT_FORM, |text| !text.is_empty());

pub(super) const ABSOLUTE_PATH: Value =
    Value::Form(ABSOLUTE_PATH_FORM, |text| text.starts_with('/') && no_way_up(text));

pub(super) const PATH_IN_SYSTEM: Value =
    Value::Form(PATH_IN_SYSTEM_FORM, |text| !text.is_empty() && no_way_up(text));

pub(super) const RELATIVE_PATH: Value = Value::Form("a relative path, without `..`", |text| {
    !text.is_empty() && !text.starts_with('/') && no_way_up(text)
});

pub(super) const LOCALE: Value =
    Value::Form("a locale such as `en_US` or `de_DE.UTF-8`; several are separated by commas", |text| {
        text.split(',').all(|locale| {
            let locale = locale.trim();
            locale.starts_with(|c: char| c.is_ascii_alphabetic())
                && locale.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'@' | b'-'))
        })
    });

pub(super) const TIMEZONE: Value = Value::Form(TIMEZONE_FORM, |text| {
    !text.starts_with('/')
        && no_way_up(text)
        && !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'+' | b'/'))
});

pub(super) const KEYTABLE: Value = Value::Form(KEYTABLE_FORM, |text| {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
        && !text.starts_with(['.', '-'])
});

pub(super) const KEY_URI: Value =
    Value::Form("a URI of a key, starting with `file:`, `this:`, `https:`, `http:` or `ftp:`", |text| {
        ["file:", "this:", "https:", "http:", "ftp:"].iter().any(|scheme| text.starts_with(scheme))
    });

pub(super) const ALIAS: Value = Value::Form(ImageName::EXPECTED, |text| ImageName::parse(text).is_some());

pub(super) const SIZE: Value = Value::Form("a size in megabytes, or with the unit `M` or `G`", |text| {
    number(text.trim_end_matches(['M', 'G'])).is_some() && !text.is_empty() && !text.starts_with(['M', 'G'])
});

pub(super) const SIZE_OR_ALL: Value =
    Value::Form("a size in megabytes, or with the unit `M` or `G`, or `all`", |text| {
        text == "all"
            || (number(text.trim_end_matches(['M', 'G'])).is_some() && !text.starts_with(['M', 'G']))
    });

/// `posix32`
pub(super) const VOLUME_ID: Value =
    Value::Form("letters, digits, '_', '-' and '.', at most 32", |text| is_posix(text) && text.len() <= 32);

/// `achar`: the characters that ISO 9660 allows in its descriptors.
pub(super) const ISO_TEXT: Value =
    Value::Form("letters, digits, blanks and punctuation of ASCII, at most 128 characters", |text| {
        let allowed =
            |b: u8| b.is_ascii_alphanumeric() || matches!(b, b' ' | b'!'..=b'/' | b':'..=b'?' | b'_');
        (1..=128).contains(&text.len()) && text.bytes().all(allowed)
    });

pub(super) const POSIX: Value = Value::Form(ImageName::EXPECTED, is_posix);

pub(super) const GUID: Value =
    Value::Form("a GUID in lower case such as `0123abcd-0123-0123-0123-0123456789ab`", |text| {
        let lengths: Vec<usize> = text.split('-').map(str::len).collect();
        let digit = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f' | b'-');
        lengths == [8, 4, 4, 4, 12] && text.bytes().all(digit)
    });

pub(super) const FILE_ATTRIBUTES: Value =
    Value::ListOf(&[keyword("no-copy-on-write"), keyword("synchronous-updates")]);

pub(super) const PORT: Value =
    Value::Form("a port number, with `/tcp` or `/udp` after it if need be", |text| {
        let port = text.strip_suffix("/tcp").or_else(|| text.strip_suffix("/udp")).unwrap_or(text);
        !port.is_empty() && number(port).is_some_and(|port| port <= 65535)
    });

/// `wslver`
pub(super) const PACKAGE_VERSION: Value =
    Value::Form("four numbers up to 65535 with points between them", |text| {
        text.split('.').count() == 4
            && text.split('.').all(|part| !part.is_empty() && number(part).is_some_and(|part| part <= 65535))
    });

/// `unit=` of a size.
pub(super) const UNIT: AttributeSchema = attribute("unit", Value::OneOf(&[keyword("M"), keyword("G")]))
    .doc("`M`: mebibytes; `G`: gibibytes.")
    .default("M");

pub(super) const DIGITS: Value = Value::Number(0, u64::MAX);

pub(super) const MAC: Value = Value::Form("a hardware address such as `52:54:00:12:34:56`", |text| {
    text.split(':').count() == 6
        && text.split(':').all(|pair| pair.len() == 2 && pair.bytes().all(|b| b.is_ascii_hexdigit()))
});

/// Machine names of `arch=`, separated by commas.
pub(super) const ARCHITECTURES: Value = Value::ListOf(NAMES_OF_ARCHITECTURES);

/// The machine names.
pub(crate) const NAMES_OF_ARCHITECTURES: &[super::Keyword] = &[
    keyword("x86_64"),
    keyword("amd64"),
    keyword("ix86"),
    keyword("i386").own().instead("ix86"),
    keyword("i486").own().instead("ix86"),
    keyword("i586"),
    keyword("i686"),
    keyword("aarch64"),
    keyword("arm64"),
    keyword("armv5el").since(V2_0),
    keyword("armv5tel").since(V2_0),
    keyword("armv6hl").since(V2_0),
    keyword("armv6l").since(V2_0),
    keyword("armv7hl").since(V2_0),
    keyword("armv7l").since(V2_0),
    keyword("ppc"),
    keyword("ppc64"),
    keyword("ppc64le"),
    keyword("ia64").own(),
    keyword("s390"),
    keyword("s390x"),
    keyword("riscv64"),
];

/// Debian's names of architectures, for an apt repository.
pub(super) const DEBIAN_ARCHITECTURES: Value =
    Value::Form("names of architectures, separated by commas", |text| {
        list_items(text)
            .all(|name| name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')))
            && !text.is_empty()
    });

fn is_posix(text: &str) -> bool {
    ImageName::parse(text).is_some()
}

fn no_way_up(text: &str) -> bool {
    text.split('/').all(|part| part != "..") && !text.contains('\0')
}

/// Returns whether a text means the default value, in any spelling.
pub(crate) fn says_default(default: Option<&str>, text: Option<&Text>) -> bool {
    let (Some(default), Some(text)) = (default, text) else { return false };
    default == text.text || (boolean(default).is_some() && boolean(default) == boolean(&text.text))
}
