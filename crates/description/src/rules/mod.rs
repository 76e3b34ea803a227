//! Rules that involve several keywords, which no table of a single keyword can express.
//!
//! Each rule looks at the whole canonical tree, by set membership and never by parts of texts. A description is refused if
//! it contains two settings that exclude each other, or one without what it requires. A warning covers what only KIWI NG
//! refuses. Rules that define a type (a disk needs a file system) are in `decode/image_type.rs`.

mod bootloader;
mod disk;
mod encryption;
mod format_options;
mod initrd;
mod partitions;
mod sections;
mod split;
#[cfg(test)]
mod tests;
mod types;
mod unusable;
mod users;

use crate::document::{Attribute, Element};
use crate::image_type::{Feature, TypeRow, type_row};
use crate::{Diagnostic, Diagnostics, schema};

/// One rule.
struct Rule {
    /// Its name in diagnostics, by which its fixture is found.
    name: &'static str,
    check: fn(&Element, &mut Found),
}

/// The check of a rule.
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
    format_options::RULES,
    encryption::RULES,
    unusable::RULES,
    split::RULES,
    users::RULES,
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
    /// Reports a setting without what it requires, or together with what it excludes.
    fn attribute(&mut self, attribute: &Attribute, message: &str, label: &str, help: &str) {
        let written = attribute.name_span.keyword().unwrap_or(&attribute.name);
        let message = format!("`{written}` {message}");
        self.0.push(Diagnostic::error(attribute.name_span.clone(), message).label(label).help(help));
    }

    fn value(&mut self, attribute: &Attribute, message: &str, label: &str, help: &str) {
        let message = format!("`{}=\"{}\"` {message}", attribute.name, attribute.value.text);
        self.0.push(Diagnostic::error(attribute.value.span.clone(), message).label(label).help(help));
    }

    /// Warns about something that KIWI NG refuses and this program builds.
    fn warn(&mut self, value: &Attribute, message: &str, label: &str, help: &str) {
        let message = format!("`{}=\"{}\"` {message}", value.name, value.value.text);
        self.0.push(Diagnostic::warning(value.value.span.clone(), message).label(label).help(help));
    }

    /// Warns about an attribute that has no effect.
    fn warn_attribute(&mut self, attribute: &Attribute, message: &str, label: &str, help: &str) {
        let written = attribute.name_span.keyword().unwrap_or(&attribute.name);
        let message = format!("`{written}` {message}");
        self.0.push(Diagnostic::warning(attribute.name_span.clone(), message).label(label).help(help));
    }

    /// Warns about a setting that has no effect.
    fn warn_element(&mut self, element: &Element, message: &str, label: &str, help: &str) {
        let message = format!("`<{}>` {message}", element.written().unwrap_or(&element.name));
        self.0.push(Diagnostic::warning(element.span.clone(), message).label(label).help(help));
    }

    fn element(&mut self, element: &Element, message: &str, label: &str, help: &str) {
        let message = format!("`<{}>` {message}", element.written().unwrap_or(&element.name));
        self.0.push(Diagnostic::error(element.span.clone(), message).label(label).help(help));
    }
}

/// Returns every `<type>` of every `<preferences>`.
fn types(root: &Element) -> impl Iterator<Item = &Element> {
    root.children("preferences").flat_map(|section| section.children("type"))
}

/// Returns the row of a `<type>`.
fn type_of(image_type: &Element) -> Option<&'static TypeRow> {
    image_type.value("image").and_then(|keyword| type_row(&keyword.text))
}

/// Returns whether the image type of a `<type>` takes a feature.
fn takes(image_type: &Element, feature: Feature) -> bool {
    type_of(image_type).is_some_and(|row| row.takes(feature))
}

/// Returns whether an attribute is one of these keywords.
fn is(element: &Element, attribute: &str, keywords: &[&str]) -> bool {
    element.value(attribute).is_some_and(|value| keywords.contains(&value.text.as_str()))
}

/// Returns the attribute, if it is true.
fn switched_on<'a>(element: &'a Element, name: &str) -> Option<&'a Attribute> {
    element.attribute(name).filter(|attribute| schema::boolean(&attribute.value.text) == Some(true))
}

/// Returns whether the disk has a format that a container image holds.
fn in_container(image_type: &Element) -> bool {
    image_type
        .value("format")
        .is_some_and(|format| format.text.starts_with("oci:") || format.text.starts_with("docker:"))
}
