//! Shows events to a person: a spinner for each stage on a terminal, plain lines elsewhere, all on standard error.

use std::collections::HashMap;
use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::host::{Event, Listener, StageEnd, printable};

/// Standard error.
pub(super) struct Terminal {
    is_terminal: bool,
    bars: Mutex<HashMap<u64, ProgressBar>>,
}

impl Terminal {
    pub(super) fn new() -> Self {
        Self { is_terminal: std::io::stderr().is_terminal(), bars: Mutex::default() }
    }

    fn start(&self, id: u64, name: &str) {
        if !self.is_terminal {
            return;
        }
        let bar = ProgressBar::new_spinner().with_message(printable::text(name).replace('\n', " "));
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        self.bars.lock().unwrap_or_else(PoisonError::into_inner).insert(id, bar);
    }
}

/// Writes one line for a person; control characters in it are escaped.
pub(super) fn line(text: &str) {
    let _ = std::io::stderr().write_all(format!("{}\n", printable::text(text)).as_bytes());
}

/// Like `line`, for text with colours.
pub(super) fn colored_line(text: &str) {
    let _ = std::io::stderr().write_all(format!("{}\n", printable::colored(text)).as_bytes());
}

impl Listener for Terminal {
    fn event(&self, event: &Event) {
        match event {
            Event::StageStarted { id, name, .. } => self.start(*id, name),
            Event::StageFinished { id, name, seconds, end, .. } => {
                if let Some(bar) = self.bars.lock().unwrap_or_else(PoisonError::into_inner).remove(id) {
                    bar.finish_and_clear();
                }
                let end = match end {
                    StageEnd::Finished | StageEnd::Reused => "done",
                    StageEnd::Failed => "failed",
                };
                line(&format!("{name} ... {end} ({seconds:.1} s)"));
            }
            Event::Progress { id, name, done, total, .. } => {
                if let Some(bar) = self.bars.lock().unwrap_or_else(PoisonError::into_inner).get(id) {
                    let part = u128::from(*done) * 100 / u128::from((*total).max(1));
                    bar.set_message(format!("{}: {part} %", printable::text(name).replace('\n', " ")));
                }
            }
            Event::Artifact(artifact) => line(&format!("{}: {}", artifact.title, artifact.path.display())),
            Event::Warning { message, shown: None, .. } => line(&format!("warning: {message}")),
            Event::Warning { shown: Some(shown), .. } => colored_line(shown),
            Event::Message(text) => line(text),
        }
    }

    fn is_colored(&self) -> bool {
        self.is_terminal
    }
}
