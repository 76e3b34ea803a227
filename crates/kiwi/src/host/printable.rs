//! Text of others (output of programs, names of files) as it is shown to a person: control characters would otherwise move the
//! cursor, change the title of the window or hide text.

use std::borrow::Cow;
use std::fmt::Write;

/// The most columns that are shown of one line of a program's output.
const COLUMNS: usize = 500;

/// Returns whether a terminal could interpret this character, or a reader could not see it.
fn is_hidden(c: char) -> bool {
    // The second range: characters that change the direction of text.
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn escape(c: char, to: &mut String) {
    // Writing to a string cannot fail.
    let _ = match u32::from(c) {
        code @ ..0x80 => write!(to, "\\x{code:02x}"),
        code => write!(to, "\\u{{{code:x}}}"),
    };
}

/// Returns the text with every control character except line breaks and tabs escaped, as `\x1b`.
pub fn text(text: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c == '\n' || c == '\t' || !is_hidden(c);
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_plain(c) { shown.push(c) } else { escape(c, &mut shown) }
    }
    Cow::Owned(shown)
}

/// Like [`text`], and keeps the escape sequences that select colours.
pub fn colored(colored: &str) -> String {
    let mut shown = String::with_capacity(colored.len());
    let mut rest = colored;
    while let Some(start) = rest.find("\x1b[") {
        let parameters = &rest[start + 2..];
        let length = parameters.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b';').count();
        let end = start + 2 + length;
        shown += &text(&rest[..start]);
        if rest.as_bytes().get(end) == Some(&b'm') {
            shown += &rest[start..=end];
            rest = &rest[end + 1..];
        } else {
            shown += &text(&rest[start..end]);
            rest = &rest[end..];
        }
    }
    shown + &text(rest)
}

/// Returns one line of a program's output: bytes that are no text and control characters are escaped, and what exceeds 500
/// columns is cut.
pub fn line(bytes: &[u8]) -> String {
    let bytes = bytes.trim_ascii_end();
    beginning(bytes, bytes.len())
}

/// Like [`line()`], of a line of `length` bytes that begins with these.
fn beginning(bytes: &[u8], length: usize) -> String {
    let mut shown = String::new();
    let mut columns = 0;
    let mut left = bytes;
    while columns < COLUMNS && !left.is_empty() {
        let chunk = left.utf8_chunks().next();
        let (valid, invalid) = chunk.map_or(("", left), |chunk| (chunk.valid(), chunk.invalid()));
        for c in valid.chars() {
            if columns >= COLUMNS {
                break;
            }
            if c == '\t' || !is_hidden(c) {
                shown.push(c);
            } else {
                escape(c, &mut shown);
            }
            columns += 1;
            left = &left[c.len_utf8()..];
        }
        if columns < COLUMNS {
            for byte in invalid {
                let _ = write!(shown, "\\x{byte:02x}");
            }
            columns += invalid.len();
            left = &left[invalid.len()..];
        }
    }
    let more = length - (bytes.len() - left.len());
    if more > 0 {
        let _ = write!(shown, " ... ({more} more bytes)");
    }
    shown
}

/// The last lines of a program's output, whose lines can arrive in pieces.
#[derive(Debug, Default)]
pub struct Tail {
    lines: Vec<String>,
    /// The beginning of a line that goes on, and its length so far.
    unfinished: Option<(Vec<u8>, usize)>,
}

impl Tail {
    /// Maximum number of lines.
    const LINES: usize = 30;

    /// Adds a line, or a piece of one that does not end in a line break.
    pub fn add(&mut self, piece: &[u8]) {
        let content = piece.strip_suffix(b"\n").unwrap_or(piece);
        let (start, length) = match self.unfinished.take() {
            Some((start, length)) => {
                self.lines.pop();
                (start, length + content.len())
            }
            None if content.trim_ascii_end().is_empty() => return,
            None => {
                let content = content.trim_ascii_end();
                // A character has at most four bytes.
                (content[..content.len().min(4 * COLUMNS)].to_owned(), content.len())
            }
        };
        if self.lines.len() == Self::LINES {
            self.lines.remove(0);
        }
        self.lines.push(beginning(&start, length));
        if !piece.ends_with(b"\n") {
            self.unfinished = Some((start, length));
        }
    }

    /// Returns the lines.
    pub fn into_lines(self) -> Vec<String> {
        self.lines
    }
}

/// Returns a number of bytes in the unit that suits it.
pub fn size(bytes: u64) -> String {
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut number = bytes as f64 / 1024.0;
    let mut unit = 0;
    while number >= 1000.0 && unit + 1 < UNITS.len() {
        number /= 1024.0;
        unit += 1;
    }
    format!("{number:.1} {}", UNITS[unit])
}

/// Returns a number of things, each called `name`.
pub fn count(number: usize, name: &str) -> String {
    format!("{number} {name}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_the_unit_that_suits_them() {
        assert_eq!(
            [size(0), size(512), size(1 << 20), size(1010 << 20), size(5 << 40), size(u64::MAX)],
            ["0 B", "512 B", "1.0 MiB", "1.0 GiB", "5.0 TiB", "16777216.0 TiB"]
        );
    }

    #[test]
    fn one_thing_is_not_several() {
        assert_eq!(
            [0, 1, 2].map(|number| count(number, "package")),
            ["0 packages", "1 package", "2 packages"]
        );
    }

    #[test]
    fn escapes_what_a_terminal_would_interpret() {
        assert_eq!(text("plain\n\tö"), "plain\n\tö");
        assert_eq!(text("a\x1b]0;title\x07b\r\0"), "a\\x1b]0;title\\x07b\\x0d\\x00");
        assert_eq!(text("\u{9b}31m \u{202e}txt"), "\\u{9b}31m \\u{202e}txt");
    }

    #[test]
    fn keeps_colours_and_nothing_else() {
        assert_eq!(colored("\x1b[1;31mred\x1b[0m"), "\x1b[1;31mred\x1b[0m");
        assert_eq!(colored("\x1b[2Jx\x1b[3"), "\\x1b[2Jx\\x1b[3");
        assert_eq!(colored("\x1b]0;t\x07\x1b[0m"), "\\x1b]0;t\\x07\x1b[0m");
    }

    #[test]
    fn cuts_long_lines_and_escapes_bytes_that_are_no_text() {
        assert_eq!(line(b"a\xff\xfeb\x1b[1m\n"), "a\\xff\\xfeb\\x1b[1m");
        let long = line(&[b'x'; 2_000_000]);
        assert_eq!(long, format!("{} ... (1999500 more bytes)", "x".repeat(500)));
        assert!(line(&[0xff; 5000]).ends_with(" more bytes)"));
        assert_eq!(line(b""), "");
    }

    #[test]
    fn a_line_that_arrives_in_pieces_is_one_line_of_the_tail() {
        let mut tail = Tail::default();
        for piece in [&b"one\n"[..], b"\n", &[b'x'; 600], &[b'x'; 600], b"y\n", b"\x1b[1mlast"] {
            tail.add(piece);
        }
        let long = format!("{} ... (701 more bytes)", "x".repeat(500));
        assert_eq!(tail.into_lines(), ["one", &long, "\\x1b[1mlast"]);
        let mut tail = Tail::default();
        (0..50).for_each(|number| tail.add(format!("{number}\n").as_bytes()));
        assert_eq!(tail.into_lines().len(), Tail::LINES);
    }
}
