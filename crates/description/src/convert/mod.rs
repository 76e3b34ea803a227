//! Converts a description to a later schema or to another format.
//!
//! ```text
//! text -> tree -> check -> upgrade to the requested schema -> drop keywords without equivalent
//!      -> for KIWI NG: spell or refuse the keywords that only kiwi has -> text
//!                                    the text is read again and must have the same canonical tree
//! ```
//!
//! Only one file is written: an `<include>` stays an `<include>`, or is replaced by the included elements.

mod drop;
mod json;
mod mapping;
mod ng;
#[cfg(test)]
mod tests;
mod toml;
mod xml;
mod yaml;

use std::sync::Arc;

use crate::document::Element;
use crate::include::{Loader, Whole};
use crate::{
    Description, Diagnostic, Diagnostics, Format, SchemaVersion, SourceFile, Span, include, upgrade,
};

/// Options of a conversion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conversion {
    /// The target schema; not older than that of the description.
    pub schema: SchemaVersion,
    /// Whose keywords of that schema the new text has.
    pub dialect: Dialect,
    /// The target format.
    pub format: Format,
    /// Whether the elements of included files become part of the new text; otherwise it includes them as before.
    pub whole: bool,
}

impl Default for Conversion {
    /// Returns the newest schema as KIWI NG defines it, as XML.
    fn default() -> Self {
        Self { schema: SchemaVersion::NEWEST, dialect: Dialect::KiwiNg, format: Format::Xml, whole: false }
    }
}

/// Whose keywords of the newest schema a text may have. Texts of older schemas have those of their KIWI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Those of KIWI NG's schema.
    KiwiNg,
    /// Also those of older schemas that kiwi keeps.
    Kiwi,
}

/// A converted description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Converted {
    /// The new text.
    pub text: String,
    /// The schema of the old text.
    pub from: SchemaVersion,
    /// Warnings about the old text, and keywords that the new one does not have.
    pub diagnostics: Diagnostics,
}

impl Description {
    /// Converts the description.
    ///
    /// The result means the same, which is checked by reading it again; converting it once more changes nothing. Keywords
    /// without effect that the new schema no longer has are dropped, with a warning. A keyword that only kiwi has is written as
    /// today's nearest one if [`Dialect::KiwiNg`] is requested, with a warning about what that changes.
    ///
    /// # Errors
    ///
    /// The description has errors, its schema is newer than the requested one, or it has an effect that the newer schema cannot express.
    pub fn convert(
        file: SourceFile,
        conversion: Conversion,
        loader: &mut Loader,
    ) -> Result<Converted, Diagnostics> {
        let parsed = Self::load(file.clone(), loader);
        let Some(description) = parsed.description else { return Err(parsed.diagnostics) };
        let from = description.schema_version;
        let to = conversion.schema;
        let mut diagnostics = parsed.diagnostics;
        let whole = read(file.clone(), loader)?;
        let mut meant = whole.root.clone();
        let mut root = if conversion.whole { whole.root } else { read_one(file)? };
        if to < from {
            return Err(backwards(&root, from, to));
        }
        if let Some(part) = whole.without_schema.first()
            && !conversion.whole
            && to != from
        {
            return Err(without_schema(part, from));
        }
        upgrade::upgrade_to(&mut root, from, to);
        drop::drop_keywords(&mut root, to, &mut diagnostics);
        if to > from && !diagnostics.has_errors() {
            drop::refuse_unsaid(&root, to, &mut diagnostics);
        }
        let for_ng = conversion.dialect == Dialect::KiwiNg && to == SchemaVersion::NEWEST;
        if for_ng && !diagnostics.has_errors() {
            ng::spell(&mut root, &mut diagnostics);
        }
        diagnostics.sort();
        if diagnostics.has_errors() {
            return Err(diagnostics);
        }
        let text = match conversion.format {
            Format::Xml => xml::write(&root, to),
            Format::Yaml => yaml::write(&mapping::written(&root, to)),
            Format::Toml => toml::write(&mapping::written(&root, to)),
            Format::Json => json::write(&mapping::written(&root, to)),
        };
        let new = SourceFile { name: format!("config.{}", conversion.format), text: text.clone() };
        upgrade::upgrade_to(&mut meant, from, to);
        let canonical = |root: &mut Element| {
            let mut root = canonical(root, to);
            if for_ng {
                ng::spell(&mut root, &mut Diagnostics::default());
            }
            root
        };
        let same = read(new, loader)
            .is_ok_and(|again| same_meaning(&canonical(&mut meant), &canonical(&mut again.root.clone())));
        match same {
            true => Ok(Converted { text, from, diagnostics }),
            false => Err(not_the_same(&root, conversion.format)),
        }
    }
}

/// Returns the tree in the newest schema, without dropped keywords.
fn canonical(root: &mut Element, schema: SchemaVersion) -> Element {
    drop::drop_keywords(root, schema, &mut Diagnostics::default());
    upgrade::upgrade(root, schema);
    root.clone()
}

fn without_schema(part: &Arc<SourceFile>, schema: SchemaVersion) -> Diagnostics {
    let message = format!("`{}` is included and does not specify its schema", part.name);
    Diagnostics(vec![
        Diagnostic::error(Span { file: Arc::clone(part), range: 0..0 }, message)
            .rule("not-convertible")
            .label("has the schema of the file that includes it")
            .help(format!("add `schemaversion` {schema} to its `image` first")),
    ])
}

fn backwards(root: &Element, from: SchemaVersion, to: SchemaVersion) -> Diagnostics {
    let location = root.value(from.attribute()).map_or(&root.span, |value| &value.span);
    let message = format!("a description of schema {from} cannot be written in schema {to}");
    Diagnostics(vec![
        Diagnostic::error(location.clone(), message)
            .rule("not-convertible")
            .label("newer than the requested schema")
            .help("descriptions are only converted to newer schemas"),
    ])
}

/// Only XML can represent an include between elements of the same name.
fn not_the_same(root: &Element, format: Format) -> Diagnostics {
    if let Some(include) = root.child("include").filter(|_| format != Format::Xml) {
        let message = format!("an include between elements of the same name cannot be written as {format}");
        return Diagnostics(vec![
            Diagnostic::error(include.span.clone(), message)
                .rule("not-convertible")
                .label("elements of the same name are grouped there, and their order would change")
                .help("move the includes before or behind all other elements"),
        ]);
    }
    let message = "kiwi cannot convert this description without changing its meaning";
    Diagnostics(vec![
        Diagnostic::error(root.span.clone(), message)
            .rule("not-convertible")
            .label("the new text would have another meaning")
            .help("this is a bug in kiwi: please report it with the description"),
    ])
}

/// Returns the tree of a description without errors.
fn read(file: SourceFile, loader: &mut Loader) -> Result<Whole, Diagnostics> {
    let mut diagnostics = Diagnostics::default();
    match include::read(&Arc::new(file), loader, &mut diagnostics) {
        Some(whole) if !diagnostics.has_errors() => Ok(whole),
        _ => Err(diagnostics),
    }
}

/// Returns the tree of one file.
fn read_one(file: SourceFile) -> Result<Element, Diagnostics> {
    crate::format::read(&Arc::new(file)).map_err(|diagnostic| Diagnostics(vec![*diagnostic]))
}

/// Returns whether two canonical trees are equal: all names, values and texts, children of the same name in order.
fn same_meaning(one: &Element, other: &Element) -> bool {
    let text = |element: &Element| element.text.as_ref().map(|text| text.text.clone());
    let attributes = |element: &Element| {
        let mut all: Vec<_> = element
            .attributes
            .iter()
            .map(|attribute| (attribute.name.clone(), attribute.value.text.clone()))
            .collect();
        all.sort();
        all
    };
    let children = |element| {
        let element: &Element = element;
        let mut all: Vec<&Element> = element.children.iter().collect();
        all.sort_by(|left, right| left.name.cmp(&right.name));
        all
    };
    let (mine, theirs) = (children(one), children(other));
    one.name == other.name
        && one.foreign == other.foreign
        && text(one) == text(other)
        && attributes(one) == attributes(other)
        && mine.len() == theirs.len()
        && mine.iter().zip(&theirs).all(|(one, other)| same_meaning(one, other))
}
