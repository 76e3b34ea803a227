//! TOML: tables by their heads, dotted keys, inline tables and arrays.

use super::flow::{self, Flow};
use super::{At, Cursor, first_word, separator, unquoted, without_comment};

/// Returns the cursor at the end of the text.
pub(super) fn at(text: &str) -> Option<Cursor> {
    let mut table: Vec<String> = Vec::new();
    let mut others: Vec<String> = Vec::new();
    let mut start = 0;
    loop {
        let end = text[start..].find('\n').map(|end| start + end);
        let line = without_comment(&text[start..end.unwrap_or(text.len())]);
        if end.is_none() && start + line.len() < text.len() {
            return None;
        }
        let column = first_word(line, 0);
        let rest = &line[column..];
        if let Some(head) = rest.strip_prefix('[') {
            let head = head.strip_prefix('[').unwrap_or(head);
            if let (None, None) = (end, head.find(']')) {
                let (path, last) = dotted(head);
                let word = text.len() - last.len()..text.len();
                return Some(Cursor { path, at: At::Head, word });
            }
            let (mut path, last) = dotted(head.split(']').next().unwrap_or_default());
            path.push(unquoted(last).to_owned());
            (table, others) = (path, Vec::new());
        } else if let Some(equals) = separator(rest, '=') {
            let (path, last) = dotted(&rest[..equals]);
            let around = [table.clone(), path.clone()].concat();
            let key = unquoted(last);
            let value = first_word(line, column + equals + 1);
            if matches!(line[value..].chars().next(), Some('{' | '[')) {
                match flow::read(text, start + value, '=') {
                    Flow::Closed(closed) => {
                        start = closed + text[closed..].find('\n')? + 1;
                        others.push(key.to_owned());
                        continue;
                    }
                    open => return open.open(&around, Some(key)),
                }
            }
            if end.is_none() {
                let at = At::Value(key.to_owned());
                return Some(Cursor { path: around, at, word: start + value..text.len() });
            }
            if path.is_empty() {
                others.push(key.to_owned());
            }
        } else if end.is_none() {
            let (path, last) = dotted(rest);
            let word = text.len() - last.len()..text.len();
            let others = if path.is_empty() { others } else { Vec::new() };
            return Some(Cursor { path: [table, path].concat(), at: At::Key { others }, word });
        }
        start = end? + 1;
    }
}

/// Splits a dotted key into the keys before the last dot, and the last one as it is written.
fn dotted(text: &str) -> (Vec<String>, &str) {
    let (mut path, mut start, mut quote) = (Vec::new(), 0, None);
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            (Some(open), letter) if open == letter => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(letter),
            (None, '.') => {
                path.push(unquoted(&text[start..at]).to_owned());
                start = at + 1;
            }
            (None, _) => {}
        }
    }
    (path, text[start..].trim_start())
}
