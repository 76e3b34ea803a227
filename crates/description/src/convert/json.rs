//! Writes JSON.

use serde_json::Value;

use super::mapping::Written;

/// Returns the text of a file that contains `root`.
pub(super) fn write(root: &Written) -> String {
    let mut text = String::new();
    value(root, 0, &mut text);
    text.push('\n');
    text
}

fn value(written: &Written, depth: usize, text: &mut String) {
    match written {
        Written::Text(quoted) => text.push_str(&Value::from(quoted.as_str()).to_string()),
        Written::List(items) => {
            let items = items.iter().map(|item| (None, item));
            block('[', items, ']', depth, text);
        }
        Written::Mapping(entries) => {
            let entries = entries.iter().map(|(key, entry)| (Some(key.as_str()), entry));
            block('{', entries, '}', depth, text);
        }
    }
}

fn block<'a>(
    open: char,
    entries: impl ExactSizeIterator<Item = (Option<&'a str>, &'a Written)>,
    close: char,
    depth: usize,
    text: &mut String,
) {
    text.push(open);
    let empty = entries.len() == 0;
    for (position, (key, entry)) in entries.enumerate() {
        text.push_str(if position == 0 { "\n" } else { ",\n" });
        text.push_str(&"  ".repeat(depth + 1));
        if let Some(key) = key {
            text.push_str(&Value::from(key).to_string());
            text.push_str(": ");
        }
        value(entry, depth + 1, text);
    }
    if !empty {
        text.push('\n');
        text.push_str(&"  ".repeat(depth));
    }
    text.push(close);
}
