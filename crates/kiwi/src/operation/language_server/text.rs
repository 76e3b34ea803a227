//! The text of an open document. The protocol counts lines from 0, and characters in units of UTF-16.

use std::ops::Range;

use serde_json::{Value, json};

/// Returns the byte offset of a position; one behind the end of its line is the end of the line.
pub(super) fn offset(text: &str, position: &Value) -> Option<usize> {
    let number = |name: &str| usize::try_from(position[name].as_u64()?).ok();
    let (line, character) = (number("line")?, number("character")?);
    let mut start = 0;
    for _ in 0..line {
        match text[start..].find('\n') {
            Some(end) => start += end + 1,
            None => return Some(text.len()),
        }
    }
    let (mut offset, mut units) = (start, 0);
    for c in text[start..].chars().take_while(|c| !matches!(c, '\n' | '\r')) {
        if units >= character {
            break;
        }
        units += c.len_utf16();
        offset += c.len_utf8();
    }
    Some(offset)
}

/// Returns the position of a byte offset.
pub(super) fn position(text: &str, offset: usize) -> Value {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let before = &text[..offset];
    let line = before.matches('\n').count();
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let character: usize = before[start..].chars().map(char::len_utf16).sum();
    json!({ "line": line, "character": character })
}

/// Returns a range of bytes as the protocol has it.
pub(super) fn range(text: &str, range: &Range<usize>) -> Value {
    json!({ "start": position(text, range.start), "end": position(text, range.end) })
}

/// Applies a change: new text for a range, or for everything.
pub(super) fn change(text: &mut String, change: &Value) -> Option<()> {
    let new = change["text"].as_str()?;
    if change["range"].is_null() {
        new.clone_into(text);
        return Some(());
    }
    let (start, end) = (offset(text, &change["range"]["start"])?, offset(text, &change["range"]["end"])?);
    if start > end {
        return None;
    }
    text.replace_range(start..end, new);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_units_of_utf_16() {
        let text = "aä\n\u{1f980}b\r\nc";
        for (line, character, expected) in
            [(0, 1, 1), (0, 2, 3), (0, 9, 3), (1, 2, 8), (1, 3, 9), (1, 9, 9), (2, 0, 11), (9, 0, 12)]
        {
            let found = offset(text, &json!({ "line": line, "character": character }));
            assert_eq!(found, Some(expected), "{line}:{character}");
        }
        assert_eq!(position(text, 8), json!({ "line": 1, "character": 2 }));
        assert_eq!(position(text, 2), json!({ "line": 0, "character": 1 }), "inside of a character");
    }

    #[test]
    fn changes_replace_ranges() {
        let mut text = "one\ntwo\n".to_owned();
        let at = |line: u32, character: u32| json!({ "line": line, "character": character });
        change(&mut text, &json!({ "range": { "start": at(1, 0), "end": at(1, 3) }, "text": "2" })).unwrap();
        assert_eq!(text, "one\n2\n");
        change(&mut text, &json!({ "range": { "start": at(2, 0), "end": at(2, 0) }, "text": "3" })).unwrap();
        assert_eq!(text, "one\n2\n3");
        change(&mut text, &json!({ "text": "all" })).unwrap();
        assert_eq!(text, "all");
        assert_eq!(
            change(&mut text, &json!({ "range": { "start": at(0, 3), "end": at(0, 1) }, "text": "" })),
            None
        );
    }
}
