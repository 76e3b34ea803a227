//! JSON Schema, for descriptions in YAML, TOML and JSON.

use serde_json::{Map, Value as Json, json};

use super::Elements;
use crate::SchemaVersion;
use crate::mapping::{ATTRIBUTE_MARK, TEXT_KEY};
use crate::schema::{Content, ElementSchema, Keyword, Value};

/// Returns the JSON Schema (2020-12) of one schema version.
pub fn json_schema(schema: SchemaVersion) -> String {
    let elements = Elements::of(schema);
    let definitions: Map<String, Json> =
        elements.all.iter().map(|(keyword, name)| (name.clone(), element(keyword, &elements))).collect();
    let whole = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("KIWI image description, schema {schema}"),
        "type": "object",
        "properties": { "image": { "$ref": "#/$defs/image" } },
        "required": ["image"],
        "additionalProperties": false,
        "$defs": definitions,
    });
    format!("{whole:#}\n")
}

fn element(keyword: &'static ElementSchema, elements: &Elements) -> Json {
    let schema = elements.schema;
    let children = match keyword.content {
        Content::Children(children) => children,
        Content::Anything => return json!({ "description": keyword.doc }),
    };
    let mut properties = Map::new();
    let mut required: Vec<Json> = Vec::new();
    for known in keyword.attributes.iter().filter(|known| known.life.covers(schema)) {
        let mut form = value(&known.value, schema);
        form["description"] = json!(known.doc);
        if let Some(default) = known.default {
            form["default"] = json!(default);
        }
        let marked = format!("{ATTRIBUTE_MARK}{}", known.name);
        if known.required {
            required.push(json!({ "anyOf": [{ "required": [marked] }, { "required": [known.name] }] }));
        }
        properties.insert(marked, form.clone());
        // It is read without the mark as well.
        form["deprecated"] = json!(true);
        properties.insert(known.name.to_owned(), form);
    }
    for child in children.iter().filter(|child| child.life.covers(schema)) {
        let reference = json!({ "$ref": format!("#/$defs/{}", elements.name(child.element)) });
        let many = child.many.is_some_and(|many| many.covers(schema));
        let mut forms = vec![reference.clone(), json!({ "type": "array", "items": reference })];
        if !many {
            forms[1]["maxItems"] = json!(1);
        }
        let name = child.element.name;
        if let Some(attribute) = properties.remove(name) {
            forms.push(attribute);
        }
        properties.insert(name.to_owned(), json!({ "anyOf": forms }));
        if child.required.is_some_and(|required| required.covers(schema)) {
            required.push(json!({ "required": [name] }));
        }
    }
    let text = keyword.text.filter(|_| keyword.text_life.covers(schema)).map(|form| value(&form, schema));
    if let Some(text) = &text {
        properties.insert(TEXT_KEY.to_owned(), text.clone());
        if !keyword.text_optional {
            required.push(json!({ "required": [TEXT_KEY] }));
        }
    }
    let mut object = json!({
        "type": "object",
        "properties": properties,
        "patternProperties": { format!("^({ATTRIBUTE_MARK}|xmlns|xsi:)"): scalar() },
        "additionalProperties": false,
    });
    if !required.is_empty() {
        object["allOf"] = json!(required);
    }
    let nothing = required.is_empty();
    let mut forms = vec![object];
    if nothing {
        forms.push(json!({ "type": "null" }));
    }
    let attributes_needed =
        keyword.attributes.iter().any(|known| known.required && known.life.covers(schema));
    if let Some(text) = text.filter(|_| !attributes_needed) {
        forms.push(text);
    }
    json!({ "description": keyword.doc, "anyOf": forms })
}

fn scalar() -> Json {
    json!({ "type": ["string", "number", "boolean", "null"] })
}

fn value(form: &Value, schema: SchemaVersion) -> Json {
    let keywords = |known: &'static [Keyword]| {
        known.iter().filter(|keyword| keyword.life.covers(schema)).map(|keyword| keyword.keyword)
    };
    match form {
        Value::Count(most) => value(&Value::Number(0, *most), schema),
        Value::Text | Value::Form(..) => scalar(),
        Value::Boolean => json!({ "anyOf": [
            { "enum": [true, false, 0, 1] },
            { "type": "string", "pattern": "^([tT][rR][uU][eE]|[fF][aA][lL][sS][eE]|[yY][eE][sS]|[nN][oO]|[01])$" },
        ] }),
        Value::Number(least, most) => json!({ "anyOf": [
            { "type": "integer", "minimum": least, "maximum": most },
            { "type": "string", "pattern": "^[0-9]+$" },
        ] }),
        Value::Integer => json!({ "anyOf": [
            { "type": "integer" },
            { "type": "string", "pattern": "^[+-]?[0-9]+$" },
        ] }),
        Value::OneOf(known) => json!({ "enum": keywords(known).collect::<Vec<_>>() }),
        Value::ListOf(known) => {
            let one = keywords(known).collect::<Vec<_>>().join("|").replace('.', "\\.");
            json!({ "type": "string", "pattern": format!("^\\s*({one})([,\\s]+({one}))*[,\\s]*$") })
        }
    }
}
