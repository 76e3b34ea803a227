//! SARIF 2.1.0, the format of static analysis results that code hosts and editors read.

use std::collections::BTreeSet;

use anyhow::Result;
use description::{Diagnostic, Diagnostics, Severity};
use serde_json::{Value, json};

use super::report::Location;

/// URL of the schema, as in the standard.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Returns one run of one tool; its rules are those that were violated.
pub fn sarif(diagnostics: &Diagnostics) -> Result<String> {
    let names: BTreeSet<&str> = diagnostics.0.iter().map(|one| one.rule).collect();
    let names: Vec<&str> = names.into_iter().collect();
    let results: Vec<Value> = diagnostics.0.iter().map(|one| result(one, &names)).collect();
    let rules: Vec<Value> = names.iter().map(|name| rule(name)).collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "kiwi",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    Ok(serde_json::to_string_pretty(&log)?)
}

/// Returns a rule by its name.
fn rule(name: &str) -> Value {
    let mut letters = name.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase()).into_iter();
    let title: String = first.chain(letters.map(|letter| if letter == '-' { ' ' } else { letter })).collect();
    json!({"id": name, "shortDescription": {"text": title}})
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn result(diagnostic: &Diagnostic, rules: &[&str]) -> Value {
    let file = &diagnostic.span.file;
    let [start, end] =
        [diagnostic.span.range.start, diagnostic.span.range.end].map(|offset| Location::of(file, offset));
    let mut text = diagnostic.message.clone();
    for part in
        [Some(diagnostic.label.as_str()).filter(|label| !label.is_empty()), diagnostic.help.as_deref()]
    {
        text.extend(part.into_iter().flat_map(|part| ["; ", part]));
    }
    json!({
        "ruleId": diagnostic.rule,
        "ruleIndex": rules.iter().position(|name| *name == diagnostic.rule),
        "level": level(diagnostic.severity),
        "message": {"text": text},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": uri(&file.name)},
            "region": {
                "startLine": start.line,
                "startColumn": start.column,
                "endLine": end.line,
                "endColumn": end.column,
            },
        }}],
    })
}

/// Returns a path as a URI reference with reserved characters escaped.
fn uri(path: &str) -> String {
    let mut uri = if path.starts_with('/') { "file://".to_owned() } else { String::new() };
    for byte in path.trim_start_matches("./").bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => {
                uri.push(char::from(byte));
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use description::{SourceFile, Span};

    use super::*;

    #[test]
    fn paths_become_uris() {
        assert_eq!(uri("./desc/config.xml"), "desc/config.xml");
        assert_eq!(uri("/my images/ä.kiwi"), "file:///my%20images/%C3%A4.kiwi");
    }

    #[test]
    fn a_result_has_the_required_properties() {
        let file =
            Arc::new(SourceFile { name: "config.xml".to_owned(), text: "<a>\n <b/>\n</a>".to_owned() });
        let wrong = Diagnostic::error(Span { file, range: 6..7 }, "there is no `<b>`")
            .rule("unknown-element")
            .label("here")
            .help("remove it");
        let log: Value = serde_json::from_str(&sarif(&Diagnostics(vec![wrong])).unwrap()).unwrap();
        assert_eq!(log["version"], "2.1.0");
        let run = &log["runs"][0];
        let result = &run["results"][0];
        let rule = json!({"id": "unknown-element", "shortDescription": {"text": "Unknown element"}});
        assert_eq!(run["tool"]["driver"]["rules"], json!([rule]));
        assert_eq!((&result["ruleId"], &result["ruleIndex"]), (&rule["id"], &json!(0)));
        assert_eq!(result["message"]["text"], "there is no `<b>`; here; remove it");
        let region = &result["locations"][0]["physicalLocation"]["region"];
        assert_eq!(*region, json!({"startLine": 2, "startColumn": 3, "endLine": 2, "endColumn": 4}));
    }
}
