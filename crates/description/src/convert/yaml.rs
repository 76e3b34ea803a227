//! Writes YAML in block style.
//!
//! A text is written without quotes only if every YAML reader, including old ones, reads it as the same text.

use super::mapping::Written;

/// Returns the text of a file that contains `root`.
pub(super) fn write(root: &Written) -> String {
    let mut text = String::new();
    if let Written::Mapping(entries) = root {
        mapping(entries, 0, &mut text);
    }
    text
}

/// Writes entries one below the other; the first one starts where `text` ends.
fn mapping(entries: &[(String, Written)], depth: usize, text: &mut String) {
    for (position, (key, entry)) in entries.iter().enumerate() {
        if position > 0 {
            text.push_str(&"  ".repeat(depth));
        }
        text.push_str(&scalar(key));
        text.push(':');
        match entry {
            Written::Text(content) => text.push_str(&format!(" {}\n", scalar(content))),
            Written::Mapping(inside) if inside.is_empty() => text.push_str(" {}\n"),
            Written::Mapping(inside) => {
                text.push('\n');
                text.push_str(&"  ".repeat(depth + 1));
                mapping(inside, depth + 1, text);
            }
            Written::List(items) => {
                text.push('\n');
                for item in items {
                    text.push_str(&"  ".repeat(depth + 1));
                    text.push_str("- ");
                    list_item(item, depth + 2, text);
                }
            }
        }
    }
}

fn list_item(item: &Written, depth: usize, text: &mut String) {
    match item {
        Written::Text(content) => text.push_str(&format!("{}\n", scalar(content))),
        Written::Mapping(entries) if entries.is_empty() => text.push_str("{}\n"),
        Written::Mapping(entries) => mapping(entries, depth, text),
        // No element is a list.
        Written::List(_) => text.push_str("[]\n"),
    }
}

fn scalar(text: &str) -> String {
    if stands_alone(text) { text.to_owned() } else { quoted(text) }
}

/// Returns whether a text needs no quotes: it starts with a letter or `/` and contains no special characters of YAML.
fn stands_alone(text: &str) -> bool {
    const WORDS: [&str; 12] =
        ["true", "false", "yes", "no", "on", "off", "null", "y", "n", "nan", "inf", "none"];
    let inside = |c: char| c.is_ascii_alphanumeric() || " /_.,+=@%()-".contains(c);
    let lower = text.to_ascii_lowercase();
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.chars().all(inside)
        && !text.ends_with(' ')
        && !text.contains("  ")
        && !WORDS.contains(&lower.as_str())
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            special if special.is_control() || matches!(special, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                quoted.push_str(&format!("\\u{:04X}", u32::from(special)));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
