//! Versions of Debian packages and their order (Debian policy 5.6.12).

use std::cmp::Ordering;

/// Compares two versions `[EPOCH:]UPSTREAM[-REVISION]`.
pub(super) fn compare(one: &str, other: &str) -> Ordering {
    let ((epoch, upstream, revision), (other_epoch, other_upstream, other_revision)) =
        (split(one), split(other));
    epoch
        .cmp(&other_epoch)
        .then_with(|| compare_part(upstream, other_upstream))
        .then_with(|| compare_part(revision, other_revision))
}

fn split(version: &str) -> (u64, &str, &str) {
    let (epoch, rest) = version.split_once(':').unwrap_or(("0", version));
    let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
    (epoch.trim().parse().unwrap_or(0), upstream, revision)
}

/// Compares text up to the next digit, then a number, and so on; `~` sorts before the end, letters before the rest.
fn compare_part(mut one: &str, mut other: &str) -> Ordering {
    while !one.is_empty() || !other.is_empty() {
        let (first, second) = (text(&mut one), text(&mut other));
        for index in 0..first.len().max(second.len()) {
            let order = weight(first.as_bytes().get(index)).cmp(&weight(second.as_bytes().get(index)));
            if order.is_ne() {
                return order;
            }
        }
        let (first, second) = (number(&mut one), number(&mut other));
        let (first, second) = (first.trim_start_matches('0'), second.trim_start_matches('0'));
        let order = first.len().cmp(&second.len()).then_with(|| first.cmp(second));
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

fn text<'a>(part: &mut &'a str) -> &'a str {
    take(part, |byte| !byte.is_ascii_digit())
}

fn number<'a>(part: &mut &'a str) -> &'a str {
    take(part, u8::is_ascii_digit)
}

/// Removes and returns the leading bytes for which `belongs` holds.
fn take<'a>(part: &mut &'a str, belongs: impl Fn(&u8) -> bool) -> &'a str {
    let length = part.bytes().take_while(|byte| byte.is_ascii() && belongs(byte)).count();
    // No version contains other bytes than ASCII; such a byte is skipped, so that the loop ends.
    let length = if length == 0 && !part.is_empty() && !part.as_bytes()[0].is_ascii() {
        part.chars().next().map_or(0, char::len_utf8)
    } else {
        length
    };
    let (taken, rest) = part.split_at(length);
    *part = rest;
    taken
}

fn weight(byte: Option<&u8>) -> i32 {
    match byte {
        Some(b'~') => -1,
        None => 0,
        Some(byte) if byte.is_ascii_alphabetic() => i32::from(*byte),
        Some(byte) => i32::from(*byte) + 256,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_as_dpkg_does() {
        for (less, more) in [
            ("1.0", "1.1"),
            ("1.0~rc1", "1.0"),
            ("1.0", "1.0-1"),
            ("1.0-1", "1.0-1+b1"),
            ("1.0-1~deb12u1", "1.0-1"),
            ("9.9", "1:0.1"),
            ("1.2", "1.10"),
            ("1.0a", "1.0+"),
            ("1.0", "1.0a"),
            ("2.36-9+deb12u9", "2.36-9+deb12u10"),
            ("1.0.0-1", "1.0.0.1-1"),
            ("~~", "~~a"),
            ("~", ""),
        ] {
            assert_eq!(compare(less, more), Ordering::Less, "{less} < {more}");
            assert_eq!(compare(more, less), Ordering::Greater, "{more} > {less}");
        }
        assert_eq!(compare("0:1.01-0", "1.1"), Ordering::Equal);
        assert_eq!(compare("ü1", "ü1"), Ordering::Equal);
    }
}
