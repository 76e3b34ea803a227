//! Writes a description anew: in the words of a later schema, or in another format.
//!
//! ```text
//! text -> tree -> check -> upgrade to the schema asked for -> drop what it has no word for -> text
//!                                    the text is read again and must have the same canonical tree
//! ```
//!
//! Only one file is written: what it includes stays an `<include>`.

mod drop;
mod json;
mod mapping;
mod toml;
mod xml;
mod yaml;

use std::sync::Arc;

use crate::document::Element;
use crate::{
    Description, Diagnostic, Diagnostics, Format, SchemaVersion, SourceFile, check, decode, upgrade,
};

/// What to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conversion {
    /// The schema whose words are used; not older than that of the description.
    pub schema: SchemaVersion,
    /// How it is written.
    pub format: Format,
}

impl Default for Conversion {
    /// Today's words, as XML.
    fn default() -> Self {
        Self { schema: SchemaVersion::NEWEST, format: Format::Xml }
    }
}

/// A description in other words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Converted {
    /// The new text.
    pub text: String,
    /// The schema it was written in before.
    pub from: SchemaVersion,
    /// Warnings about the old text, and what of it the new one has no word for.
    pub diagnostics: Diagnostics,
}

impl Description {
    /// Writes the description anew.
    ///
    /// The result means the same, which is checked by reading it again; converting it once more changes nothing. A
    /// word without effect that the new schema dropped is left out, with a warning.
    ///
    /// # Errors
    ///
    /// The description has errors, its schema is newer than the one asked for, or says what the newer one cannot say.
    pub fn convert(file: SourceFile, conversion: Conversion) -> Result<Converted, Diagnostics> {
        let parsed = Self::parse(file.clone());
        let Some(description) = parsed.description else { return Err(parsed.diagnostics) };
        let from = description.schema_version;
        let mut diagnostics = parsed.diagnostics;
        let mut root = read(file)?;
        if conversion.schema < from {
            return Err(backwards(&root, from, conversion.schema));
        }
        upgrade::upgrade_to(&mut root, from, conversion.schema);
        drop::drop_words(&mut root, conversion.schema, &mut diagnostics);
        diagnostics.sort();
        if diagnostics.has_errors() {
            return Err(diagnostics);
        }
        let text = match conversion.format {
            Format::Xml => xml::write(&root, conversion.schema),
            Format::Yaml => yaml::write(&mapping::written(&root, conversion.schema)),
            Format::Toml => toml::write(&mapping::written(&root, conversion.schema)),
            Format::Json => json::write(&mapping::written(&root, conversion.schema)),
        };
        let again = read(SourceFile { name: format!("config.{}", conversion.format), text: text.clone() });
        upgrade::upgrade(&mut root, conversion.schema);
        let same = again.is_ok_and(|mut again| {
            upgrade::upgrade(&mut again, conversion.schema);
            same_meaning(&root, &again)
        });
        if same { Ok(Converted { text, from, diagnostics }) } else { Err(not_the_same(&root)) }
    }
}

fn backwards(root: &Element, from: SchemaVersion, to: SchemaVersion) -> Diagnostics {
    let place = root.value(from.attribute()).map_or(&root.span, |value| &value.span);
    let message = format!("a description of schema {from} cannot be written in schema {to}");
    Diagnostics(vec![
        Diagnostic::error(place.clone(), message)
            .label("newer than what is asked for")
            .help("descriptions are only converted forwards"),
    ])
}

fn not_the_same(root: &Element) -> Diagnostics {
    let message = "kiwi cannot write this description anew without changing it";
    Diagnostics(vec![
        Diagnostic::error(root.span.clone(), message)
            .label("the new text would mean something else")
            .help("this is a mistake of kiwi: please report it with the description"),
    ])
}

/// The tree of a text that has no errors.
fn read(file: SourceFile) -> Result<Element, Diagnostics> {
    let mut diagnostics = Diagnostics::default();
    let root = crate::format::read(&Arc::new(file)).map_err(|diagnostic| Diagnostics(vec![*diagnostic]))?;
    if let Some(schema) = decode::schema_version(&root, &mut diagnostics) {
        check::check(&root, schema, &mut diagnostics);
    }
    if diagnostics.has_errors() { Err(diagnostics) } else { Ok(root) }
}

/// Whether two canonical trees say the same: all names, values and texts, children of one name in their order.
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
    let children = |element: &Element| {
        let mut all: Vec<Element> = element.children.clone();
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
