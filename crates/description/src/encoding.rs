//! Decodes the bytes of a description: UTF-8, UTF-16, or the encoding that an XML declaration names.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// The length of the text that is searched for an XML declaration.
const DECLARATION: usize = 256;

/// Returns the text of these bytes, without a byte order mark.
///
/// # Errors
///
/// Returns the reason, worded to follow "reading PATH:".
pub fn decode(bytes: &[u8]) -> Result<String, String> {
    if let Some((encoding, length)) = Encoding::for_bom(bytes) {
        return text(&bytes[length..], encoding);
    }
    match bytes {
        [b'<', 0, ..] => return text(bytes, UTF_16LE),
        [0, b'<', ..] => return text(bytes, UTF_16BE),
        _ => {}
    }
    let Some(label) = declared(bytes) else { return text(bytes, UTF_8) };
    match Encoding::for_label(label.as_bytes()) {
        // What can be read as ASCII is not UTF-16, whatever it says.
        Some(encoding) if encoding == UTF_16LE || encoding == UTF_16BE => text(bytes, UTF_8),
        Some(encoding) => text(bytes, encoding),
        None => Err(format!("its encoding `{label}` is not known; UTF-8 is")),
    }
}

/// Returns the text with a declaration of UTF-8 instead of another encoding, for writing it as UTF-8.
pub fn declare_utf_8(text: &str) -> String {
    let range = label(text).filter(|range| !text[range.clone()].eq_ignore_ascii_case("utf-8"));
    match range {
        Some(range) => format!("{}UTF-8{}", &text[..range.start], &text[range.end..]),
        None => text.to_owned(),
    }
}

fn text(bytes: &[u8], encoding: &'static Encoding) -> Result<String, String> {
    let wrong = |valid: usize| {
        let line = bytes[..valid].iter().filter(|byte| **byte == b'\n').count() + 1;
        format!(
            "line {line} is not {} text; save it as UTF-8, or declare its encoding in the first line: \
             <?xml version=\"1.0\" encoding=\"iso-8859-1\"?>",
            encoding.name()
        )
    };
    if encoding == UTF_8 {
        return match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.to_owned()),
            Err(error) => Err(wrong(error.valid_up_to())),
        };
    }
    match encoding.decode_without_bom_handling_and_without_replacement(bytes) {
        Some(text) => Ok(text.into_owned()),
        None => Err(format!("it is not {} text throughout", encoding.name())),
    }
}

/// Returns the encoding that the XML declaration of an ASCII-compatible text names.
fn declared(bytes: &[u8]) -> Option<&str> {
    let start = &bytes[..bytes.len().min(DECLARATION)];
    let ascii = start.iter().take_while(|byte| byte.is_ascii()).count();
    let start = std::str::from_utf8(&start[..ascii]).ok()?;
    label(start).map(|range| &start[range])
}

/// Returns where the name of the encoding is.
fn label(text: &str) -> Option<std::ops::Range<usize>> {
    let declaration = text.strip_prefix("<?xml").and_then(|rest| rest.split("?>").next())?;
    let found = declaration.find("encoding")?;
    let rest = &declaration[found + "encoding".len()..];
    let value = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let length = value[1..].find(quote)?;
    let start = "<?xml".len() + declaration.len() - value.len() + 1;
    Some(start..start + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATIN: &str = "<?xml version='1.0' encoding = 'ISO-8859-1'?>\n<image name=\"\u{e4}\u{f6}\"/>";

    fn utf_16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn declared_encodings_and_byte_order_marks_are_read() {
        let latin: Vec<u8> = LATIN.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
        assert_eq!(decode(&latin).as_deref(), Ok(LATIN));
        let koi = b"<?xml version=\"1.0\" encoding=\"koi8-r\"?><a>\xc1</a>";
        assert_eq!(decode(koi).unwrap().chars().rev().nth(4), Some('\u{430}'));
        let text = "<?xml version=\"1.0\" encoding=\"UTF-16\"?>\n<image name=\"\u{4e2d}\"/>";
        let marked = format!("\u{feff}{text}");
        for bytes in [u16::to_le_bytes, u16::to_be_bytes] {
            assert_eq!(decode(&utf_16(&marked, bytes)).as_deref(), Ok(text));
            assert_eq!(decode(&utf_16(text, bytes)).as_deref(), Ok(text), "without a mark");
        }
        assert_eq!(decode(text.as_bytes()).as_deref(), Ok(text), "UTF-8 that claims to be UTF-16");
        assert_eq!(decode("\u{feff}image:".as_bytes()).as_deref(), Ok("image:"));
        assert_eq!(decode("image: \u{e4}".as_bytes()).as_deref(), Ok("image: \u{e4}"));
        assert_eq!(decode(b""), Ok(String::new()));
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_with_the_line() {
        let error = decode(b"<image>\n\xe4</image>").unwrap_err();
        assert!(error.starts_with("line 2 is not UTF-8 text"), "{error}");
        assert!(decode(b"<?xml version='1.0' encoding='klingon'?><a/>").unwrap_err().contains("`klingon`"));
        assert!(decode(b"\xff\xfe\x00\xd8").is_err(), "half a character of UTF-16");
    }

    #[test]
    fn a_text_that_is_written_as_utf_8_says_so() {
        assert_eq!(declare_utf_8(LATIN), LATIN.replace("ISO-8859-1", "UTF-8"));
        for same in
            ["<?xml version='1.0' encoding='utf-8'?><a/>", "<?xml version='1.0'?><a/>", "<a encoding='x'/>"]
        {
            assert_eq!(declare_utf_8(same), same);
        }
    }
}
