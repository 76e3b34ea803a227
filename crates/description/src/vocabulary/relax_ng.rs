//! RELAX NG, in its XML syntax.

use super::Elements;
use crate::SchemaVersion;
use crate::schema::{AttributeSchema, ChildSchema, Content, ElementSchema, Keyword, Value};

const HEAD: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<grammar xmlns="http://relaxng.org/ns/structure/1.0"
         xmlns:a="http://relaxng.org/ns/compatibility/annotations/1.0"
         datatypeLibrary="http://www.w3.org/2001/XMLSchema-datatypes">
  <start>
    <ref name="image"/>
  </start>
  <define name="anything">
    <zeroOrMore>
      <choice>
        <attribute><anyName/></attribute>
        <text/>
        <element><anyName/><ref name="anything"/></element>
      </choice>
    </zeroOrMore>
  </define>
"#;

/// Attributes that XML editors write for themselves.
const EDITOR_ATTRIBUTES: &str = "      <zeroOrMore><attribute><nsName \
    ns=\"http://www.w3.org/2001/XMLSchema-instance\"/></attribute></zeroOrMore>\n";

/// Returns the grammar of one schema version.
pub fn relax_ng(schema: SchemaVersion) -> String {
    let elements = Elements::of(schema);
    let mut text = HEAD.to_owned();
    for (keyword, name) in &elements.all {
        text.push_str(&define(keyword, name, &elements));
    }
    text.push_str("</grammar>\n");
    text
}

fn define(keyword: &'static ElementSchema, name: &str, elements: &Elements) -> String {
    let schema = elements.schema;
    let mut text = format!(
        "  <define name=\"{name}\">\n    <element name=\"{}\">\n      <a:documentation>{}</a:documentation>\n",
        keyword.name,
        escaped(keyword.doc)
    );
    let children: &[ChildSchema] = match keyword.content {
        Content::Children(children) => children,
        Content::Anything => {
            text.push_str("      <ref name=\"anything\"/>\n    </element>\n  </define>\n");
            return text;
        }
    };
    if name == "image" {
        text.push_str(EDITOR_ATTRIBUTES);
    }
    let mut attributes = keyword.attributes.iter().filter(|known| known.life.covers(schema)).peekable();
    if attributes.peek().is_some() {
        // Not a group: libxml2 needs unlimited time for many optional attributes in one.
        text.push_str("      <interleave>\n");
        attributes.for_each(|known| text.push_str(&attribute(known, schema)));
        text.push_str("      </interleave>\n");
    }
    let children: Vec<&ChildSchema> = children.iter().filter(|child| child.life.covers(schema)).collect();
    let content = keyword.text.filter(|_| keyword.text_life.covers(schema));
    match (content, children.is_empty()) {
        (None, true) => text.push_str("      <empty/>\n"),
        (Some(form), true) if keyword.text_optional => {
            text.push_str(&format!("      <optional>{}</optional>\n", value(&form, schema)));
        }
        (Some(form), true) => text.push_str(&format!("      {}\n", value(&form, schema))),
        // RELAX NG has no form for a text next to elements.
        (content, false) => {
            text.push_str("      <interleave>\n");
            if content.is_some() {
                text.push_str("        <text/>\n");
            }
            for child in children {
                let reference = format!("<ref name=\"{}\"/>", elements.name(child.element));
                let required = child.required.is_some_and(|required| required.covers(schema));
                let many = child.many.is_some_and(|many| many.covers(schema));
                text.push_str(&match (required, many) {
                    (true, true) => format!("        <oneOrMore>{reference}</oneOrMore>\n"),
                    (false, true) => format!("        <zeroOrMore>{reference}</zeroOrMore>\n"),
                    (true, false) => format!("        {reference}\n"),
                    (false, false) => format!("        <optional>{reference}</optional>\n"),
                });
            }
            text.push_str("      </interleave>\n");
        }
    }
    text.push_str("    </element>\n  </define>\n");
    text
}

fn attribute(known: &AttributeSchema, schema: SchemaVersion) -> String {
    let attribute = format!(
        "<attribute name=\"{}\"><a:documentation>{}</a:documentation>{}</attribute>",
        known.name,
        escaped(known.doc),
        value(&known.value, schema)
    );
    if known.required {
        format!("      {attribute}\n")
    } else {
        format!("      <optional>{attribute}</optional>\n")
    }
}

fn value(form: &Value, schema: SchemaVersion) -> String {
    let keywords =
        |known: &'static [Keyword]| known.iter().filter(move |keyword| keyword.life.covers(schema));
    match form {
        Value::Count(most) => value(&Value::Number(0, *most), schema),
        Value::Text | Value::Form(..) => "<text/>".to_owned(),
        Value::Boolean => pattern("[tT][rR][uU][eE]|[fF][aA][lL][sS][eE]|[yY][eE][sS]|[nN][oO]|[01]"),
        Value::Number(least, most) => format!(
            "<data type=\"nonNegativeInteger\"><param name=\"minInclusive\">{least}</param>\
             <param name=\"maxInclusive\">{most}</param></data>"
        ),
        Value::Integer => "<data type=\"integer\"/>".to_owned(),
        Value::OneOf(known) => {
            let values = keywords(known).map(|keyword| format!("<value>{}</value>", keyword.keyword));
            format!("<choice>{}</choice>", values.collect::<String>())
        }
        Value::ListOf(known) => {
            let one = keywords(known)
                .map(|keyword| keyword.keyword.replace('.', "\\."))
                .collect::<Vec<_>>()
                .join("|");
            pattern(&format!("({one})([, ]+({one}))*,?"))
        }
    }
}

fn pattern(pattern: &str) -> String {
    format!("<data type=\"token\"><param name=\"pattern\">{pattern}</param></data>")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
