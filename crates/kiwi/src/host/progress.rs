//! The stages of a run: each is an event at its beginning and its end, and a span of the report of `--timings`.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::event::{ArtifactFacts, Event, Listener, Output, StageEnd, Unit};
use super::log::Log;
use super::stage_task::StageTask;
use super::usage::{FromCache, Span, Spans, Usage};

/// The time between two looks at a growing file.
const SAMPLE: Duration = Duration::from_millis(500);

/// Sends events to the listener, one at a time.
pub(super) struct Progress {
    output: Mutex<Output>,
    colored: bool,
    owns_stdout: bool,
    stages: AtomicU64,
    artifacts: Mutex<Vec<ArtifactFacts>>,
}

/// A piece of work that is going on.
pub struct RunningStage<'a> {
    progress: &'a Progress,
    spans: &'a Spans,
    log: &'a Log,
    before: (f64, Usage),
    cache: Option<FromCache>,
    cached: Option<&'static str>,
    id: u64,
    task: StageTask,
    name: String,
    started: Instant,
    finished: bool,
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |elapsed| elapsed.as_secs_f64())
}

impl Progress {
    pub(super) fn new(output: Output) -> Self {
        let owns_stdout = matches!(&output, Output::To(listener) if listener.owns_stdout());
        let colored = match &output {
            Output::Quiet => false,
            Output::To(listener) => listener.is_colored(),
        };
        Self {
            output: Mutex::new(output),
            colored,
            owns_stdout,
            stages: AtomicU64::new(1),
            artifacts: Mutex::new(Vec::new()),
        }
    }

    pub(super) fn stage<'a>(
        &'a self,
        task: StageTask,
        name: String,
        spans: &'a Spans,
        log: &'a Log,
    ) -> RunningStage<'a> {
        let id = self.stages.fetch_add(1, Ordering::SeqCst);
        self.event(&Event::StageStarted { id, task, name: name.clone(), time: now() });
        let before = (spans.now(), Usage::so_far());
        RunningStage {
            progress: self,
            spans,
            log,
            before,
            cache: None,
            cached: None,
            id,
            task,
            name,
            started: Instant::now(),
            finished: false,
        }
    }

    pub(super) fn event(&self, event: &Event) {
        match &*self.output.lock().unwrap_or_else(PoisonError::into_inner) {
            Output::Quiet => {}
            Output::To(listener) => listener.event(event),
        }
    }

    pub(super) fn artifact(&self, artifact: ArtifactFacts) {
        self.event(&Event::Artifact(artifact.clone()));
        self.artifacts.lock().unwrap_or_else(PoisonError::into_inner).push(artifact);
    }

    pub(super) fn artifacts(&self) -> Vec<ArtifactFacts> {
        self.artifacts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Stops drawing while `work` has the terminal.
    pub(super) fn paused<T>(&self, work: impl FnOnce() -> T) -> T {
        let each = |tell: fn(&dyn Listener)| {
            if let Output::To(listener) = &*self.output.lock().unwrap_or_else(PoisonError::into_inner) {
                tell(listener.as_ref());
            }
        };
        each(|listener| listener.pause());
        let result = work();
        each(|listener| listener.resume());
        result
    }

    pub(super) fn is_colored(&self) -> bool {
        self.colored
    }

    pub(super) fn owns_stdout(&self) -> bool {
        self.owns_stdout
    }
}

impl RunningStage<'_> {
    /// Reports how far the work is.
    pub fn advance(&self, done: u64, total: u64, unit: Unit) {
        self.send(done, total, unit, None, None);
    }

    /// Reports that `done` of `total` packages are done, and which one is next.
    pub fn advance_package(&self, done: usize, total: usize, name: &str) {
        self.send(done.min(total) as u64, total as u64, Unit::Packages, Some(name.to_owned()), None);
    }

    /// Reports that `done` of `total` packages, with this many bytes, were transferred.
    pub fn advance_transfer(&self, done: usize, total: usize, bytes: u64) {
        self.send(done.min(total) as u64, total as u64, Unit::Packages, None, Some(bytes));
    }

    fn send(&self, done: u64, total: u64, unit: Unit, detail: Option<String>, bytes: Option<u64>) {
        let (id, name) = (self.id, self.name.clone());
        self.progress.event(&Event::Progress { id, name, done, total, unit, detail, bytes });
    }

    /// Runs `work` and reports meanwhile how much of the new file `path` is written, of `total` bytes (0: unknown).
    pub fn while_growing<T>(&self, path: &Path, total: u64, work: impl FnOnce() -> T) -> T {
        let (ended, over) = mpsc::channel::<()>();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                while over.recv_timeout(SAMPLE) == Err(RecvTimeoutError::Timeout) {
                    let written = path.metadata().map_or(0, |facts| facts.blocks() * 512);
                    self.advance(if total > 0 { written.min(total) } else { written }, total, Unit::Bytes);
                }
            });
            let result = work();
            drop(ended);
            result
        })
    }

    /// Marks the work as restoring or saving the stage with this keyword.
    #[must_use]
    pub fn of_cache(mut self, cache: FromCache, cached: &'static str) -> Self {
        self.cache = Some(cache);
        self.cached = Some(cached);
        self
    }

    /// Ends a stage that restores nothing, because its entry of the cache is damaged.
    pub fn finish_unrestored(mut self) {
        self.cache = None;
        self.finished = true;
    }

    /// Ends the stage as done. A stage that is dropped without this has failed.
    pub fn finish(mut self) {
        self.finished = true;
    }

    fn end(&self) -> StageEnd {
        match (self.finished, self.cache) {
            (false, _) => StageEnd::Failed,
            (true, Some(FromCache::Taken)) => StageEnd::Reused,
            (true, Some(FromCache::Kept) | None) => StageEnd::Finished,
        }
    }
}

impl Drop for RunningStage<'_> {
    fn drop(&mut self) {
        let seconds = self.started.elapsed().as_secs_f64();
        self.spans.add(Span {
            name: self.name.clone(),
            start: self.before.0,
            end: self.spans.now(),
            usage: Usage::so_far().since(self.before.1),
            cache: self.cache,
            succeeded: self.finished,
        });
        let (id, task, name, end) = (self.id, self.task, self.name.clone(), self.end());
        let (time, cached) = (now(), self.cached);
        let shown = match end {
            StageEnd::Finished => "done",
            StageEnd::Reused => "from the cache",
            StageEnd::Failed => "failed",
        };
        self.log.line(&format!("<== {name}: {shown} ({seconds:.1} s)"));
        self.progress.event(&Event::StageFinished { id, task, name, time, seconds, end, cached });
    }
}
