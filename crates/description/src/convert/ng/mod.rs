//! Schema 8.5 as KIWI NG defines it, without the keywords that kiwi keeps from older schemas.
//!
//! ```text
//! canonical tree -> each of our own keywords in today's spelling -> values in the form that KIWI NG's schema requires
//!   -> own keywords that are left: dropped if they have no effect, otherwise errors
//! ```
//!
//! The tables mark the keywords that are only ours (`own`). What a spelling changes is a warning at the position in the user's
//! file.

mod sections;
#[cfg(test)]
mod tests;
mod types;
mod users;
mod values;

use crate::document::{Element, Text};
use crate::schema::{AttributeSchema, Content, ElementSchema, IMAGE, Keyword, State, Value, says_default};
use crate::{Diagnostic, Diagnostics, SchemaVersion, Span};

/// Spells a canonical tree as KIWI NG's schema requires.
pub(super) fn spell(root: &mut Element, diagnostics: &mut Diagnostics) {
    let mut found = Found(diagnostics);
    types::spell(root, &mut found);
    sections::spell(root, &mut found);
    users::spell(root, &mut found);
    values::spell(root, &IMAGE);
    refuse(root, &IMAGE, &mut found);
}

/// The label of a keyword that has no equivalent.
pub(super) const UNSAID: &str = "cannot be expressed in that schema";

const KEPT: &str = "`--to kiwi` keeps it, for kiwi only";

/// The diagnostics of a conversion.
struct Found<'a>(&'a mut Diagnostics);

impl Found<'_> {
    /// Reports a keyword that KIWI NG has no equivalent for.
    fn unsaid(&mut self, span: &Span, what: &str, help: &str) {
        self.0.push(
            Diagnostic::error(span.clone(), format!("KIWI NG's schema 8.5 has no keyword for {what}"))
                .rule("not-convertible")
                .label(UNSAID)
                .help(format!("{help}; {KEPT}")),
        );
    }

    /// Reports what the new spelling changes, or what is left out.
    fn changed(&mut self, span: &Span, message: &str, label: &str) {
        self.0.push(Diagnostic::warning(span.clone(), message).rule("not-convertible").label(label));
    }

    fn dropped(&mut self, span: &Span, what: &str) {
        let message = format!("KIWI NG's schema 8.5 has no keyword for {what}");
        self.changed(span, &message, "dropped: it has no effect");
    }
}

/// Drops or refuses the keywords of our own that are left.
fn refuse(element: &mut Element, keyword: &'static ElementSchema, found: &mut Found) {
    if let Content::Anything = keyword.content {
        return;
    }
    let schema = SchemaVersion::NEWEST;
    // One message for such a type or section: what is inside depends on it.
    let kind = match keyword.name {
        "type" => Some("image"),
        "packages" => Some("type"),
        _ => None,
    };
    if let Some(name) = kind
        && let Some(value) = element.value(name)
        && let Some(known) = keyword.attribute_schema(name, schema)
        && let Some(own) = own_keyword(value, &known.value)
    {
        let own = own.keyword;
        match keyword.name {
            "type" => {
                found.unsaid(&value.span, &format!("the image type `{own}`"), types::instead_of(own));
            }
            _ => found.unsaid(&value.span, &format!("packages of `{own}`"), REMOVE),
        }
        return;
    }
    element.attributes.retain(|attribute| {
        let Some(known) = keyword.attribute_schema(&attribute.name, schema) else { return true };
        keep_attribute(known, &attribute.name_span, &attribute.value, keyword, found)
    });
    if let (Some(text), Some(form)) = (&element.text, &keyword.text)
        && let Some(own) = own_keyword(text, form)
    {
        found.unsaid(&text.span, &format!("`{}` as `<{}>`", own.keyword, keyword.name), REMOVE);
    }
    element.children.retain_mut(|child| {
        let Some(known) = keyword.child_schema(&child.name, schema) else { return true };
        let known = known.element;
        if known.own {
            let what = format!("`<{}>` in `<{}>`", known.name, keyword.name);
            let is_default = says_default(known.default, child.text.as_ref());
            let needless = is_default || known.state == State::NotUsed;
            if !needless {
                found.unsaid(&child.span, &what, sections::instead_of(known.name));
            } else if !is_default {
                found.dropped(&child.span, &what);
            }
            return !needless;
        }
        refuse(child, known, found);
        true
    });
}

const REMOVE: &str = "remove it";

/// Returns whether an attribute can stay, or is an error.
fn keep_attribute(
    known: &'static AttributeSchema,
    span: &Span,
    value: &Text,
    keyword: &'static ElementSchema,
    found: &mut Found,
) -> bool {
    if known.own {
        let what = format!("`{}` of `<{}>`", known.name, keyword.name);
        let is_default = says_default(known.default, Some(value));
        let needless = is_default || known.state == State::NotUsed;
        if !needless {
            found.unsaid(span, &what, sections::instead_of(known.name));
        } else if !is_default {
            found.dropped(span, &what);
        }
        return !needless;
    }
    if let Some(own) = own_keyword(value, &known.value) {
        let help = match known.name {
            "filesystem" => "name another file system",
            "type" => "name a repository of another kind",
            _ => REMOVE,
        };
        found.unsaid(&value.span, &format!("`{}=\"{}\"`", known.name, own.keyword), help);
    }
    true
}

/// Returns the first keyword of an enumeration that is our own.
fn own_keyword(text: &Text, form: &Value) -> Option<&'static Keyword> {
    let (Value::OneOf(known) | Value::ListOf(known)) = form else { return None };
    let items = text.items();
    let items = items.iter().flat_map(Text::keywords);
    items
        .filter_map(|item| known.iter().find(|keyword| keyword.keyword == item.text))
        .find(|keyword| keyword.own)
}
