//! No text makes the crate panic, overflow its stack or point outside of the text.

use std::fs;
use std::path::Path;

use description::{Choice, Description, SourceFile};
use proptest::prelude::*;

/// Parses, selects what can be selected, and looks at every place that is named.
fn survive(text: String) {
    let parsed = Description::parse(SourceFile { name: "config.xml".into(), text });
    assert_eq!(parsed.description.is_none(), parsed.diagnostics.has_errors());
    let mut told = parsed.diagnostics;
    if let Some(description) = parsed.description {
        let types: Vec<String> = description.types().map(|entry| entry.word.clone()).collect();
        for image_type in types {
            let choice = Choice { image_type: Some(image_type), ..Choice::default() };
            if let Err(errors) = description.select(&choice) {
                assert!(errors.has_errors(), "a refusal without a reason");
                told.0.extend(errors.0);
            }
        }
    }
    for diagnostic in told.0 {
        diagnostic.span.line_and_column();
        assert!(diagnostic.span.file.text.get(diagnostic.span.range.clone()).is_some(), "{diagnostic:?}");
        assert!(!diagnostic.message.is_empty() && !diagnostic.label.is_empty(), "{diagnostic:?}");
    }
}

fn fixtures() -> Vec<String> {
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/descriptions");
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
        survive(cut(&fixtures()[which], at).to_owned());
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
