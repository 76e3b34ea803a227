//! Words that are known, and ask for something this version of kiwi cannot do.
//!
//! A description may contain them: they become errors only when a build depends on them, and are never passed over.

use crate::document::{Element, Text};
use crate::words::{self, Content, ElementWord, State, Value};
use crate::{Architecture, ArchitectureList, Diagnostic, SchemaVersion, Span};

/// One such word at its place.
#[derive(Debug, Clone)]
pub(crate) struct NotBuilt {
    /// The machines it concerns.
    architectures: ArchitectureList,
    diagnostic: Diagnostic,
}

impl NotBuilt {
    /// A thing that cannot be built on any machine.
    pub(crate) fn new(what: &str, span: Span) -> Self {
        Self { architectures: ArchitectureList::default(), diagnostic: diagnostic(what, span) }
    }

    /// The error for a build on `architecture`.
    pub(crate) fn on(&self, architecture: &Architecture) -> Option<Diagnostic> {
        self.architectures.allows(architecture).then(|| self.diagnostic.clone())
    }
}

fn diagnostic(what: &str, span: Span) -> Diagnostic {
    Diagnostic::error(span, format!("{what} is not built by this version of kiwi yet"))
        .rule("not-built")
        .label("not built yet")
        .help("the description is right; remove this part to build the rest of it now")
}

/// The comma list of an `arch` attribute.
pub(crate) fn architectures(element: &Element) -> ArchitectureList {
    let list = element.value("arch").map(|value| value.text.as_str()).unwrap_or_default();
    ArchitectureList(words::list_items(list).map(Architecture::new).collect())
}

/// Everything inside of `element`, itself included, that is not built. Children named in `apart` are left out.
///
/// The element has canonical words; messages name what the user wrote.
pub(crate) fn collect(element: &Element, word: &ElementWord, apart: &[&str]) -> Vec<NotBuilt> {
    let schema = SchemaVersion::NEWEST;
    let mut found = Vec::new();
    let mut add = |what: &str, span: &Span| {
        found.push(NotBuilt {
            architectures: architectures(element),
            diagnostic: diagnostic(what, span.clone()),
        });
    };
    if word.state == State::NotBuilt && !words::says_default(word.default, element.text.as_ref()) {
        let what = match element.written() {
            Some(written) if written != element.name => format!("`{written}`"),
            Some(_) | None => format!("`<{}>`", element.name),
        };
        add(&what, &element.span);
        return found;
    }
    for attribute in &element.attributes {
        let Some(known) = word.attribute_word(&attribute.name, schema) else { continue };
        if known.state == State::NotBuilt && !words::says_default(known.default, Some(&attribute.value)) {
            add(&format!("`{}`", attribute.name_span.word().unwrap_or(known.name)), &attribute.name_span);
        } else {
            for value in not_built_words(&attribute.value, &known.value) {
                add(&format!("`{}=\"{}\"`", known.name, value.text), &value.span);
            }
        }
    }
    if let (Some(text), Some(form)) = (&element.text, &word.text) {
        for value in not_built_words(text, form) {
            add(&format!("`<{}>{}</{}>`", word.name, value.text, word.name), &value.span);
        }
    }
    if let Content::Anything = word.content {
        return found;
    }
    for child in element.children.iter().filter(|child| !apart.contains(&child.name.as_str())) {
        if let Some(known) = word.child_word(&child.name, schema) {
            found.extend(collect(child, known.element, &[]));
        }
    }
    found
}

fn not_built_words(text: &Text, form: &Value) -> Vec<Text> {
    let (Value::OneOf(known) | Value::ListOf(known)) = form else { return Vec::new() };
    let mut items: Vec<Text> = text.items().iter().flat_map(Text::words).collect();
    items.retain(|item| known.iter().any(|word| word.word == item.text && word.state == State::NotBuilt));
    items
}
