//! What is converted for KIWI NG, judged by KIWI NG's own schema with its Schematron rules.
#![allow(clippy::disallowed_methods, reason = "a test is its own host")]

use std::fs;
use std::path::{Path, PathBuf};

use crate::generated::{self, Dice};
use crate::{Conversion, Description, Diagnostics, Format, SchemaVersion, Severity, SourceFile};

fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Returns KIWI NG's schema, which scripts/test unpacks from the source package of the Debian archive.
fn schema() -> Option<PathBuf> {
    let unpacked = checkout().join("target/kiwi-ng/kiwi.rng");
    let path = std::env::var_os("KIWI_NG_SCHEMA").map_or(unpacked, PathBuf::from);
    test_programs::have_file(&path, "KIWI NG's schema").then_some(path)
}

/// Reads each file with PyYAML's, json's or XML's rules, as KIWI NG does, and prints every violation of the schema.
const JUDGE: &str = "
import sys, json
from lxml import etree, isoschematron
import yaml
schema = etree.parse(sys.argv[1])
assert schema.xpath('//*[local-name()=\"value\"][text()=\"8.5\"]'), 'not the schema of version 8.5'
grammar = etree.RelaxNG(schema)
rules = isoschematron.Schematron(schema, store_report=True)
def build(name, value):
    element = etree.Element(name)
    if not isinstance(value, dict):
        value = {'#text': value}
    for key, inside in value.items():
        if key == '#text':
            element.text = str(inside)
        elif key.startswith('@'):
            element.set(key[1:], str(inside))
        else:
            for item in inside if isinstance(inside, list) else [inside]:
                element.append(build(key, {} if item is None else item))
    return element
def read(path):
    if path.endswith('.yaml'):
        [(name, value)] = yaml.safe_load(open(path)).items()
        return build(name, value).getroottree()
    if path.endswith('.json'):
        [(name, value)] = json.load(open(path)).items()
        return build(name, value).getroottree()
    return etree.parse(path)
for path in sys.argv[2:]:
    tree = read(path)
    grammar.validate(tree)
    for error in grammar.error_log:
        print(path, error.line, error.message)
    if not rules.validate(tree):
        for failed in rules.validation_report.iter('{http://purl.oclc.org/dsdl/svrl}failed-assert'):
            print(path, ' '.join(''.join(failed.itertext()).split()))
";

/// Writes the texts to files and asserts that KIWI NG's schema accepts each.
fn judge(schema: &Path, texts: &[(Format, String)]) {
    let directory = tempfile::tempdir().expect("a directory");
    let script = directory.path().join("judge.py");
    fs::write(&script, JUDGE).expect("a file");
    let mut arguments = vec![script, schema.to_owned()];
    for (position, (format, text)) in texts.iter().enumerate() {
        let path = directory.path().join(format!("{position}.{format}"));
        fs::write(&path, text).expect("a file");
        arguments.push(path);
    }
    let arguments: Vec<&str> = arguments.iter().map(|path| path.to_str().expect("UTF-8")).collect();
    // That of Debian, which has python3-lxml and python3-yaml.
    let says = test_programs::run("/usr/bin/python3", &arguments);
    let first = says.lines().next().and_then(|line| line.split(' ').next());
    let text = first.map(|path| fs::read_to_string(path).expect("a text"));
    assert!(says.is_empty(), "{says}\n{}", text.unwrap_or_default());
}

fn convert(name: &str, text: &str, format: Format, directory: &Path) -> Result<String, Diagnostics> {
    let mut included = |path: &str| match fs::read_to_string(directory.join(path)) {
        Ok(text) => Ok(SourceFile { name: path.to_owned(), text }),
        Err(_) => generated::included(path),
    };
    let file = SourceFile { name: name.to_owned(), text: text.to_owned() };
    let converted = Description::convert(file, Conversion { format, ..Conversion::default() }, &mut included);
    converted.map(|converted| converted.text)
}

/// Asserts that a refusal names what KIWI NG has no keyword for, at a position in the text.
fn assert_unsaid(errors: &Diagnostics, what: &str) {
    let errors = errors.0.iter().filter(|one| one.severity == Severity::Error);
    for error in errors {
        assert_eq!(error.rule, "not-convertible", "{what}: {error:?}");
        assert!(!error.span.range.is_empty() && error.help.is_some(), "{what}: {error:?}");
    }
}

/// Returns the files of a directory and of all below it that are descriptions in XML.
fn descriptions(directory: &Path, found: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry").path());
    for path in entries {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() && !matches!(name, "rejected" | "included" | "root") {
            descriptions(&path, found);
        } else if name.ends_with(".xml") {
            found.push(path);
        }
    }
}

#[test]
fn every_fixture_and_example_fits_the_schema_of_kiwi_ng_or_says_why_not() {
    let Some(schema) = schema() else { return };
    let mut paths = Vec::new();
    for directory in ["fixtures/descriptions", "examples", "share/kiwi/image"] {
        descriptions(&checkout().join(directory), &mut paths);
    }
    let mut texts = Vec::new();
    for path in &paths {
        let text = fs::read_to_string(path).expect("a text");
        for format in [Format::Xml, Format::Yaml, Format::Json] {
            match convert("config.xml", &text, format, path.parent().expect("a directory")) {
                Ok(text) => texts.push((format, text)),
                Err(errors) => assert_unsaid(&errors, &path.display().to_string()),
            }
        }
    }
    assert!(texts.len() > paths.len(), "{} of {} can be converted", texts.len() / 3, paths.len());
    judge(&schema, &texts);
}

#[test]
fn generated_descriptions_of_every_schema_fit_the_schema_of_kiwi_ng_or_say_why_not() {
    let Some(schema) = schema() else { return };
    let mut texts = Vec::new();
    let mut refused = 0;
    for (seed, from) in SchemaVersion::ALL.iter().cycle().take(300).enumerate() {
        let text = generated::description(*from, &mut Dice::new(seed as u64 + 1_000));
        match convert("config.xml", &text, Format::Xml, Path::new("/nonexistent")) {
            Ok(text) => texts.push((Format::Xml, text)),
            Err(errors) => {
                assert_unsaid(&errors, &text);
                refused += 1;
            }
        }
    }
    assert!(texts.len() > 20, "{refused} are refused");
    judge(&schema, &texts);
}
