//! The tree of a description before its keywords are interpreted.
//!
//! Every format is read into this tree: an element has a name, attributes, children and text, and each of them keeps its
//! position in the file. The tree is at most [`MAX_DEPTH`] deep, so walking it may recurse.

use std::ops::Range;

use crate::Span;

/// Maximum nesting of elements. The deepest element of any schema is at level 7.
pub(crate) const MAX_DEPTH: usize = 32;

/// One element.
#[derive(Debug, Clone)]
pub(crate) struct Element {
    /// Its name, without a namespace prefix.
    pub(crate) name: String,
    /// Whether the name has a namespace; no keyword has one.
    pub(crate) foreign: bool,
    /// Position of the name, or of the whole item if the element is one of a list.
    pub(crate) span: Span,
    /// Whether it is an item of a list, which has no name of its own.
    pub(crate) item: bool,
    /// Attributes in the order of the text.
    pub(crate) attributes: Vec<Attribute>,
    /// Child elements in the order of the text.
    pub(crate) children: Vec<Element>,
    /// The text directly inside, without surrounding white space.
    pub(crate) text: Option<Text>,
    /// Layout without meaning, which a conversion keeps.
    pub(crate) layout: Layout,
}

/// Comments, and attributes for editors.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layout {
    /// Comments between the previous element and this one.
    pub(crate) comments: Vec<String>,
    /// Comments after the last child.
    pub(crate) closing_comments: Vec<String>,
    /// Whether a blank line precedes the element and its comments.
    pub(crate) blank_line: bool,
    /// Namespace declarations and attributes with a namespace, as written: name and value.
    pub(crate) foreign: Vec<(String, String)>,
    /// In a mapping, the key of the first attribute without the mark of attributes.
    pub(crate) unmarked: Option<Span>,
    /// The namespace prefix of the name.
    pub(crate) prefix: Option<String>,
    /// Range of the whole element, from its opening to its closing tag.
    pub(crate) source: Range<usize>,
}

/// One attribute.
#[derive(Debug, Clone)]
pub(crate) struct Attribute {
    /// Its name.
    pub(crate) name: String,
    /// Position of the name.
    pub(crate) name_span: Span,
    /// Its value.
    pub(crate) value: Text,
}

/// A value or a text with its position.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    /// The text, references such as `&amp;` resolved.
    pub(crate) text: String,
    /// Its position.
    pub(crate) span: Span,
}

impl Text {
    /// Returns the items of a comma-separated list, trimmed, each with its own position.
    pub(crate) fn items(&self) -> Vec<Text> {
        self.split(|c| c == ',')
    }

    /// Returns the items of a list separated by white space.
    pub(crate) fn keywords(&self) -> Vec<Text> {
        self.split(char::is_whitespace).into_iter().filter(|keyword| !keyword.text.is_empty()).collect()
    }

    fn split(&self, separator: impl Fn(char) -> bool) -> Vec<Text> {
        // Offsets in the value are offsets in the file only if nothing was escaped.
        let verbatim = self.span.file.text.get(self.span.range.clone()) == Some(self.text.as_str());
        let mut offset = 0;
        let mut items = Vec::new();
        for piece in self.text.split(separator) {
            let trimmed = piece.trim();
            let start = self.span.range.start + offset + (piece.len() - piece.trim_start().len());
            let mut span = self.span.clone();
            if verbatim {
                span.range = start..start + trimmed.len();
            }
            items.push(Text { text: trimmed.to_owned(), span });
            // Every separator used here is one byte, or white space whose length does not affect the next item.
            offset += piece.len();
            offset += self.text[offset..].chars().next().map_or(0, char::len_utf8);
        }
        items
    }
}

impl Element {
    /// Returns the name that the user wrote, which an upgrade may have replaced.
    pub(crate) fn written(&self) -> Option<&str> {
        if self.item { None } else { self.span.keyword() }
    }

    /// Returns the attribute of that name.
    pub(crate) fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// Returns the value of the attribute of that name.
    pub(crate) fn value(&self, name: &str) -> Option<&Text> {
        self.attribute(name).map(|attribute| &attribute.value)
    }

    /// Returns all children of that name.
    pub(crate) fn children(&self, name: &str) -> impl Iterator<Item = &Element> {
        self.children.iter().filter(move |child| child.name == name && !child.foreign)
    }

    /// Returns the first child of that name.
    pub(crate) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name && !child.foreign)
    }

    /// Returns the text of the first child of that name.
    pub(crate) fn child_text(&self, name: &str) -> Option<&Text> {
        self.child(name).and_then(|child| child.text.as_ref())
    }
}
