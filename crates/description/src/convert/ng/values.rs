//! Values in the forms of KIWI NG's schema: booleans in one spelling, lists with one separator.

use crate::SchemaVersion;
use crate::document::{Element, Text};
use crate::schema::{Content, ElementSchema, Keyword, Value, boolean, list_items};

/// Rewrites the values of an element and of everything in it.
pub(super) fn spell(element: &mut Element, keyword: &'static ElementSchema) {
    if let Content::Anything = keyword.content {
        return;
    }
    let schema = SchemaVersion::NEWEST;
    for attribute in &mut element.attributes {
        if let Some(known) = keyword.attribute_schema(&attribute.name, schema) {
            value(&mut attribute.value, known.name, &known.value);
        }
    }
    if let (Some(text), Some(form)) = (&mut element.text, &keyword.text) {
        value(text, keyword.name, form);
    }
    for child in &mut element.children {
        if let Some(known) = keyword.child_schema(&child.name, schema) {
            spell(child, known.element);
        }
    }
}

fn value(text: &mut Text, name: &str, form: &Value) {
    let spelt = match form {
        Value::Boolean => boolean(&text.text).map(|value| value.to_string()),
        // GRUB's terminals are a list with blanks; `none` can only be the first.
        Value::ListOf(_) if matches!(name, "output_console" | "input_console") => {
            let mut items: Vec<&str> = list_items(&text.text).collect();
            items.sort_by_key(|item| *item != "none");
            Some(items.join(" "))
        }
        Value::ListOf(known) => Some(architectures(&text.text, known)),
        Value::Form(..) => match name {
            "profiles" | "groups" | "additionalnames" => Some(trimmed(&text.text)),
            "architectures" => Some(list_items(&text.text).collect::<Vec<_>>().join(",")),
            "locale" => Some(locales(&text.text)),
            _ => None,
        },
        Value::Text | Value::Number(..) | Value::Count(_) | Value::Integer | Value::OneOf(_) => None,
    };
    if let Some(spelt) = spelt
        && spelt != text.text
    {
        text.text = spelt;
    }
}

/// Returns a list with commas; an old name of an architecture becomes today's.
fn architectures(text: &str, known: &'static [Keyword]) -> String {
    let today = |item| {
        let keyword = known.iter().find(|keyword| keyword.keyword == item);
        keyword.and_then(|keyword| keyword.instead.filter(|_| keyword.own)).unwrap_or(item)
    };
    let mut items: Vec<&str> = Vec::new();
    for item in list_items(text).map(today) {
        if !items.contains(&item) {
            items.push(item);
        }
    }
    items.join(",")
}

fn trimmed(text: &str) -> String {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect::<Vec<_>>().join(",")
}

/// Returns locales without their encoding, if it is that of every locale.
fn locales(text: &str) -> String {
    let one = |locale: &str| {
        let (name, encoding) = locale.split_once('.').unwrap_or((locale, ""));
        let is_utf_8 = matches!(encoding.to_ascii_lowercase().as_str(), "utf-8" | "utf8");
        if is_utf_8 && name != "C" { name.to_owned() } else { locale.to_owned() }
    };
    trimmed(text).split(',').map(one).collect::<Vec<_>>().join(",")
}
