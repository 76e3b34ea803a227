//! A session with an editor.

use super::*;
use crate::debugging::Options;
use crate::host::{Host, Output};
use crate::source::AllowedPaths;

const TEXT: &str = "<image schemaversion=\"8.5\" name=\"a\">\n  <description type=\"system\"><author>A</author>\
    <contact>a@example.org</contact><specification>S</specification></description>\n  <preferences>\n    \
    <verzion>1.0.0</verzion>\n    <packagemanager>apt</packagemanager>\n    <type image=\"oem\" filesystem=\"ext4\"/>\n  \
    </preferences>\n</image>\n";
/// The line of the mistake.
const LINE: u64 = 3;

struct Editor {
    messages: Vec<Value>,
    uri: String,
    _directory: tempfile::TempDir,
}

impl Editor {
    fn new() -> Self {
        Self::of("config.xml")
    }

    #[allow(clippy::disallowed_methods, reason = "a test is its own host")]
    fn of(name: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(name);
        std::fs::write(&path, "").unwrap();
        let messages = vec![json!({ "id": 0, "method": "initialize", "params": {} })];
        Self { messages, uri: format!("file://{}", path.display()), _directory: directory }
    }

    fn send(&mut self, method: &str, mut parameters: Value) -> &mut Self {
        parameters["textDocument"]["uri"] = json!(self.uri);
        let id = self.messages.len();
        let mut message = json!({ "jsonrpc": "2.0", "method": method, "params": parameters });
        if !method.contains("/did") {
            message["id"] = json!(id);
        }
        self.messages.push(message);
        self
    }

    /// Returns what the server sends.
    fn answers(&self) -> Vec<Value> {
        let mut input = Vec::new();
        for sent in &self.messages {
            message::write(&mut input, sent).unwrap();
        }
        let context = Context::new(Host::new(Output::Quiet), AllowedPaths::default(), Options::default());
        let mut output = Vec::new();
        serve(&mut input.as_slice(), &mut output, &context).unwrap();
        let (mut output, mut answers) = (output.as_slice(), Vec::new());
        while let Some(answer) = message::read(&mut output).unwrap() {
            answers.push(answer);
        }
        answers
    }
}

fn at(line: u64, character: u64) -> Value {
    json!({ "position": { "line": line, "character": character } })
}

#[test]
fn a_mistake_is_shown_and_fixed() {
    let mut editor = Editor::new();
    editor.send("textDocument/didOpen", json!({ "textDocument": { "text": TEXT } }));
    let range = json!({ "start": { "line": LINE, "character": 6 }, "end": { "line": LINE, "character": 6 } });
    editor.send("textDocument/codeAction", json!({ "range": range }));
    let answers = editor.answers();
    let found = &answers[1]["params"]["diagnostics"];
    assert_eq!(found[0]["code"], "unknown-element", "{answers:#?}");
    assert_eq!(found[0]["range"]["start"], json!({ "line": LINE, "character": 5 }));
    assert_eq!(found[0]["range"]["end"], json!({ "line": LINE, "character": 12 }));
    let action = &answers[2]["result"][0];
    assert_eq!(action["title"], "Write version instead of verzion", "{answers:#?}");
    let edits = action["edit"]["changes"][&editor.uri].as_array().unwrap();
    // As an editor does it: the edits, then the diagnostics of the new text.
    let mut changes: Vec<Value> =
        edits.iter().map(|edit| json!({ "range": edit["range"], "text": edit["newText"] })).collect();
    changes.reverse();
    editor.send("textDocument/didChange", json!({ "contentChanges": changes }));
    editor.send("textDocument/didClose", json!({}));
    let answers = editor.answers();
    let rules: Vec<&Value> =
        answers[3]["params"]["diagnostics"].as_array().unwrap().iter().map(|one| &one["code"]).collect();
    assert!(!rules.iter().any(|rule| **rule == "unknown-element"), "{answers:#?}");
    assert_eq!(answers[4]["params"]["diagnostics"], json!([]), "a closed document has none");
}

#[test]
fn words_are_completed_and_explained() {
    let mut editor = Editor::new();
    editor.send("textDocument/didOpen", json!({ "textDocument": { "text": TEXT } }));
    editor.send("textDocument/completion", at(5, 10));
    editor.send("textDocument/completion", at(5, 18));
    editor.send("textDocument/completion", at(LINE, 5));
    editor.send("textDocument/hover", at(5, 28));
    editor.send("textDocument/hover", at(0, 0));
    editor.send("textDocument/rename", at(0, 0));
    let answers = editor.answers();
    let labels = |answer: &Value| {
        let items = answer["result"].as_array().unwrap();
        items.iter().map(|item| item["label"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(
        labels(&answers[2]).contains(&"bootloader_console".to_owned())
            || labels(&answers[2]).contains(&"format".to_owned())
    );
    assert!(labels(&answers[3]).contains(&"iso".to_owned()), "{:?}", answers[3]);
    assert!(labels(&answers[4]).contains(&"packagemanager".to_owned()), "{:?}", answers[4]);
    let explained = answers[5]["result"]["contents"]["value"].as_str().unwrap();
    assert!(explained.starts_with("`filesystem` of `<type>`"), "{explained}");
    assert_eq!(answers[6]["result"], Value::Null);
    assert_eq!(answers[7]["error"]["code"], UNKNOWN_METHOD);
}

#[test]
fn keys_and_values_of_mappings_are_completed_and_explained() {
    let yaml = "image:\n  \"@schemaversion\": \"8.5\"\n  preferences:\n    packagemanager: a\n    type:\n      \"@image\": \"o\"\n      \"@f\"\n  pre\n";
    let toml = "[image]\n\"@schemaversion\" = \"8.5\"\n[image.preferences]\npackagemanager = \"a\"\n[image.preferences.type]\n\"@image\" = \"o\"\n\"@f\"\n[image.pre";
    let range = |line: u64, from: u64, to: u64| json!({ "start": { "line": line, "character": from }, "end": { "line": line, "character": to } });
    // Line and column of an incomplete word; a label, and the edit that it makes.
    let in_yaml = [
        ((3, 21), "apt", "apt", range(3, 20, 21)),
        ((5, 18), "oem", "\"oem\"", range(5, 16, 19)),
        ((6, 9), "@filesystem", "\"@filesystem\"", range(6, 6, 10)),
        ((7, 5), "packages", "packages", range(7, 2, 5)),
    ];
    let in_toml = [
        ((3, 19), "apt", "\"apt\"", range(3, 17, 20)),
        ((5, 13), "oem", "\"oem\"", range(5, 11, 14)),
        ((6, 3), "@filesystem", "\"@filesystem\"", range(6, 0, 4)),
        ((7, 10), "preferences", "preferences", range(7, 7, 10)),
    ];
    for (name, text, cases, hovered) in
        [("config.yaml", yaml, in_yaml, (5, 10)), ("config.toml", toml, in_toml, (5, 4))]
    {
        let mut editor = Editor::of(name);
        editor.send("textDocument/didOpen", json!({ "textDocument": { "text": text } }));
        for ((line, column), ..) in &cases {
            editor.send("textDocument/completion", at(*line, *column));
        }
        editor.send("textDocument/hover", at(hovered.0, hovered.1));
        let answers = editor.answers();
        for (answer, (_, label, new, range)) in answers[2..].iter().zip(cases) {
            let items = answer["result"].as_array().unwrap_or_else(|| panic!("{name}: {label}: {answer}"));
            let item = items.iter().find(|item| item["label"] == label);
            let item = item.unwrap_or_else(|| panic!("{name}: no {label}: {items:?}"));
            assert_eq!(item["textEdit"], json!({ "range": range, "newText": new }), "{name}");
        }
        let explained = answers[6]["result"]["contents"]["value"].as_str().unwrap();
        assert!(explained.starts_with("`image` of `<type>`"), "{explained}");
    }
}
