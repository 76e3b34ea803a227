//! Limits of an XML text, checked before it is parsed.
//!
//! The parser compares each attribute of an element with all others, and copies the namespaces in force at every element
//! that declares one. A text with unlimited nesting, declarations or attributes would keep it busy for hours; one pass over
//! the tags detects it here. A text that is not well-formed is left to the parser, which has better messages.

use std::ops::Range;

/// Deeper than any list of unclosed tags in a real file.
const MAX_OPEN: usize = 1_000;

/// More attributes than any element of any schema has.
const MAX_ATTRIBUTES: usize = 300;

/// More declarations than any file has.
const MAX_NAMESPACES: usize = 1_000;

/// Returns the position that exceeds a limit, and the reason.
pub(super) fn beyond(text: &str) -> Option<(Range<usize>, String)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut open = 0_usize;
    let mut namespaces = 0;
    while let Some(found) = text[at..].find('<') {
        let start = at + found;
        let rest = &text[start..];
        let skip = |end: &str| rest.find(end).map(|found| start + found + end.len());
        let next = if rest.starts_with("<!--") {
            skip("-->")
        } else if rest.starts_with("<![CDATA[") {
            skip("]]>")
        } else if rest.starts_with("<?") {
            skip("?>")
        } else if rest.starts_with("<!") {
            return None;
        } else if rest.starts_with("</") {
            open = open.saturating_sub(1);
            skip(">")
        } else {
            let tag = Tag::read(bytes, start);
            namespaces += tag.namespaces;
            if !tag.empty {
                open += 1;
            }
            let name = rest.find(|c: char| c.is_whitespace() || c == '>' || c == '/').unwrap_or(rest.len());
            let location = start + 1..start + name.max(1);
            if open > MAX_OPEN {
                return Some((location, format!("more than {MAX_OPEN} elements are open at once")));
            }
            if tag.attributes > MAX_ATTRIBUTES {
                return Some((location, format!("an element has more than {MAX_ATTRIBUTES} attributes")));
            }
            if namespaces > MAX_NAMESPACES {
                return Some((location, format!("more than {MAX_NAMESPACES} namespaces are declared")));
            }
            Some(tag.end)
        };
        at = next?;
    }
    None
}

/// An opening tag.
struct Tag {
    attributes: usize,
    namespaces: usize,
    empty: bool,
    end: usize,
}

impl Tag {
    fn read(bytes: &[u8], start: usize) -> Self {
        let mut tag = Self { attributes: 0, namespaces: 0, empty: false, end: bytes.len() };
        let mut quote = None;
        let mut keyword = start + 1;
        for (at, byte) in bytes.iter().copied().enumerate().skip(start + 1) {
            match (quote, byte) {
                (Some(open), _) if open == byte => quote = None,
                (Some(_), _) => {}
                (None, b'"' | b'\'') => quote = Some(byte),
                (None, b'=') => {
                    tag.attributes += 1;
                    tag.namespaces += usize::from(bytes[keyword..at].starts_with(b"xmlns"));
                }
                (None, b'>') => {
                    tag.empty = bytes[at - 1] == b'/';
                    tag.end = at + 1;
                    break;
                }
                (None, byte) if byte.is_ascii_whitespace() => keyword = at + 1,
                (None, _) => {}
            }
        }
        tag
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_within_the_bounds() {
        let text = "<?xml version=\"1.0\"?><!-- <a> --><image a=\"<>\" b='x>y'><![CDATA[<<<]]><b/></image>";
        assert_eq!(beyond(text), None);
        assert_eq!(beyond("<a"), None);
        assert_eq!(beyond("<"), None);
        assert_eq!(beyond("<!-- <a>"), None);
        assert_eq!(beyond(&"<a/>".repeat(5_000)), None);
        assert_eq!(beyond(&"<a></a>".repeat(5_000)), None);
    }

    #[test]
    fn what_has_no_end_is_found_at_its_place() {
        let deep = "<a>".repeat(1_001);
        assert_eq!(beyond(&deep).map(|(range, _)| range), Some(3_001..3_002));
        let many = format!("<image {}>", "a=\"\" ".repeat(301));
        assert_eq!(beyond(&many).map(|(range, _)| range), Some(1..6));
        let declared = "<a xmlns:b=\"c\"/>".repeat(1_001);
        assert_eq!(beyond(&declared).map(|(range, _)| range), Some(16_001..16_002));
    }
}
