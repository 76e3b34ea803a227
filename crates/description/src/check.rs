//! Compares a tree, as it was written, with the vocabulary of its schema.
//!
//! Every difference is reported, in the user's own words and at its own place. What only holds between several words
//! (a type and its attributes, a profile and its declaration) is `decode`'s business.

use crate::document::{Attribute, Element, Text};
use crate::suggest::{listed, nearest};
use crate::words::{self, AttributeWord, ChildWord, ElementWord, IMAGE, Life, State, Value, Word};
use crate::{Diagnostic, Diagnostics, SchemaVersion};

/// Checks the whole tree.
pub(crate) fn check(root: &Element, schema: SchemaVersion, diagnostics: &mut Diagnostics) {
    Check { schema, diagnostics }.element(root, &IMAGE);
}

struct Check<'a> {
    schema: SchemaVersion,
    diagnostics: &'a mut Diagnostics,
}

impl Check<'_> {
    fn element(&mut self, element: &Element, word: &'static ElementWord) {
        if word.state == State::NotUsed && !words::says_default(word.default, element.text.as_ref()) {
            self.not_used(element.span.clone(), format!("`<{}>`", word.name));
        }
        if let words::Content::Anything = word.content {
            return;
        }
        self.attributes(element, word);
        self.text(element, word);
        self.children(element, word);
    }

    fn not_used(&mut self, span: crate::Span, what: String) {
        self.diagnostics.push(
            Diagnostic::warning(span, format!("{what} is not used by this version of kiwi"))
                .label("read, but without effect"),
        );
    }

    // --- attributes

    fn attributes(&mut self, element: &Element, word: &'static ElementWord) {
        for attribute in &element.attributes {
            match word.attribute_word(&attribute.name, self.schema) {
                Some(known) if known.life.covers(self.schema) => self.attribute(attribute, known),
                Some(known) => self.attribute_of_another_schema(attribute, known, word),
                None => self.unknown_attribute(attribute, word),
            }
        }
        let required = |known: &&AttributeWord| known.required && known.life.covers(self.schema);
        for known in word.attributes.iter().filter(required) {
            let written_otherwise = known.instead.is_some_and(|instead| element.attribute(instead).is_some());
            // One slip, one message.
            let misspelt = element
                .attributes
                .iter()
                .any(|attribute| word.meant_attribute(&attribute.name, self.schema) == Some(known.name));
            if element.attribute(known.name).is_none() && !written_otherwise && !misspelt {
                self.diagnostics.push(
                    Diagnostic::error(
                        element.span.clone(),
                        format!("`<{}>` lacks the attribute `{}`", word.name, known.name),
                    )
                    .label(format!("`{}` is missing", known.name))
                    .help(format!("expected {}", expectation(&known.value, self.schema))),
                );
            }
        }
    }

    fn attribute(&mut self, attribute: &Attribute, known: &'static AttributeWord) {
        let name = format!("the attribute `{}`", known.name);
        let valid = self.value(&attribute.value, &known.value, &name);
        if valid
            && known.state == State::NotUsed
            && !words::says_default(known.default, Some(&attribute.value))
        {
            self.not_used(attribute.name_span.clone(), format!("`{}`", known.name));
        }
    }

    fn attribute_of_another_schema(
        &mut self,
        attribute: &Attribute,
        known: &'static AttributeWord,
        word: &'static ElementWord,
    ) {
        let diagnostic = Diagnostic::error(
            attribute.name_span.clone(),
            format!("schema {} has no attribute `{}` of `<{}>`", self.schema, known.name, word.name),
        )
        .label(known.life.of_other_schemas(self.schema));
        self.diagnostics.push(match known.instead {
            Some(instead) => diagnostic.help(format!("schema {} writes it `{instead}`", self.schema)),
            None => diagnostic.help(self.change_schema(known.life)),
        });
    }

    /// What to do about a word without a substitute in this schema.
    fn change_schema(&self, life: Life) -> String {
        if life.is_over(self.schema) {
            format!("remove it: schema {} has no such word any more", self.schema)
        } else {
            "remove it, or let `kiwi convert` write the description in today's words".to_owned()
        }
    }

    fn unknown_attribute(&mut self, attribute: &Attribute, word: &'static ElementWord) {
        let schema = self.schema;
        let names =
            || word.attributes.iter().filter(|known| known.life.covers(schema)).map(|known| known.name);
        let diagnostic = Diagnostic::error(
            attribute.name_span.clone(),
            format!("`<{}>` has no attribute `{}`", word.name, attribute.name),
        )
        .label(format!("not an attribute of `<{}>`", word.name));
        let help = match word.meant_attribute(&attribute.name, schema) {
            Some(name) => format!("did you mean `{name}`?"),
            None if names().next().is_none() => format!("`<{}>` has no attributes", word.name),
            None if names().count() > 20 => "remove it".to_owned(),
            None => format!("its attributes are {}", listed(names())),
        };
        self.diagnostics.push(diagnostic.help(help));
    }

    // --- text

    fn text(&mut self, element: &Element, word: &'static ElementWord) {
        let form = word.text.filter(|_| word.text_life.covers(self.schema));
        match (&element.text, form) {
            (Some(text), Some(form)) => {
                let name = if word.name == "type" {
                    "the image type".to_owned()
                } else {
                    format!("`<{}>`", word.name)
                };
                self.value(text, &form, &name);
            }
            (Some(text), None) => {
                let diagnostic = Diagnostic::error(
                    text.span.clone(),
                    format!("`<{}>` has no text in schema {}", word.name, self.schema),
                )
                .label("text is not expected here");
                self.diagnostics.push(if word.name == "type" {
                    diagnostic.help(format!(
                        "schema {} writes it `<type image=\"{}\">`",
                        self.schema,
                        first_line(&text.text)
                    ))
                } else {
                    diagnostic
                });
            }
            (None, Some(form)) if !word.text_optional => self.diagnostics.push(
                Diagnostic::error(element.span.clone(), format!("`<{}>` is empty", word.name))
                    .label("its text is missing")
                    .help(format!("expected {}", expectation(&form, self.schema))),
            ),
            (None, _) => {}
        }
    }

    // --- children

    fn children(&mut self, element: &Element, word: &'static ElementWord) {
        for (position, child) in element.children.iter().enumerate() {
            let known = if child.foreign { None } else { word.child_word(&child.name, self.schema) };
            let Some(known) = known else {
                self.unknown_element(child, word);
                continue;
            };
            if !known.life.covers(self.schema) {
                self.element_of_another_schema(child, known, word);
                continue;
            }
            let first = element.children[..position].iter().find(|earlier| earlier.name == child.name);
            if let Some(first) = first.filter(|_| !known.many.is_some_and(|many| many.covers(self.schema))) {
                let (line, _) = first.span.line_and_column();
                self.diagnostics.push(
                    Diagnostic::error(
                        child.span.clone(),
                        format!("`<{}>` stands more than once in `<{}>`", child.name, word.name),
                    )
                    .label("only one is allowed")
                    .help(format!("the first one is in line {line}")),
                );
            }
            self.element(child, known.element);
        }
        for known in word.child_words() {
            let required = known.required.is_some_and(|required| required.covers(self.schema));
            let name = known.element.name;
            let misspelt =
                element.children.iter().any(|child| word.meant_child(&child.name, self.schema) == Some(name));
            if required && known.life.covers(self.schema) && element.child(name).is_none() && !misspelt {
                self.diagnostics.push(
                    Diagnostic::error(element.span.clone(), format!("`<{}>` lacks `<{name}>`", word.name))
                        .label(format!("`<{name}>` is missing inside"))
                        .help(match known.element.text {
                            Some(form) => format!("expected {}", expectation(&form, self.schema)),
                            None => format!("add a `<{name}>` element"),
                        }),
                );
            }
        }
    }

    fn element_of_another_schema(&mut self, child: &Element, known: &ChildWord, word: &ElementWord) {
        let diagnostic = Diagnostic::error(
            child.span.clone(),
            format!("schema {} has no `<{}>` in `<{}>`", self.schema, child.name, word.name),
        )
        .label(known.life.of_other_schemas(self.schema));
        self.diagnostics.push(match known.element.instead {
            Some(instead) => diagnostic.help(format!("schema {} writes it `<{instead}>`", self.schema)),
            None => match words::place_of(&child.name, self.schema) {
                Some(parent) if parent != word.name => diagnostic.help(format!("it belongs in `<{parent}>`")),
                _ => diagnostic.help(self.change_schema(known.life)),
            },
        });
    }

    fn unknown_element(&mut self, child: &Element, word: &'static ElementWord) {
        let schema = self.schema;
        let names = || {
            word.child_words()
                .iter()
                .filter(|known| known.life.covers(schema))
                .map(|known| known.element.name)
        };
        if !child.foreign
            && let Some(parent) = words::place_of(&child.name, schema)
        {
            self.diagnostics.push(
                Diagnostic::error(
                    child.span.clone(),
                    format!("`<{}>` does not stand in `<{}>`", child.name, word.name),
                )
                .label("misplaced")
                .help(format!("it belongs in `<{parent}>`")),
            );
            return;
        }
        if !child.foreign
            && let Some((parent, life)) = words::place_in_others(&child.name)
        {
            self.diagnostics.push(
                Diagnostic::error(child.span.clone(), format!("schema {schema} has no `<{}>`", child.name))
                    .label(format!("{}, there in `<{parent}>`", life.of_other_schemas(schema)))
                    .help(self.change_schema(life)),
            );
            return;
        }
        let message = if child.foreign {
            format!("`<{}>` belongs to a namespace; the elements of a description have none", child.name)
        } else {
            format!("there is no element `<{}>`", child.name)
        };
        let help = match (word.meant_child(&child.name, schema), words::meant_elsewhere(&child.name, schema))
        {
            (Some(name), _) => format!("did you mean `<{name}>`?"),
            (None, Some((name, parent))) => format!("did you mean `<{name}>`? It belongs in `<{parent}>`"),
            (None, None) if names().next().is_none() => format!("`<{}>` has no elements inside", word.name),
            (None, None) if names().count() > 20 => "remove it".to_owned(),
            (None, None) => {
                let names: Vec<String> = names().map(|name| format!("<{name}>")).collect();
                format!("inside of `<{}>` stand {}", word.name, listed(names.iter().map(String::as_str)))
            }
        };
        self.diagnostics.push(
            Diagnostic::error(child.span.clone(), message)
                .label(format!("not an element of `<{}>`", word.name))
                .help(help),
        );
    }

    // --- values

    /// Reports a value that does not have its form; says whether it has.
    fn value(&mut self, text: &Text, form: &Value, name: &str) -> bool {
        match form {
            Value::OneOf(known) => self.word(text, known, name),
            Value::ListOf(known) => {
                let items: Vec<Text> = text.items().iter().flat_map(Text::words).collect();
                if items.is_empty() {
                    return self.wrong(text, form, name);
                }
                let mut valid = true;
                for item in &items {
                    valid &= self.word(item, known, name);
                }
                valid
            }
            Value::Text | Value::Boolean | Value::Number(..) | Value::Integer | Value::Form(..) => {
                has_form(&text.text, form) || self.wrong(text, form, name)
            }
        }
    }

    fn wrong(&mut self, text: &Text, form: &Value, name: &str) -> bool {
        self.diagnostics.push(
            Diagnostic::error(text.span.clone(), format!("{} is not a value of {name}", quoted(&text.text)))
                .label(format!("expected {}", expectation(form, self.schema))),
        );
        false
    }

    fn word(&mut self, text: &Text, known: &'static [Word], name: &str) -> bool {
        let schema = self.schema;
        let covered = || known.iter().filter(|word| word.life.covers(schema));
        if let Some(word) = covered().find(|word| word.word == text.text) {
            if word.state == State::NotUsed {
                self.not_used(text.span.clone(), format!("`{}`", word.word));
            }
            return true;
        }
        let diagnostic =
            Diagnostic::error(text.span.clone(), format!("{} is not a value of {name}", quoted(&text.text)));
        let diagnostic = match known.iter().find(|word| word.word == text.text) {
            Some(other) => {
                let diagnostic = diagnostic.label(other.life.of_other_schemas(schema));
                match other.instead {
                    Some(instead) => diagnostic.help(format!("schema {schema} writes it `{instead}`")),
                    None => diagnostic.help(format!("expected {}", one_of(covered().copied()))),
                }
            }
            None => {
                let label = format!("expected {}", one_of(covered().copied()));
                match nearest(&text.text, covered().map(|word| word.word)) {
                    Some(word) => diagnostic.label(label).help(format!("did you mean `{word}`?")),
                    None => diagnostic.label(label),
                }
            }
        };
        self.diagnostics.push(diagnostic);
        false
    }
}

fn has_form(text: &str, form: &Value) -> bool {
    match form {
        Value::Text => true,
        Value::Boolean => words::boolean(text).is_some(),
        Value::Number(least, most) => {
            words::number(text).is_some_and(|number| (*least..=*most).contains(&number))
        }
        Value::Integer => text.parse::<i64>().is_ok(),
        Value::OneOf(known) => known.iter().any(|word| word.word == text),
        Value::ListOf(known) => {
            words::list_items(text).all(|item| known.iter().any(|word| word.word == item))
        }
        Value::Form(_, valid) => !text.contains('\0') && valid(text),
    }
}

fn expectation(form: &Value, schema: SchemaVersion) -> String {
    let words =
        |known: &'static [Word]| one_of(known.iter().filter(|word| word.life.covers(schema)).copied());
    match form {
        Value::Text => "a text".to_owned(),
        Value::Boolean => "`true` or `false`".to_owned(),
        Value::Number(0, most) if *most >= u64::from(u32::MAX) - 1 => "a whole number".to_owned(),
        Value::Number(least, most) if *most >= u64::from(u32::MAX) - 1 => {
            format!("a whole number, {least} or more")
        }
        Value::Number(least, most) => format!("a whole number from {least} to {most}"),
        Value::Integer => "a whole number".to_owned(),
        Value::OneOf(known) => words(known),
        Value::ListOf(known) => format!("a list of {}", words(known)),
        Value::Form(form, _) => (*form).to_owned(),
    }
}

fn one_of(words: impl Iterator<Item = Word>) -> String {
    let words: Vec<&str> = words.map(|word| word.word).collect();
    match words.as_slice() {
        [only] => format!("`{only}`"),
        many => format!("one of {}", many.join(", ")),
    }
}

/// A value as a message shows it: on one line, and not longer than that line.
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
