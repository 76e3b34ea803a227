//! Writes a tree as the mapping of YAML, TOML and JSON: the inverse of `mapping/element.rs`.
//!
//! Attributes come first, then the text, then the children, grouped by name. Every value is a text: readers that know numbers
//! and booleans write `True` for `true` and `1.1` for `1.10`.

use crate::SchemaVersion;
use crate::document::Element;
use crate::mapping::{ATTRIBUTE_MARK, TEXT_KEY};
use crate::schema::{Content, ElementSchema, IMAGE};

/// One value of the new text.
pub(super) enum Written {
    Text(String),
    List(Vec<Written>),
    Mapping(Vec<(String, Written)>),
}

/// Returns the mapping of a whole description.
pub(super) fn written(root: &Element, schema: SchemaVersion) -> Written {
    Written::Mapping(vec![(root.name.clone(), element(root, Some(&IMAGE), schema))])
}

fn element(element: &Element, keyword: Option<&'static ElementSchema>, schema: SchemaVersion) -> Written {
    let known = keyword.filter(|keyword| !matches!(keyword.content, Content::Anything));
    let mut entries: Vec<(String, Written)> = Vec::new();
    for attribute in &element.attributes {
        // Attributes with a namespace follow, unchanged.
        let written = attribute.name_span.file.text.get(attribute.name_span.range.clone());
        if written.is_some_and(|written| written.contains(':')) {
            continue;
        }
        let key = format!("{ATTRIBUTE_MARK}{}", attribute.name);
        entries.push((key, Written::Text(attribute.value.text.clone())));
    }
    for (name, value) in &element.layout.foreign {
        entries.push((format!("{ATTRIBUTE_MARK}{name}"), Written::Text(value.clone())));
    }
    if let Some(text) = &element.text {
        if entries.is_empty() && element.children.is_empty() {
            return Written::Text(text.text.clone());
        }
        entries.push((TEXT_KEY.to_owned(), Written::Text(text.text.clone())));
    }
    let first_of_children = entries.len();
    for child in &element.children {
        let child_schema =
            known.and_then(|keyword| keyword.child_schema(&child.name, schema)).map(|child| child.element);
        let mut value = self::element(child, child_schema, schema);
        if let Written::Text(_) = value
            && known.is_some_and(|keyword| keyword.attribute_schema(&child.name, schema).is_some())
        {
            // Without this it would be read as the attribute of that name.
            value = Written::Mapping(vec![(TEXT_KEY.to_owned(), value)]);
        }
        let key = match &child.layout.prefix {
            Some(prefix) => format!("{prefix}:{}", child.name),
            None => child.name.clone(),
        };
        let earlier = entries[first_of_children..].iter_mut().find(|(earlier, _)| *earlier == key);
        match earlier {
            Some((_, Written::List(items))) => items.push(value),
            Some((_, first)) => {
                let taken = std::mem::replace(first, Written::List(Vec::new()));
                *first = Written::List(vec![taken, value]);
            }
            None => entries.push((key, value)),
        }
    }
    Written::Mapping(entries)
}
