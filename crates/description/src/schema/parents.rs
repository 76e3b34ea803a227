//! The parent elements that an element belongs in, for one that was found elsewhere.

use super::{ElementSchema, IMAGE, Life};
use crate::SchemaVersion;

/// Returns the element in which an element of that name is allowed.
pub(crate) fn parent_of(name: &str, schema: SchemaVersion) -> Option<&'static str> {
    first_of_all(|parent| {
        let child = parent.child_schema(name, schema).filter(|child| child.life.covers(schema));
        child.map(|_| parent.name)
    })
}

/// Returns the element in which an element of that name is allowed in some schema, and those schemas.
pub(crate) fn parent_in_others(name: &str) -> Option<(&'static str, Life)> {
    first_of_all(|parent| {
        let child = parent.child_schemas().iter().find(|child| child.element.name == name);
        child.map(|child| (parent.name, child.life))
    })
}

/// Returns the first result of `find`, from the outermost element on, which is the likeliest.
fn first_of_all<T>(find: impl Fn(&'static ElementSchema) -> Option<T>) -> Option<T> {
    let mut level = vec![&IMAGE];
    while !level.is_empty() {
        if let Some(found) = level.iter().find_map(|keyword| find(keyword)) {
            return Some(found);
        }
        level = level
            .iter()
            .flat_map(|keyword| keyword.child_schemas().iter().map(|child| child.element))
            .collect();
    }
    None
}

/// Returns the most similar element name, and its parent.
pub(crate) fn meant_elsewhere(name: &str, schema: SchemaVersion) -> Option<(&'static str, &'static str)> {
    first_of_all(|parent| parent.meant_child(name, schema).map(|child| (child, parent.name)))
}
