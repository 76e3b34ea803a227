//! Compares a tree, as it was written, with the vocabulary of its schema.
//!
//! Every difference is reported in the user's own spelling and at its position. Rules that involve several elements or
//! attributes (a type and its attributes, a profile and its declaration) belong to `decode`.

mod did_you_mean;
mod value;
mod warning;

use std::collections::BTreeSet;

pub(crate) use value::expectation;
#[cfg(test)]
pub(crate) use value::has_form;

use crate::document::{Attribute, Element};
use crate::schema::{self, AttributeSchema, ChildSchema, ElementSchema, IMAGE, Life, State};
use crate::suggest::listed;
use crate::{Diagnostic, Diagnostics, Format, SchemaVersion};

/// Checks everything in one file; [`cardinality`] checks what the image as a whole must contain.
pub(crate) fn keywords(root: &Element, schema: SchemaVersion, diagnostics: &mut Diagnostics) {
    let mut check = Check { schema, diagnostics, told: BTreeSet::new() };
    check.attributes(root, &IMAGE);
    check.text(root, &IMAGE);
    check.children(root, &IMAGE);
}

/// Reports elements that the image lacks or has too often, after all its files are merged.
pub(crate) fn cardinality(root: &Element, schema: SchemaVersion, diagnostics: &mut Diagnostics) {
    let mut check = Check { schema, diagnostics, told: BTreeSet::new() };
    check.required_attributes(root, &IMAGE);
    check.how_often(root, &IMAGE);
}

struct Check<'a> {
    schema: SchemaVersion,
    diagnostics: &'a mut Diagnostics,
    /// Warnings about keywords, of which each is given once.
    told: BTreeSet<String>,
}

impl Check<'_> {
    fn element(&mut self, element: &Element, keyword: &'static ElementSchema) {
        if self.diagnostics.is_full() {
            return;
        }
        if keyword.state == State::NotUsed && !schema::says_default(keyword.default, element.text.as_ref()) {
            self.not_used(element.span.clone(), &format!("`<{}>`", keyword.name));
        }
        if let schema::Content::Anything = keyword.content {
            return;
        }
        self.attributes(element, keyword);
        self.required_attributes(element, keyword);
        self.text(element, keyword);
        self.children(element, keyword);
        self.how_often(element, keyword);
    }

    // --- attributes

    fn attributes(&mut self, element: &Element, keyword: &'static ElementSchema) {
        for attribute in &element.attributes {
            if self.diagnostics.is_full() {
                return;
            }
            match keyword.attribute_schema(&attribute.name, self.schema) {
                Some(known) if known.life.covers(self.schema) => self.attribute(attribute, known),
                Some(known) if known.is_clear_in(self.schema) => {
                    let what = format!("attribute `{}` of `<{}>`", known.name, keyword.name);
                    self.newer(attribute.name_span.clone(), &what, known.life);
                    self.attribute(attribute, known);
                }
                Some(known) => self.attribute_of_another_schema(attribute, known, keyword),
                None => self.unknown_attribute(attribute, keyword),
            }
        }
    }

    fn required_attributes(&mut self, element: &Element, keyword: &'static ElementSchema) {
        let required = |known: &&AttributeSchema| known.required && known.life.covers(self.schema);
        for known in keyword.attributes.iter().filter(required) {
            if element.attribute(known.name).is_some() {
                continue;
            }
            let written_otherwise = known.instead.is_some_and(|instead| element.attribute(instead).is_some());
            // One mistake, one message.
            let misspelt = element
                .attributes
                .iter()
                .any(|attribute| keyword.meant_attribute(&attribute.name, self.schema) == Some(known.name));
            let as_text = element.text.is_some()
                && keyword.text.is_none_or(|_| !keyword.text_life.covers(self.schema))
                && self.attribute_for_text(keyword).is_some_and(|first| first.name == known.name);
            if !written_otherwise && !misspelt && !as_text {
                self.diagnostics.push(
                    Diagnostic::error(
                        element.span.clone(),
                        format!("`<{}>` lacks the attribute `{}`", keyword.name, known.name),
                    )
                    .rule("missing-attribute")
                    .label(format!("`{}` is missing", known.name))
                    .help(format!(
                        "add `{}=\"...\"`: {}",
                        known.name,
                        expectation(&known.value, self.schema)
                    )),
                );
            }
        }
    }

    fn attribute(&mut self, attribute: &Attribute, known: &'static AttributeSchema) {
        if known.is_absent(&attribute.value.text) {
            self.absent(attribute.name_span.clone(), &format!("`{}`", known.name), &attribute.value.text);
            return;
        }
        let name = format!("the attribute `{}`", known.name);
        let valid = self.value(&attribute.value, &known.value, &name);
        if valid
            && known.state == State::NotUsed
            && !schema::says_default(known.default, Some(&attribute.value))
        {
            self.not_used(attribute.name_span.clone(), &format!("`{}`", known.name));
        }
    }

    fn attribute_of_another_schema(
        &mut self,
        attribute: &Attribute,
        known: &'static AttributeSchema,
        keyword: &'static ElementSchema,
    ) {
        let diagnostic = Diagnostic::error(
            attribute.name_span.clone(),
            format!("schema {} has no attribute `{}` of `<{}>`", self.schema, known.name, keyword.name),
        )
        .rule("attribute-of-another-schema")
        .label(known.life.of_other_schemas(self.schema));
        self.diagnostics.push(match known.instead {
            Some(instead) => diagnostic.help(format!("schema {} writes it `{instead}`", self.schema)),
            None => diagnostic.help(self.change_schema(known.life)),
        });
    }

    /// Returns what to do about a keyword without a substitute in this schema.
    fn change_schema(&self, life: Life) -> String {
        if life.is_over(self.schema) {
            format!("remove it: schema {} no longer has it", self.schema)
        } else {
            "remove it, or let `kiwi convert` write the description for today's schema".to_owned()
        }
    }

    fn unknown_attribute(&mut self, attribute: &Attribute, keyword: &'static ElementSchema) {
        let schema = self.schema;
        let names =
            || keyword.attributes.iter().filter(|known| known.life.covers(schema)).map(|known| known.name);
        let diagnostic = Diagnostic::error(
            attribute.name_span.clone(),
            format!("`<{}>` has no attribute `{}`", keyword.name, attribute.name),
        )
        .rule("unknown-attribute")
        .label(format!("not an attribute of `<{}>`", keyword.name));
        let inside = || {
            let children = keyword.child_schemas().iter().filter(|child| child.life.covers(schema));
            let known = |child: &&ChildSchema| {
                let of_child = child.element.attribute_schema(&attribute.name, schema);
                of_child.is_some_and(|known| known.life.covers(schema))
            };
            let mut having = children.filter(known).map(|child| child.element.name);
            // If several elements have it, there is no suggestion.
            having.next().filter(|_| having.next().is_none())
        };
        let child = keyword.child_schema(&attribute.name, schema);
        let is_element = child.is_some_and(|child| child.life.covers(schema));
        let help = match (keyword.meant_attribute(&attribute.name, schema), inside()) {
            _ if is_element => {
                format!("`<{}>` is an element inside `<{}>`, not an attribute", attribute.name, keyword.name)
            }
            (None, Some(child)) => {
                format!("it is an attribute of `<{child}>`, which belongs in `<{}>`", keyword.name)
            }
            (Some(name), _) => format!("did you mean `{name}`?"),
            (None, None) if names().next().is_none() => format!("`<{}>` has no attributes", keyword.name),
            (None, None) if names().count() > 20 => "remove it".to_owned(),
            (None, None) => format!("its attributes are {}", listed(names())),
        };
        self.diagnostics.push(diagnostic.help(help));
    }

    // --- text

    fn text(&mut self, element: &Element, keyword: &'static ElementSchema) {
        let form = keyword.text.filter(|_| keyword.text_life.covers(self.schema));
        match (&element.text, form) {
            (Some(text), Some(form)) if form.is_absent(&text.text) => {
                self.absent(element.span.clone(), &format!("`<{}>`", keyword.name), &text.text);
            }
            (Some(text), Some(form)) => {
                let name = if keyword.name == "type" {
                    "the image type".to_owned()
                } else {
                    format!("`<{}>`", keyword.name)
                };
                self.value(text, &form, &name);
            }
            (Some(text), None) => {
                let diagnostic = Diagnostic::error(
                    text.span.clone(),
                    format!("`<{}>` has no text in schema {}", keyword.name, self.schema),
                )
                .rule("unexpected-text")
                .label("text is not expected here");
                let help = (!text.text.contains('\n')).then(|| self.attribute_for_text(keyword)).flatten();
                self.diagnostics.push(match help {
                    Some(known) => diagnostic.help(match Format::of(&text.span.file) {
                        Format::Xml => {
                            format!("write it `<{} {}=\"{}\">`", keyword.name, known.name, text.text)
                        }
                        Format::Yaml => format!("write it `\"@{}\": {}`", known.name, text.text),
                        Format::Toml => format!("write it `\"@{}\" = \"{}\"`", known.name, text.text),
                        Format::Json => format!("write it `\"@{}\": \"{}\"`", known.name, text.text),
                    }),
                    None => diagnostic,
                });
            }
            (None, Some(form)) if form.is_absent("") && !keyword.text_optional => {
                self.absent(element.span.clone(), &format!("`<{}>`", keyword.name), "");
            }
            (None, Some(form)) if !keyword.text_optional => self.diagnostics.push(
                Diagnostic::error(element.span.clone(), format!("`<{}>` is empty", keyword.name))
                    .rule("empty-element")
                    .label("its text is missing")
                    .help(format!("expected {}", expectation(&form, self.schema))),
            ),
            (None, _) => {}
        }
    }

    /// Returns the attribute that an unexpected text may be meant for: the first required one.
    fn attribute_for_text(&self, keyword: &'static ElementSchema) -> Option<&'static AttributeSchema> {
        keyword.attributes.iter().find(|known| known.required && known.life.covers(self.schema))
    }

    // --- children

    fn children(&mut self, element: &Element, keyword: &'static ElementSchema) {
        for child in &element.children {
            if self.diagnostics.is_full() {
                return;
            }
            let known = if child.foreign { None } else { keyword.child_schema(&child.name, self.schema) };
            let Some(known) = known else {
                self.unknown_element(child, keyword);
                continue;
            };
            if !known.life.covers(self.schema) {
                if known.life.is_over(self.schema) {
                    self.element_of_another_schema(child, known, keyword);
                    continue;
                }
                let what = format!("`<{}>` in `<{}>`", child.name, keyword.name);
                self.newer(child.span.clone(), &what, known.life);
            }
            self.element(child, known.element);
        }
    }

    fn how_often(&mut self, element: &Element, keyword: &'static ElementSchema) {
        for known in keyword.child_schemas() {
            if known.many.is_some_and(|many| many.covers(self.schema)) || !known.life.covers(self.schema) {
                continue;
            }
            let mut children = element.children(known.element.name);
            let Some(first) = children.next() else { continue };
            for child in children {
                if self.diagnostics.is_full() {
                    return;
                }
                let (line, _) = first.span.line_and_column();
                let location = if std::sync::Arc::ptr_eq(&first.span.file, &child.span.file) {
                    format!("line {line}")
                } else {
                    format!("line {line} of {}", first.span.file.name)
                };
                self.diagnostics.push(
                    Diagnostic::error(
                        child.span.clone(),
                        format!("`<{}>` occurs more than once in `<{}>`", child.name, keyword.name),
                    )
                    .rule("repeated-element")
                    .label("only one is allowed")
                    .help(format!("remove one of them; the first one is in {location}")),
                );
            }
        }
        for known in keyword.child_schemas() {
            let required = known.required.is_some_and(|required| required.covers(self.schema));
            let name = known.element.name;
            if !required || !known.life.covers(self.schema) || element.child(name).is_some() {
                continue;
            }
            // Each name once: comparing them takes time.
            let written: BTreeSet<&str> = element.children.iter().map(|child| child.name.as_str()).collect();
            if !written.iter().any(|written| keyword.meant_child(written, self.schema) == Some(name)) {
                self.diagnostics.push(
                    Diagnostic::error(element.span.clone(), format!("`<{}>` lacks `<{name}>`", keyword.name))
                        .rule("missing-element")
                        .label(format!("`<{name}>` is missing inside"))
                        .help(match known.element.text {
                            Some(form) => {
                                format!("add `<{name}>...</{name}>`: {}", expectation(&form, self.schema))
                            }
                            None => format!("add a `<{name}>` element"),
                        }),
                );
            }
        }
    }

    fn element_of_another_schema(&mut self, child: &Element, known: &ChildSchema, keyword: &ElementSchema) {
        let diagnostic = Diagnostic::error(
            child.span.clone(),
            format!("schema {} has no `<{}>` in `<{}>`", self.schema, child.name, keyword.name),
        )
        .rule("element-of-another-schema")
        .label(known.life.of_other_schemas(self.schema));
        self.diagnostics.push(match known.element.instead {
            Some(instead) => diagnostic.help(format!("schema {} writes it `<{instead}>`", self.schema)),
            None => match schema::parent_of(&child.name, self.schema) {
                Some(parent) if parent != keyword.name => {
                    diagnostic.help(format!("it belongs in `<{parent}>`"))
                }
                _ => diagnostic.help(self.change_schema(known.life)),
            },
        });
    }

    fn unknown_element(&mut self, child: &Element, keyword: &'static ElementSchema) {
        let schema = self.schema;
        let names = || {
            keyword
                .child_schemas()
                .iter()
                .filter(|known| known.life.covers(schema))
                .map(|known| known.element.name)
        };
        if !child.foreign
            && let Some(parent) = schema::parent_of(&child.name, schema)
        {
            self.diagnostics.push(
                Diagnostic::error(
                    child.span.clone(),
                    format!("`<{}>` is not allowed in `<{}>`", child.name, keyword.name),
                )
                .rule("misplaced-element")
                .label("misplaced")
                .help(format!("it belongs in `<{parent}>`")),
            );
            return;
        }
        if !child.foreign
            && let Some((parent, life)) = schema::parent_in_others(&child.name)
        {
            self.diagnostics.push(
                Diagnostic::error(child.span.clone(), format!("schema {schema} has no `<{}>`", child.name))
                    .rule("element-of-another-schema")
                    .label(format!("{}, there in `<{parent}>`", life.of_other_schemas(schema)))
                    .help(self.change_schema(life)),
            );
            return;
        }
        let message = if child.foreign {
            format!("`<{}>` has a namespace; the elements of a description have none", child.name)
        } else {
            format!("there is no element `<{}>`", child.name)
        };
        let help =
            match (keyword.meant_child(&child.name, schema), schema::meant_elsewhere(&child.name, schema)) {
                (Some(name), _) => format!("did you mean `<{name}>`?"),
                (None, Some((name, parent))) => {
                    format!("did you mean `<{name}>`? It belongs in `<{parent}>`")
                }
                (None, None) if names().next().is_none() => {
                    format!("`<{}>` has no child elements", keyword.name)
                }
                (None, None) if names().count() > 20 => "remove it".to_owned(),
                (None, None) => {
                    let names: Vec<String> = names().map(|name| format!("<{name}>")).collect();
                    format!("`<{}>` can contain {}", keyword.name, listed(names.iter().map(String::as_str)))
                }
            };
        self.diagnostics.push(
            Diagnostic::error(child.span.clone(), message)
                .rule("unknown-element")
                .label(format!("not an element of `<{}>`", keyword.name))
                .help(help),
        );
    }
}
