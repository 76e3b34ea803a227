//! Known keywords for something that this version of kiwi cannot build.
//!
//! A description may contain them: they become errors only if a build depends on them, and are never ignored.

use crate::document::{Element, Text};
use crate::schema::{self, Content, ElementSchema, Keyword, Life, State, Value};
use crate::{Architecture, ArchitectureList, Diagnostic, SchemaVersion, Span};

/// The rule of a diagnostic about something that is right and not built by this version.
pub const NOT_BUILT: &str = "not-built";

/// One such keyword at its location.
#[derive(Debug, Clone)]
pub(crate) struct Unsupported {
    /// The architectures that it affects.
    architectures: ArchitectureList,
    diagnostic: Diagnostic,
}

impl Unsupported {
    /// Returns one that affects every architecture.
    pub(crate) fn new(what: &str, since: SchemaVersion, span: Span) -> Self {
        Self { architectures: ArchitectureList::default(), diagnostic: diagnostic(what, since, span) }
    }

    /// Returns one of every schema, which affects every architecture.
    pub(crate) fn of_all_schemas(what: &str, span: Span) -> Self {
        Self::new(what, SchemaVersion::OLDEST, span)
    }

    /// Returns the error for a build on `architecture`.
    pub(crate) fn on(&self, architecture: &Architecture) -> Option<Diagnostic> {
        self.architectures.allows(architecture).then(|| self.diagnostic.clone())
    }
}

fn diagnostic(what: &str, since: SchemaVersion, span: Span) -> Diagnostic {
    let diagnostic = Diagnostic::error(span, format!("{what} is not built by this version of kiwi yet"))
        .rule(NOT_BUILT)
        .label(format!("not built yet; in the schemas since {since}"))
        .help("the description is right; remove this part to build the rest of it now");
    Diagnostic { since: Some(since), ..diagnostic }
}

/// Returns the architectures of an `arch` attribute.
pub(crate) fn architectures(element: &Element) -> ArchitectureList {
    let list = element.value("arch").map(|value| value.text.as_str()).unwrap_or_default();
    ArchitectureList(schema::list_items(list).map(Architecture::new).collect())
}

/// Returns everything in `element`, including itself, that is not built. Children named in `apart` are skipped; `since` is
/// the first schema that has the element there.
///
/// The element has canonical keywords; messages use the user's spelling.
pub(crate) fn collect(
    element: &Element,
    keyword: &ElementSchema,
    since: SchemaVersion,
    apart: &[&str],
) -> Vec<Unsupported> {
    let schema = SchemaVersion::NEWEST;
    let mut found = Vec::new();
    let mut add = |what: &str, of_keyword: SchemaVersion, span: &Span| {
        found.push(Unsupported {
            architectures: architectures(element),
            diagnostic: diagnostic(what, of_keyword.max(since), span.clone()),
        });
    };
    if keyword.state == State::Unsupported && !schema::says_default(keyword.default, element.text.as_ref()) {
        let what = match element.written() {
            Some(written) if written != element.name => format!("`{written}`"),
            Some(_) | None => format!("`<{}>`", element.name),
        };
        add(&what, since, &element.span);
        return found;
    }
    for attribute in &element.attributes {
        let Some(known) = keyword.attribute_schema(&attribute.name, schema) else { continue };
        if known.state == State::Unsupported && !schema::says_default(known.default, Some(&attribute.value)) {
            let what = format!("`{}`", attribute.name_span.keyword().unwrap_or(known.name));
            add(&what, known.life.first(), &attribute.name_span);
        } else {
            for (value, life) in unsupported_keywords(&attribute.value, &known.value) {
                let what = format!("`{}=\"{}\"`", known.name, value.text);
                add(&what, known.life.first().max(life.first()), &value.span);
            }
        }
    }
    if let (Some(text), Some(form)) = (&element.text, &keyword.text) {
        for (value, life) in unsupported_keywords(text, form) {
            let what = format!("`<{}>{}</{}>`", keyword.name, value.text, keyword.name);
            add(&what, life.first(), &value.span);
        }
    }
    if let Content::Anything = keyword.content {
        return found;
    }
    for child in element.children.iter().filter(|child| !apart.contains(&child.name.as_str())) {
        if let Some(known) = keyword.child_schema(&child.name, schema) {
            found.extend(collect(child, known.element, known.life.first().max(since), &[]));
        }
    }
    found
}

fn unsupported_keywords(text: &Text, form: &Value) -> Vec<(Text, Life)> {
    let (Value::OneOf(known) | Value::ListOf(known)) = form else { return Vec::new() };
    let items = text.items();
    let items = items.iter().flat_map(Text::keywords);
    let unsupported = items.filter_map(|item| {
        let is_it = |keyword: &&Keyword| keyword.keyword == item.text && keyword.state == State::Unsupported;
        known.iter().find(is_it).map(|keyword| (item, keyword.life))
    });
    unsupported.collect()
}
