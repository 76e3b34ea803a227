//! Compares every description below `fixtures/descriptions` with the text beside it.
//!
//! `accepted/NAME.xml` has `NAME.txt`, and a file in another format `NAME.FORMAT.txt`: its warnings, the selection of its first
//! type, and the meaning of each other type.
//! `rejected/NAME.xml` has `NAME.txt`, too: every diagnostic with its position, from reading the file or from selecting a type.
//! Run with `UPDATE_FIXTURES=1` to write these texts again, and read the difference before you commit it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use description::{Choice, Description, Diagnostics, Parsed, SchemaVersion, Severity, SourceFile};
use kiwi_tests::program::checkout;

fn descriptions(kind: &str) -> Vec<PathBuf> {
    let base = checkout().join("fixtures/descriptions");
    let mut files = Vec::new();
    for schema in SchemaVersion::ALL {
        let Ok(entries) = fs::read_dir(base.join(schema.number()).join(kind)) else { continue };
        for entry in entries {
            let path = entry.expect("a directory entry").path();
            if path.is_file() && path.extension().is_some_and(|extension| extension != "txt") {
                files.push(path);
            }
        }
    }
    files.sort();
    assert!(!files.is_empty(), "no fixtures of this kind");
    files
}

fn source(path: &Path) -> SourceFile {
    let text = fs::read_to_string(path).expect("a text");
    SourceFile { name: path.file_name().expect("a file").to_string_lossy().into_owned(), text }
}

/// Reads a fixture; the files that it includes are in directories beside it.
fn load(path: &Path) -> Parsed {
    let directory = path.parent().expect("a directory");
    Description::load(source(path), &mut |below| match fs::read_to_string(directory.join(below)) {
        Ok(text) => Ok(SourceFile { name: below.to_owned(), text }),
        Err(_) => Err("there is no such file".to_owned()),
    })
}

/// Returns position, message, marked text, label and help of each diagnostic.
fn listed(diagnostics: &Diagnostics) -> String {
    let mut text = String::new();
    for diagnostic in &diagnostics.0 {
        let (line, column) = diagnostic.span.line_and_column();
        let severity = match diagnostic.severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        let marked = &diagnostic.span.file.text[diagnostic.span.range.clone()];
        if diagnostic.span.file.name.contains('/') {
            write!(text, "{}:", diagnostic.span.file.name).expect("a string");
        }
        writeln!(text, "{line}:{column}: {severity}: {}", diagnostic.message).expect("a string");
        writeln!(text, "    at: {}", marked.replace('\n', "\\n")).expect("a string");
        writeln!(text, "    label: {}", diagnostic.label).expect("a string");
        if let Some(help) = &diagnostic.help {
            writeln!(text, "    help: {help}").expect("a string");
        }
    }
    text
}

/// Compares a text with the expected one, or writes it; returns whether they agree.
fn agrees(path: &Path, actual: &str) -> bool {
    let expected_path = if path.extension().is_some_and(|extension| extension == "xml") {
        path.with_extension("txt")
    } else {
        path.with_added_extension("txt")
    };
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        fs::write(&expected_path, actual).expect("the expected text is written");
        return true;
    }
    let expected = fs::read_to_string(&expected_path).unwrap_or_default();
    if expected != actual {
        eprintln!("{}\n--- expected\n{expected}\n--- got\n{actual}", path.display());
    }
    expected == actual
}

#[test]
fn accepted_descriptions_select_as_expected() {
    let mut failed = Vec::new();
    for path in descriptions("accepted") {
        let parsed = load(&path);
        let mut actual = listed(&parsed.diagnostics);
        let Some(description) = parsed.description else {
            panic!("{} is not accepted:\n{actual}", path.display());
        };
        for (position, entry) in description.types().enumerate() {
            let choice = Choice { image_type: Some(entry.keyword.clone()), ..Choice::default() };
            writeln!(actual, "=== {}", entry.keyword).expect("a string");
            match description.select(&choice) {
                Ok(selection) if position == 0 => writeln!(actual, "{selection:#?}").expect("a string"),
                Ok(selection) => writeln!(actual, "{:#?}", selection.image_type).expect("a string"),
                Err(errors) => actual.push_str(&listed(&errors)),
            }
        }
        if !agrees(&path, &actual) {
            failed.push(path);
        }
    }
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn rejected_descriptions_report_position_and_reason() {
    let mut failed = Vec::new();
    for path in descriptions("rejected") {
        let parsed = load(&path);
        let mut actual = listed(&parsed.diagnostics);
        if let Some(description) = parsed.description {
            match description.select(&Choice::default()) {
                Ok(_) => panic!("{} is accepted", path.display()),
                Err(errors) => {
                    writeln!(actual, "=== select\n{}", listed(&errors).trim_end()).expect("a string");
                }
            }
        }
        if !agrees(&path, &actual) {
            failed.push(path);
        }
    }
    assert!(failed.is_empty(), "{failed:?}");
}

/// Collects the names of rules in the source; those of `rules/` are in tables and have their own corpus.
fn named_rules(directory: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(directory).expect("a directory of the source") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            named_rules(&path, names);
        } else {
            let text = fs::read_to_string(&path).expect("a source file");
            let after = text.split(".rule(\"").skip(1);
            names.extend(after.filter_map(|rest| rest.split('"').next()).map(str::to_owned));
        }
    }
}

#[test]
fn every_rule_that_can_be_broken_is_broken_by_a_fixture() {
    // No text of a description breaks these, but a conversion (convert.rs), too many mistakes (tests/quick/hostile.rs) and
    // the choice of the user (select.rs).
    let mut seen: BTreeSet<String> =
        ["not-convertible", "too-many-problems", "unknown-image-type"].map(str::to_owned).into();
    for path in [descriptions("accepted"), descriptions("rejected")].concat() {
        let parsed = load(&path);
        let mut found = [parsed.diagnostics.0, parsed.deprecated.0].concat();
        for entry in parsed.description.iter().flat_map(Description::types) {
            let choice = Choice { image_type: Some(entry.keyword.clone()), ..Choice::default() };
            let description = parsed.description.as_ref().expect("it has types");
            found.extend(description.select(&choice).err().map(|errors| errors.0).unwrap_or_default());
        }
        if let Some(description) = &parsed.description {
            let selected = description.select(&Choice::default());
            found.extend(selected.err().map(|errors| errors.0).unwrap_or_default());
        }
        seen.extend(found.into_iter().map(|one| one.rule.to_owned()));
    }
    let mut names = BTreeSet::new();
    named_rules(&checkout().join("crates/description/src"), &mut names);
    assert!(names.len() > 20, "{names:?}");
    let without: Vec<&String> = names.difference(&seen).collect();
    assert!(without.is_empty(), "no fixture breaks {without:?}");
}
