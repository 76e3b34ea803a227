//! The tables against the fixtures and against the model.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::document::Element;
use crate::image_type::TYPES;
use crate::{DiskFormat, PackageManager, RepositoryType, SourceFile};
use ondisk::Filesystem;

/// Returns every `element` and `element/@attribute`, with the schemas that have it there.
fn known(keyword: &'static ElementSchema, life: Life, names: &mut Vec<(String, Life)>) {
    names.push((keyword.name.to_owned(), life));
    for attribute in keyword.attributes {
        names.push((format!("{}/@{}", keyword.name, attribute.name), attribute.life.within(life)));
    }
    for child in keyword.child_schemas() {
        known(child.element, child.life.within(life), names);
    }
}

fn used(element: &Element, names: &mut BTreeSet<String>) {
    names.insert(element.name.clone());
    names.extend(element.attributes.iter().map(|attribute| format!("{}/@{}", element.name, attribute.name)));
    element.children.iter().for_each(|child| used(child, names));
}

/// Returns the keywords of all accepted fixtures of a schema.
fn used_in_fixtures(schema: SchemaVersion) -> BTreeSet<String> {
    let directory =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../fixtures/descriptions/{schema}/accepted"));
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(directory).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "xml") {
            let text = fs::read_to_string(&path).expect("a text");
            let file = Arc::new(SourceFile { name: String::new(), text });
            used(&crate::xml::read(&file).expect("XML"), &mut names);
        }
    }
    names
}

/// Checks both ends of the chain completely, and of the schemas in between what neither end has.
#[test]
fn an_accepted_fixture_uses_every_element_and_attribute() {
    let ends = [SchemaVersion::OLDEST, SchemaVersion::NEWEST];
    let fixtures: Vec<_> =
        SchemaVersion::ALL.iter().map(|&schema| (schema, used_in_fixtures(schema))).collect();
    let mut keywords = Vec::new();
    known(&IMAGE, Life::ALL, &mut keywords);
    let mut missing = Vec::new();
    for (name, life) in &keywords {
        let used = |schema: &SchemaVersion| {
            fixtures.iter().any(|(fixture, names)| fixture == schema && names.contains(name))
        };
        for end in ends.iter().filter(|end| life.covers(**end) && !used(end)) {
            missing.push(format!("{name} in {end}"));
        }
        let between =
            !keywords.iter().any(|(other, life)| other == name && ends.iter().any(|end| life.covers(*end)));
        if between && !fixtures.iter().any(|(_, names)| names.contains(name)) {
            missing.push(format!("{name} in {life:?}"));
        }
    }
    assert!(missing.is_empty(), "no accepted fixture uses {missing:#?}");
}

#[test]
fn every_keyword_says_what_it_is() {
    fn without(keyword: &'static ElementSchema, found: &mut BTreeSet<String>) {
        let good = |doc: &str| doc.ends_with('.') && !doc.contains('|') && doc.len() > 4;
        if !good(keyword.doc) {
            found.insert(keyword.name.to_owned());
        }
        for attribute in keyword.attributes.iter().filter(|attribute| !good(attribute.doc)) {
            found.insert(format!("{}/@{}", keyword.name, attribute.name));
        }
        keyword.child_schemas().iter().for_each(|child| without(child.element, found));
    }
    let mut found = BTreeSet::new();
    without(&IMAGE, &mut found);
    assert!(found.is_empty(), "no sentence describes these: {found:#?}");
}

/// Returns the built keywords of the enumeration of an attribute or text.
fn built(value: Value) -> Vec<&'static str> {
    let (Value::OneOf(keywords) | Value::ListOf(keywords)) = value else { panic!("no enumeration") };
    keywords.iter().filter(|keyword| keyword.state == State::Built).map(|keyword| keyword.keyword).collect()
}

#[test]
fn every_built_keyword_has_a_meaning_in_the_model() {
    let schema = SchemaVersion::V8_5;
    let attribute = |element: &ElementSchema, name| element.attribute_schema(name, schema).expect("it").value;
    let child = |element: &ElementSchema, name| element.child_schema(name, schema).expect("it").element;
    let preferences = child(&IMAGE, "preferences");
    let manager = child(preferences, "packagemanager").text.expect("a text");
    for keyword in built(manager) {
        assert!(PackageManager::parse(keyword).is_some(), "{keyword}");
    }
    for keyword in built(attribute(child(&IMAGE, "repository"), "type")) {
        assert!(RepositoryType::parse(keyword).is_some(), "{keyword}");
    }
    for keyword in built(attribute(&TYPE, "format")) {
        assert!(DiskFormat::parse(keyword).is_some(), "{keyword}");
    }
    for keyword in built(attribute(&TYPE, "filesystem")) {
        assert!(Filesystem::parse(keyword).is_some(), "{keyword}");
    }
}

#[test]
fn rows_of_image_types_name_attributes_and_sections_that_exist() {
    let packages = IMAGE.child_schema("packages", SchemaVersion::NEWEST).expect("it").element;
    let known = packages.attribute_schema("type", SchemaVersion::NEWEST).expect("it");
    let Value::OneOf(sections) = known.value else { panic!("the types of sections are an enumeration") };
    for row in TYPES {
        for name in row.unsupported {
            let attribute = TYPE.attribute_schema(name, SchemaVersion::NEWEST).expect(name);
            assert_eq!(attribute.state, State::Built, "{name} is not built for any type");
            assert!(attribute.fits.is_none_or(|feature| row.takes(feature)), "{}: {name}", row.keyword);
        }
        for section in row.packages {
            assert!(sections.iter().any(|known| known.keyword == *section), "{}: {section}", row.keyword);
        }
    }
}
