//! The vocabulary as others read it: the handbook's reference chapter, and schemas for editors.
//!
//! All three are written from the tables in `words`, so they know exactly the words that are read. The schemas are
//! for completion and first hints: what holds between words, and the fine form of some values, only `kiwi check` knows.

mod json_schema;
mod reference;
mod relax_ng;

pub use json_schema::json_schema;
pub use reference::reference;
pub use relax_ng::relax_ng;

use crate::SchemaVersion;
use crate::words::{ElementWord, IMAGE};

/// Every element of a schema once, from the outside in, with a name of its own.
struct Elements {
    schema: SchemaVersion,
    all: Vec<(&'static ElementWord, String)>,
}

impl Elements {
    fn of(schema: SchemaVersion) -> Self {
        let mut elements = Self { schema, all: vec![(&IMAGE, IMAGE.name.to_owned())] };
        let mut next = 0;
        while let Some(word) = elements.all.get(next).map(|(word, _)| *word) {
            for child in word.child_words().iter().filter(|child| child.life.covers(schema)) {
                elements.add(child.element, word.name);
            }
            next += 1;
        }
        elements
    }

    /// A second element of one name carries that of the element it stands in.
    fn add(&mut self, word: &'static ElementWord, parent: &str) {
        if self.all.iter().any(|(known, _)| std::ptr::eq(*known, word)) {
            return;
        }
        let taken = |name: &str| self.all.iter().any(|(_, known)| known == name);
        let mut name = word.name.to_owned();
        if taken(&name) {
            name = format!("{parent}.{name}");
        }
        while taken(&name) {
            name.push('.');
        }
        self.all.push((word, name));
    }

    fn name(&self, word: &'static ElementWord) -> &str {
        let known = self.all.iter().find(|(known, _)| std::ptr::eq(*known, word));
        known.map_or(word.name, |(_, name)| name)
    }
}
