//! The vocabulary for editors: what can be written at a position, and what a keyword means.

use crate::SchemaVersion;
use crate::check::expectation;
use crate::image_type::TYPES;
use crate::schema::{AttributeSchema, ElementSchema, IMAGE, Keyword, TYPE, Value};

/// What can be written at a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked<'a> {
    /// Elements.
    Children,
    /// Attributes.
    Attributes,
    /// Values of this attribute.
    ValuesOf(&'a str),
    /// The text of the element.
    Text,
}

/// A keyword that can be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// The keyword.
    pub keyword: String,
    /// What it means; empty if the tables do not say it.
    pub doc: String,
    /// Whether it must be there.
    pub required: bool,
}

/// Returns the keywords of a schema that fit into the element at `path`: its name and those around it, the outermost first. An
/// empty path is the place of the outermost element.
pub fn suggestions(path: &[&str], asked: Asked<'_>, schema: SchemaVersion) -> Vec<Suggestion> {
    let suggestion = |keyword: &str, doc: &str, required| Suggestion {
        keyword: keyword.to_owned(),
        doc: doc.to_owned(),
        required,
    };
    if path.is_empty() && asked == Asked::Children {
        return vec![suggestion(IMAGE.name, IMAGE.doc, true)];
    }
    let Some(element) = element_at(path, schema) else { return Vec::new() };
    match asked {
        Asked::Children => {
            let children = element.child_schemas().iter().filter(|child| child.life.covers(schema));
            children.map(|child| suggestion(child.element.name, child.element.doc, false)).collect()
        }
        Asked::Attributes => {
            let attributes = element.attributes.iter().filter(|known| known.life.covers(schema));
            attributes.map(|known| suggestion(known.name, known.doc, known.required)).collect()
        }
        Asked::ValuesOf(name) => {
            let value = element.attribute_schema(name, schema).map(|known| known.value);
            let of_types = std::ptr::eq(element, &TYPE) && name == "image";
            value.map_or_else(Vec::new, |value| values(&value, of_types, schema))
        }
        Asked::Text => {
            let text = element.text.filter(|_| element.text_life.covers(schema));
            text.map_or_else(Vec::new, |value| values(&value, false, schema))
        }
    }
}

/// Returns the description of the element at `path`, or of one of its attributes, in Markdown; `None` if the schema has no such
/// keyword.
pub fn explanation(path: &[&str], attribute: Option<&str>, schema: SchemaVersion) -> Option<String> {
    let element = element_at(path, schema)?;
    match attribute {
        None => {
            let mut text = format!("`<{}>`: {}", element.name, element.doc);
            if let Some(form) = element.text.filter(|_| element.text_life.covers(schema)) {
                text.push_str(&format!("\n\nText: {}.", expectation(&form, schema)));
            }
            let children = element.child_schemas().iter().filter(|child| child.life.covers(schema));
            let children: Vec<String> = children.map(|child| format!("`<{}>`", child.element.name)).collect();
            if !children.is_empty() {
                text.push_str(&format!("\n\nChildren: {}.", children.join(", ")));
            }
            Some(text)
        }
        Some(name) => {
            let known: &AttributeSchema = element.attribute_schema(name, schema)?;
            let mut text = format!("`{}` of `<{}>`: {}", known.name, element.name, known.doc);
            text.push_str(&format!("\n\nValue: {}.", expectation(&known.value, schema)));
            if let Some(default) = known.default {
                text.push_str(&format!(" Default: `{default}`."));
            }
            Some(text)
        }
    }
}

fn element_at(path: &[&str], schema: SchemaVersion) -> Option<&'static ElementSchema> {
    let (first, rest) = path.split_first()?;
    let mut element: &'static ElementSchema = Some(&IMAGE).filter(|image| image.name == *first)?;
    for name in rest {
        let mut children = element.child_schemas().iter().filter(|child| child.life.covers(schema));
        element = children.find(|child| child.element.name == *name)?.element;
    }
    Some(element)
}

fn values(value: &Value, of_types: bool, schema: SchemaVersion) -> Vec<Suggestion> {
    let suggestion = |keyword: &str| {
        let row = TYPES.iter().find(|row| of_types && row.keyword == keyword);
        let doc = row.map_or("", |row| row.doc).to_owned();
        Suggestion { keyword: keyword.to_owned(), doc, required: false }
    };
    let listed = |keywords: &'static [Keyword]| {
        let covered = keywords.iter().filter(|keyword| keyword.life.covers(schema));
        covered.map(|keyword| suggestion(keyword.keyword)).collect()
    };
    match value {
        Value::OneOf(keywords) | Value::ListOf(keywords) => listed(keywords),
        Value::Boolean => ["true", "false"].into_iter().map(suggestion).collect(),
        Value::Text | Value::Number(..) | Value::Count(_) | Value::Integer | Value::Form(..) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keywords(path: &[&str], asked: Asked<'_>) -> Vec<String> {
        suggestions(path, asked, SchemaVersion::NEWEST).into_iter().map(|found| found.keyword).collect()
    }

    #[test]
    fn suggests_what_fits_at_a_position() {
        assert_eq!(keywords(&[], Asked::Children), ["image"]);
        let preferences = ["image", "preferences"];
        assert!(keywords(&preferences, Asked::Children).contains(&"packagemanager".to_owned()));
        let image_type = ["image", "preferences", "type"];
        assert!(keywords(&image_type, Asked::Attributes).contains(&"filesystem".to_owned()));
        assert!(keywords(&image_type, Asked::ValuesOf("image")).contains(&"oem".to_owned()));
        assert!(
            keywords(&["image", "preferences", "packagemanager"], Asked::Text).contains(&"apt".to_owned())
        );
        assert_eq!(keywords(&image_type, Asked::ValuesOf("efifatimagesize")), Vec::<String>::new());
        assert_eq!(keywords(&["image", "nothing"], Asked::Children), Vec::<String>::new());
    }

    #[test]
    fn explains_elements_and_attributes() {
        let image_type = ["image", "preferences", "type"];
        let text = explanation(&image_type, Some("filesystem"), SchemaVersion::NEWEST).unwrap();
        assert!(text.starts_with("`filesystem` of `<type>`: ") && text.contains(" ext4,"), "{text}");
        let text = explanation(&["image", "repository"], None, SchemaVersion::NEWEST).unwrap();
        assert!(text.contains("Children: `<source>`"), "{text}");
        assert_eq!(explanation(&["image"], Some("nothing"), SchemaVersion::NEWEST), None);
    }
}
