//! No text makes the crate panic, overflow its stack, point outside of the text or convert to something else.

use std::fs;
use std::path::{Path, PathBuf};

use description::{Format, SchemaVersion};
use kiwi_tests::program::checkout;
use proptest::prelude::*;

use super::survive;
use super::survive::mutate::{Dice, keywords, mutate};

/// Asserts what must hold of an XML text.
fn survive(text: String) {
    survive::survive(Format::Xml, &text, SchemaVersion::NEWEST);
}

fn fixtures() -> Vec<String> {
    let base = checkout().join("fixtures/descriptions");
    [
        "1.4/accepted/every-element",
        "1.4/accepted/chapter-debian",
        "8.5/accepted/every-element",
        "8.5/accepted/debian-server",
    ]
    .iter()
    .map(|name| fs::read_to_string(base.join(format!("{name}.xml"))).expect("a fixture"))
    .collect()
}

/// Returns the files of a directory of the repository, sorted by name.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

/// The findings of the fuzz target, in its own form: the numbers of format and schema, then the text.
#[test]
fn findings_of_fuzzing_are_survived() {
    let found = files(&checkout().join("fuzz/corpus"));
    assert!(!found.is_empty());
    for path in found {
        let input = fs::read(&path).expect("an input");
        let [format, schema, text @ ..] = input.as_slice() else { panic!("{} is short", path.display()) };
        let format = Format::ALL[usize::from(*format) % Format::ALL.len()];
        let schema = *SchemaVersion::ALL.get(usize::from(*schema)).unwrap_or(&SchemaVersion::NEWEST);
        survive::survive(format, std::str::from_utf8(text).expect("a text"), schema);
    }
}

/// A short run of the fuzz target without its coverage: the same changes every time.
#[test]
fn descriptions_changed_by_keywords_are_survived() {
    let base = checkout().join("fixtures/descriptions");
    let keywords = keywords();
    let mut dice = Dice(20_261_125);
    for path in SchemaVersion::ALL.iter().map(|schema| base.join(format!("{schema}/accepted"))) {
        for path in if path.is_dir() { files(&path) } else { Vec::new() } {
            let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
            let Some(format) = Format::parse(extension) else { continue };
            let original = fs::read_to_string(&path).expect("a fixture");
            for _ in 0..40 {
                let mut text = original.clone();
                mutate(&mut text, &keywords, &mut dice);
                survive::survive(format, &text, SchemaVersion::NEWEST);
            }
        }
    }
}

fn cut(text: &str, at: usize) -> &str {
    &text[..text.floor_char_boundary(at.min(text.len()))]
}

#[test]
fn deep_nesting_is_refused_without_a_deep_stack() {
    for depth in [40, 1_000, 200_000] {
        survive(format!("<image>{}{}</image>", "<a>".repeat(depth), "</a>".repeat(depth)));
    }
    for depth in [40, 10_000] {
        survive(format!("<image schemeversion=\"1.4\">{}", "<a>".repeat(depth)));
    }
}

#[test]
fn odd_characters_are_survived() {
    for text in [
        "",
        "\0",
        "\u{feff}",
        "\u{feff}<image/>",
        "<",
        "<image",
        "</image>",
        "<image name=\"\0\"/>",
        "<!",
        "<![CDATA[",
        "<image schemeversion=\"1.4\" name=\"\u{1f427}\"/>",
        "<\u{1f427}/>",
        "\r\n<image\r\n\u{e4}=\"\u{f6}\r\n\"/>",
        "<image schemaversion='8.5'>\u{e4}<![CDATA[ \u{f6} ]]></image>",
    ] {
        survive(text.to_owned());
    }
    // Longer than the lengths the parser keeps of a name and of the blanks around `=`.
    survive(format!("<image schemeversion=\"1.4\" {}\u{e4}=\"x\"/>", "a".repeat(70_000)));
    survive(format!("<image schemeversion=\"1.4\" name{}=\"\u{e4}\u{e4}\"/>", " ".repeat(300)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn truncated_descriptions_are_survived(which in 0usize..4, at in 0usize..20_000) {
        let text = &fixtures()[which];
        survive(cut(text, at % text.len()).to_owned());
    }

    #[test]
    fn mutated_descriptions_are_survived(
        which in 0usize..4,
        changes in prop::collection::vec((0usize..20_000, prop::sample::select(vec![
            "<", ">", "/", "\"", "&", "=", " ", ",", "\u{e4}", "0", "-", "true", "<a/>", "</image>", "type", "&amp;",
        ]), any::<bool>()), 1..6),
    ) {
        let mut text = fixtures()[which].clone();
        for (at, piece, replace) in changes {
            let start = cut(&text, at).len();
            let end = if replace { text.ceil_char_boundary((start + piece.len()).min(text.len())) } else { start };
            text.replace_range(start..end, piece);
        }
        survive(text);
    }
}
