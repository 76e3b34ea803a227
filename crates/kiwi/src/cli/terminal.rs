//! Shows events to a person on standard error: on a terminal a line for each stage with how far it is, elsewhere plain lines.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex, Once, PoisonError, Weak};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::cli::advance::{self, Advance};
use crate::host::{Event, Listener, StageEnd, TerminalStyle, printable};

/// Without a terminal a line is written at least this often, so that nobody takes a long stage for one that hangs.
const SILENCE: Duration = Duration::from_secs(50);

/// Columns of a stage's line around its name and progress: the spinner and the time.
const AROUND: usize = 9;

/// Standard error.
pub(super) struct Terminal {
    /// Lines of running stages are redrawn.
    is_live: bool,
    is_colored: bool,
    /// Starts the thread that ends a long silence, with the first stage: what has no stages is done at once.
    first_stage: Once,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    bars: MultiProgress,
    stages: BTreeMap<u64, Running>,
    /// When the last line was written.
    spoke: Option<Instant>,
}

/// A stage that runs.
struct Running {
    name: String,
    advance: Advance,
    bar: Option<ProgressBar>,
}

impl Terminal {
    pub(super) fn new() -> Self {
        let TerminalStyle { is_live, is_colored } = TerminalStyle::of_stderr();
        Self { is_live, is_colored, first_stage: Once::new(), state: Arc::default() }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self, id: u64, name: &str) {
        if !self.is_live {
            self.first_stage.call_once(|| speak_now_and_then(Arc::downgrade(&self.state)));
        }
        let name = printable::text(name).replace('\n', " ");
        let mut state = self.state();
        let bar = self.is_live.then(|| {
            let bar = state.bars.add(ProgressBar::new_spinner().with_message(name.clone()));
            // A message that is too long for the line is cut.
            if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        state.stages.insert(id, Running { name, advance: Advance::default(), bar });
    }

    /// Writes a line above those of the running stages.
    fn line(&self, write: impl FnOnce()) {
        let mut state = self.state();
        state.spoke = Some(Instant::now());
        state.bars.suspend(write);
    }
}

/// Starts a thread that names the running stages when nothing was written for a while. It ends with the program.
fn speak_now_and_then(state: Weak<Mutex<State>>) {
    std::thread::spawn(move || {
        let started = Instant::now();
        loop {
            std::thread::sleep(Duration::from_secs(5));
            let Some(state) = state.upgrade() else { return };
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            if state.spoke.unwrap_or(started).elapsed() < SILENCE {
                continue;
            }
            state.spoke = Some(Instant::now());
            for stage in state.stages.values() {
                line(&format!("{}: {}", stage.name, stage.advance.shown()));
            }
        }
    });
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
                if let Some(bar) = self.state().stages.remove(id).and_then(|stage| stage.bar) {
                    bar.finish_and_clear();
                }
                let end = match end {
                    StageEnd::Finished => "done",
                    StageEnd::Reused => "reused",
                    StageEnd::Failed => "failed",
                };
                self.line(|| line(&format!("{name} ... {end} ({})", advance::time(*seconds))));
            }
            Event::Progress { id, done, total, unit, detail, bytes, bytes_total, .. } => {
                if let Some(stage) = self.state().stages.get_mut(id) {
                    stage.advance.update(*done, *total, *unit, (*bytes, *bytes_total), detail.as_deref());
                    if let Some(bar) = &stage.bar {
                        let room = TerminalStyle::columns_of_stderr().saturating_sub(AROUND);
                        bar.set_message(stage.advance.named(&stage.name, room));
                    }
                }
            }
            Event::Artifact(artifact) => self.line(|| {
                let size = printable::size(artifact.size);
                line(&format!("{}: {} ({size})", artifact.title, artifact.path.display()));
            }),
            Event::Warning { message, shown: None, .. } => self.line(|| line(&format!("warning: {message}"))),
            Event::Warning { shown: Some(shown), .. } => self.line(|| colored_line(shown)),
            Event::Message(text) => self.line(|| line(text)),
        }
    }

    fn pause(&self) {
        let state = self.state();
        // Otherwise the lines that are shown stay.
        let _ = state.bars.clear();
        state.bars.set_draw_target(indicatif::ProgressDrawTarget::hidden());
    }

    fn resume(&self) {
        self.state().bars.set_draw_target(indicatif::ProgressDrawTarget::stderr());
    }

    fn is_colored(&self) -> bool {
        self.is_colored
    }
}
