//! Answers from the tables of the vocabulary: completion and explanations.

use description::SchemaVersion;
use description::vocabulary::{Asked, Suggestion, explanation, suggestions};
use serde_json::{Value, json};

use super::cursor::{self, At};
use super::text;

/// Kinds of completion items: property, value, class.
const PROPERTY: u32 = 10;
const VALUE: u32 = 12;
const CLASS: u32 = 7;

/// Returns the keywords that can be written at a position.
pub(super) fn completion(text: &str, position: &Value) -> Option<Value> {
    let offset = text::offset(text, position)?;
    if !is_xml(text) {
        return None;
    }
    let cursor = cursor::at(text, offset);
    let path: Vec<&str> = cursor.path.iter().map(String::as_str).collect();
    let schema = schema(text);
    let (asked, kind) = match &cursor.at {
        At::Element => (Asked::Children, CLASS),
        At::Attribute { .. } => (Asked::Attributes, PROPERTY),
        At::Value(name) => (Asked::ValuesOf(name), VALUE),
        At::Text => (Asked::Text, VALUE),
        At::ClosingTag => {
            let name = path.last()?;
            let item = json!({ "label": name, "kind": CLASS, "textEdit": edit(text, &cursor.word, name) });
            return Some(json!([item]));
        }
        At::Other => return None,
    };
    let others: &[String] = if let At::Attribute { others } = &cursor.at { others } else { &[] };
    // The last word of a list.
    let written = &text[cursor.word.clone()];
    let start = match &cursor.at {
        At::Value(_) => cursor.word.start + written.rfind([' ', ',']).map_or(0, |at| at + 1),
        At::Text | At::Element | At::ClosingTag | At::Attribute { .. } | At::Other => cursor.word.start,
    };
    let item = |found: Suggestion| {
        let Suggestion { keyword, doc, required } = found;
        let detail = if required { "required" } else { "" };
        json!({
            "label": keyword,
            "kind": kind,
            "detail": detail,
            "documentation": doc,
            "textEdit": edit(text, &(start..cursor.word.end), &keyword),
        })
    };
    let found = suggestions(&path, asked, schema);
    let items: Vec<Value> =
        found.into_iter().filter(|found| !others.contains(&found.keyword)).map(item).collect();
    Some(json!(items))
}

fn edit(text: &str, range: &std::ops::Range<usize>, new: &str) -> Value {
    json!({ "range": text::range(text, range), "newText": new })
}

/// Returns the explanation of the keyword at a position.
pub(super) fn hover(text: &str, position: &Value) -> Option<Value> {
    let offset = text::offset(text, position)?;
    if !is_xml(text) {
        return None;
    }
    let cursor = cursor::at(text, cursor::end_of_name(text, offset));
    let mut path: Vec<&str> = cursor.path.iter().map(String::as_str).collect();
    let word = text.get(cursor.word.clone())?;
    let attribute = match &cursor.at {
        At::Element => {
            path.push(word);
            None
        }
        At::ClosingTag => None,
        At::Attribute { .. } if word.is_empty() => return None,
        At::Attribute { .. } => Some(word),
        At::Value(name) => Some(name.as_str()),
        At::Text | At::Other => return None,
    };
    let words = explanation(&path, attribute, schema(text))?;
    Some(json!({ "contents": { "kind": "markdown", "value": words } }))
}

/// Returns the schema that a text names, or the newest.
fn schema(text: &str) -> SchemaVersion {
    let named = ["schemaversion", "schemeversion"].iter().find_map(|name| {
        let value = text.split_once(name)?.1.trim_start().strip_prefix('=')?.trim_start();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        SchemaVersion::parse(value[1..].split(quote).next()?)
    });
    named.unwrap_or(SchemaVersion::NEWEST)
}

fn is_xml(text: &str) -> bool {
    text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']).starts_with('<')
}
