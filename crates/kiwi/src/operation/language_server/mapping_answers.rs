//! Completion and explanations in descriptions in YAML, TOML and JSON.

use description::vocabulary::{Asked, Suggestion, explanation, suggestions};
use description::{Format, SchemaVersion};
use serde_json::{Value, json};

use super::mapping_cursor::{self, At, unquoted};
use super::text;

/// Kinds of completion items: class, property, value.
const CLASS: u32 = 7;
const PROPERTY: u32 = 10;
const VALUE: u32 = 12;
/// The mark of the key of an attribute, and the key of a text beside attributes.
const MARK: char = '@';
const TEXT: &str = "#text";

/// Returns the keys or values that can be written at a position.
pub(super) fn completion(
    text: &str,
    position: &Value,
    format: Format,
    schema: SchemaVersion,
) -> Option<Value> {
    let cursor = mapping_cursor::at(text, text::offset(text, position)?, format)?;
    let path: Vec<&str> = cursor.path.iter().map(|key| key.trim_start_matches(MARK)).collect();
    let written = &text[cursor.word.clone()];
    let quote = written.chars().next().filter(|c| matches!(c, '"' | '\''));
    let mut end = mapping_cursor::end_of_word(text, cursor.word.end);
    if quote.is_some() && text[end..].chars().next() == quote {
        end += 1;
    }
    let found: Vec<(u32, String, Suggestion)> = match &cursor.at {
        At::Key { others } => {
            let is_new = |name: &str| !others.iter().any(|other| other.trim_start_matches(MARK) == name);
            let attributes = suggestions(&path, Asked::Attributes, schema).into_iter();
            let attributes = attributes.map(|found| (PROPERTY, format!("{MARK}{}", found.keyword), found));
            let children = suggestions(&path, Asked::Children, schema).into_iter();
            let children = children.map(|found| (CLASS, found.keyword.clone(), found));
            attributes.filter(|(_, _, found)| is_new(&found.keyword)).chain(children).collect()
        }
        At::Head => {
            let children = suggestions(&path, Asked::Children, schema).into_iter();
            children.map(|found| (CLASS, found.keyword.clone(), found)).collect()
        }
        At::Value(key) => {
            let values = values(&path, key, schema).into_iter();
            values.map(|found| (VALUE, found.keyword.clone(), found)).collect()
        }
    };
    let range = text::range(text, &(cursor.word.start..end));
    let items = found.into_iter().map(|(kind, label, Suggestion { doc, required, .. })| {
        let new = quoted(&label, kind, quote, format);
        let typed: String = written.chars().take_while(|c| matches!(c, '"' | '\'' | '@')).collect();
        json!({
            "filterText": format!("{typed}{}", label.trim_start_matches(MARK)),
            "label": label,
            "kind": kind,
            "detail": if required { "required" } else { "" },
            "documentation": doc,
            "textEdit": { "range": range, "newText": new },
        })
    });
    Some(items.collect())
}

/// Returns the explanation of the key at a position, or of the key of the value there.
pub(super) fn hover(text: &str, position: &Value, format: Format, schema: SchemaVersion) -> Option<Value> {
    let offset = mapping_cursor::end_of_word(text, text::offset(text, position)?);
    let cursor = mapping_cursor::at(text, offset, format)?;
    let key = match &cursor.at {
        At::Key { .. } | At::Head => unquoted(&text[cursor.word.clone()]),
        At::Value(key) => key,
    };
    if key.is_empty() {
        return None;
    }
    let mut path: Vec<&str> = cursor.path.iter().map(|key| key.trim_start_matches(MARK)).collect();
    let attribute = explanation(&path, Some(key.trim_start_matches(MARK)), schema);
    let words = match key.starts_with(MARK) {
        true => attribute,
        false => {
            path.push(key);
            explanation(&path, None, schema).or(attribute)
        }
    };
    words.map(|words| json!({ "contents": { "kind": "markdown", "value": words } }))
}

/// Returns the values of a key: of an attribute, of an element that has only text, or of the text beside attributes.
fn values(path: &[&str], key: &str, schema: SchemaVersion) -> Vec<Suggestion> {
    if key == TEXT {
        return suggestions(path, Asked::Text, schema);
    }
    let name = key.trim_start_matches(MARK);
    let child = [path, &[name]].concat();
    let of_child = if key.starts_with(MARK) { Vec::new() } else { suggestions(&child, Asked::Text, schema) };
    if of_child.is_empty() { suggestions(path, Asked::ValuesOf(name), schema) } else { of_child }
}

/// Returns a key or value as the format writes it.
fn quoted(word: &str, kind: u32, quote: Option<char>, format: Format) -> String {
    let is_plain = match (format, kind) {
        (Format::Json | Format::Xml, _) => false,
        (Format::Toml, VALUE) => false,
        (Format::Yaml, VALUE) => {
            // Another reader takes it for a boolean or a number.
            !(matches!(word, "true" | "false" | "yes" | "no" | "on" | "off")
                || word.starts_with(|c: char| !c.is_alphabetic()))
        }
        (Format::Toml | Format::Yaml, _) => !word.starts_with(MARK),
    };
    match quote {
        None if is_plain => word.to_owned(),
        quote => {
            let quote = quote.unwrap_or('"');
            format!("{quote}{word}{quote}")
        }
    }
}
