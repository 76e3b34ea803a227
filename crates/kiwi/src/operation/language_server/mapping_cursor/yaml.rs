//! YAML: keys and lists by indentation; values in braces and brackets.

use super::flow::{self, Flow};
use super::{At, Cursor, first_word, separator, unquoted, without_comment};

/// A mapping that is open in a line, by the column of its keys.
struct Level {
    column: usize,
    /// Its last key.
    key: String,
    others: Vec<String>,
}

/// The mappings around a line.
#[derive(Default)]
struct Levels(Vec<Level>);

impl Levels {
    /// Ends the mappings of columns to the right.
    fn end_right_of(&mut self, column: usize) {
        while self.0.last().is_some_and(|level| level.column > column) {
            self.0.pop();
        }
    }

    /// Ends the mapping at this column: a new item of a list begins.
    fn end_at(&mut self, column: usize) {
        while self.0.last().is_some_and(|level| level.column >= column) {
            self.0.pop();
        }
    }

    fn key(&mut self, column: usize, key: &str) {
        match self.0.last_mut().filter(|level| level.column == column) {
            Some(level) => level.others.push(std::mem::replace(&mut level.key, key.to_owned())),
            None => self.0.push(Level { column, key: key.to_owned(), others: Vec::new() }),
        }
    }

    /// Returns the path around the mapping at this column, and the keys that it has.
    fn around(mut self, column: usize) -> (Vec<String>, Vec<String>) {
        let own = self.0.pop_if(|level| level.column == column);
        let others = own.map_or_else(Vec::new, |level| [level.others, vec![level.key]].concat());
        (self.0.into_iter().map(|level| level.key).collect(), others)
    }
}

/// Returns the cursor at the end of the text.
pub(super) fn at(text: &str) -> Option<Cursor> {
    let mut levels = Levels::default();
    // The column of the key of a long text.
    let mut long_text: Option<usize> = None;
    let mut start = 0;
    loop {
        let end = text[start..].find('\n').map(|end| start + end);
        let line = without_comment(&text[start..end.unwrap_or(text.len())]);
        let has_comment = start + line.len() < end.unwrap_or(text.len());
        let mut column = line.len() - line.trim_start_matches(' ').len();
        let is_blank = line.trim().is_empty();
        if let Some(of_key) = long_text {
            let is_inside = is_blank || column > of_key;
            match (is_inside, end) {
                (true, Some(end)) => {
                    start = end + 1;
                    continue;
                }
                (true, None) if column > of_key => return None,
                _ => long_text = None,
            }
        }
        if end.is_none() && has_comment {
            return None;
        }
        if !is_blank || end.is_none() {
            while line[column..].starts_with("- ") || &line[column..] == "-" {
                levels.end_right_of(column);
                let dash = column;
                column = first_word(line, (column + 1).min(line.len()));
                levels.end_at(dash + 1);
            }
            levels.end_right_of(column);
            let rest = &line[column..];
            match (separator(rest, ':'), end) {
                (None, None) => {
                    let (path, others) = levels.around(column);
                    return Some(Cursor { path, at: At::Key { others }, word: start + column..text.len() });
                }
                (None, Some(_)) => {}
                (Some(colon), _) => {
                    let key = unquoted(&rest[..colon]);
                    let value = first_word(line, column + colon + 1);
                    let is_long = matches!(line[value..].chars().next(), Some('|' | '>'));
                    if matches!(line[value..].chars().next(), Some('{' | '[')) {
                        match flow::read(text, start + value, ':') {
                            Flow::Closed(closed) => {
                                levels.key(column, key);
                                let end = text[closed..].find('\n')?;
                                start = closed + end + 1;
                                continue;
                            }
                            open => return open.open(&levels.around(column).0, Some(key)),
                        }
                    }
                    if end.is_none() {
                        let (path, at) = (levels.around(column).0, At::Value(key.to_owned()));
                        return Some(Cursor { path, at, word: start + value..text.len() });
                    }
                    long_text = is_long.then_some(column);
                    levels.key(column, key);
                }
            }
        }
        start = end? + 1;
    }
}
