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
    #[allow(clippy::disallowed_methods, reason = "a test is its own host")]
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.xml");
        std::fs::write(&path, "<image/>").unwrap();
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
