//! Mappings and lists in braces and brackets: JSON, the flow style of YAML, inline tables and arrays of TOML.

use super::{At, Cursor, first_word, unquoted};

/// What was read.
pub(super) enum Flow<'a> {
    /// The value ends at this offset.
    Closed(usize),
    /// The text ends in the value.
    Open(Open<'a>),
    /// The text ends in a comment.
    Comment,
}

/// The state at the end of the text.
pub(super) struct Open<'a> {
    text: &'a str,
    frames: Vec<Frame>,
    /// Where the last key or value begins.
    start: usize,
}

/// A mapping or a list.
struct Frame {
    is_list: bool,
    /// The key whose value comes next, or is around the inner frames.
    key: Option<String>,
    others: Vec<String>,
}

impl Flow<'_> {
    /// Returns the cursor at the end of the text. `path` and `key` are those around the value.
    pub(super) fn open(self, path: &[String], key: Option<&str>) -> Option<Cursor> {
        let Self::Open(Open { text, mut frames, start }) = self else { return None };
        let mut path = path.to_vec();
        let inner = frames.pop()?;
        let mut around = key.map(str::to_owned);
        for frame in frames {
            // The items of a list belong to its key.
            if !frame.is_list {
                path.extend(around.take());
                around = frame.key;
            }
        }
        let word = first_word(text, start)..text.len();
        let at = match (inner.is_list, inner.key) {
            (true, _) => At::Value(around?),
            (false, key) => {
                path.extend(around);
                key.map_or(At::Key { others: inner.others }, At::Value)
            }
        };
        Some(Cursor { path, at, word })
    }
}

/// Reads a value from `start` on, which is a brace or bracket.
pub(super) fn read(text: &str, start: usize, separator: char) -> Flow<'_> {
    let mut frames: Vec<Frame> = Vec::new();
    let (mut token, mut quote, mut before) = (start, None, ' ');
    let mut letters = text[start..].char_indices();
    while let Some((at, letter)) = letters.next() {
        let (at, next) = (start + at, start + at + letter.len_utf8());
        match letter {
            _ if quote.is_some() => {
                if letter == '\\' && quote == Some('"') {
                    letters.next();
                } else if quote == Some(letter) {
                    quote = None;
                }
            }
            '"' | '\'' => quote = Some(letter),
            '#' if before.is_whitespace() || separator == '=' => {
                let Some(end) = text[at..].find('\n') else { return Flow::Comment };
                token = at + end;
                letters = text[start..].char_indices();
                // The rest of the line is a comment.
                while letters.offset() < token - start {
                    letters.next();
                }
            }
            '{' | '[' => {
                frames.push(Frame { is_list: letter == '[', key: None, others: Vec::new() });
                token = next;
            }
            '}' | ']' => {
                frames.pop();
                if frames.is_empty() {
                    return Flow::Closed(next);
                }
                token = next;
            }
            ',' => {
                if let Some(frame) = frames.last_mut() {
                    frame.others.extend(frame.key.take());
                }
                token = next;
            }
            letter if letter == separator => {
                if let Some(frame) = frames.last_mut().filter(|frame| !frame.is_list && frame.key.is_none()) {
                    frame.key = Some(unquoted(&text[token..at]).to_owned());
                    token = next;
                }
            }
            _ => {}
        }
        before = letter;
    }
    Flow::Open(Open { text, frames, start: token })
}
