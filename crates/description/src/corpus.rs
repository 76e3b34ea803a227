//! Every element and attribute of every schema: accepted in a fixture, and rejected after an error was introduced.
//!
//! The accepted fixtures use every keyword (a test of `schema` checks this). Here each keyword is misspelt, given an invalid
//! value, removed where it is required and repeated where it is allowed once. Each time the message must point to the
//! position of the change, which is compared here; `fixtures/corpus/keywords.txt` holds all messages, one on each line.
//!
//! Run with `UPDATE_FIXTURES=1` to write that file, and review the difference.

#![allow(clippy::disallowed_methods, reason = "a test is its own host")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::check::has_form;
use crate::document::Element;
use crate::schema::{Content, ElementSchema, IMAGE, Value};
use crate::{Description, Diagnostic, SchemaVersion, Severity, SourceFile};

fn base() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

/// A keyword in a file: the element and, for an attribute, its name.
type Key = (String, Option<String>);

/// A change of a keyword, and the resulting message.
struct Rejected {
    key: Key,
    change: &'static str,
    schema: SchemaVersion,
    diagnostic: Diagnostic,
}

struct Corpus {
    schema: SchemaVersion,
    file: Arc<SourceFile>,
    directory: PathBuf,
    seen: BTreeMap<(Key, &'static str), Rejected>,
}

/// A change of the text: the range to replace, and the replacement.
type Change = Vec<(Range<usize>, String)>;

impl Corpus {
    /// Makes the change and records the message at `location` of the new text that starts like that.
    fn reject(&mut self, key: &Key, what: &'static str, change: Change, location: usize, starts: &str) {
        if self.seen.contains_key(&(key.clone(), what)) {
            return;
        }
        let mut text = self.file.text.clone();
        let mut change = change;
        change.sort_by_key(|(range, _)| range.start);
        for (range, new) in change.into_iter().rev() {
            text.replace_range(range, &new);
        }
        let directory = self.directory.clone();
        let parsed =
            Description::load(SourceFile { name: self.file.name.clone(), text: text.clone() }, &mut |path| {
                let text = fs::read_to_string(directory.join(path)).map_err(|error| error.to_string())?;
                Ok(SourceFile { name: path.to_owned(), text })
            });
        let at = |one: &&Diagnostic| one.span.range.start == location && one.span.file.name == self.file.name;
        let mut errors = parsed.diagnostics.0.iter().filter(|one| one.severity == Severity::Error).filter(at);
        let Some(found) = errors.find(|one| one.message.starts_with(starts)) else {
            let here = &text[text.floor_char_boundary(location.saturating_sub(60))..];
            panic!(
                "{}: {key:?} {what}: no error at {location} starts with {starts:?}: {:#?}\n...{}",
                self.file.name,
                parsed.diagnostics,
                &here[..here.floor_char_boundary(160.min(here.len()))],
            );
        };
        let rejected =
            Rejected { key: key.clone(), change: what, schema: self.schema, diagnostic: found.clone() };
        self.seen.insert((key.clone(), what), rejected);
    }

    fn element(
        &mut self,
        element: &Element,
        keyword: &'static ElementSchema,
        parent: Option<&'static ElementSchema>,
    ) {
        let schema = self.schema;
        let location = format!(
            "{}{}",
            parent.map(|parent| format!("{}>", parent.name)).unwrap_or_default(),
            keyword.name
        );
        let key: Key = (location, None);
        let name = element.span.range.clone();
        if parent.is_some() {
            let misspelt = format!("{}q", element.name);
            let mut change = vec![(name.end..name.end, "q".to_owned())];
            let end = element.layout.source.end;
            let closing = format!("</{}>", element.name);
            if self.file.text[..end].ends_with(&closing) {
                change.push((end - 1..end - 1, "q".to_owned()));
            }
            self.reject(&key, "misspelt", change, name.start, &format!("there is no element `<{misspelt}>`"));
        }
        if let Content::Anything = keyword.content {
            return;
        }
        self.attributes(element, keyword);
        if let (Some(text), Some(form)) =
            (&element.text, keyword.text.filter(|_| keyword.text_life.covers(schema)))
            && let Some(bad) = bad_value(&form)
            && !form.is_absent(&bad)
        {
            let empty = format!("`<{}>` is empty", keyword.name);
            let (location, starts) =
                if bad.is_empty() { (name.start, empty) } else { (text.span.range.start, String::new()) };
            self.reject(&key, "wrong text", vec![(text.span.range.clone(), bad)], location, &starts);
        }
        for child in keyword.child_schemas().iter().filter(|child| child.life.covers(schema)) {
            let Some(first) = element.child(child.element.name) else { continue };
            let key: Key = (format!("{}>{}", keyword.name, child.element.name), None);
            let source = first.layout.source.clone();
            if child.required.is_some_and(|required| required.covers(schema)) {
                let all = element.children(child.element.name);
                let change: Change = all.map(|child| (child.layout.source.clone(), String::new())).collect();
                let removed_before: usize = change
                    .iter()
                    .filter(|(range, _)| range.start < name.start)
                    .map(|(range, _)| range.len())
                    .sum();
                let starts = format!("`<{}>` lacks `<{}>`", keyword.name, child.element.name);
                self.reject(&key, "left out", change, name.start - removed_before, &starts);
            }
            if !child.many.is_some_and(|many| many.covers(schema)) && first.span.file.name == self.file.name {
                let copy = self.file.text[source.clone()].to_owned();
                let starts = format!("`<{}>` occurs more than once", child.element.name);
                self.reject(&key, "repeated", vec![(source.end..source.end, copy)], source.end + 1, &starts);
            }
        }
        for child in &element.children {
            if let Some(known) = keyword.child_schema(&child.name, schema).filter(|_| !child.foreign) {
                self.element(child, known.element, Some(keyword));
            }
        }
    }

    fn attributes(&mut self, element: &Element, keyword: &'static ElementSchema) {
        for attribute in &element.attributes {
            let Some(known) = keyword.attribute_schema(&attribute.name, self.schema) else { continue };
            let key: Key = (keyword.name.to_owned(), Some(known.name.to_owned()));
            let name = attribute.name_span.range.clone();
            if !known.name.starts_with("scheme") && !known.name.starts_with("schema") {
                let starts = format!("`<{}>` has no attribute `{}qq`", keyword.name, known.name);
                self.reject(
                    &key,
                    "misspelt",
                    vec![(name.end..name.end, "qq".to_owned())],
                    name.start,
                    &starts,
                );
                let value = attribute.value.span.range.clone();
                if let Some(bad) = bad_value(&known.value).filter(|bad| !known.is_absent(bad)) {
                    self.reject(&key, "wrong value", vec![(value.clone(), bad)], value.start, "");
                }
            }
            if known.required {
                let whole = name.start..attribute.value.span.range.end + 1;
                let change = vec![(whole, String::new())];
                let starts =
                    if known.name.starts_with("schem") { "`<image>` does not specify" } else { "`<" };
                self.reject(&key, "left out", change, element.span.range.start, starts);
            }
        }
    }
}

/// Returns a text that does not have the form; none if every text has it.
fn bad_value(form: &Value) -> Option<String> {
    ["?!", "a:b\u{7f}", ""].iter().find(|text| !has_form(text, form)).map(|text| (*text).to_owned())
}

/// Returns every keyword that some schema has, with its position.
fn known() -> BTreeSet<Key> {
    fn add(keyword: &'static ElementSchema, parent: &str, known: &mut BTreeSet<Key>) {
        if !known.insert((format!("{parent}{}", keyword.name), None)) && !parent.is_empty() {
            return;
        }
        for attribute in keyword.attributes {
            known.insert((keyword.name.to_owned(), Some(attribute.name.to_owned())));
        }
        for child in keyword.child_schemas() {
            add(child.element, &format!("{}>", keyword.name), known);
        }
    }
    let mut known = BTreeSet::new();
    add(&IMAGE, "", &mut known);
    known
}

#[test]
fn every_keyword_is_rejected_where_something_is_wrong_with_it() {
    let mut seen = BTreeMap::new();
    // Today's schema first: its messages matter most.
    for &schema in SchemaVersion::ALL.iter().rev() {
        let directory = base().join(format!("descriptions/{schema}/accepted"));
        let mut paths: Vec<PathBuf> = fs::read_dir(&directory)
            .into_iter()
            .flatten()
            .map(|entry| entry.expect("an entry").path())
            .collect();
        paths.sort();
        for path in paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "xml")) {
            let text = fs::read_to_string(path).expect("a text");
            let file = Arc::new(SourceFile { name: "config.xml".to_owned(), text });
            let root = crate::format::read(&file).expect("XML");
            let mut corpus = Corpus { schema, file, directory: directory.clone(), seen };
            corpus.element(&root, &IMAGE, None);
            seen = corpus.seen;
        }
    }
    let rejected: BTreeSet<Key> = seen.keys().map(|(key, _)| key.clone()).collect();
    let mut without: Vec<&Key> = Vec::new();
    let known = known();
    for key in known.iter().filter(|(name, attribute)| name != "image" || attribute.is_some()) {
        if !rejected.contains(key) {
            without.push(key);
        }
    }
    assert!(without.is_empty(), "nothing rejected has {without:#?}");
    let mut lines = String::new();
    for Rejected { key: (element, attribute), change, schema, diagnostic } in seen.values() {
        let attribute = attribute.as_ref().map(|name| format!("/@{name}")).unwrap_or_default();
        let help = diagnostic.help.as_ref().map(|help| format!(" | {help}")).unwrap_or_default();
        lines.push_str(&format!(
            "{element}{attribute} {change} ({schema}): {} | {}{help}\n",
            diagnostic.message, diagnostic.label
        ));
    }
    let path = base().join("corpus/keywords.txt");
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        fs::write(&path, &lines).expect("the corpus is written");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    for (expected, got) in expected.lines().zip(lines.lines()) {
        assert_eq!(expected, got, "UPDATE_FIXTURES=1 writes fixtures/corpus/keywords.txt again");
    }
    assert_eq!(expected.lines().count(), lines.lines().count());
}
