//! The reference page of the handbook, in Markdown.

use super::Elements;
use crate::SchemaVersion;
use crate::check::expectation;
use crate::image_type::{TYPES, listed_types};
use crate::schema::{AttributeSchema, ChildSchema, Content, ElementSchema, IMAGE, Life};

const HEAD: &str = "# Every keyword of a description

This page lists all elements and attributes of schema 8.5, and older ones that kiwi still accepts there; parents precede their
children. kiwi also reads the keywords of older schemas: `kiwi check` reports each with its current replacement, and `kiwi convert`
replaces it. kiwi knows keywords that this version does not build yet; `kiwi check` reports them with their position, and
[the table at the end](#what-is-built) lists them.

`B` is `true` or `false` (also `yes`, `no`, `1`, `0`). The order of elements does not matter.
";

const TYPES_HEAD: &str = "
## Image types

These are the values of `image` in `<type>` and of `--type`. `N` is `NAME.ARCH-VERSION`; every build also writes `N.packages` and
`N.log`.

| type | result | `<size>` | boot image | `<packages type>` | files |
|---|---|---|---|---|---|
";

/// Returns the page, generated from the tables.
pub fn reference() -> String {
    let schema = SchemaVersion::NEWEST;
    let elements = Elements::of(schema);
    let mut text = HEAD.to_owned();
    text.push_str(&image_types(schema));
    for (keyword, name) in &elements.all {
        text.push_str(&section(keyword, name, &elements));
    }
    text.push_str(&super::support::table());
    text
}

/// One row per image type of a schema.
fn image_types(schema: SchemaVersion) -> String {
    let mut text = TYPES_HEAD.to_owned();
    for row in TYPES.iter().filter(|row| row.is_in(schema)) {
        let yes = |holds: bool| if holds { "yes" } else { "" };
        let results = if row.built { row.results } else { "not built yet" };
        text.push_str(&format!(
            "| `{}` | {} | {} | {} | {} | {results} |\n",
            row.keyword,
            row.doc,
            yes(row.sized),
            yes(row.boots()),
            row.packages.join(", "),
        ));
    }
    text
}

fn section(keyword: &'static ElementSchema, name: &str, elements: &Elements) -> String {
    let schema = elements.schema;
    let heading = match name.split_once('.') {
        Some((parent, _)) => format!("`<{}>` in `<{parent}>`", keyword.name),
        None => format!("`<{}>`", keyword.name),
    };
    let mut text = format!("\n## {heading}\n\n{}", keyword.doc);
    let locations = locations(keyword, elements);
    if !locations.is_empty() {
        text.push_str(&format!(" Allowed in {}.", locations.join(", ")));
    }
    if let Some(form) = keyword.text.filter(|_| keyword.text_life.covers(schema)) {
        let optional = if keyword.text_optional { ", may be empty" } else { "" };
        let default = keyword.default.map(|default| format!("; without it {default}")).unwrap_or_default();
        text.push_str(&format!("\n\nText: {}{optional}{default}.", short(&expectation(&form, schema))));
    }
    let inside: Vec<String> = keyword
        .child_schemas()
        .iter()
        .filter(|child| child.life.covers(schema))
        .map(|child| format!("`<{}>`", child.element.name))
        .collect();
    if !inside.is_empty() {
        text.push_str(&format!("\n\nChildren: {}.", inside.join(", ")));
    }
    if let Content::Anything = keyword.content {
        text.push_str("\n\nChildren: any.");
    }
    text.push('\n');
    let mut attributes = keyword.attributes.iter().filter(|known| known.life.covers(schema)).peekable();
    if attributes.peek().is_some() {
        text.push_str("\n| attribute | value | default | meaning |\n|---|---|---|---|\n");
        attributes.for_each(|known| text.push_str(&row(known, schema)));
    }
    text
}

/// Returns the parents of an element, and how often it may occur.
fn locations(keyword: &'static ElementSchema, elements: &Elements) -> Vec<String> {
    let schema = elements.schema;
    let mut locations = Vec::new();
    for (parent, _) in &elements.all {
        let children = parent.child_schemas().iter().filter(|child| child.life.covers(schema));
        for child in children.filter(|child| std::ptr::eq(child.element, keyword)) {
            locations.push(format!("`<{}>` ({})", parent.name, how_often(child, schema)));
        }
    }
    if std::ptr::eq(keyword, &IMAGE) { Vec::new() } else { locations }
}

fn how_often(child: &ChildSchema, schema: SchemaVersion) -> &'static str {
    let covers = |life: Option<Life>| life.is_some_and(|life| life.covers(schema));
    match (covers(child.required), covers(child.many)) {
        (true, true) => "once or more",
        (true, false) => "exactly once",
        (false, true) => "any number of times",
        (false, false) => "at most once",
    }
}

fn row(known: &AttributeSchema, schema: SchemaVersion) -> String {
    let form = short(&expectation(&known.value, schema)).replace('|', "\\|");
    let default = match (known.required, known.default) {
        (true, _) => "required".to_owned(),
        (false, Some(default)) => format!("`{default}`"),
        (false, None) => String::new(),
    };
    let fits = known.fits.map(|feature| format!(" Only for {}.", listed_types(feature, schema)));
    let fits = fits.unwrap_or_default();
    format!("| `{}` | {form} | {default} | {}{fits} |\n", known.name, known.doc)
}

fn short(expectation: &str) -> String {
    match expectation {
        "`true` or `false`" => "B".to_owned(),
        "a text that is not empty" => "a text".to_owned(),
        other => other.to_owned(),
    }
}
