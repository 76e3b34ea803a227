//! The frames of JSON-RPC as the language server protocol has them: a header with the length, an empty line, JSON.

use std::io::{BufRead, Write};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::failure::fail;

/// The most bytes of a message.
const LARGEST: usize = 64 << 20;
const LENGTH: &str = "content-length";

/// Reads the next message; `None` at the end of the input.
pub(super) fn read(input: &mut impl BufRead) -> Result<Option<Value>> {
    let mut length = None;
    loop {
        let mut line = String::new();
        if input.read_line(&mut line).context("reading a message of the editor")? == 0 {
            return Ok(None);
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        match line.split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case(LENGTH) => length = value.trim().parse().ok(),
            Some(_) => {}
            None => fail!(Damaged, "the editor sent a line that is not a header: {line:?}"),
        }
    }
    let Some(length) = length.filter(|length| *length <= LARGEST) else {
        fail!(Damaged, "the editor sent a message without a usable length");
    };
    let mut bytes = vec![0; length];
    input.read_exact(&mut bytes).context("reading a message of the editor")?;
    Ok(Some(serde_json::from_slice(&bytes).context("reading a message of the editor")?))
}

/// Writes a message.
pub(super) fn write(output: &mut impl Write, message: &Value) -> Result<()> {
    let text = message.to_string();
    let written =
        write!(output, "Content-Length: {}\r\n\r\n{text}", text.len()).and_then(|()| output.flush());
    written.context("writing a message to the editor")
}

/// Returns the answer to a request.
pub(super) fn answer(id: &Value, result: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "result": result })
}

/// Returns the answer to a request that cannot be served.
pub(super) fn refusal(id: &Value, code: i32, message: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } })
}

/// Returns a message without an answer.
pub(super) fn notification(method: &str, parameters: Value) -> Value {
    json!({ "jsonrpc": "2.0", "method": method, "params": parameters })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let mut bytes = Vec::new();
        let message = notification("a/b", json!({ "text": "ä" }));
        write(&mut bytes, &message).unwrap();
        write(&mut bytes, &answer(&json!(1), Value::Null)).unwrap();
        let mut input = bytes.as_slice();
        assert_eq!(read(&mut input).unwrap(), Some(message));
        assert_eq!(read(&mut input).unwrap().unwrap()["id"], 1);
        assert_eq!(read(&mut input).unwrap(), None);
    }

    #[test]
    fn damaged_frames_are_errors() {
        for text in [
            "Content-Length: 99999999999\r\n\r\n",
            "x\r\n\r\n",
            "Content-Length: 5\r\n\r\n{}",
            "A: b\r\n\r\n{}",
        ] {
            assert!(read(&mut text.as_bytes()).is_err(), "{text:?}");
        }
        let other = "Content-Type: x\r\ncontent-length: 2\r\n\r\n{}";
        assert_eq!(read(&mut other.as_bytes()).unwrap(), Some(json!({})));
    }
}
