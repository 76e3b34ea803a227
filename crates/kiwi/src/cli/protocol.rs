//! `--json`: one JSON object per line on standard output, described in `docs/json.md`.

use std::io::Write;

use serde_json::{Value, json};

use crate::error::Error;
use crate::host::{ArtifactFacts, Event, Host, Listener};
use crate::operation::Outcome;

/// Version of the protocol. New fields and events keep it; a change of an existing one raises it.
const VERSION: u32 = 1;

/// The renderer that writes to standard output.
pub(super) struct Protocol;

impl Listener for Protocol {
    fn owns_stdout(&self) -> bool {
        true
    }

    fn event(&self, event: &Event) {
        write(match event {
            Event::StageStarted { id, task, name, time } => {
                json!({"event": "stage", "id": id, "task": task, "name": name, "state": "started", "time": time})
            }
            Event::StageFinished { id, task, name, time, seconds, end, cached } => {
                let mut event = json!({"event": "stage", "id": id, "task": task, "name": name, "state": end, "time": time, "seconds": seconds});
                if let Some(keyword) = cached {
                    event["cached"] = (*keyword).into();
                }
                event
            }
            Event::Progress { id, done, total, unit, detail, bytes, bytes_total, .. } => {
                let mut event =
                    json!({"event": "progress", "stage": id, "done": done, "total": total, "unit": unit});
                if let Some(detail) = detail {
                    event["detail"] = detail.as_str().into();
                }
                if let Some(bytes) = bytes {
                    event["bytes"] = (*bytes).into();
                }
                if let Some(total) = bytes_total {
                    event["bytes_total"] = (*total).into();
                }
                event
            }
            Event::Artifact(artifact) => artifact_event(artifact),
            Event::Warning { code, message, position, .. } => {
                json!({"event": "warning", "code": code, "message": message, "position": position})
            }
            Event::Message(text) => json!({"event": "message", "text": text}),
        });
    }
}

fn artifact_event(artifact: &ArtifactFacts) -> Value {
    json!({
        "event": "artifact",
        "path": artifact.path.to_string_lossy(),
        "role": artifact.role,
        "size": artifact.size,
        "digests": artifact.digests,
    })
}

/// Writes the last event of a successful run.
pub(super) fn result(verb: &str, outcome: &Outcome, host: &Host) {
    write(json!({"event": "result", "verb": verb, "outcome": outcome, "log": log_of(host)}));
}

/// Writes the last event of a failed run.
pub(super) fn error(error: &Error, exit_code: u8, host: Option<&Host>) {
    let mut event = json!({
        "event": "error",
        "kind": error.kind,
        "message": error.message(),
        "remedy": error.remedy(),
        "position": error.position(),
        "exit_code": exit_code,
        "log": host.and_then(log_of),
    });
    if let Some(report) = &error.report {
        event["report"] = report.clone();
    }
    write(event);
}

fn log_of(host: &Host) -> Option<String> {
    host.log().path().map(|path| path.display().to_string())
}

fn write(mut event: Value) {
    event["version"] = VERSION.into();
    // One call per line, so that a reader never sees part of a line.
    let _ = std::io::stdout().write_all(format!("{event}\n").as_bytes());
}
