//! The vocabulary in other forms: the reference page of the handbook, and schemas for editors.
//!
//! All three are generated from the tables in `schema`, so they contain exactly the supported keywords. The schemas serve for
//! completion and simple checks: rules between keywords, and the exact form of some values, are only in `kiwi check`.

mod editor;
mod json_schema;
mod reference;
mod relax_ng;
mod support;
mod words;

pub use editor::{Asked, Suggestion, explanation, suggestions};
pub use json_schema::json_schema;
pub use reference::reference;
pub use relax_ng::relax_ng;
pub use words::{Support, Word, types, words};

use crate::SchemaVersion;
use crate::schema::{ElementSchema, IMAGE};

/// Every element of a schema once, from the outside in, with a unique name.
struct Elements {
    schema: SchemaVersion,
    all: Vec<(&'static ElementSchema, String)>,
}

impl Elements {
    fn of(schema: SchemaVersion) -> Self {
        let mut elements = Self { schema, all: vec![(&IMAGE, IMAGE.name.to_owned())] };
        let mut next = 0;
        while let Some(keyword) = elements.all.get(next).map(|(keyword, _)| *keyword) {
            for child in keyword.child_schemas().iter().filter(|child| child.life.covers(schema)) {
                elements.add(child.element, keyword.name);
            }
            next += 1;
        }
        elements
    }

    /// Adds the parent's name to the second element of the same name.
    fn add(&mut self, keyword: &'static ElementSchema, parent: &str) {
        if self.all.iter().any(|(known, _)| std::ptr::eq(*known, keyword)) {
            return;
        }
        let taken = |name: &str| self.all.iter().any(|(_, known)| known == name);
        let mut name = keyword.name.to_owned();
        if taken(&name) {
            name = format!("{parent}.{name}");
        }
        while taken(&name) {
            name.push('.');
        }
        self.all.push((keyword, name));
    }

    fn name(&self, keyword: &'static ElementSchema) -> &str {
        let known = self.all.iter().find(|(known, _)| std::ptr::eq(*known, keyword));
        known.map_or(keyword.name, |(_, name)| name)
    }
}
