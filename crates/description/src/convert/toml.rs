//! Writes TOML.
//!
//! Elements that have nothing but attributes are inline tables, so that a list of packages reads as a list; all others are
//! tables.

use toml_writer::{ToTomlKey, ToTomlValue};

use super::mapping::Written;

/// Longer mappings are tables of their own.
const WIDTH: usize = 100;

/// Returns the text of a file that contains `root`.
pub(super) fn write(root: &Written) -> String {
    let mut text = String::new();
    if let Written::Mapping(entries) = root {
        table("", entries, &mut text);
    }
    text.trim_start().to_owned()
}

fn table(path: &str, entries: &[(String, Written)], text: &mut String) {
    let mut tables = Vec::new();
    for (key, entry) in entries {
        let name = key.to_toml_key();
        // Elements from an include stay behind the elements before it.
        let moved = key == "include" && !tables.is_empty();
        match line(entry, !path.is_empty()).filter(|_| !moved) {
            Some(line) => text.push_str(&format!("{name} = {line}\n")),
            None => tables.push((name, entry)),
        }
    }
    for (name, entry) in tables {
        let path = if path.is_empty() { name } else { format!("{path}.{name}") };
        match entry {
            Written::Mapping(inside) => {
                text.push_str(&format!("\n[{path}]\n"));
                table(&path, inside, text);
            }
            Written::List(items) => {
                for item in items {
                    text.push_str(&format!("\n[[{path}]]\n"));
                    if let Written::Mapping(inside) = item {
                        table(&path, inside, text);
                    }
                }
            }
            Written::Text(_) => {}
        }
    }
}

/// Returns the inline value; none if it has to be a table.
fn line(value: &Written, inside: bool) -> Option<String> {
    match value {
        Written::Text(text) => Some(text.to_toml_value()),
        Written::Mapping(_) => {
            Some(inline(value)).filter(|line| inside && is_flat(value) && line.len() <= WIDTH)
        }
        Written::List(items) => {
            let tables = items.iter().all(|item| matches!(item, Written::Mapping(_)));
            if tables && !items.iter().all(is_flat) {
                return None;
            }
            let lines: Vec<String> = items.iter().map(|item| format!("  {},\n", inline(item))).collect();
            Some(format!("[\n{}]", lines.concat()))
        }
    }
}

/// Returns whether it contains only texts.
fn is_flat(value: &Written) -> bool {
    match value {
        Written::Text(_) => true,
        Written::Mapping(entries) => entries.iter().all(|(_, entry)| matches!(entry, Written::Text(_))),
        Written::List(_) => false,
    }
}

fn inline(value: &Written) -> String {
    match value {
        Written::Text(text) => text.to_toml_value(),
        Written::Mapping(entries) if entries.is_empty() => "{}".to_owned(),
        Written::Mapping(entries) => {
            let entries =
                entries.iter().map(|(key, entry)| format!("{} = {}", key.to_toml_key(), inline(entry)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
        Written::List(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
    }
}
