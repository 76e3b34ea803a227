//! The open documents, and what the check found in them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use description::{Description, Diagnostic, Diagnostics, Severity, SourceFile};
use serde_json::{Value, json};

use super::{fixes, message, text};
use crate::context::Context;
use crate::operation::{check, load};

/// The kinds of a diagnostic in the protocol.
const ERROR: u32 = 1;
const WARNING: u32 = 2;

/// All open documents by URI.
#[derive(Default)]
pub(super) struct Documents {
    open: BTreeMap<String, Document>,
}

#[derive(Default)]
struct Document {
    text: String,
    /// Those in the document itself.
    found: Vec<Diagnostic>,
    /// Other files in which the last check found something.
    others: Vec<String>,
}

impl Documents {
    pub(super) fn open(&mut self, uri: &str, text: &str) {
        self.open.insert(uri.to_owned(), Document { text: text.to_owned(), ..Document::default() });
    }

    pub(super) fn text(&self, uri: &str) -> Option<&str> {
        self.open.get(uri).map(|document| document.text.as_str())
    }

    pub(super) fn change(&mut self, uri: &str, changes: &Value) {
        let Some(document) = self.open.get_mut(uri) else { return };
        for change in changes.as_array().into_iter().flatten() {
            let _ = text::change(&mut document.text, change);
        }
    }

    /// Forgets a document; its diagnostics are removed.
    pub(super) fn close(&mut self, uri: &str) -> Vec<Value> {
        let others = self.open.remove(uri).map(|document| document.others).unwrap_or_default();
        std::iter::once(uri.to_owned()).chain(others).map(|uri| publish(&uri, &json!([]))).collect()
    }

    /// Checks a document; returns the notifications with what was found.
    pub(super) fn diagnostics(&mut self, uri: &str, context: &Context) -> Vec<Value> {
        let Some(document) = self.open.get_mut(uri) else { return Vec::new() };
        let (own, found) = found(uri, &document.text, context);
        let mut of_others: BTreeMap<String, Vec<Value>> =
            document.others.drain(..).map(|uri| (uri, Vec::new())).collect();
        let mut of_this = Vec::new();
        document.found.clear();
        for diagnostic in found.0 {
            let shown = shown(&diagnostic);
            if diagnostic.span.file.name == own {
                of_this.push(shown);
                document.found.push(diagnostic);
            } else {
                let other = uri_of(Path::new(&diagnostic.span.file.name));
                of_others.entry(other).or_default().push(shown);
            }
        }
        document.others = of_others.keys().cloned().collect();
        let others = of_others.iter().map(|(uri, found)| publish(uri, &json!(found)));
        std::iter::once(publish(uri, &json!(of_this))).chain(others).collect()
    }

    /// Returns the quick fixes in a range.
    pub(super) fn fixes(&self, uri: &str, range: &Value) -> Value {
        let Some(document) = self.open.get(uri) else { return json!([]) };
        let offsets =
            (text::offset(&document.text, &range["start"]), text::offset(&document.text, &range["end"]));
        let (Some(start), Some(end)) = offsets else { return json!([]) };
        let is_here = |found: &&Diagnostic| found.span.range.start <= end && start <= found.span.range.end;
        let action = |found: &Diagnostic| {
            let fix = fixes::of(found)?;
            let edit = |(range, new): &(std::ops::Range<usize>, String)| json!({ "range": text::range(&document.text, range), "newText": new });
            let edits: Vec<Value> = fix.edits.iter().map(edit).collect();
            Some(json!({
                "title": fix.title,
                "kind": "quickfix",
                "diagnostics": [shown(found)],
                "edit": { "changes": { uri: edits } },
            }))
        };
        json!(document.found.iter().filter(is_here).filter_map(action).collect::<Vec<_>>())
    }
}

/// Returns the name of the document in diagnostics, and all diagnostics of a text.
fn found(uri: &str, text: &str, context: &Context) -> (String, Diagnostics) {
    let path = path_of(uri).unwrap_or_else(|| PathBuf::from(uri));
    let alone = || {
        let file = SourceFile { name: path.display().to_string(), text: text.to_owned() };
        let name = file.name.clone();
        let parsed = Description::load(file, &mut |path: &str| Err(format!("{path} is not saved yet")));
        let mut diagnostics = parsed.diagnostics;
        diagnostics.0.extend(parsed.deprecated.0);
        (name, diagnostics)
    };
    // A new file has no directory with the files that it names.
    let Ok(source) = load::open(&path, context) else { return alone() };
    let source = source.with_text(text.to_owned());
    match check::examine(&check::Request::of(path.clone()), &source, context) {
        Ok(examined) => (source.config().display().to_string(), examined.diagnostics),
        Err(_) => alone(),
    }
}

fn shown(diagnostic: &Diagnostic) -> Value {
    let severity = match diagnostic.severity {
        Severity::Error => ERROR,
        Severity::Warning => WARNING,
    };
    let help = diagnostic.help.as_ref().map(|help| format!("\n{help}")).unwrap_or_default();
    let text = &diagnostic.span.file.text;
    json!({
        "range": text::range(text, &diagnostic.span.range),
        "severity": severity,
        "code": diagnostic.rule,
        "source": "kiwi",
        "message": format!("{}{help}", diagnostic.message),
    })
}

fn publish(uri: &str, found: &Value) -> Value {
    message::notification("textDocument/publishDiagnostics", json!({ "uri": uri, "diagnostics": found }))
}

/// Returns the path of a URI of a local file.
fn path_of(uri: &str) -> Option<PathBuf> {
    let path = uri.strip_prefix("file://")?;
    let path = &path[path.find('/')?..];
    let (mut bytes, mut rest) = (Vec::new(), path.as_bytes());
    while let Some((first, more)) = rest.split_first() {
        let digits = rest.get(1..3).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.filter(|_| *first == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &rest[3..];
            }
            None => {
                bytes.push(*first);
                rest = more;
            }
        }
    }
    use std::os::unix::ffi::OsStringExt;
    Some(PathBuf::from(std::ffi::OsString::from_vec(bytes)))
}

fn uri_of(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let escaped = path.as_os_str().as_bytes().iter().map(|byte| match allowed(*byte) {
        true => char::from(*byte).to_string(),
        false => format!("%{byte:02X}"),
    });
    format!("file://{}", escaped.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_name_paths() {
        for (uri, path) in [("file:///a/b%20c/ä.xml", "/a/b c/ä.xml"), ("file://host/a%2", "/a%2")] {
            assert_eq!(path_of(uri), Some(PathBuf::from(path)));
        }
        assert_eq!(path_of("untitled:1"), None);
        assert_eq!(uri_of(Path::new("/a b/ä")), "file:///a%20b/%C3%A4");
        assert_eq!(path_of(&uri_of(Path::new("/a b/ä%"))), Some(PathBuf::from("/a b/ä%")));
    }
}
