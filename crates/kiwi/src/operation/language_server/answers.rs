//! Answers from the tables of the vocabulary: completion and explanations.

use description::vocabulary::{Asked, Suggestion, explanation, suggestions};
use description::{Format, SchemaVersion, SourceFile};
use serde_json::{Value, json};

use super::cursor::{self, At};
use super::{mapping_answers, text};

/// Kinds of completion items: property, value, class.
const PROPERTY: u32 = 10;
const VALUE: u32 = 12;
const CLASS: u32 = 7;

/// Returns the keywords that can be written at a position.
pub(super) fn completion(uri: &str, text: &str, position: &Value) -> Option<Value> {
    let format = format(uri, text);
    if format != Format::Xml {
        return mapping_answers::completion(text, position, format, schema(text));
    }
    let offset = text::offset(text, position)?;
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
pub(super) fn hover(uri: &str, text: &str, position: &Value) -> Option<Value> {
    let format = format(uri, text);
    if format != Format::Xml {
        return mapping_answers::hover(text, position, format, schema(text));
    }
    let offset = text::offset(text, position)?;
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
        // `schemaversion="8.5"`, `"@schemaversion": "8.5"`, `"@schemaversion" = "8.5"`
        let value = text.split_once(name)?.1.trim_start_matches(['"', '\'', ' ', '\t', ':', '=']);
        SchemaVersion::parse(value.split(|c: char| !c.is_ascii_digit() && c != '.').next()?)
    });
    named.unwrap_or(SchemaVersion::NEWEST)
}

/// Returns the format of a document, as a build finds it.
fn format(uri: &str, text: &str) -> Format {
    Format::of(&SourceFile { name: uri.to_owned(), text: text.to_owned() })
}
