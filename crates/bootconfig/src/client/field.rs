//! The fields of entries: names, paths, devices, servers.

use crate::plain_text;

/// Returns whether a text can be the name or the address of a server.
pub(super) fn is_server(text: &str) -> bool {
    let valid = |c: u8| c.is_ascii_alphanumeric() || b".-_:[]".contains(&c);
    !text.is_empty() && text.len() <= 255 && text.bytes().all(valid)
}

/// Returns whether a text can be a field: it has no blanks, quotes or backslashes, which the grammar uses.
pub(super) fn is_word(text: &str) -> bool {
    !text.contains(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '\\' | ',' | ';'))
}

/// Returns a path that stays below the directory it is relative to.
pub(super) fn path(text: &str) -> Option<String> {
    let valid = !text.is_empty() && is_word(text) && plain_text::stays_below(text);
    valid.then(|| text.to_owned())
}

/// Returns the name of a device without `/dev/`.
pub(super) fn device(text: &str) -> Option<String> {
    let name = text.strip_prefix("/dev/").unwrap_or(text);
    let valid = !name.is_empty() && !name.starts_with('/') && is_word(name) && plain_text::stays_below(name);
    valid.then(|| name.to_owned())
}

/// Returns the number in the name of a partition of `disk`.
pub(super) fn number_of(device: &str, disk: &str) -> Option<usize> {
    let number = device.strip_prefix(disk)?;
    number.strip_prefix('p').unwrap_or(number).parse().ok()
}

/// Splits the name of a partition into disk and number: `sda2`, `nvme0n1p2`.
pub(crate) fn split_number(device: &str) -> (&str, Option<usize>) {
    let disk = device.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let number = device[disk.len()..].parse().ok();
    let bare = disk.strip_suffix('p').filter(|bare| bare.ends_with(|letter: char| letter.is_ascii_digit()));
    (bare.unwrap_or(disk), number)
}
