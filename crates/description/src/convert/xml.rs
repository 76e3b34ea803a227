//! Writes a tree as XML in one layout: two blanks for each level, lines that fit, comments in their positions.

use crate::SchemaVersion;
use crate::document::Element;
use crate::schema::{Content, ElementSchema, IMAGE};

/// Longer opening tags are broken between attributes.
const WIDTH: usize = 110;

/// Returns the text of a file that contains `root`.
pub(super) fn write(root: &Element, schema: SchemaVersion) -> String {
    let mut writer = Writer { text: String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"), schema };
    writer.element(root, Some(&IMAGE), 0);
    writer.text
}

struct Writer {
    text: String,
    schema: SchemaVersion,
}

impl Writer {
    fn line(&mut self, depth: usize, text: &str) {
        self.text.push_str(&"  ".repeat(depth));
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn comments(&mut self, comments: &[String], depth: usize) {
        for comment in comments {
            self.line(depth, &format!("<!--{comment}-->"));
        }
    }

    fn element(&mut self, element: &Element, keyword: Option<&ElementSchema>, depth: usize) {
        if element.layout.blank_line {
            self.text.push('\n');
        }
        self.comments(&element.layout.comments, depth);
        let name = match &element.layout.prefix {
            Some(prefix) => format!("{prefix}:{}", element.name),
            None => element.name.clone(),
        };
        if keyword.is_none_or(|keyword| matches!(keyword.content, Content::Anything))
            && let Some(source) = element.span.file.text.get(element.layout.source.clone())
            && !source.is_empty()
        {
            // Foreign elements keep their layout.
            self.line(depth, source);
            return;
        }
        let tag = opening_tag(&name, element, depth);
        let empty = element.children.is_empty() && element.layout.closing_comments.is_empty();
        match &element.text {
            None if empty => self.line(depth, &format!("{tag}/>")),
            Some(text) if empty => {
                self.line(depth, &format!("{tag}>{}</{}>", escaped(&text.text, false), name));
            }
            text => {
                self.line(depth, &format!("{tag}>"));
                if let Some(text) = text {
                    self.line(depth + 1, &escaped(&text.text, false));
                }
                for child in &element.children {
                    let known = keyword.and_then(|keyword| keyword.child_schema(&child.name, self.schema));
                    self.element(child, known.map(|known| known.element), depth + 1);
                }
                let root = depth == 0;
                if !root {
                    self.comments(&element.layout.closing_comments, depth + 1);
                }
                self.line(depth, &format!("</{name}>"));
                if root {
                    self.comments(&element.layout.closing_comments, 0);
                }
            }
        }
    }
}

fn opening_tag(name: &str, element: &Element, depth: usize) -> String {
    // Attributes with a namespace follow, unchanged.
    let attributes = element.attributes.iter().filter(|attribute| {
        let written = attribute.name_span.file.text.get(attribute.name_span.range.clone());
        !written.is_some_and(|written| written.contains(':'))
    });
    let attributes = attributes.map(|attribute| (&attribute.name, &attribute.value.text));
    let foreign = element.layout.foreign.iter().map(|(name, value)| (name, value));
    let attributes: Vec<String> = attributes
        .chain(foreign)
        .map(|(name, value)| format!("{name}=\"{}\"", escaped(value, true)))
        .collect();
    let mut tag = format!("<{name}");
    let indent = 2 * depth + tag.len() + 1;
    let mut column = 2 * depth + tag.len();
    for (position, attribute) in attributes.iter().enumerate() {
        if position > 0 && column + 1 + attribute.chars().count() > WIDTH {
            tag.push('\n');
            tag.push_str(&" ".repeat(indent));
            column = indent;
        } else {
            tag.push(' ');
            column += 1;
        }
        tag.push_str(attribute);
        column += attribute.chars().count();
    }
    tag
}

/// Returns the text with special characters as references; in an attribute also white space, which a reader would turn
/// into blanks.
fn escaped(text: &str, attribute: bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' if attribute => escaped.push_str("&quot;"),
            '\n' | '\t' if attribute => escaped.push_str(&format!("&#{};", u32::from(character))),
            '\r' => escaped.push_str("&#13;"),
            other => escaped.push(other),
        }
    }
    escaped
}
