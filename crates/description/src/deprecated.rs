//! Keywords of a description that today's schema no longer has, each with its modern equivalent, and the earlier form of
//! attributes in YAML, TOML and JSON.
//!
//! They are valid in the schema that the file names, so a build does not report them; `kiwi check` does. A keyword that
//! occurs many times is reported once, at its first position.

use crate::document::{Element, Text};
use crate::schema::{self, Content, ElementSchema, IMAGE, Life, State, Value};
use crate::{Diagnostic, Diagnostics, SchemaVersion, Span};

/// Returns all deprecated keywords of a tree that was written in `schema`.
pub(crate) fn deprecated(root: &Element, schema: SchemaVersion) -> Diagnostics {
    let mut old = DeprecatedKeywords { schema, found: Vec::new() };
    if schema < SchemaVersion::NEWEST
        && let Some(version) = root.attribute(schema.attribute())
    {
        let message = format!("schema {schema} is outdated");
        old.found.push(Found {
            span: version.value.span.clone(),
            message,
            help: Some(MODERN.to_owned()),
            times: 1,
        });
    }
    old.element(root, &IMAGE);
    let mut diagnostics = Diagnostics(old.found.into_iter().map(Found::into_diagnostic).collect());
    diagnostics.sort();
    diagnostics
}

const MODERN: &str = "`kiwi convert` writes the description for schema 8.5";

const MARKED: &str = "write the key of an attribute with `@`, as in `\"@name\"`; `kiwi convert` does it";

fn modern(keyword: &str) -> String {
    format!("today it is written `{keyword}`")
}

/// Returns what to do about a keyword without any equivalent and without effect.
fn without_effect(state: State) -> Option<String> {
    (state == State::NotUsed).then(|| "it has no effect and can be removed".to_owned())
}

struct DeprecatedKeywords {
    schema: SchemaVersion,
    found: Vec<Found>,
}

struct Found {
    span: Span,
    message: String,
    help: Option<String>,
    times: usize,
}

impl Found {
    fn into_diagnostic(self) -> Diagnostic {
        let label = match self.times {
            1 => "deprecated".to_owned(),
            times => format!("deprecated, the first of {times}"),
        };
        let diagnostic = Diagnostic::warning(self.span, self.message).rule("old-keyword").label(label);
        match self.help {
            Some(help) => diagnostic.help(help),
            None => diagnostic.help("today's schema has no other keyword for it; kiwi keeps it"),
        }
    }
}

impl DeprecatedKeywords {
    fn add(&mut self, span: &Span, what: String, help: Option<String>) {
        self.add_message(span, format!("{what} is not part of today's schema"), help);
    }

    fn add_message(&mut self, span: &Span, message: String, help: Option<String>) {
        match self.found.iter_mut().find(|found| found.message == message && found.help == help) {
            Some(found) => found.times += 1,
            None => self.found.push(Found { span: span.clone(), message, help, times: 1 }),
        }
    }

    /// Returns whether a keyword with this life span was valid in its schema, and no longer is.
    fn is_old(&self, life: Life) -> bool {
        life.covers(self.schema) && life.is_over(SchemaVersion::NEWEST)
    }

    fn element(&mut self, element: &Element, keyword: &'static ElementSchema) {
        if let Content::Anything = keyword.content {
            return;
        }
        if let Some(span) = &element.layout.unmarked {
            let message = "attributes have keys without `@`, which KIWI NG does not read".to_owned();
            self.add_message(span, message, Some(MARKED.to_owned()));
        }
        for attribute in &element.attributes {
            let Some(known) = keyword.attribute_schema(&attribute.name, self.schema) else { continue };
            let today = keyword.attribute_schema(&attribute.name, SchemaVersion::NEWEST);
            let lives = today.is_some_and(|today| today.life.covers(SchemaVersion::NEWEST));
            if self.is_old(known.life) && !lives && known.name != self.schema.attribute() {
                let help = known.instead.map(modern).or_else(|| without_effect(known.state));
                self.add(&attribute.name_span, format!("`{}` of `<{}>`", known.name, keyword.name), help);
            }
            self.value(&attribute.value, &known.value, known.name);
        }
        if let (Some(text), Some(form)) = (&element.text, &keyword.text)
            && keyword.text_life.covers(self.schema)
        {
            if self.is_old(keyword.text_life) && keyword.name == "type" {
                let help = Some(format!("today it is written `image=\"{}\"`", text.text));
                self.add(&text.span, format!("the text of `<{}>`", keyword.name), help);
            }
            self.value(text, form, keyword.name);
        }
        for child in element.children.iter().filter(|child| !child.foreign) {
            let Some(known) = keyword.child_schema(&child.name, self.schema) else { continue };
            let today = keyword.child_schema(&child.name, SchemaVersion::NEWEST);
            let lives = today.is_some_and(|today| today.life.covers(SchemaVersion::NEWEST));
            if self.is_old(known.life) && !lives {
                let today = known.element.instead.map(|instead| modern(&format!("<{instead}>")));
                let moved = || {
                    let location = schema::parent_of(known.element.name, SchemaVersion::NEWEST);
                    location.map(|parent| format!("today it belongs in `<{parent}>`"))
                };
                let what = format!("`<{}>` in `<{}>`", known.element.name, keyword.name);
                let help = today.or_else(moved).or_else(|| without_effect(known.element.state));
                self.add(&child.span, what, help);
            }
            self.element(child, known.element);
        }
    }

    fn value(&mut self, text: &Text, form: &Value, name: &str) {
        let (Value::OneOf(known) | Value::ListOf(known)) = form else { return };
        for item in text.items().iter().flat_map(Text::keywords) {
            let used =
                known.iter().find(|keyword| keyword.keyword == item.text && keyword.life.covers(self.schema));
            if let Some(keyword) = used.filter(|keyword| self.is_old(keyword.life)) {
                let help = keyword.instead.map(modern).or_else(|| without_effect(keyword.state));
                self.add(&item.span, format!("`{}` as a value of `{name}`", keyword.keyword), help);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Description, SourceFile};

    fn told(text: &str) -> Vec<String> {
        let file = SourceFile { name: "config.xml".to_owned(), text: text.to_owned() };
        let parsed = Description::parse(file);
        assert!(parsed.description.is_some(), "{:?}", parsed.diagnostics);
        let told = parsed.deprecated.0.iter();
        told.map(|one| format!("{}: {}", one.message, one.help.as_deref().unwrap_or_default())).collect()
    }

    #[test]
    fn every_old_keyword_is_told_once_with_todays() {
        let text = r#"<image name="old" schemeversion="1.4"><description type="system"><author>A</author>
            <contact>C</contact><specification>S</specification></description>
            <preferences><type primary="true">ext3</type><version>1.0.0</version><size unit="M">100</size>
            <packagemanager>smart</packagemanager></preferences>
            <repository type="rpm-dir"><source path="/srv/rpms"/></repository>
            <packages type="image"><opensusePattern name="base"/><opensusePattern name="more"/></packages></image>"#;
        let expected = [
            "schema 1.4 is outdated: `kiwi convert` writes the description for schema 8.5",
            "the text of `<type>` is not part of today's schema: today it is written `image=\"ext3\"`",
            "`<size>` in `<preferences>` is not part of today's schema: today it belongs in `<type>`",
            "`<opensusePattern>` in `<packages>` is not part of today's schema: today it is written `<namedCollection>`",
        ];
        let told = told(text);
        for line in expected {
            assert_eq!(told.iter().filter(|one| *one == line).count(), 1, "{line}\n{told:#?}");
        }
    }

    #[test]
    fn attributes_without_the_mark_are_told_once_at_the_first() {
        let text = "image:\n  '@name': new\n  '@schemaversion': '8.5'\n  description: {'@type': system, author: A, contact: C, \
            specification: S}\n  preferences:\n    type: {'@image': tbz}\n    version: 1.0.0\n    packagemanager: apt\n  \
            packages:\n    type: image\n    package: {name: less}\n";
        let deprecated = |text: &str| {
            let file = SourceFile { name: "config.yaml".to_owned(), text: text.to_owned() };
            let parsed = Description::parse(file);
            assert!(parsed.description.is_some(), "{:?}", parsed.diagnostics);
            let told = parsed.deprecated.0.iter();
            told.map(|one| (one.span.line_and_column(), one.label.clone())).collect::<Vec<_>>()
        };
        assert_eq!(deprecated(text), [((10, 5), "deprecated, the first of 2".to_owned())]);
        let marked = text.replace(" type: image", " '@type': image").replace("{name:", "{'@name':");
        assert_eq!(deprecated(&marked), []);
    }

    #[test]
    fn todays_keywords_are_not_old() {
        let text = r#"<image name="new" schemaversion="8.5"><description type="system"><author>A</author>
            <contact>C</contact><specification>S</specification></description>
            <preferences><type image="ext4"/><version>1.0.0</version><packagemanager>apt</packagemanager></preferences>
            <repository><source path="debian://bookworm"/></repository>
            <packages type="image"><package name="less"/></packages></image>"#;
        assert_eq!(told(text), Vec::<String>::new());
    }
}
