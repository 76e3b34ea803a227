//! What the user sees while the work goes on: a spinner on a terminal, plain lines elsewhere, JSON events for programs.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::usage::{FromCache, Span, Spans, Usage};

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// For a person: bars on a terminal, lines elsewhere, on standard error.
    Human,
    /// One JSON object a line on standard output.
    Json,
    /// Nothing but errors.
    Quiet,
}

/// Shows stages, warnings and results.
pub struct Progress {
    output: Output,
    terminal: bool,
}

/// A piece of work that is going on.
pub struct RunningStage<'a> {
    progress: &'a Progress,
    spans: &'a Spans,
    before: (f64, Usage),
    cache: Option<FromCache>,
    text: String,
    started: Instant,
    bar: Option<ProgressBar>,
    finished: bool,
}

#[derive(serde::Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Event<'a> {
    StageStarted { stage: &'a str },
    StageProgress { stage: &'a str, done: u64, total: u64 },
    StageFinished { stage: &'a str, seconds: f64 },
    StageFailed { stage: &'a str, seconds: f64 },
    Warning { text: &'a str },
    Message { text: &'a str },
}

impl Progress {
    pub(super) fn new(output: Output) -> Self {
        Self { output, terminal: output == Output::Human && std::io::stderr().is_terminal() }
    }

    pub(super) fn stage<'a>(&'a self, text: String, spans: &'a Spans) -> RunningStage<'a> {
        self.event(&Event::StageStarted { stage: &text });
        let bar = self.terminal.then(|| {
            let bar = ProgressBar::new_spinner().with_message(text.clone());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        let before = (spans.now(), Usage::so_far());
        RunningStage {
            progress: self,
            spans,
            before,
            cache: None,
            text,
            started: Instant::now(),
            bar,
            finished: false,
        }
    }

    pub(super) fn warn(&self, text: &str) {
        match self.output {
            Output::Human => self.line(&format!("warning: {text}")),
            Output::Json => self.event(&Event::Warning { text }),
            Output::Quiet => {}
        }
    }

    pub(super) fn say(&self, text: &str) {
        match self.output {
            Output::Human => self.line(text),
            Output::Json => self.event(&Event::Message { text }),
            Output::Quiet => {}
        }
    }

    pub(super) fn print(&self, text: &str) {
        match self.output {
            Output::Human | Output::Quiet => drop(writeln!(std::io::stdout(), "{text}")),
            Output::Json => self.event(&Event::Message { text }),
        }
    }

    /// Text as it is, with an end of line.
    pub(super) fn print_document(&self, text: &str) {
        let end = if text.ends_with('\n') { "" } else { "\n" };
        drop(write!(std::io::stdout(), "{text}{end}"));
    }

    pub(super) fn is_terminal(&self) -> bool {
        self.terminal
    }

    fn line(&self, text: &str) {
        if self.output == Output::Human {
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }

    fn event(&self, event: &Event<'_>) {
        if self.output == Output::Json
            && let Ok(line) = serde_json::to_string(event)
        {
            let _ = writeln!(std::io::stdout(), "{line}");
        }
    }
}

impl RunningStage<'_> {
    /// How far the work is, in any unit; shown in per cent behind its text.
    pub fn advance(&self, done: u64, total: u64) {
        self.progress.event(&Event::StageProgress { stage: &self.text, done, total });
        if let Some(bar) = &self.bar {
            let part = u128::from(done) * 100 / u128::from(total.max(1));
            bar.set_message(format!("{}: {part} %", self.text));
        }
    }

    /// The work is one of the cache's.
    #[must_use]
    pub fn of_cache(mut self, cache: FromCache) -> Self {
        self.cache = Some(cache);
        self
    }

    /// The work is done.
    pub fn finish(mut self) {
        self.finished = true;
    }
}

impl Drop for RunningStage<'_> {
    fn drop(&mut self) {
        let seconds = self.started.elapsed().as_secs_f64();
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        self.spans.add(Span {
            name: self.text.clone(),
            start: self.before.0,
            end: self.spans.now(),
            usage: Usage::so_far().since(self.before.1),
            cache: self.cache,
            succeeded: self.finished,
        });
        let stage = self.text.as_str();
        if self.finished {
            self.progress.line(&format!("{stage} ... done ({seconds:.1} s)"));
            self.progress.event(&Event::StageFinished { stage, seconds });
        } else {
            self.progress.line(&format!("{stage} ... failed ({seconds:.1} s)"));
            self.progress.event(&Event::StageFailed { stage, seconds });
        }
    }
}
