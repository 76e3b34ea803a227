//! The tables against the fixtures and against the model.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::document::Element;
use crate::{DiskFormat, Filesystem, PackageManager, RepositoryType, SourceFile};

/// Every `element` and `element/@attribute` that a schema has.
fn known(word: &'static ElementWord, schema: SchemaVersion, names: &mut BTreeSet<String>) {
    names.insert(word.name.to_owned());
    let attributes = word.attributes.iter().filter(|attribute| attribute.life.covers(schema));
    names.extend(attributes.map(|attribute| format!("{}/@{}", word.name, attribute.name)));
    for child in word.child_words().iter().filter(|child| child.life.covers(schema)) {
        known(child.element, schema, names);
    }
}

fn used(element: &Element, names: &mut BTreeSet<String>) {
    names.insert(element.name.clone());
    names.extend(element.attributes.iter().map(|attribute| format!("{}/@{}", element.name, attribute.name)));
    element.children.iter().for_each(|child| used(child, names));
}

#[test]
fn an_accepted_fixture_uses_every_element_and_attribute() {
    for schema in SchemaVersion::ALL {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(format!("../../fixtures/descriptions/{schema}/accepted"));
        let mut in_fixtures = BTreeSet::new();
        for entry in fs::read_dir(folder).expect("the folder of fixtures") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|extension| extension == "xml") {
                let text = fs::read_to_string(&path).expect("a text");
                let file = Arc::new(SourceFile { name: String::new(), text });
                used(&crate::xml::read(&file).expect("XML"), &mut in_fixtures);
            }
        }
        let mut words = BTreeSet::new();
        known(&IMAGE, schema, &mut words);
        let missing: Vec<&String> = words.difference(&in_fixtures).collect();
        assert!(missing.is_empty(), "no accepted fixture of schema {schema} uses {missing:?}");
    }
}

/// The built words of the enumeration of an attribute or text.
fn built(value: Value) -> Vec<&'static str> {
    let (Value::OneOf(words) | Value::ListOf(words)) = value else { panic!("no enumeration") };
    words.iter().filter(|word| word.state == State::Built).map(|word| word.word).collect()
}

#[test]
fn every_built_word_has_a_meaning_in_the_model() {
    let schema = SchemaVersion::V8_5;
    let attribute = |element: &ElementWord, name| element.attribute_word(name, schema).expect("it").value;
    let child = |element: &ElementWord, name| element.child_word(name, schema).expect("it").element;
    let preferences = child(&IMAGE, "preferences");
    let manager = child(preferences, "packagemanager").text.expect("a text");
    for word in built(manager) {
        assert!(PackageManager::parse(word).is_some(), "{word}");
    }
    for word in built(attribute(child(&IMAGE, "repository"), "type")) {
        assert!(RepositoryType::parse(word).is_some(), "{word}");
    }
    for word in built(attribute(&TYPE, "format")) {
        assert!(DiskFormat::parse(word).is_some(), "{word}");
    }
    for word in built(attribute(&TYPE, "filesystem")) {
        assert!(Filesystem::parse(word).is_some(), "{word}");
    }
}

#[test]
fn fits_name_image_types_only() {
    let types: Vec<&str> = match TYPE.text {
        Some(Value::OneOf(words)) => words.iter().map(|word| word.word).collect(),
        _ => panic!("the image types are an enumeration"),
    };
    for attribute in TYPE.attributes {
        for fit in attribute.fits {
            assert!(types.contains(fit), "{} fits {fit}, which is no image type", attribute.name);
        }
    }
}
