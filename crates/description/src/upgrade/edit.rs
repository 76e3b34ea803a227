//! Small changes of a tree, of which the upgrade steps are made.
//!
//! A new element or attribute has the position of the one that it replaces.

use crate::Span;
use crate::document::{Attribute, Element, Layout, Text};

/// Returns a new element at the position of the one it replaces.
pub(crate) fn element(name: &str, span: &Span) -> Element {
    Element {
        name: name.to_owned(),
        foreign: false,
        span: span.clone(),
        item: false,
        attributes: Vec::new(),
        children: Vec::new(),
        text: None,
        layout: Layout::default(),
    }
}

/// Returns a new attribute.
pub(crate) fn attribute(name: &str, value: &str, span: &Span) -> Attribute {
    Attribute {
        name: name.to_owned(),
        name_span: span.clone(),
        value: Text { text: value.to_owned(), span: span.clone() },
    }
}

/// Returns all elements of one kind of section.
pub(crate) fn sections<'a>(root: &'a mut Element, name: &str) -> impl Iterator<Item = &'a mut Element> {
    root.children.iter_mut().filter(move |child| child.name == name && !child.foreign)
}

/// Returns every `<type>` of every `<preferences>`.
pub(crate) fn types(root: &mut Element) -> impl Iterator<Item = &mut Element> {
    sections(root, "preferences").flat_map(|section| {
        section.children.iter_mut().filter(|child| child.name == "type" && !child.foreign)
    })
}

/// Returns whether the type is one of these.
pub(crate) fn is_type(image_type: &Element, keywords: &[&str]) -> bool {
    image_type.value("image").is_some_and(|keyword| keywords.contains(&keyword.text.as_str()))
}

/// Renames an attribute, unless the new name exists.
pub(crate) fn rename_attribute(element: &mut Element, from: &str, to: &str) {
    if element.attribute(to).is_some() {
        return;
    }
    if let Some(attribute) = element.attributes.iter_mut().find(|attribute| attribute.name == from) {
        to.clone_into(&mut attribute.name);
    }
}

/// Removes an attribute.
pub(crate) fn take_attribute(element: &mut Element, name: &str) -> Option<Attribute> {
    let position = element.attributes.iter().position(|attribute| attribute.name == name)?;
    Some(element.attributes.remove(position))
}

/// Renames the children of one name.
pub(crate) fn rename_children(element: &mut Element, from: &str, to: &str) {
    for child in element.children.iter_mut().filter(|child| child.name == from && !child.foreign) {
        to.clone_into(&mut child.name);
    }
}

/// Removes the children of one name.
pub(crate) fn take_children(element: &mut Element, name: &str) -> Vec<Element> {
    let taken = |child: &Element| child.name == name && !child.foreign;
    let (taken, rest) = std::mem::take(&mut element.children).into_iter().partition(taken);
    element.children = rest;
    taken
}

/// Replaces a text that is exactly one keyword.
pub(crate) fn replace_keyword(text: &mut Text, from: &str, to: &str) {
    if text.text == from {
        to.clone_into(&mut text.text);
    }
}

/// Adds a package manager if the description names none.
pub(crate) fn default_package_manager(root: &mut Element, keyword: &str) {
    if root.children("preferences").any(|section| section.child("packagemanager").is_some()) {
        return;
    }
    // The section that belongs to every build, otherwise all of them.
    let unconditional =
        |section: &Element| section.attribute("profiles").is_none() && section.attribute("arch").is_none();
    let some = root.children("preferences").any(unconditional);
    let mut done = false;
    for section in sections(root, "preferences") {
        if some && (done || !unconditional(section)) {
            continue;
        }
        done = true;
        let mut manager = element("packagemanager", &section.span);
        manager.text = Some(Text { text: keyword.to_owned(), span: section.span.clone() });
        section.children.push(manager);
    }
}
