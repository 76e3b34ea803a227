//! Checks values against the form that their table defines.

use super::{Check, did_you_mean};
use crate::document::Text;
use crate::schema::{self, Keyword, State, Value};
use crate::suggest::nearest;
use crate::{Diagnostic, SchemaVersion};

impl Check<'_> {
    /// Reports a value that does not have its form; returns whether it has.
    pub(super) fn value(&mut self, text: &Text, form: &Value, name: &str) -> bool {
        match form {
            Value::OneOf(known) => self.keyword(text, known, name),
            Value::ListOf(known) => {
                let items: Vec<Text> = text.items().iter().flat_map(Text::keywords).collect();
                if items.is_empty() {
                    return self.wrong(text, form, name);
                }
                let mut valid = true;
                for item in &items {
                    valid &= self.keyword(item, known, name);
                }
                valid
            }
            Value::Text
            | Value::Boolean
            | Value::Number(..)
            | Value::Count(_)
            | Value::Integer
            | Value::Form(..) => has_form(&text.text, form) || self.wrong(text, form, name),
        }
    }

    fn wrong(&mut self, text: &Text, form: &Value, name: &str) -> bool {
        let diagnostic =
            Diagnostic::error(text.span.clone(), format!("{} is not a value of {name}", quoted(&text.text)))
                .rule("wrong-value")
                .label(format!("expected {}", expectation(form, self.schema)));
        self.diagnostics.push(match did_you_mean::number(&text.text, form) {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        });
        false
    }

    fn keyword(&mut self, text: &Text, known: &'static [Keyword], name: &str) -> bool {
        let schema = self.schema;
        let covered = || known.iter().filter(|keyword| keyword.life.covers(schema));
        if let Some(keyword) = covered().find(|keyword| keyword.keyword == text.text) {
            if keyword.state == State::NotUsed {
                self.not_used(text.span.clone(), &format!("`{}`", keyword.keyword));
            }
            return true;
        }
        let newer = |keyword: &&Keyword| keyword.keyword == text.text && !keyword.life.is_over(schema);
        if let Some(keyword) = known.iter().find(newer) {
            self.newer(text.span.clone(), &format!("value `{}` of {name}", keyword.keyword), keyword.life);
            return true;
        }
        let diagnostic =
            Diagnostic::error(text.span.clone(), format!("{} is not a value of {name}", quoted(&text.text)))
                .rule("wrong-value");
        let diagnostic = match known.iter().find(|keyword| keyword.keyword == text.text) {
            Some(other) => {
                let diagnostic = diagnostic.label(other.life.of_other_schemas(schema));
                match other.instead {
                    Some(instead) => diagnostic.help(format!("schema {schema} writes it `{instead}`")),
                    None => diagnostic.help(format!("expected {}", one_of(covered().copied()))),
                }
            }
            None => {
                let label = format!("expected {}", one_of(covered().copied()));
                let near = || nearest(&text.text, covered().map(|keyword| keyword.keyword));
                let near = || near().map(|keyword| format!("did you mean `{keyword}`?"));
                match did_you_mean::keyword(&text.text, covered().map(|keyword| keyword.keyword))
                    .or_else(near)
                {
                    Some(help) => diagnostic.label(label).help(help),
                    None => diagnostic.label(label),
                }
            }
        };
        self.diagnostics.push(diagnostic);
        false
    }
}

pub(crate) fn has_form(text: &str, form: &Value) -> bool {
    match form {
        Value::Text => true,
        Value::Boolean => schema::boolean(text).is_some(),
        Value::Number(least, most) => {
            schema::number(text).is_some_and(|number| (*least..=*most).contains(&number))
        }
        Value::Count(most) => schema::number(text).is_some_and(|number| number <= *most),
        Value::Integer => text.parse::<i64>().is_ok(),
        Value::OneOf(known) => known.iter().any(|keyword| keyword.keyword == text),
        Value::ListOf(known) => {
            schema::list_items(text).all(|item| known.iter().any(|keyword| keyword.keyword == item))
        }
        Value::Form(_, valid) => !text.contains('\0') && valid(text),
    }
}

pub(crate) fn expectation(form: &Value, schema: SchemaVersion) -> String {
    let keywords = |known: &'static [Keyword]| {
        one_of(known.iter().filter(|keyword| keyword.life.covers(schema)).copied())
    };
    match form {
        Value::Count(most) => expectation(&Value::Number(1, *most), schema),
        Value::Text => "a text".to_owned(),
        Value::Boolean => "`true` or `false`".to_owned(),
        Value::Number(0, most) if *most >= u64::from(u32::MAX) - 1 => "a whole number".to_owned(),
        Value::Number(least, most) if *most >= u64::from(u32::MAX) - 1 => {
            format!("a whole number, {least} or more")
        }
        Value::Number(least, most) => format!("a whole number from {least} to {most}"),
        Value::Integer => "a whole number".to_owned(),
        Value::OneOf(known) => keywords(known),
        Value::ListOf(known) => format!("a list of {}", keywords(known)),
        Value::Form(form, _) => (*form).to_owned(),
    }
}

fn one_of(keywords: impl Iterator<Item = Keyword>) -> String {
    let keywords: Vec<&str> = keywords.map(|keyword| keyword.keyword).collect();
    match keywords.as_slice() {
        [only] => format!("`{only}`"),
        many => format!("one of {}", many.join(", ")),
    }
}

/// Returns a value as a message shows it: on one line, shortened to the length of a line.
fn quoted(text: &str) -> String {
    if text.is_empty() { "an empty text".to_owned() } else { format!("`{}`", first_line(text)) }
}

fn first_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or("");
    match line.char_indices().nth(60) {
        Some((end, _)) => format!("{} ...", &line[..end]),
        None if line.len() < text.len() => format!("{line} ..."),
        None => line.to_owned(),
    }
}
