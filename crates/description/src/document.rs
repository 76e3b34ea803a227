//! The tree of a description before anybody knows what its keywords mean.
//!
//! Every format feeds this one tree: an element has a name, attributes, children and text, and each of them keeps the
//! location it was written at. The tree is at most [`MAX_DEPTH`] deep, so walking it may recurse.

use std::ops::Range;

use crate::Span;

/// How deep elements may nest. The deepest keyword of any schema sits at level 7.
pub(crate) const MAX_DEPTH: usize = 32;

/// One element.
#[derive(Debug, Clone)]
pub(crate) struct Element {
    /// Its name, without a namespace prefix.
    pub(crate) name: String,
    /// Whether the name belongs to a namespace; none of our keywords does.
    pub(crate) foreign: bool,
    /// Where the name stands, or the whole item when the element is one of a list.
    pub(crate) span: Span,
    /// Whether it is an item of a list, which has no name of its own.
    pub(crate) item: bool,
    /// Attributes in the order of the text.
    pub(crate) attributes: Vec<Attribute>,
    /// Child elements in the order of the text.
    pub(crate) children: Vec<Element>,
    /// The text directly inside, without surrounding blanks.
    pub(crate) text: Option<Text>,
    /// What means nothing, and is kept when the description is written anew.
    pub(crate) layout: Layout,
}

/// What a person wrote around an element for other persons, and editors for editors.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layout {
    /// Comments between the element before and this one.
    pub(crate) comments: Vec<String>,
    /// Comments after the last child.
    pub(crate) closing_comments: Vec<String>,
    /// Whether a blank line stands before the element and its comments.
    pub(crate) blank_line: bool,
    /// Declarations of namespaces and attributes that belong to one, as written: name and value.
    pub(crate) foreign: Vec<(String, String)>,
    /// The prefix of a name that belongs to a namespace.
    pub(crate) prefix: Option<String>,
    /// Where the whole element stands, from its opening to its closing tag.
    pub(crate) source: Range<usize>,
}

/// One attribute.
#[derive(Debug, Clone)]
pub(crate) struct Attribute {
    /// Its name.
    pub(crate) name: String,
    /// Where the name stands.
    pub(crate) name_span: Span,
    /// Its value.
    pub(crate) value: Text,
}

/// A value or a text with its location.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    /// The text, references such as `&amp;` resolved.
    pub(crate) text: String,
    /// Where it stands.
    pub(crate) span: Span,
}

impl Text {
    /// The items of a comma list, blanks trimmed, each with its own location.
    pub(crate) fn items(&self) -> Vec<Text> {
        self.split(|c| c == ',')
    }

    /// The items of a list separated by blanks.
    pub(crate) fn keywords(&self) -> Vec<Text> {
        self.split(char::is_whitespace).into_iter().filter(|keyword| !keyword.text.is_empty()).collect()
    }

    fn split(&self, separator: impl Fn(char) -> bool) -> Vec<Text> {
        // Offsets into the value are offsets into the file only where nothing was escaped.
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
            // Every separator used here is one byte, or a blank whose length the next piece does not depend on.
            offset += piece.len();
            offset += self.text[offset..].chars().next().map_or(0, char::len_utf8);
        }
        items
    }
}

impl Element {
    /// The name that the user wrote, which an upgrade may have replaced since.
    pub(crate) fn written(&self) -> Option<&str> {
        if self.item { None } else { self.span.keyword() }
    }

    /// The attribute of that name.
    pub(crate) fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// The value of the attribute of that name.
    pub(crate) fn value(&self, name: &str) -> Option<&Text> {
        self.attribute(name).map(|attribute| &attribute.value)
    }

    /// All children of that name.
    pub(crate) fn children(&self, name: &str) -> impl Iterator<Item = &Element> {
        self.children.iter().filter(move |child| child.name == name && !child.foreign)
    }

    /// The first child of that name.
    pub(crate) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name && !child.foreign)
    }

    /// The text of the first child of that name.
    pub(crate) fn child_text(&self, name: &str) -> Option<&Text> {
        self.child(name).and_then(|child| child.text.as_ref())
    }
}
