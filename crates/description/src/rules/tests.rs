//! Every rule against `fixtures/corpus/rules.txt`.

use std::collections::BTreeSet;

use super::RULES;
use crate::{Description, Diagnostic, Severity, SourceFile};

const CORPUS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/corpus/rules.txt"));

/// Returns the messages of that severity for a description with these sections.
fn told(sections: &str, severity: Severity) -> (String, Vec<Diagnostic>) {
    let preferences = "<preferences><version>1.0.0</version>";
    let sections = match sections {
        types if types.starts_with("<type") => format!("{preferences}{types}</preferences>"),
        whole if whole.contains("<preferences") => whole.to_owned(),
        others => format!("{preferences}<type image=\"tbz\"/></preferences>{others}"),
    };
    let text = format!(
        "<image schemaversion=\"8.5\" name=\"x\"><description type=\"system\"><author>a</author>\
         <contact>c</contact><specification>s</specification></description>{sections}</image>"
    );
    let parsed = Description::parse(SourceFile { name: "config.xml".to_owned(), text: text.clone() });
    let told = parsed.diagnostics.0.into_iter();
    // A keyword without effect is a warning too, which does not come from a rule.
    let told = told
        .filter(|one| one.severity == severity && !one.message.ends_with("not used by this version of kiwi"));
    (text, told.collect())
}

#[test]
fn every_rule_accepts_and_rejects_its_corpus_entries() {
    let mut rule = "";
    let mut seen: BTreeSet<(&str, char)> = BTreeSet::new();
    let mut rejected: Option<Diagnostic> = None;
    for line in CORPUS.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
            rule = name;
        } else if let Some(sections) = line.strip_prefix("+ ") {
            for severity in [Severity::Error, Severity::Warning] {
                let (text, told) = told(sections, severity);
                assert!(told.is_empty(), "{rule}: {text}: {told:#?}");
            }
            seen.insert((rule, '+'));
        } else if let Some(sections) = line.strip_prefix("- ").or_else(|| line.strip_prefix("? ")) {
            let severity = if line.starts_with('-') { Severity::Error } else { Severity::Warning };
            let (before, rest) = sections.split_once("{{").expect("a mark");
            let (marked, after) = rest.split_once("}}").expect("the end of a mark");
            let (text, mut errors) = told(&format!("{before}{marked}{after}"), severity);
            assert_eq!(errors.len(), 1, "{rule}: {text}: {errors:#?}");
            let error = errors.remove(0);
            assert_eq!(error.rule, rule);
            let location = text.find(before).map(|start| start + before.len()).expect("the text");
            assert_eq!(error.span.range, location..location + marked.len(), "{rule}: {text}: {error:#?}");
            assert!(!error.label.is_empty() && error.help.is_some(), "{rule}: {error:#?}");
            rejected = Some(error);
        } else if let Some(message) = line.strip_prefix("= ") {
            let error = rejected.take().expect("something rejected before the message");
            assert_eq!(error.message, message, "{rule}");
            seen.insert((rule, '-'));
        }
    }
    let known: BTreeSet<(&str, char)> =
        RULES.iter().copied().flatten().flat_map(|rule| [(rule.name, '+'), (rule.name, '-')]).collect();
    assert_eq!(seen, known, "every rule has accepted and rejected examples, and there are no other names");
}
