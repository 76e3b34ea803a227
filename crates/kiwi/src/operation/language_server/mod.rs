//! `kiwi language-server`: diagnostics, completion, explanations and quick fixes for editors, over standard input and output.
//!
//! ```text
//! editor -> message -> Session (open documents) -> check of the description with the text of the editor -> diagnostics
//!                                               -> cursor in the text -> tables of the vocabulary -> completion, hover
//! ```
//!
//! The diagnostics are those of `kiwi check`, at the same positions.

mod answers;
mod cursor;
mod documents;
mod fixes;
mod mapping_answers;
mod mapping_cursor;
mod message;
mod text;

use std::io::{BufRead, Write};

use anyhow::Result;
use serde_json::{Value, json};

use super::outcome::Outcome;
use crate::context::Context;
use documents::Documents;

/// A method that the server does not have (JSON-RPC 2.0).
const UNKNOWN_METHOD: i32 = -32601;

/// Nothing: the editor sends what it needs.
#[derive(Debug, Clone, Copy)]
pub struct Request;

/// Serves one editor until it ends the connection.
pub fn run(_: &Request, context: &Context) -> Result<Outcome> {
    serve(&mut std::io::stdin().lock(), &mut std::io::stdout().lock(), context)?;
    Ok(Outcome::Done)
}

fn serve(input: &mut impl BufRead, output: &mut impl Write, context: &Context) -> Result<()> {
    let mut session = Session { documents: Documents::default(), context };
    while let Some(received) = message::read(input)? {
        if received["method"] == "exit" {
            break;
        }
        for sent in session.receive(&received) {
            message::write(output, &sent)?;
        }
    }
    Ok(())
}

/// The open documents of one editor.
struct Session<'a> {
    documents: Documents,
    context: &'a Context,
}

impl Session<'_> {
    /// Returns what the server sends for a message.
    fn receive(&mut self, received: &Value) -> Vec<Value> {
        let (method, parameters) = (received["method"].as_str().unwrap_or_default(), &received["params"]);
        let document = &parameters["textDocument"];
        let uri = document["uri"].as_str().unwrap_or_default();
        match (method, received.get("id")) {
            ("textDocument/didOpen", _) => {
                self.documents.open(uri, document["text"].as_str().unwrap_or_default());
                self.documents.diagnostics(uri, self.context)
            }
            ("textDocument/didChange", _) => {
                self.documents.change(uri, &parameters["contentChanges"]);
                self.documents.diagnostics(uri, self.context)
            }
            ("textDocument/didSave", _) => self.documents.diagnostics(uri, self.context),
            ("textDocument/didClose", _) => self.documents.close(uri),
            ("initialize", Some(id)) => vec![message::answer(id, capabilities())],
            ("shutdown", Some(id)) => vec![message::answer(id, Value::Null)],
            (_, Some(id)) if received.get("method").is_some() => {
                let answer = self.documents.text(uri).and_then(|text| match method {
                    "textDocument/completion" => answers::completion(uri, text, &parameters["position"]),
                    "textDocument/hover" => answers::hover(uri, text, &parameters["position"]),
                    "textDocument/codeAction" => Some(self.documents.fixes(uri, &parameters["range"])),
                    _ => None,
                });
                let is_known = ["completion", "hover", "codeAction"]
                    .iter()
                    .any(|name| method.strip_prefix("textDocument/") == Some(name));
                vec![match answer {
                    Some(result) => message::answer(id, result),
                    None if is_known => message::answer(id, Value::Null),
                    None => message::refusal(id, UNKNOWN_METHOD, &format!("no method {method}")),
                }]
            }
            // Answers to the server, which asks nothing, and notifications that it does not need.
            _ => Vec::new(),
        }
    }
}

fn capabilities() -> Value {
    const INCREMENTAL: u32 = 2;
    json!({
        "capabilities": {
            "textDocumentSync": { "openClose": true, "change": INCREMENTAL, "save": true },
            "completionProvider": { "triggerCharacters": ["<", " ", "\"", "'", "@"] },
            "hoverProvider": true,
            "codeActionProvider": { "codeActionKinds": ["quickfix"] },
        },
        "serverInfo": { "name": "kiwi", "version": env!("CARGO_PKG_VERSION") },
    })
}

#[cfg(test)]
mod tests;
