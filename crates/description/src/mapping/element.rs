//! From the mappings of a text to elements with attributes, children and text.
//!
//! A key with the mark `@` is an attribute. For any other key the tables determine whether it is an attribute or an element: the
//! mark may be missing, in some or all keys of an element. A key that is neither becomes what it looks like, so that the check
//! can report it as it reports any other.

use std::cell::Cell;
use std::ops::Range;
use std::sync::Arc;

use super::{Key, Kind, Node, span};
use crate::document::{Attribute, Element, Layout, MAX_DEPTH, Text};
use crate::schema::{Content, ElementSchema, IMAGE};
use crate::{Diagnostic, SchemaVersion, SourceFile, Span};

/// The key of a text next to attributes or children.
pub(crate) const TEXT_KEY: &str = "#text";

/// The prefix of a key that marks an attribute.
pub(crate) const ATTRIBUTE_MARK: char = '@';

pub(super) fn root(file: &Arc<SourceFile>, root: Node) -> Result<Element, Diagnostic> {
    let start = root.range.clone();
    let help = "a description starts with the key `image`, which contains everything else";
    let Kind::Mapping(entries) = root.kind else {
        return Err(Diagnostic::error(span(file, start), "this is not an image description")
            .label("expected a mapping")
            .help(help));
    };
    if let Some((other, _)) = entries.iter().find(|(key, _)| key.text != IMAGE.name) {
        let message = format!("`{}` is not an image description", other.text);
        return Err(Diagnostic::error(span(file, other.range.clone()), message)
            .label("expected `image`, and nothing beside it")
            .help(help));
    }
    let Some((key, image)) = entries.into_iter().next() else {
        return Err(Diagnostic::error(span(file, start), "the description is empty")
            .label("expected `image`")
            .help(help));
    };
    let schema = match &image.kind {
        Kind::Mapping(entries) => entries.iter().find_map(|(key, value)| match &value.kind {
            Kind::Scalar(text) if key.text.trim_start_matches(ATTRIBUTE_MARK) == "schemaversion" => {
                SchemaVersion::parse(text)
            }
            Kind::Scalar(text) if key.text.trim_start_matches(ATTRIBUTE_MARK) == "schemeversion" => {
                SchemaVersion::parse(text)
            }
            _ => None,
        }),
        _ => None,
    };
    let elements = Elements { file, schema: schema.unwrap_or(SchemaVersion::NEWEST), unknown: Cell::new(0) };
    if let Kind::List(_) = image.kind {
        return Err(elements.not_a_list(&key, "a file holds one description"));
    }
    elements.element(&key.text, key.range.clone(), false, image, Some(&IMAGE), 1)
}

/// The number of unknown keys that are compared with known ones, and of keys in a mapping.
const MAX_UNKNOWN: usize = 250;
const MAX_KEYS: usize = 1_000;

struct Elements<'a> {
    file: &'a Arc<SourceFile>,
    schema: SchemaVersion,
    unknown: Cell<usize>,
}

/// The meaning of a key.
enum Meaning {
    Attribute,
    Child,
}

impl Elements<'_> {
    fn span(&self, range: Range<usize>) -> Span {
        span(self.file, range)
    }

    /// One element; `range` is that of its name, or that of an item when the list contains it.
    fn element(
        &self,
        name: &str,
        range: Range<usize>,
        item: bool,
        node: Node,
        keyword: Option<&'static ElementSchema>,
        depth: usize,
    ) -> Result<Element, Diagnostic> {
        let span = self.span(range);
        if depth > MAX_DEPTH {
            return Err(Diagnostic::error(span, format!("elements are nested more than {MAX_DEPTH} deep"))
                .label("too deep")
                .help("no element of any schema is nested that deep"));
        }
        let (prefix, local) = prefixed(name);
        let mut element = Element {
            name: local.to_owned(),
            foreign: prefix.is_some(),
            span,
            item,
            attributes: Vec::new(),
            children: Vec::new(),
            text: None,
            layout: Layout { prefix: prefix.map(str::to_owned), ..Layout::default() },
        };
        match node.kind {
            Kind::Nothing => {}
            Kind::Scalar(text) => element.text = self.text(&text, node.range),
            Kind::Mapping(entries) => {
                if let Some((key, _)) = entries.get(MAX_KEYS) {
                    let span = self.span(key.range.clone());
                    return Err(Diagnostic::error(span, format!("a mapping has more than {MAX_KEYS} keys"))
                        .label("too many"));
                }
                for (key, value) in entries {
                    self.entry(&mut element, key, value, keyword, depth)?;
                }
            }
            Kind::List(_) => {
                return Err(Diagnostic::error(self.span(node.range), "a list cannot contain a list")
                    .label("expected one element")
                    .help(format!("the items of a list are the elements `{local}`")));
            }
        }
        Ok(element)
    }

    fn entry(
        &self,
        element: &mut Element,
        key: Key,
        value: Node,
        keyword: Option<&'static ElementSchema>,
        depth: usize,
    ) -> Result<(), Diagnostic> {
        if key.text == TEXT_KEY {
            return match value.kind {
                Kind::Nothing => Ok(()),
                Kind::Scalar(text) => {
                    element.text = self.text(&text, value.range);
                    Ok(())
                }
                Kind::List(_) | Kind::Mapping(_) => Err(self.not_a_text(&key, &value)),
            };
        }
        match self.meaning(&key.text, &value.kind, keyword) {
            Meaning::Attribute => self.attribute(element, &key, value),
            Meaning::Child => {
                let known = keyword.and_then(|keyword| keyword.child_schema(&key.text, self.schema));
                let known = known.map(|known| known.element);
                match value.kind {
                    Kind::List(items) => {
                        for node in items {
                            let range = node.range.clone();
                            element.children.push(self.element(
                                &key.text,
                                range,
                                true,
                                node,
                                known,
                                depth + 1,
                            )?);
                        }
                    }
                    _ => element.children.push(self.element(
                        &key.text,
                        key.range,
                        false,
                        value,
                        known,
                        depth + 1,
                    )?),
                }
                Ok(())
            }
        }
    }

    fn meaning(&self, key: &str, value: &Kind, keyword: Option<&'static ElementSchema>) -> Meaning {
        if key.starts_with(ATTRIBUTE_MARK) || key.starts_with("xmlns") || key.starts_with("xsi:") {
            return Meaning::Attribute;
        }
        let Some(keyword) = keyword.filter(|keyword| !matches!(keyword.content, Content::Anything)) else {
            return Meaning::Child;
        };
        let child = keyword.child_schema(key, self.schema);
        let attribute = keyword.attribute_schema(key, self.schema);
        let scalar = matches!(value, Kind::Scalar(_) | Kind::Nothing);
        let covered = |life: crate::schema::Life| life.covers(self.schema);
        match (attribute, child) {
            (Some(attribute), Some(child)) => {
                if scalar && (covered(attribute.life) || !covered(child.life)) {
                    Meaning::Attribute
                } else {
                    Meaning::Child
                }
            }
            (Some(_), None) => Meaning::Attribute,
            (None, Some(_)) => Meaning::Child,
            (None, None) if !scalar => Meaning::Child,
            (None, None) if self.unknown.replace(self.unknown.get() + 1) > MAX_UNKNOWN => Meaning::Attribute,
            (None, None) => match keyword.meant_child(key, self.schema) {
                Some(_) if keyword.meant_attribute(key, self.schema).is_none() => Meaning::Child,
                _ if keyword.attributes.is_empty() => Meaning::Child,
                _ => Meaning::Attribute,
            },
        }
    }

    fn attribute(&self, element: &mut Element, key: &Key, value: Node) -> Result<(), Diagnostic> {
        let mark = key.text.len() - key.text.trim_start_matches(ATTRIBUTE_MARK).len();
        let name = &key.text[mark..];
        let name_span = self.span(key.range.start + mark..key.range.end);
        let text = match value.kind {
            Kind::Scalar(text) => text,
            Kind::Nothing => String::new(),
            Kind::List(_) | Kind::Mapping(_) => return Err(self.not_a_text(key, &value)),
        };
        let (prefix, local) = prefixed(name);
        if prefix.is_some() || name == "xmlns" {
            element.layout.foreign.push((name.to_owned(), text.clone()));
            if name.starts_with("xmlns") || prefix == Some("xsi") {
                return Ok(());
            }
        }
        if element.attribute(local).is_some() {
            return Err(Diagnostic::error(
                name_span,
                format!("the attribute `{local}` is given twice in one element"),
            )
            .label("given a second time")
            .help("remove one of the two"));
        }
        if mark == 0 && prefix.is_none() && name != "xmlns" && element.layout.unmarked.is_none() {
            element.layout.unmarked = Some(name_span.clone());
        }
        let location = if text.is_empty() { key.range.clone() } else { value.range };
        let value = self.text(&text, location.clone());
        element.attributes.push(Attribute {
            name: local.to_owned(),
            name_span,
            value: value.unwrap_or_else(|| Text { text: String::new(), span: self.span(location) }),
        });
        Ok(())
    }

    /// A text without the blanks around it; none when nothing is left.
    fn text(&self, text: &str, range: Range<usize>) -> Option<Text> {
        let trimmed = text.trim();
        let verbatim = self.file.text.get(range.clone()) == Some(text);
        let start = if verbatim { range.start + (text.len() - text.trim_start().len()) } else { range.start };
        let end = if verbatim { start + trimmed.len() } else { range.end };
        (!trimmed.is_empty()).then(|| Text { text: trimmed.to_owned(), span: self.span(start..end) })
    }

    fn not_a_text(&self, key: &Key, value: &Node) -> Diagnostic {
        let what = if let Kind::List(_) = value.kind { "a list" } else { "a mapping" };
        let diagnostic = Diagnostic::error(
            self.span(key.range.clone()),
            format!("`{}` is one text, not {what}", key.text),
        )
        .label(format!("has {what}"));
        match &value.kind {
            Kind::List(_) => diagnostic.help("several values are separated by commas in one text"),
            _ => diagnostic.help("write the value right after the key"),
        }
    }

    fn not_a_list(&self, key: &Key, help: &str) -> Diagnostic {
        Diagnostic::error(self.span(key.range.clone()), format!("`{}` is not a list", key.text))
            .label("only one is allowed")
            .help(help)
    }
}

/// The prefix of a namespace, when there is one, and the rest of the name.
fn prefixed(name: &str) -> (Option<&str>, &str) {
    match name.split_once(':') {
        Some((prefix, local)) => (Some(prefix), local),
        None => (None, name),
    }
}
