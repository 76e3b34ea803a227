//! Removes settings without a value, which are as if they were missing.

use crate::SchemaVersion;
use crate::document::Element;
use crate::schema::{ElementSchema, IMAGE};

/// Removes them from a tree that was written in `schema`.
pub(super) fn remove(root: &mut Element, schema: SchemaVersion) {
    of(root, &IMAGE, schema);
}

fn of(element: &mut Element, keyword: &'static ElementSchema, schema: SchemaVersion) {
    element.attributes.retain(|attribute| {
        let known = keyword.attribute_schema(&attribute.name, schema);
        !known.is_some_and(|known| known.is_absent(&attribute.value.text))
    });
    element.children.retain_mut(|child| {
        let known = Some(&child.name).filter(|_| !child.foreign);
        let Some(known) = known.and_then(|name| keyword.child_schema(name, schema)) else { return true };
        of(child, known.element, schema);
        let form = known
            .element
            .text
            .filter(|_| known.element.text_life.covers(schema) && !known.element.text_optional);
        let text = child.text.as_ref().map_or("", |text| text.text.as_str());
        !form.is_some_and(|form| form.is_absent(text))
    });
}
