//! Keywords of an older schema that have none in the new one.
//!
//! Most are settings of programs that nobody has any more: they are left out. What asks for something that is still
//! meant stays an error, because the new description would not ask for it.

use crate::document::Element;
use crate::schema::{Content, ElementSchema, IMAGE, Keyword, State, Value, says_default};
use crate::{Diagnostic, Diagnostics, SchemaVersion, Severity, Span, check};

/// Takes away what `schema` has no keyword for, with a warning for each.
pub(super) fn drop_keywords(root: &mut Element, schema: SchemaVersion, diagnostics: &mut Diagnostics) {
    Drop { schema, diagnostics }.element(root, &IMAGE);
}

/// Refuses what has a keyword in `schema`, but not that value or not that often; the tree is in its keywords already.
pub(super) fn refuse_unsaid(root: &Element, schema: SchemaVersion, diagnostics: &mut Diagnostics) {
    let mut found = Diagnostics::default();
    check::keywords(root, schema, &mut found);
    for unsaid in found.0.into_iter().filter(|one| one.severity == Severity::Error) {
        let message = format!("in schema {schema} {}", unsaid.message);
        let error = Diagnostic::error(unsaid.span, message).rule("not-convertible").label(UNSAID);
        diagnostics.push(error.help("remove it, or convert to an earlier schema"));
    }
}

const UNSAID: &str = "cannot be said in that schema";

struct Drop<'a> {
    schema: SchemaVersion,
    diagnostics: &'a mut Diagnostics,
}

impl Drop<'_> {
    fn element(&mut self, element: &mut Element, keyword: &'static ElementSchema) {
        if let Content::Anything = keyword.content {
            return;
        }
        let schema = self.schema;
        element.attributes.retain(|attribute| {
            let Some(known) = keyword.attribute_schema(&attribute.name, schema) else { return true };
            let name = format!("`{}`", attribute.name);
            if !known.life.covers(schema) {
                let needless =
                    known.state == State::NotUsed || says_default(known.default, Some(&attribute.value));
                return !self.dropped(&name, &attribute.name_span, needless);
            }
            match ended_keyword(&attribute.value.text, &known.value, schema) {
                Some(ended) => {
                    let name = format!("`{}=\"{}\"`", attribute.name, ended.keyword);
                    !self.dropped(&name, &attribute.value.span, ended.state == State::NotUsed)
                }
                None => true,
            }
        });
        // Comments do not go with what they stood before.
        let mut comments = Vec::new();
        for mut child in std::mem::take(&mut element.children) {
            let known = keyword.child_schema(&child.name, schema);
            let dropped = known.filter(|known| !known.life.covers(schema)).is_some_and(|known| {
                let needless = known.element.state == State::NotUsed
                    || says_default(known.element.default, child.text.as_ref());
                self.dropped(&format!("`<{}>`", child.name), &child.span, needless)
            });
            if dropped {
                comments.append(&mut child.layout.comments);
                continue;
            }
            child.layout.comments.splice(..0, comments.drain(..));
            if let Some(known) = known {
                self.element(&mut child, known.element);
            }
            element.children.push(child);
        }
        element.layout.closing_comments.splice(..0, comments);
    }

    /// Reports a keyword that has none in the new schema; says whether it may go.
    fn dropped(&mut self, name: &str, span: &Span, needless: bool) -> bool {
        let message = format!("schema {} has no keyword for {name}", self.schema);
        self.diagnostics.push(if needless {
            Diagnostic::warning(span.clone(), message)
                .rule("not-convertible")
                .label("left out: it has no effect")
        } else {
            Diagnostic::error(span.clone(), message)
                .rule("not-convertible")
                .label(UNSAID)
                .help("remove it, or convert to an earlier schema")
        });
        needless
    }
}

/// The keyword of an enumeration that a later schema took out of it.
fn ended_keyword(text: &str, form: &Value, schema: SchemaVersion) -> Option<&'static Keyword> {
    let (Value::OneOf(known) | Value::ListOf(known)) = form else { return None };
    let keyword = known.iter().find(|keyword| keyword.keyword == text)?;
    (!keyword.life.covers(schema)).then_some(keyword)
}
