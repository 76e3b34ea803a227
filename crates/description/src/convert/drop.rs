//! Keywords of an older schema that have no equivalent in the new one.
//!
//! Most are settings of programs that are no longer in use: they are dropped. A keyword with an effect is an error, because
//! the new description would lose that effect.

use super::ng::UNSAID;
use crate::document::Element;
use crate::schema::{Content, ElementSchema, IMAGE, Keyword, State, Value, says_default};
use crate::{Diagnostic, Diagnostics, SchemaVersion, Severity, Span, check};

/// Removes keywords that `schema` does not have, with a warning for each.
pub(super) fn drop_keywords(root: &mut Element, schema: SchemaVersion, diagnostics: &mut Diagnostics) {
    Drop { schema, diagnostics }.element(root, &IMAGE);
}

/// Refuses keywords of `schema` with a value or a number of occurrences that it does not allow; the tree is already upgraded.
pub(super) fn refuse_unsaid(root: &Element, schema: SchemaVersion, diagnostics: &mut Diagnostics) {
    let mut found = Diagnostics::default();
    check::keywords(root, schema, &mut found);
    for unsaid in found.0.into_iter().filter(|one| one.severity == Severity::Error) {
        let message = format!("in schema {schema} {}", unsaid.message);
        let error = Diagnostic::error(unsaid.span, message).rule("not-convertible").label(UNSAID);
        diagnostics.push(error.help("remove it, or convert to an earlier schema"));
    }
}

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
        // A comment before a dropped element stays.
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

    /// Reports a keyword without equivalent in the new schema; returns whether it may be dropped.
    fn dropped(&mut self, name: &str, span: &Span, needless: bool) -> bool {
        let message = format!("schema {} has no keyword for {name}", self.schema);
        self.diagnostics.push(if needless {
            Diagnostic::warning(span.clone(), message)
                .rule("not-convertible")
                .label("dropped: it has no effect")
        } else {
            Diagnostic::error(span.clone(), message)
                .rule("not-convertible")
                .label(UNSAID)
                .help("remove it, or convert to an earlier schema")
        });
        needless
    }
}

/// Returns the keyword of an enumeration that a later schema removed.
fn ended_keyword(text: &str, form: &Value, schema: SchemaVersion) -> Option<&'static Keyword> {
    let (Value::OneOf(known) | Value::ListOf(known)) = form else { return None };
    let keyword = known.iter().find(|keyword| keyword.keyword == text)?;
    (!keyword.life.covers(schema)).then_some(keyword)
}
