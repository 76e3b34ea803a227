//! Matching the wildcard patterns of modules.alias.
//!
//! As in kmod: `*`, `?` and `[...]` as in shell patterns, `-` and `_` are the same character outside brackets.

/// Returns `text` with `-` replaced by `_`, except inside brackets, where it makes a range.
pub(super) fn underscored(text: &str) -> String {
    let mut in_brackets = false;
    text.chars()
        .map(|c| {
            match c {
                '[' => in_brackets = true,
                ']' => in_brackets = false,
                _ => {}
            }
            if c == '-' && !in_brackets { '_' } else { c }
        })
        .collect()
}

/// Returns whether the whole of `text` matches `pattern`. Linear in practice: only the last star is ever extended.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut star = None;
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p, t));
            p += 1;
        } else if let Some(after) = one(pattern, p, text[t]) {
            (p, t) = (after, t + 1);
        } else if let Some((at, taken)) = star {
            // The last star takes one character more, and the rest is tried again.
            star = Some((at, taken + 1));
            (p, t) = (at + 1, taken + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|&c| c == b'*')
}

/// Matches one character at `p`; returns the position after it.
fn one(pattern: &[u8], p: usize, letter: u8) -> Option<usize> {
    match *pattern.get(p)? {
        b'?' => Some(p + 1),
        b'[' => {
            let length = pattern[p + 1..].iter().position(|&c| c == b']')?;
            set_contains(&pattern[p + 1..p + 1 + length], letter).then_some(p + length + 2)
        }
        c => (c == letter).then_some(p + 1),
    }
}

fn set_contains(set: &[u8], letter: u8) -> bool {
    let (set, inverted) = match set {
        [b'!' | b'^', rest @ ..] => (rest, true),
        set => (set, false),
    };
    let mut rest = set;
    let mut found = false;
    while let [first, tail @ ..] = rest {
        (found, rest) = match tail {
            [b'-', last, tail @ ..] => (found || (*first..=*last).contains(&letter), tail),
            tail => (found || *first == letter, tail),
        };
    }
    found != inverted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_real_modules_match_real_devices() {
        let nvme = "pci:v00001B36d00000010sv00001AF4sd00001100bc01sc08i02";
        for (pattern, text, expected) in [
            ("pci:v*d*sv*sd*bc01sc08i02*", nvme, true),
            ("pci:v*d*sv*sd*bc01sc06i01*", nvme, false),
            ("pci:v00001B36d00000010sv*sd*bc*sc*i*", nvme, true),
            ("virtio:d00000002v*", "virtio:d00000002v00001AF4", true),
            ("virtio:d00000002v*", "virtio:d00000001v00001AF4", false),
            ("scsi:t_0x00*", "scsi:t_0x00", true),
            ("usb:v0421p0019d059[0_2]dc*", "usb:v0421p0019d0592dc00", true),
            ("usb:v0525pA4A2d0[0-4]*dc*", "usb:v0525pA4A2d03dc01", true),
            ("usb:v0525pA4A2d0[0-4]*dc*", "usb:v0525pA4A2d05dc01", false),
            ("crc32c", "crc32c", true),
            ("crc32c", "crc32", false),
            ("a[!b]c", "axc", true),
            ("a[!b]c", "abc", false),
            ("a[b", "ab", false),
            ("", "", true),
            ("*", "", true),
            ("?", "", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_do_not_take_forever() {
        let text = "a".repeat(2000);
        assert!(!matches(&format!("{}b", "a*".repeat(200)), &text));
    }

    #[test]
    fn dashes_are_underscores_except_in_ranges() {
        assert_eq!(underscored("scsi:t-0x0[0-4]-x"), "scsi:t_0x0[0-4]_x");
    }
}
