//! The vocabulary: one table for each element, for every supported schema.
//!
//! A table specifies the attributes of an element, the form of their values, its children and how often they occur, and
//! whether this version of kiwi implements the keyword. The structural check, its messages and suggestions, and the list of
//! unsupported keywords all come from these tables; nothing else contains the spelling rules of a keyword.
//!
//! Over 400 lines because every kind of table entry has its own functions that complete it.
//!
//! The tables are `const` data, one line for each entry: `attribute("priority", Value::Integer).doc("...").since(V2_0)`. The
//! reference page of the handbook and the schemas for editors are generated from them.

mod appliance;
mod container;
mod deploy;
mod filesystems;
mod image;
mod image_type;
mod keyword;
mod legacy;
mod life;
mod oem;
mod packages;
mod parents;
mod preferences;
mod sections;
#[cfg(test)]
mod tests;
mod values;

pub(crate) use image::IMAGE;
pub(crate) use image_type::TYPE;
use keyword::marks;
pub(crate) use keyword::{Keyword, keyword};
pub(crate) use life::Life;
pub(crate) use parents::{meant_elsewhere, parent_in_others, parent_of};
pub(crate) use values::{NAMES_OF_ARCHITECTURES, boolean, list_items, number, says_default};

use crate::SchemaVersion;
use crate::image_type::Feature;
use crate::suggest::nearest;

/// How this version of kiwi treats a keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// It is implemented.
    Built,
    /// It is not implemented: an error if a build depends on it.
    Unsupported,
    /// It is read and ignored, and the image is right without it: a warning.
    NotUsed,
}

/// The form of a value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value {
    /// Any text.
    Text,
    /// `true false yes no 1 0`, in upper or lower case.
    Boolean,
    /// A whole number in these bounds.
    Number(u64, u64),
    /// A whole number from 1 to this one; 0 is as if nothing were specified.
    Count(u64),
    /// A whole number with a sign.
    Integer,
    /// One of these keywords.
    OneOf(&'static [Keyword]),
    /// A list of these keywords, separated by blanks or commas.
    ListOf(&'static [Keyword]),
    /// A text of a certain form; the first part describes the form.
    Form(&'static str, fn(&str) -> bool),
}

impl Value {
    /// Returns whether a text, which may be empty, means that nothing is specified.
    pub(crate) fn is_absent(&self, text: &str) -> bool {
        match self {
            Self::Form(form, _) => text.is_empty() && values::ABSENT_IF_EMPTY.contains(form),
            Self::Count(_) => number(text) == Some(0),
            Self::Text
            | Self::Boolean
            | Self::Number(..)
            | Self::Integer
            | Self::OneOf(_)
            | Self::ListOf(_) => false,
        }
    }
}

/// One attribute of an element.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AttributeSchema {
    pub(crate) name: &'static str,
    /// Its description, one sentence.
    pub(crate) doc: &'static str,
    pub(crate) value: Value,
    pub(crate) life: Life,
    pub(crate) required: bool,
    /// The default value; a keyword that is not supported may still specify this value.
    pub(crate) default: Option<&'static str>,
    /// Of `<type>`: the feature that an image type must have for it; none: it fits every type.
    pub(crate) fits: Option<Feature>,
    pub(crate) state: State,
    pub(crate) instead: Option<&'static str>,
    /// Whether it is kiwi's own in the newest schema.
    pub(crate) own: bool,
}

/// Returns an optional attribute that is supported.
pub(crate) const fn attribute(name: &'static str, value: Value) -> AttributeSchema {
    AttributeSchema {
        name,
        doc: "",
        value,
        life: Life::ALL,
        required: false,
        default: None,
        fits: None,
        state: State::Built,
        instead: None,
        own: false,
    }
}

impl AttributeSchema {
    pub(crate) const fn doc(self, doc: &'static str) -> Self {
        Self { doc, ..self }
    }

    pub(crate) const fn since(self, since: SchemaVersion) -> Self {
        Self { life: self.life.since(since), ..self }
    }

    pub(crate) const fn until(self, until: SchemaVersion) -> Self {
        Self { life: self.life.until(until), ..self }
    }

    pub(crate) const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    pub(crate) const fn default(self, default: &'static str) -> Self {
        Self { default: Some(default), ..self }
    }

    pub(crate) const fn fits(self, feature: Feature) -> Self {
        Self { fits: Some(feature), ..self }
    }

    marks!();

    /// Returns whether the attribute with this value is as if it were missing.
    pub(crate) fn is_absent(&self, value: &str) -> bool {
        !self.required && self.value.is_absent(value)
    }

    /// Returns whether the attribute, of later schemas only, can be used in a description of this schema: the attribute of
    /// the same purpose, if there is one, has the same meaning.
    pub(crate) fn is_clear_in(&self, schema: SchemaVersion) -> bool {
        // The first of `groups` is the login group, that of `group` is not; `schemaversion` is what tells schemas apart.
        !self.life.is_over(schema) && !matches!(self.name, "groups" | "schemaversion" | "schemeversion")
    }
}

/// The children that an element may have.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Content {
    /// These elements.
    Children(&'static [ChildSchema]),
    /// Any element; the content is kept but not checked.
    Anything,
}

/// One element.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ElementSchema {
    pub(crate) name: &'static str,
    /// Its description, one sentence.
    pub(crate) doc: &'static str,
    pub(crate) attributes: &'static [AttributeSchema],
    pub(crate) content: Content,
    /// The form of its text; none when it has no text.
    pub(crate) text: Option<Value>,
    /// The schemas in which it has a text.
    pub(crate) text_life: Life,
    /// Whether the text may be missing.
    pub(crate) text_optional: bool,
    /// The text that has no effect, so that it needs no support.
    pub(crate) default: Option<&'static str>,
    pub(crate) state: State,
    pub(crate) instead: Option<&'static str>,
    /// Whether it is kiwi's own in the newest schema.
    pub(crate) own: bool,
}

/// Returns an element without attributes, children and text.
pub(crate) const fn element(name: &'static str) -> ElementSchema {
    ElementSchema {
        name,
        doc: "",
        attributes: &[],
        content: Content::Children(&[]),
        text: None,
        text_life: Life::ALL,
        text_optional: false,
        default: None,
        state: State::Built,
        instead: None,
        own: false,
    }
}

impl ElementSchema {
    pub(crate) const fn doc(self, doc: &'static str) -> Self {
        Self { doc, ..self }
    }

    pub(crate) const fn attributes(self, attributes: &'static [AttributeSchema]) -> Self {
        Self { attributes, ..self }
    }

    pub(crate) const fn children(self, children: &'static [ChildSchema]) -> Self {
        Self { content: Content::Children(children), ..self }
    }

    pub(crate) const fn anything(self) -> Self {
        Self { content: Content::Anything, ..self }
    }

    pub(crate) const fn text(self, value: Value) -> Self {
        Self { text: Some(value), ..self }
    }

    pub(crate) const fn text_until(self, until: SchemaVersion, value: Value) -> Self {
        Self { text: Some(value), text_life: Life::ALL.until(until), ..self }
    }

    pub(crate) const fn optional_text(self, value: Value) -> Self {
        Self { text: Some(value), text_optional: true, ..self }
    }

    pub(crate) const fn default(self, default: &'static str) -> Self {
        Self { default: Some(default), ..self }
    }

    marks!();

    /// Returns the children; none for an element that is not checked.
    pub(crate) fn child_schemas(&self) -> &'static [ChildSchema] {
        match self.content {
            Content::Children(children) => children,
            Content::Anything => &[],
        }
    }

    /// Returns the table of a child.
    pub(crate) fn child_schema(&self, name: &str, schema: SchemaVersion) -> Option<&'static ChildSchema> {
        let named = || self.child_schemas().iter().filter(|child| child.element.name == name);
        named().find(|child| child.life.covers(schema)).or_else(|| named().next())
    }

    /// Returns the attribute that an unknown name was probably meant to be.
    pub(crate) fn meant_attribute(&self, typed: &str, schema: SchemaVersion) -> Option<&'static str> {
        if self.attribute_schema(typed, schema).is_some() {
            return None;
        }
        let covered = self.attributes.iter().filter(|known| known.life.covers(schema));
        nearest(typed, covered.map(|known| known.name))
    }

    /// Returns the child that an unknown name was probably meant to be.
    pub(crate) fn meant_child(&self, typed: &str, schema: SchemaVersion) -> Option<&'static str> {
        if self.child_schema(typed, schema).is_some() {
            return None;
        }
        let covered = self.child_schemas().iter().filter(|known| known.life.covers(schema));
        nearest(typed, covered.map(|known| known.element.name))
    }

    /// Returns the table of an attribute.
    pub(crate) fn attribute_schema(
        &self,
        name: &str,
        schema: SchemaVersion,
    ) -> Option<&'static AttributeSchema> {
        let named = || self.attributes.iter().filter(|attribute| attribute.name == name);
        named().find(|attribute| attribute.life.covers(schema)).or_else(|| named().next())
    }
}

/// One element as the child of another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChildSchema {
    pub(crate) element: &'static ElementSchema,
    pub(crate) life: Life,
    /// The schemas that require at least one.
    pub(crate) required: Option<Life>,
    /// The schemas that allow several.
    pub(crate) many: Option<Life>,
}

/// Returns a child that may occur once.
pub(crate) const fn once(element: &'static ElementSchema) -> ChildSchema {
    ChildSchema { element, life: Life::ALL, required: None, many: None }
}

/// Returns a child that may occur any number of times.
pub(crate) const fn many(element: &'static ElementSchema) -> ChildSchema {
    ChildSchema { many: Some(Life::ALL), ..once(element) }
}

impl ChildSchema {
    pub(crate) const fn since(self, since: SchemaVersion) -> Self {
        Self { life: self.life.since(since), ..self }
    }

    pub(crate) const fn until(self, until: SchemaVersion) -> Self {
        Self { life: self.life.until(until), ..self }
    }

    pub(crate) const fn required(self) -> Self {
        Self { required: Some(Life::ALL), ..self }
    }

    pub(crate) const fn required_since(self, since: SchemaVersion) -> Self {
        Self { required: Some(Life::ALL.since(since)), ..self }
    }

    pub(crate) const fn required_until(self, until: SchemaVersion) -> Self {
        Self { required: Some(Life::ALL.until(until)), ..self }
    }

    pub(crate) const fn many_since(self, since: SchemaVersion) -> Self {
        Self { many: Some(Life::ALL.since(since)), ..self }
    }
}
