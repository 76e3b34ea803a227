//! Rules between keywords: what no table of a single keyword can say.
//!
//! Each rule looks at the whole canonical tree, by membership in sets and never by parts of texts. A description is
//! refused when it asks for two things that exclude each other, or for one without what it needs. What only KIWI NG
//! refuses is warned of. Rules that make a type what it is (a disk needs a file system) are with `decode/image_type.rs`.

mod bootloader;
mod disk;
mod encryption;
mod initrd;
mod partitions;
mod sections;
#[cfg(test)]
mod tests;
mod types;

use crate::document::{Attribute, Element};
use crate::image_type::{Feature, type_row};
use crate::{Diagnostic, Diagnostics, schema};

/// One rule.
struct Rule {
    /// Its name, which diagnostics carry and by which its fixture is found.
    name: &'static str,
    check: fn(&Element, &mut Found),
}

/// What a rule finds.
#[derive(Default)]
struct Found(Vec<Diagnostic>);

/// Every rule.
static RULES: &[&[Rule]] = &[
    sections::RULES,
    types::RULES,
    bootloader::RULES,
    initrd::RULES,
    disk::RULES,
    partitions::RULES,
    encryption::RULES,
];

/// Applies every rule to a canonical tree.
pub(crate) fn check(root: &Element, diagnostics: &mut Diagnostics) {
    let mut found = Found::default();
    for rule in RULES.iter().copied().flatten() {
        let before = found.0.len();
        (rule.check)(root, &mut found);
        found.0.iter_mut().skip(before).for_each(|diagnostic| diagnostic.rule = rule.name);
    }
    diagnostics.0.append(&mut found.0);
}

impl Found {
    /// Something stands without what it needs, or beside what it excludes.
    fn attribute(&mut self, attribute: &Attribute, message: &str, label: &str, help: &str) {
        let written = attribute.name_span.keyword().unwrap_or(&attribute.name);
        let message = format!("`{written}` {message}");
        self.0.push(Diagnostic::error(attribute.name_span.clone(), message).label(label).help(help));
    }

    fn value(&mut self, attribute: &Attribute, message: &str, label: &str, help: &str) {
        let message = format!("`{}=\"{}\"` {message}", attribute.name, attribute.value.text);
        self.0.push(Diagnostic::error(attribute.value.span.clone(), message).label(label).help(help));
    }

    /// KIWI NG refuses it, and this program builds it.
    fn warn(&mut self, value: &Attribute, message: &str, label: &str, help: &str) {
        let message = format!("`{}=\"{}\"` {message}", value.name, value.value.text);
        self.0.push(Diagnostic::warning(value.value.span.clone(), message).label(label).help(help));
    }

    /// What is built is not all that stands there.
    fn warn_element(&mut self, element: &Element, message: &str, label: &str, help: &str) {
        let message = format!("`<{}>` {message}", element.written().unwrap_or(&element.name));
        self.0.push(Diagnostic::warning(element.span.clone(), message).label(label).help(help));
    }

    fn element(&mut self, element: &Element, message: &str, label: &str, help: &str) {
        let message = format!("`<{}>` {message}", element.written().unwrap_or(&element.name));
        self.0.push(Diagnostic::error(element.span.clone(), message).label(label).help(help));
    }
}

/// Every `<type>` of every `<preferences>`.
fn types(root: &Element) -> impl Iterator<Item = &Element> {
    root.children("preferences").flat_map(|section| section.children("type"))
}

/// Whether the image type of a `<type>` takes a feature.
fn takes(image_type: &Element, feature: Feature) -> bool {
    let row = image_type.value("image").and_then(|keyword| type_row(&keyword.text));
    row.is_some_and(|row| row.takes(feature))
}

/// Whether an attribute is one of these keywords.
fn is(element: &Element, attribute: &str, keywords: &[&str]) -> bool {
    element.value(attribute).is_some_and(|value| keywords.contains(&value.text.as_str()))
}

/// The attribute, when it says yes.
fn switched_on<'a>(element: &'a Element, name: &str) -> Option<&'a Attribute> {
    element.attribute(name).filter(|attribute| schema::boolean(&attribute.value.text) == Some(true))
}

/// Whether the disk has a format that a container image carries.
fn in_container(image_type: &Element) -> bool {
    image_type
        .value("format")
        .is_some_and(|format| format.text.starts_with("oci:") || format.text.starts_with("docker:"))
}
