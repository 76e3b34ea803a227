//! Rewrites the words of older schemas into the canonical vocabulary.
//!
//! The canonical vocabulary is that of the newest schema, with the words that later schemas dropped and we keep (usb,
//! split, xen, deploy, inherit, compressed, defaultroot ...). One module per schema says what the next one changed; a
//! description enters the chain at its own version and leaves it canonical. Spans stay with what the user wrote, so
//! later messages still point into their file.

mod v14;

pub(crate) use v14::SUPPLEMENTARY;

use crate::SchemaVersion;
use crate::document::Element;

/// Brings a tree of any schema to canonical words.
///
/// The tree may have errors: a step rewrites what it recognises and leaves the rest.
pub(crate) fn upgrade(root: &mut Element, from: SchemaVersion) {
    let mut version = Some(from);
    while let Some(now) = version {
        version = step(root, now);
    }
}

/// One step; the version it leads to, none when the tree is canonical.
fn step(root: &mut Element, from: SchemaVersion) -> Option<SchemaVersion> {
    match from {
        SchemaVersion::V1_4 => {
            v14::upgrade(root);
            Some(SchemaVersion::V8_5)
        }
        SchemaVersion::V8_5 => None,
    }
}
